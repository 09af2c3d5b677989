"""A good request for every route of the table.  A new route needs one here, or the tests of every route fail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.orders import an_order_document
from tests.support.partner import an_event
from tests.support.rules import SETTING, default_document

if TYPE_CHECKING:
    from infusion_orders.api.routes import ApiRoute


@dataclass(frozen=True)
class GoodRequest:
    """A request that is answered: its body, path parameters and query, and the expected status."""

    body: Any = None
    values: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    status: int = 200
    again: int = 200
    """The status when the same request is sent again."""


def _small_draft() -> dict[str, Any]:
    document = default_document()
    (rule,) = [rule for rule in document.rules if rule["id"] == SETTING]
    return {"rules": [rule], "tables": {name: [list(row) for row in rows] for name, rows in document.tables.items()}}


def good_requests(decision_id: str) -> dict[str, GoodRequest]:
    """The good requests by route.  They need an active version 1, a published version 2, and the recorded decision."""
    order = an_order_document()
    version = (("version", "1"),)
    return {
        "POST /v1/orders/validate": GoodRequest(order),
        "POST /v1/orders/validate-batch": GoodRequest({"orders": [order, {"order_id": "sent-slip"}]}),
        "GET /v1/decisions/{decision_id}": GoodRequest(values=(("decision_id", decision_id),)),
        "GET /v1/rules": GoodRequest(query=(("q", "caregiver"),)),
        "GET /v1/rules/{rule_id}": GoodRequest(values=(("rule_id", SETTING),)),
        "GET /v1/rulesets": GoodRequest(),
        "GET /v1/rulesets/changes": GoodRequest(),
        "GET /v1/rulesets/{version}": GoodRequest(values=version),
        "GET /v1/rulesets/{version}/differences": GoodRequest(values=(("version", "2"),), query=(("from", "1"),)),
        "POST /v1/rulesets/check": GoodRequest(_small_draft()),
        "POST /v1/rulesets": GoodRequest(_small_draft() | {"note": "one rule alone"}, status=201, again=201),
        "POST /v1/rulesets/{version}/decide": GoodRequest(order, values=version),
        "POST /v1/rulesets/{version}/replay": GoodRequest({"from": "2026-01-01", "to": "2099-01-01"}, values=version),
        "PUT /v1/rulesets/shadow": GoodRequest({"version": 2, "why": "to see what it says"}, again=409),
        "PUT /v1/rulesets/active": GoodRequest({"version": 2, "why": "it is time"}),
        "POST /v1/rulesets/rollback": GoodRequest({"why": "it was too early"}),
    }


def event_to(route: ApiRoute, request: GoodRequest, **changes: Any) -> dict[str, Any]:
    """The event of a request, from the local partner and with the route's scope unless changed."""
    path = route.path
    for name, value in request.values:
        path = path.replace(f"{{{name}}}", value)
    changes = {"scope": str(route.scope), "query": dict(request.query) or None, **changes}
    event = an_event("validate-order", **changes)
    event["body"] = None if request.body is None else json.dumps(request.body)
    return event | {
        "httpMethod": route.method,
        "path": path,
        "resource": route.path,
        "pathParameters": dict(request.values) or None,
    }
