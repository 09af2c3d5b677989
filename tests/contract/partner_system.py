"""A partner's system as the tests see it: it posts the events of events/ to a freshly loaded function."""

from __future__ import annotations

import importlib.util
import io
import itertools
import json
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infusion_orders_cli.embedded_table import LOCAL_PARTNER, environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

PROJECT = Path(__file__).parents[2]
_serial = itertools.count(1)


class StandardOutput(io.TextIOBase):
    """Standard output as it is when something is written: the function's logger outlives one test's capture."""

    def write(self, text: str) -> int:
        """To the capture of the test that runs; while a function is loaded, to the process's own."""
        stream = sys.__stdout__ if sys.stdout is self else sys.stdout
        return stream.write(text) if stream else 0


def load_function(name: str, variables: Mapping[str, str]) -> ModuleType:
    """A fresh `functions/<name>/app.py`: its own clients, caches and logger."""
    serial = next(_serial)
    spec = importlib.util.spec_from_file_location(
        f"{name}_under_test_{serial}", PROJECT / "functions" / name / "app.py"
    )
    if spec is None or spec.loader is None:
        raise FileNotFoundError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    with environment({**variables, "SERVICE_NAME": f"{name}-{serial}"}), redirect_stdout(StandardOutput()):
        spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class LambdaContext:
    """As much of Lambda's context as the functions read."""

    aws_request_id: str = "5d3f2a0e-0000-4000-8000-000000000001"
    milliseconds: int = 20_000

    def get_remaining_time_in_millis(self) -> int:
        """As long as the function has."""
        return self.milliseconds


@dataclass(frozen=True)
class Answer:
    """What API Gateway would send on."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.text)

    @property
    def problem(self) -> str:
        """The name of the problem, the last part of its type."""
        assert self.headers["Content-Type"] == "application/problem+json"
        document = self.json
        assert {"type", "title", "status", "detail", "instance"} <= set(document)
        assert document["status"] == self.status
        return str(document["type"]).removeprefix("https://infusion-orders.dev/problems/")


@dataclass
class PartnerSystem:
    """Posts to the handler of one loaded function."""

    function: ModuleType
    context: LambdaContext = field(default_factory=LambdaContext)

    def send(self, event: Mapping[str, Any]) -> Answer:
        """An event as it is."""
        answer = self.function.handler(event, self.context)
        assert answer["isBase64Encoded"] is False
        headers = {name: ", ".join(values) for name, values in answer["multiValueHeaders"].items()}
        return Answer(answer["statusCode"], headers, answer["body"])

    def validate(self, order: Any, **changes: Any) -> Answer:
        """POST /v1/orders/validate."""
        return self.send(an_event("validate-order", body=json.dumps(order), **changes))

    def validate_batch(self, orders: Any, **changes: Any) -> Answer:
        """POST /v1/orders/validate-batch."""
        return self.send(an_event("validate-batch", body=json.dumps({"orders": orders}), **changes))

    def call(self, method: str, path: str, body: Any = None, **changes: Any) -> Answer:
        """Any route, with a JSON body if there is one."""
        event = an_event("validate-order", body=None if body is None else json.dumps(body), **changes)
        if body is None:
            event["body"] = None
        return self.send(event | {"httpMethod": method, "path": path, "resource": path})

    def decision(self, decision_id: str, **changes: Any) -> Answer:
        """GET /v1/decisions/{decision_id}."""
        event = an_event("get-decision", **changes)
        return self.send(
            event | {"path": f"/v1/decisions/{decision_id}", "pathParameters": {"decision_id": decision_id}}
        )


def read_event(name: str) -> dict[str, Any]:
    """A file of events/."""
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
    """A file of events/ with another body, query, headers or caller; a header of None is left out."""
    event = read_event(name)
    event["requestContext"]["authorizer"] = {"claims": {"client_id": client_id, "token_use": "access", "scope": scope}}
    if body is not None:
        event["body"] = body
    event["queryStringParameters"] = dict(query) if query else None
    event["multiValueQueryStringParameters"] = {key: [value] for key, value in query.items()} if query else None
    merged = {**event["headers"], **(headers or {})}
    event["headers"] = {key: value for key, value in merged.items() if value is not None}
    return event
