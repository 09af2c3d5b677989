"""A partner's system, which posts the events of events/ to freshly loaded functions, and the world they run in.

A `World` has tables in memory with the default rule set active, four partners, and the functions loaded on them.
"""

from __future__ import annotations

import gc
import gzip
import io
import itertools
import json
import sys
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infusion_orders.orders.vocabularies import LineOfBusiness
from infusion_orders.store.partners import Partner, PartnerStore
from infusion_orders.store.versions import RuleSetStore
from infusion_orders_cli.local import api
from infusion_orders_cli.local.tables import (
    DECISIONS_TABLE,
    LOCAL_PARTNER,
    RULES_TABLE,
    LocalTables,
    embedded_tables,
    environment,
)
from tests.support.project import PROJECT, TEMPLATE
from tests.support.rules import default_document
from tests.support.tables import a_client, mocked_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from infusion_orders.api.routes import ApiRoute

EVERYTHING = frozenset(map(str, LineOfBusiness))
OTHER_PARTNERS = (
    Partner("another-partner", "Another partner", "active", EVERYTHING),
    Partner("commercial-partner", "Commercial only", "active", frozenset({"commercial_hmo"})),
    Partner("suspended-partner", "Suspended partner", "suspended", EVERYTHING),
)
_serial = itertools.count(1)


class StandardOutput(io.TextIOBase):
    """Write to whatever standard output is at that moment, because a function's logger outlives one test's capture."""

    def write(self, text: str) -> int:
        """Write to the running test's capture; while a function is being loaded, to the process's own output."""
        stream = sys.__stdout__ if sys.stdout is self else sys.stdout
        return stream.write(text) if stream else 0


def load_function(name: str, variables: Mapping[str, str]) -> ModuleType:
    """Load `functions/<name>/app.py` anew, with its own clients, caches and logger."""
    serial = next(_serial)
    with environment({**variables, "SERVICE_NAME": f"{name}-{serial}"}), redirect_stdout(StandardOutput()):
        function = api.load_function(PROJECT / "functions" / name, f"{name}_under_test_{serial}")
    # A function keeps what it loads for the life of its process; here every test loads one and drops it.
    del sys.modules[function.__name__]
    gc.unfreeze()
    return function


@dataclass(frozen=True)
class LambdaContext:
    """The part of Lambda's context that the functions read."""

    aws_request_id: str = "5d3f2a0e-0000-4000-8000-000000000001"
    milliseconds: int = 20_000

    def get_remaining_time_in_millis(self) -> int:
        """Return how much time the function has left."""
        return self.milliseconds


