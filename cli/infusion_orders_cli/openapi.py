"""The OpenAPI 3.1 document of the partner API, from the models that read orders and render decisions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from infusion_orders.api.batch import MOST_ORDERS
from infusion_orders.api.caller import Scope
from infusion_orders.api.problems import PROBLEM_TYPES, TITLES
from infusion_orders.decisions.decision import Decision
from infusion_orders.orders.order import Order
from infusion_orders_cli.openapi_examples import example_decision, example_order
from infusion_orders_cli.openapi_rules import RULE_PROBLEMS, rule_parameters, rule_paths, rule_schemas

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Json = dict[str, Any]
AUTHORIZATION = "partner"
TOKEN_URL = "https://example.auth.us-west-2.amazoncognito.com/oauth2/token"  # noqa: S105 - an address
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
ALWAYS = {"Cache-Control": {"description": "Always `no-store`.", "schema": {"const": "no-store"}}}

PROBLEMS: Mapping[int, tuple[tuple[str, ...], str]] = {
    400: (("malformed-json",), "The body is not JSON that every reader takes alike."),
    401: (("unauthenticated",), "The request carries no verified access token."),
    403: (("missing-scope",), "The token lacks the scope, or the partner may not do this."),
    404: (("not-found",), "Nothing is there for this partner."),
    405: (("not-found",), "The path does not answer this method; `Allow` says which it does."),
    409: (("idempotency-conflict",), "The Idempotency-Key was used for another body."),
    413: (("too-large",), "The request, or the answer that it asks for, is too large."),
    415: (("unsupported-media-type",), "The body is not application/json in UTF-8."),
    422: (("invalid-order",), "The request does not follow the contract: each error names a place, never a value."),
    429: (("throttled",), "Too many requests, or the quota of the usage plan is used up."),
    500: (("internal",), "A fault on the plan's side; it is no decision."),
    503: (("no-ruleset", "internal"), "No recent rule set, or the decision could not be stored: send it again."),
}
"""Status to the problems that it carries, and when."""
COMMON = (401, 403, 405, 422, 429, 500, 503)


def openapi_document(root: Path) -> Json:
    """The whole document; its examples come from events/orders and rules/home-infusion of the checkout at `root`."""
    order = example_order(root)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "infusion-orders",
            "version": "1",
            "summary": "Does a home-infusion order stand under the plan's rules?",
            "description": (
                "Send an order and get a decision: its outcome, who is responsible for each line, what is missing, and "
                "the rules behind it. What an order leaves out is unknown, and is asked for only if it matters."
            ),
        },
        "servers": [{"url": "/"}],
        "security": [{AUTHORIZATION: [str(Scope.VALIDATE)]}],
        "paths": {
            "/v1/orders/validate": {"post": _validate()},
            "/v1/orders/validate-batch": {"post": _validate_batch()},
            "/v1/decisions/{decision_id}": {"get": _get_decision()},
            **rule_paths(AUTHORIZATION),
        },
        "components": {
            "schemas": _schemas(),
            "parameters": {**_parameters(), **rule_parameters()},
            "responses": {
                **{f"Problem{status}": _problem_response(status, PROBLEMS) for status in PROBLEMS},
                **{f"RuleProblem{status}": _problem_response(status, RULE_PROBLEMS) for status in RULE_PROBLEMS},
            },
            "examples": {
                "order": {"summary": "Infliximab at home, every 8 weeks", "value": order},
                "batch": {"summary": "A batch of one", "value": {"orders": [order]}},
                "decision": {"summary": "Accepted", "value": example_decision(root)},
            },
            "securitySchemes": {AUTHORIZATION: _security_scheme()},
        },
    }


def _validate() -> Json:
    replayed = {
        "description": "`true` when this is the stored decision of an earlier request with the same key and body.",
        "schema": {"const": "true"},
    }
    return {
        "operationId": "validateOrder",
        "summary": "Validate one order",
        "description": (
            "The decision is recorded before it is given out. With `as_of` or `ruleset_version` a past decision is "
            f"reproduced instead, which needs the scope `{Scope.READ_DECISIONS}` too and records nothing."
        ),
        "parameters": _references("parameters", "explain", "as_of", "ruleset_version", "idempotency_key"),
        "requestBody": _content("Order", "order") | {"required": True},
        "responses": _responses("Decision", "decision", (400, 404, 409, 413, 415), {"Idempotent-Replayed": replayed}),
    }


def _validate_batch() -> Json:
    return {
        "operationId": "validateBatch",
        "summary": f"Validate 1 to {MOST_ORDERS} orders",
        "description": "Each order is answered on its own, by its index: one bad order never spoils the others.",
        "parameters": _references("parameters", "idempotency_key"),
        "requestBody": _content("Batch", "batch") | {"required": True},
        "responses": _responses("BatchAnswer", None, (400, 413, 415)),
    }


def _get_decision() -> Json:
    return {
        "operationId": "getDecision",
        "summary": "Read a decision again",
        "description": "As it was given out, byte for byte. Another partner's decision is not there.",
        "security": [{AUTHORIZATION: [str(Scope.READ_DECISIONS)]}],
        "parameters": _references("parameters", "decision_id"),
        "responses": _responses("Decision", "decision", (404,)),
    }


def _responses(schema: str, example: str | None, own: Iterable[int], headers: Json | None = None) -> Json:
    answer = {"description": "Answered.", "headers": {**ALWAYS, **(headers or {})}, **_content(schema, example)}
    problems = {str(status): _reference("responses", f"Problem{status}") for status in sorted({*COMMON, *own})}
    return {"200": answer, **problems}


def _content(schema: str, example: str | None) -> Json:
    media: Json = {"schema": _reference("schemas", schema)}
    if example is not None:
        media["examples"] = {example: _reference("examples", example)}
    return {"content": {"application/json": media}}


def _problem_response(status: int, problems: Mapping[int, tuple[tuple[str, ...], str]]) -> Json:
    names, when = problems[status]
    examples = {name: {"value": _problem_example(name, status, when)} for name in names}
    media = {"schema": _reference("schemas", "Problem"), "examples": examples}
    headers: Json = dict(ALWAYS)
    if status in {429, 503}:
        headers |= RETRY_AFTER
    if status == 405:
        headers["Allow"] = {"description": "The methods that it answers.", "schema": {"type": "string"}}
    if status == 401:
        headers["WWW-Authenticate"] = {"description": "`Bearer`.", "schema": {"type": "string"}}
    return {"description": when, "headers": headers, "content": {"application/problem+json": media}}


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


def _schemas() -> Json:
    _, models = models_json_schema(
        [(Order, "validation"), (Decision, "validation")], ref_template="#/components/schemas/{model}"
    )
    schemas: Json = _without_titles(models["$defs"])
    answers = _reached(schemas, "Decision") - _reached(schemas, "Order")
    for name in answers:
        schemas[name] = _without_null(schemas[name])
    own = {**dict(sorted(schemas.items())), **_batch_schemas(), "Problem": _problem_schema()}
    return {**_without_titles(rule_schemas()), **own}


def _batch_schemas() -> Json:
    def entries(name: str, schema: str) -> Json:
        index = {"type": "integer", "minimum": 0, "description": "Of the order in the request."}
        entry = {
            "type": "object",
            "required": ["index", name],
            "properties": {"index": index, name: _reference("schemas", schema)},
        }
        return {"type": "array", "items": entry}

    orders = {"type": "array", "minItems": 1, "maxItems": MOST_ORDERS, "items": _reference("schemas", "Order")}
    return {
        "Batch": {
            "type": "object",
            "required": ["orders"],
            "properties": {"orders": orders},
            "additionalProperties": False,
        },
        "BatchAnswer": {
            "type": "object",
            "description": "Every order of the request is in exactly one of the two lists.",
            "required": ["decisions", "problems"],
            "properties": {"decisions": entries("decision", "Decision"), "problems": entries("problem", "Problem")},
        },
    }


def _problem_schema() -> Json:
    error = {
        "type": "object",
        "description": "One place: a pointer into the body, a query parameter, a header, or a rule and the path in it.",
        "required": ["problem"],
        "properties": {
            name: {"type": "string"} for name in ("pointer", "parameter", "header", "rule", "path", "problem")
        },
    }
    return {
        "type": "object",
        "description": "RFC 9457. It never holds a value of the order.",
        "required": ["type", "title", "status", "detail", "instance"],
        "properties": {
            "type": {"type": "string", "format": "uri", "enum": [PROBLEM_TYPES + name for name in TITLES]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What happened and what to do."},
            "instance": {"type": "string", "description": "The id of the request."},
            "errors": {"type": "array", "items": error},
        },
    }


def _parameters() -> Json:
    return {
        "explain": _parameter(
            "query", "explain", {"const": "all"}, "`all` adds every rule's verdict with the values under it."
        ),
        "as_of": _parameter(
            "query",
            "as_of",
            {"type": "string", "format": "date"},
            "Decide as of this day, not after today (UTC), under the rules that were active at its end.",
        ),
        "ruleset_version": _parameter(
            "query",
            "ruleset_version",
            {"type": "integer", "minimum": 1, "maximum": 999_999},
            "Decide under this version of the rules.",
        ),
        "idempotency_key": _parameter(
            "header",
            "Idempotency-Key",
            {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
            "The same key and body give the stored decision again instead of a second one.",
        ),
        "decision_id": _parameter(
            "path",
            "decision_id",
            {"type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"},
            "The `decision_id` of the answer.",
        ),
    }


def _parameter(place: str, name: str, schema: Json, description: str) -> Json:
    return {"in": place, "name": name, "required": place == "path", "schema": schema, "description": description}


def _security_scheme() -> Json:
    scopes = {
        str(Scope.VALIDATE): "Validate orders.",
        str(Scope.READ_DECISIONS): "Read and reproduce decisions.",
        str(Scope.READ_RULES): "Read, search, try and replay rules.",
        str(Scope.WRITE_RULES): "Check and publish rule sets.",
        str(Scope.ACTIVATE_RULES): "Activate rule sets, go back, and set a shadow.",
    }
    return {
        "type": "oauth2",
        "description": "Client credentials; the token goes into `Authorization: Bearer`. The plan tells its address.",
        "flows": {"clientCredentials": {"tokenUrl": TOKEN_URL, "scopes": scopes}},
    }


def _references(kind: str, *names: str) -> list[Json]:
    return [_reference(kind, name) for name in names]


def _reference(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def _reached(schemas: Mapping[str, Any], name: str) -> set[str]:
    """The schema and all that it refers to, however far."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            text = json.dumps(schemas[current])
            waiting += [other for other in schemas if f'"#/components/schemas/{other}"' in text]
    return found


def _without_titles(schema: Any) -> Any:
    """Pydantic titles every field with its own name; a field that is called `title` is a mapping and stays."""
    if isinstance(schema, dict):
        return {
            name: _without_titles(part)
            for name, part in schema.items()
            if not (name == "title" and isinstance(part, str))
        }
    return [_without_titles(part) for part in schema] if isinstance(schema, list) else schema


def _without_null(schema: Any) -> Any:
    """Answers leave out what is null."""
    if isinstance(schema, list):
        return [_without_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _without_null(part) for name, part in schema.items()}
    choices = [choice for choice in kept.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del kept["anyOf"]
        kept = {**choices[0], **{name: part for name, part in kept.items() if name != "default"}}
    return kept
