"""Every route of the stack with a request that it answers: what a new route cannot be added without.

The routes are those of docs/openapi.json, which a test compares with template.yaml.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.orders import an_order_document
from tests.support.partner import an_event
from tests.support.project import PROJECT
from tests.support.rules import SETTING, default_document

if TYPE_CHECKING:
    from tests.support.partner import Answer, World


METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Route:
    """`scope` is what the contract says that its token must have; the function is the template's."""

    method: str
    path: str
    scope: str

    def __str__(self) -> str:
        """As it is written in the contract, and as tests are named by it."""
        return f"{self.method} {self.path}"

    @property
    def function(self) -> str:
        """The partners' routes are one function's, the rules' another's."""
        return "ManageRules" if self.path.startswith("/v1/rule") else "ValidateOrders"

    def sent(self, world: World, event: dict[str, Any]) -> Answer:
        """The answer of the function that serves the route."""
        return (world.rules if self.function == "ManageRules" else world.partner).send(event)


@dataclass(frozen=True)
class Request:
    """A good one: what stands in the path's braces, the query, and the body; and what it is answered with."""

    body: Any = None
    values: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    status: int = 200
    again: int = 200
    """The status of the same request sent once more."""


def _small_draft() -> dict[str, Any]:
    document = default_document()
    (rule,) = [rule for rule in document.rules if rule["id"] == SETTING]
    return {"rules": [rule], "tables": {name: [list(row) for row in rows] for name, rows in document.tables.items()}}


def good_requests(decision_id: str) -> dict[str, Request]:
    """By route.  They want version 1 active, a version 2 published, and the decision of the local partner recorded."""
    order = an_order_document()
    version = (("version", "1"),)
    return {
        "POST /v1/orders/validate": Request(order),
        "POST /v1/orders/validate-batch": Request({"orders": [order, {"order_id": "sent-slip"}]}),
        "GET /v1/decisions/{decision_id}": Request(values=(("decision_id", decision_id),)),
        "GET /v1/rules": Request(query=(("q", "caregiver"),)),
        "GET /v1/rules/{rule_id}": Request(values=(("rule_id", SETTING),)),
        "GET /v1/rulesets": Request(),
        "GET /v1/rulesets/changes": Request(),
        "GET /v1/rulesets/{version}": Request(values=version),
        "GET /v1/rulesets/{version}/differences": Request(values=(("version", "2"),), query=(("from", "1"),)),
        "POST /v1/rulesets/check": Request(_small_draft()),
        "POST /v1/rulesets": Request(_small_draft() | {"note": "one rule alone"}, status=201, again=201),
        "POST /v1/rulesets/{version}/decide": Request(order, values=version),
        "POST /v1/rulesets/{version}/replay": Request({"from": "2026-01-01", "to": "2099-01-01"}, values=version),
        "PUT /v1/rulesets/shadow": Request({"version": 2, "why": "to see what it says"}, again=409),
        "PUT /v1/rulesets/active": Request({"version": 2, "why": "it is time"}),
        "POST /v1/rulesets/rollback": Request({"why": "it was too early"}),
    }


def _routes() -> list[Route]:
    document = json.loads((PROJECT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    common = document.get("security", [])
    return [
        Route(method.upper(), path, scope)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
        for requirement in operation.get("security", common)[:1]
        for scope in requirement["partner"][:1]
    ]


ROUTES = _routes()


def event_to(route: Route, request: Request, **changes: Any) -> dict[str, Any]:
    """The request as API Gateway would send it, from the local partner with the route's scope unless changed."""
    path = route.path
    for name, value in request.values:
        path = path.replace(f"{{{name}}}", value)
    changes = {"scope": route.scope, "query": dict(request.query) or None, **changes}
    event = an_event("validate-order", **changes)
    event["body"] = None if request.body is None else json.dumps(request.body)
    return event | {
        "httpMethod": route.method,
        "path": path,
        "resource": route.path,
        "pathParameters": dict(request.values) or None,
    }