@dataclass(frozen=True)
class Answer:
    """The response that API Gateway would send to the partner."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """Return the parsed body."""
        return json.loads(self.text)

    @property
    def problem(self) -> str:
        """Return the name of the problem: the last part of its type."""
        assert self.headers["Content-Type"] == "application/problem+json"
        document = self.json
        assert {"type", "title", "status", "detail", "instance"} <= set(document)
        assert document["status"] == self.status
        return str(document["type"]).removeprefix("https://infusion-orders.dev/problems/")


@dataclass
class PartnerSystem:
    """Sends events to the handler of one loaded function."""

    function: ModuleType
    context: LambdaContext = field(default_factory=LambdaContext)

    def send(self, event: Mapping[str, Any]) -> Answer:
        """Send an event unchanged."""
        answer = self.function.handler(event, self.context)
        assert answer["isBase64Encoded"] is False
        headers = {name: ", ".join(values) for name, values in answer["multiValueHeaders"].items()}
        return Answer(answer["statusCode"], headers, answer["body"])

    def validate(self, order: Any, **changes: Any) -> Answer:
        """Send POST /v1/orders/validate."""
        return self.send(an_event("validate-order", body=json.dumps(order), **changes))

    def validate_batch(self, orders: Any, **changes: Any) -> Answer:
        """Send POST /v1/orders/validate-batch."""
        return self.send(an_event("validate-batch", body=json.dumps({"orders": orders}), **changes))

    def call(self, method: str, path: str, body: Any = None, **changes: Any) -> Answer:
        """Send a request to any route, with a JSON body if one is given."""
        event = an_event("validate-order", body=None if body is None else json.dumps(body), **changes)
        if body is None:
            event["body"] = None
        return self.send(event | {"httpMethod": method, "path": path, "resource": path})

    def decision(self, decision_id: str, **changes: Any) -> Answer:
        """Send GET /v1/decisions/{decision_id}."""
        event = an_event("get-decision", **changes)
        return self.send(
            event | {"path": f"/v1/decisions/{decision_id}", "pathParameters": {"decision_id": decision_id}}
        )


def read_event(name: str) -> dict[str, Any]:
    """Return the event in a file of events/."""
    event: dict[str, Any] = json.loads((PROJECT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    return event


def an_event(
    name: str,
    *,
    body: str | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str | None] | None = None,
    client_id: str = LOCAL_PARTNER,
    scope: str = "orders/validate decisions/read",
) -> dict[str, Any]:
    """Return an event of events/ with another body, query, headers or caller; a header of None is removed."""
    event = read_event(name)
    event["requestContext"]["authorizer"] = {"claims": {"client_id": client_id, "token_use": "access", "scope": scope}}
    if body is not None:
        event["body"] = body
    event["queryStringParameters"] = dict(query) if query else None
    event["multiValueQueryStringParameters"] = {key: [value] for key, value in query.items()} if query else None
    merged = {**event["headers"], **(headers or {})}
    event["headers"] = {key: value for key, value in merged.items() if value is not None}
    return event


@dataclass(frozen=True)
class World:
    """The loaded functions: `partner` calls validate_orders as the local partner, `rules` calls manage_rules."""

    function: ModuleType
    partner: PartnerSystem
    rules: PartnerSystem

    def send(self, route: ApiRoute, event: Mapping[str, Any]) -> Answer:
        """Send an event to the function that serves the route."""
        return (self.rules if route.function == "manage_rules" else self.partner).send(event)

    def items(self) -> list[dict[str, Any]]:
        """Return all items of the decisions table, with compressed values decompressed."""
        pages = self.function.resources.client.get_paginator("scan").paginate(TableName=DECISIONS_TABLE)
        items = [item for page in pages for item in page["Items"]]
        return [{name: _readable(value) for name, value in item.items()} for item in items]

    def count_decisions(self) -> int:
        """Return how many decisions are recorded, without the idempotency records."""
        return sum(item["SK"]["S"].startswith("DECISION#") for item in self.items())


def _readable(value: dict[str, Any]) -> dict[str, Any]:
    return {"S": gzip.decompress(value["B"]).decode()} if "B" in value else value


@contextmanager
def decided_world() -> Iterator[World]:
    """A world in which version 1 of the default rules is active and the local and OTHER_PARTNERS are registered."""
    with embedded_tables(TEMPLATE, default_document()) as tables:
        partners = PartnerStore(tables.client, RULES_TABLE, refresh_seconds=60, clock=lambda: 0.0)
        for partner in OTHER_PARTNERS:
            partners.put(partner)
        yield world_of(tables)


@contextmanager
def world_without_rules() -> Iterator[World]:
    """A world with the local partner and without any rule set."""
    with mocked_tables():
        client = a_client()
        partners = PartnerStore(client, RULES_TABLE, refresh_seconds=60, clock=lambda: 0.0)
        partners.put(Partner(LOCAL_PARTNER, "Local partner", "active", EVERYTHING))
        yield world_of(LocalTables(client, RuleSetStore(client, RULES_TABLE, "home-infusion"), 0))


def world_of(tables: LocalTables) -> World:
    """Load the functions on these tables."""
    function = load_function("validate_orders", tables.environment())
    manage_rules = load_function("manage_rules", tables.environment())
    return World(function, PartnerSystem(function), PartnerSystem(manage_rules))
