"""Every route of the API, declared once.

The functions find their handlers by this table, the local server routes by it, docs/openapi.json is generated from it,
and tests hold template.yaml's events to it.  Schemas, parameters and examples are names here:
`infusion_orders_cli.docs.openapi` resolves them, so a running function does not import what only documentation needs.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from infusion_orders.api.batch import MOST_ORDERS
from infusion_orders.api.caller import TokenScope


class ApiRoute(NamedTuple):
    """One method of one path.

    `name` is the handler's name in functions/`function`, and in camel case the name of the template's event and of the
    operation in docs/openapi.json.  `body` and `answer` name schemas.  `problems` lists the statuses of problems that
    not every route answers with.
    """

    name: str
    method: str
    path: str
    scope: TokenScope
    function: str
    summary: str
    answer: str
    body: str | None = None
    parameters: tuple[str, ...] = ()
    problems: tuple[int, ...] = ()
    status: int = 200
    description: str | None = None
    body_example: str | None = None
    answer_example: str | None = None
    answer_headers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def path_parameters(self, path: str) -> dict[str, str] | None:
        """The values in a path of this route by name; None for a path of another route."""
        parts, given = self.path.split("/"), path.rstrip("/").split("/")
        if len(parts) != len(given):
            return None
        values: dict[str, str] = {}
        for part, value in zip(parts, given, strict=True):
            if part.startswith("{") and value:
                values[part[1:-1]] = value
            elif part != value:
                return None
        return values


_partner_route = partial(ApiRoute, function="validate_orders")
_rule_route = partial(ApiRoute, function="manage_rules")
BODY_PROBLEMS = (400, 413, 415)

ROUTES = (
    _partner_route(
        "validate_order",
        "POST",
        "/v1/orders/validate",
        TokenScope.VALIDATE,
        summary="Validate one order",
        description=(
            "The decision is recorded before it is sent. With `as_of` or `ruleset_version` a past decision is "
            f"reproduced instead: this also needs the scope `{TokenScope.READ_DECISIONS}`, and nothing is recorded."
        ),
        parameters=("explain", "as_of", "ruleset_version", "idempotency_key"),
        body="Order",
        body_example="order",
        answer="Decision",
        answer_example="decision",
        answer_headers=("Cache-Control", "Idempotent-Replayed"),
        problems=(*BODY_PROBLEMS, 404, 409),
    ),
    _partner_route(
        "validate_batch",
        "POST",
        "/v1/orders/validate-batch",
        TokenScope.VALIDATE,
        summary=f"Validate 1 to {MOST_ORDERS} orders",
        description="Each order gets its own answer, named by its index. An invalid order does not affect the others.",
        parameters=("idempotency_key",),
        body="Batch",
        body_example="batch",
        answer="BatchAnswer",
        answer_headers=("Cache-Control",),
        problems=BODY_PROBLEMS,
    ),
    _partner_route(
        "get_decision",
        "GET",
        "/v1/decisions/{decision_id}",
        TokenScope.READ_DECISIONS,
        summary="Read a decision again",
        description="Returns the decision byte for byte as it was sent. A partner cannot read another's decisions.",
        parameters=("decision_id",),
        answer="Decision",
        answer_example="decision",
        answer_headers=("Cache-Control",),
        problems=(404,),
    ),
    _rule_route(
        "search_rules",
        "GET",
        "/v1/rules",
        TokenScope.READ_RULES,
        summary="Search the active rules",
        parameters=("q", "clause", "therapy", "provider_type", "effect"),
        answer="RuleList",
    ),
    _rule_route(
        "get_rule",
        "GET",
        "/v1/rules/{rule_id}",
        TokenScope.READ_RULES,
        summary="Read an active rule",
        parameters=("rule_id",),
        answer="OneRule",
        problems=(404,),
    ),
    _rule_route(
        "list_versions",
        "GET",
        "/v1/rulesets",
        TokenScope.READ_RULES,
        summary="List the published versions",
        answer="VersionList",
    ),
    _rule_route(
        "publish_draft",
        "POST",
        "/v1/rulesets",
        TokenScope.WRITE_RULES,
        summary="Check a draft and publish it",
        body="Draft",
        answer="Published",
        status=201,
        problems=(*BODY_PROBLEMS, 404),
    ),
    _rule_route(
        "list_changes",
        "GET",
        "/v1/rulesets/changes",
        TokenScope.READ_RULES,
        summary="List who changed what",
        answer="ChangeList",
    ),
    _rule_route(
        "check_draft",
        "POST",
        "/v1/rulesets/check",
        TokenScope.WRITE_RULES,
        summary="Check a draft without publishing it",
        body="Draft",
        answer="Checked",
        problems=(*BODY_PROBLEMS, 404),
    ),
    _rule_route(
        "activate_version",
        "PUT",
        "/v1/rulesets/active",
        TokenScope.ACTIVATE_RULES,
        summary="Activate a version",
        body="Activation",
        answer="Pointer",
        problems=(*BODY_PROBLEMS, 404, 409),
    ),
    _rule_route(
        "roll_back",
        "POST",
        "/v1/rulesets/rollback",
        TokenScope.ACTIVATE_RULES,
        summary="Roll back to the previous version",
        body="RollBack",
        answer="Pointer",
        problems=(*BODY_PROBLEMS, 409),
    ),
    _rule_route(
        "set_shadow",
        "PUT",
        "/v1/rulesets/shadow",
        TokenScope.ACTIVATE_RULES,
        summary="Also decide live orders under a shadow version",
        body="ShadowChange",
        answer="Pointer",
        problems=(*BODY_PROBLEMS, 404, 409),
    ),
    _rule_route(
        "get_version",
        "GET",
        "/v1/rulesets/{version}",
        TokenScope.READ_RULES,
        summary="Read a version",
        parameters=("version", "table"),
        answer="Version",
        problems=(404,),
    ),
    _rule_route(
        "compare_versions",
        "GET",
        "/v1/rulesets/{version}/differences",
        TokenScope.READ_RULES,
        summary="Compare a version with another one",
        parameters=("version", "from_version"),
        answer="Differences",
        problems=(404,),
    ),
    _rule_route(
        "try_order",
        "POST",
        "/v1/rulesets/{version}/decide",
        TokenScope.READ_RULES,
        summary="Decide an order under a version without recording the decision",
        parameters=("version",),
        body="Order",
        answer="Decision",
        problems=(*BODY_PROBLEMS, 404),
    ),
    _rule_route(
        "replay_version",
        "POST",
        "/v1/rulesets/{version}/replay",
        TokenScope.READ_RULES,
        summary="Decide recorded orders again under a version",
        parameters=("version",),
        body="ReplayOrder",
        answer="Replayed",
        problems=(*BODY_PROBLEMS, 404),
    ),
)
"""Fixed paths come before paths with parameters that would match them too."""


def find_route(routes: tuple[ApiRoute, ...], method: str, path: str) -> tuple[ApiRoute, dict[str, str]] | None:
    """The first of these routes that serves the method and path, and the path's parameters; None if none does."""
    for route in routes:
        values = route.path_parameters(path) if route.method == method else None
        if values is not None:
            return route, values
    return None


def allowed_methods(routes: tuple[ApiRoute, ...], path: str) -> frozenset[str]:
    """The methods that these routes serve the path with."""
    return frozenset(route.method for route in routes if route.path_parameters(path) is not None)
