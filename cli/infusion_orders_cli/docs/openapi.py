"""The OpenAPI 3.1 document, generated from the table of routes and the models that read and render bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.api.caller import TokenScope
from infusion_orders.api.problems import PROBLEM_TYPES, TITLES
from infusion_orders.api.routes import ROUTES
from infusion_orders_cli.docs.openapi_examples import examples
from infusion_orders_cli.docs.openapi_schemas import parameters, schemas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from infusion_orders.api.routes import ApiRoute

Json = dict[str, Any]
AUTHORIZATION = "partner"
TOKEN_URL = "https://example.auth.us-west-2.amazoncognito.com/oauth2/token"  # noqa: S105 - an address
SCOPES = {
    TokenScope.VALIDATE: "Validate orders.",
    TokenScope.READ_DECISIONS: "Read and reproduce decisions.",
    TokenScope.READ_RULES: "Read, search, try and replay rules.",
    TokenScope.WRITE_RULES: "Check and publish rule sets.",
    TokenScope.ACTIVATE_RULES: "Activate rule sets, roll back, and set a shadow.",
}
HEADERS: Mapping[str, Json] = {
    "Cache-Control": {"description": "Always `no-store`.", "schema": {"const": "no-store"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "Allow": {"description": "The methods that the path supports.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "`true` if this is the stored decision of an earlier request with the same key and body.",
        "schema": {"const": "true"},
    },
}
PROBLEM_HEADERS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
COMMON_PROBLEMS = (401, 403, 405, 422, 429, 500, 503)

Problems = dict[int, tuple[tuple[str, ...], str]]
PARTNER_PROBLEMS: Problems = {
    400: (("malformed-json",), "The body is not valid JSON, or JSON that readers interpret differently."),
    401: (("unauthenticated",), "The request has no valid access token."),
    403: (("missing-scope",), "The token lacks the scope, or the partner may not do this."),
    404: (("not-found",), "This does not exist for this partner."),
    405: (("not-found",), "The path does not support this method; `Allow` lists the methods that it supports."),
    409: (("idempotency-conflict",), "The Idempotency-Key was used before with a different body."),
    413: (("too-large",), "The request is too large, or its answer would be."),
    415: (("unsupported-media-type",), "The body is not application/json in UTF-8."),
    422: (("invalid-order",), "Fields of the request are invalid: each error names a place, never a value."),
    429: (("throttled",), "Too many requests, or the quota of the usage plan is used up."),
    500: (("internal",), "The service failed. This is not a decision."),
    503: (("no-ruleset", "internal"), "No recent rule set, or the decision could not be stored: send it again."),
}
RULE_PROBLEMS: Problems = {
    403: (("missing-scope", "four-eyes"), "The token lacks the scope, or a second person must do this."),
    404: (("not-found",), "The version or rule does not exist."),
    409: (
        ("activation-conflict", "checks-not-passed", "nothing-to-do", "too-many-flips"),
        "Nothing was changed: the active version has changed, the version's checks found errors, there is nothing to "
        "change, or too many recorded decisions would change.",
    ),
    422: (
        ("invalid-order", "invalid-ruleset"),
        "Fields of the request are invalid, or the rule set is: each error names a place.",
    ),
    503: (("no-ruleset", "internal"), "The rules table does not answer, or no version is active: send it again."),
}
"""The problems of each status and when they occur; a route for rule authors takes those of partners for the rest."""


def openapi_document(root: Path) -> Json:
    """The whole document; its examples come from events/orders and rules/home-infusion of the checkout at `root`."""
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "infusion-orders",
            "version": "1",
            "summary": "Does a home-infusion order meet the plan's rules?",
            "description": (
                "Send an order and get a decision: the outcome, who is responsible for each line, what is missing, and "
                "the rules behind it. What an order omits is unknown; a question is asked only if its answer matters."
            ),
        },
        "servers": [{"url": "/"}],
        "security": [{AUTHORIZATION: [str(TokenScope.VALIDATE)]}],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "parameters": parameters(),
            "responses": {
                **{f"Problem{status}": _problem_response(status, *of) for status, of in PARTNER_PROBLEMS.items()},
                **{f"RuleProblem{status}": _problem_response(status, *of) for status, of in RULE_PROBLEMS.items()},
            },
            "examples": examples(root),
            "securitySchemes": {
                AUTHORIZATION: {
                    "type": "oauth2",
                    "description": (
                        "Client credentials; send the token as `Authorization: Bearer`. The plan gives you its address."
                    ),
                    "flows": {"clientCredentials": {"tokenUrl": TOKEN_URL, "scopes": SCOPES}},
                }
            },
        },
    }


def _operation(route: ApiRoute) -> Json:
    first, *others = route.name.split("_")
    answer: Json = {"description": "Answered.", **_content(route.answer, route.answer_example)}
    if route.answer_headers:
        answer["headers"] = {name: HEADERS[name] for name in route.answer_headers}
    statuses = sorted({*COMMON_PROBLEMS, *route.problems})
    operation: Json = {
        "operationId": first + "".join(map(str.title, others)),
        "summary": route.summary,
        "responses": {str(route.status): answer, **{str(status): _problem(route, status) for status in statuses}},
    }
    if route.description:
        operation["description"] = route.description
    if route.parameters:
        operation["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in route.parameters]
    if route.body:
        operation["requestBody"] = {"required": True, **_content(route.body, route.body_example)}
    if route.scope is not TokenScope.VALIDATE:
        operation["security"] = [{AUTHORIZATION: [str(route.scope)]}]
    if _is_for_rule_authors(route):
        operation["tags"] = ["rules"]
    return operation


def _is_for_rule_authors(route: ApiRoute) -> bool:
    return route.function == "manage_rules"


def _problem(route: ApiRoute, status: int) -> Json:
    rules = "Rule" if _is_for_rule_authors(route) and status in RULE_PROBLEMS else ""
    return {"$ref": f"#/components/responses/{rules}Problem{status}"}


def _content(schema: str, example: str | None) -> Json:
    media: Json = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    if example is not None:
        media["examples"] = {example: {"$ref": f"#/components/examples/{example}"}}
    return {"content": {"application/json": media}}


def _problem_response(status: int, names: tuple[str, ...], when: str) -> Json:
    headers = ["Cache-Control", *([PROBLEM_HEADERS[status]] if status in PROBLEM_HEADERS else [])]
    media = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": {name: {"value": _problem_example(name, status, when)} for name in names},
    }
    return {
        "description": when,
        "headers": {name: HEADERS[name] for name in headers},
        "content": {"application/problem+json": media},
    }


def _problem_example(name: str, status: int, when: str) -> Json:
    example: Json = {
        "type": PROBLEM_TYPES + name,
        "title": TITLES[name],
        "status": status,
        "detail": when,
        "instance": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    }
    if name == "invalid-order":
        example["errors"] = [{"pointer": "/lines/0/dose/value", "problem": "must be more than 0"}]
    return example
