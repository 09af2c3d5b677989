"""The part of the OpenAPI document that rule authors use: rule sets checked, published, activated, tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from infusion_orders.api.caller import Scope
from infusion_orders.api.drafts import MOST_RULES, Activation, Draft, ReplayOrder, RollBack, ShadowChange
from infusion_orders.authoring.search import EFFECTS, LONGEST, SHORTEST
from infusion_orders.orders.order import ProviderType
from infusion_orders.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Json = dict[str, Any]

RULE_PROBLEMS: Mapping[int, tuple[tuple[str, ...], str]] = {
    403: (("missing-scope", "four-eyes"), "The token lacks the scope, or another person must do this."),
    404: (("not-found",), "The rule set has no such version or rule."),
    409: (
        ("activation-conflict", "checks-not-passed", "nothing-to-do", "too-many-flips"),
        "Nothing was changed: somebody was first, the version's checks found errors, it is so already, or too many "
        "recorded decisions would change.",
    ),
    422: (
        ("invalid-order", "invalid-ruleset"),
        "The request does not follow the contract, or the rule set does not load: each error names a place.",
    ),
    503: (("no-ruleset", "internal"), "The rules table does not answer, or nothing is active: send it again."),
}
"""What differs from the problems of partners, by status."""
BODY = (400, 413, 415)
COMMON = (401, 403, 405, 422, 429, 500, 503)


def rule_paths(authorization: str) -> Json:
    """By path and method."""

    def operation(
        name: str,
        summary: str,
        scope: Scope,
        answer: str,
        *,
        body: str | None = None,
        parameters: Iterable[str] = (),
        own: Iterable[int] = (),
        status: str = "200",
    ) -> Json:
        statuses = sorted({*COMMON, *own, *(BODY if body is not None else ())})
        responses = {str(each): {"$ref": f"#/components/responses/{_response_name(each)}"} for each in statuses}
        described: Json = {
            "operationId": name,
            "summary": summary,
            "tags": ["rules"],
            "security": [{authorization: [str(scope)]}],
            "responses": {status: {"description": "Answered.", **_json(answer)}, **responses},
        }
        if parameters:
            described["parameters"] = [{"$ref": f"#/components/parameters/{each}"} for each in parameters]
        if body is not None:
            described["requestBody"] = {"required": True, **_json(body)}
        return described

    read, write, activate = Scope.READ_RULES, Scope.WRITE_RULES, Scope.ACTIVATE_RULES
    search = ("q", "clause", "therapy", "provider_type", "effect")
    return {
        "/v1/rules": {"get": operation("searchRules", "Search the active rules", read, "RuleList", parameters=search)},
        "/v1/rules/{rule_id}": {
            "get": operation("getRule", "Read an active rule", read, "OneRule", parameters=("rule_id",), own=(404,))
        },
        "/v1/rulesets": {
            "get": operation("listVersions", "List the published versions", read, "VersionList"),
            "post": operation(
                "publishDraft",
                "Check a draft and publish it",
                write,
                "Published",
                body="Draft",
                own=(404,),
                status="201",
            ),
        },
        "/v1/rulesets/changes": {"get": operation("listChanges", "Who changed what", read, "ChangeList")},
        "/v1/rulesets/check": {
            "post": operation(
                "checkDraft", "Check a draft; nothing is kept", write, "Checked", body="Draft", own=(404,)
            )
        },
        "/v1/rulesets/active": {
            "put": operation(
                "activateVersion", "Make a version decide", activate, "Pointer", body="Activation", own=(404, 409)
            )
        },
        "/v1/rulesets/rollback": {
            "post": operation("rollBack", "Go back", activate, "Pointer", body="RollBack", own=(409,))
        },
        "/v1/rulesets/shadow": {
            "put": operation(
                "setShadow", "Decide live orders under it too", activate, "Pointer", body="ShadowChange", own=(404, 409)
            )
        },
        "/v1/rulesets/{version}": {
            "get": operation(
                "getVersion", "Read a version", read, "Version", parameters=("version", "table"), own=(404,)
            )
        },
        "/v1/rulesets/{version}/differences": {
            "get": operation(
                "compareVersions",
                "What it says that another does not",
                read,
                "Differences",
                parameters=("version", "from_version"),
                own=(404,),
            )
        },
        "/v1/rulesets/{version}/decide": {
            "post": operation(
                "tryOrder",
                "Try an order on a version; nothing is recorded",
                read,
                "Decision",
                body="Order",
                parameters=("version",),
                own=(404,),
            )
        },
        "/v1/rulesets/{version}/replay": {
            "post": operation(
                "replayVersion",
                "Decide recorded decisions again under a version",
                read,
                "Replayed",
                body="ReplayOrder",
                parameters=("version",),
                own=(404,),
            )
        },
    }


def rule_schemas() -> Json:
    """Of the bodies, from their models; of the answers, as far as they are fixed."""
    models: list[tuple[Any, Any]] = [
        (model, "validation") for model in (Rule, Draft, Activation, RollBack, ShadowChange, ReplayOrder)
    ]
    _, generated = models_json_schema(models, ref_template="#/components/schemas/{model}")
    schemas: Json = dict(generated["$defs"])
    schemas["Draft"]["description"] += f" At most {MOST_RULES} rules."
    rule = {"$ref": "#/components/schemas/Rule"}
    version = {"type": "integer", "minimum": 1}
    text, moment, flag = {"type": "string"}, {"type": "string", "format": "date-time"}, {"type": "boolean"}
    number = {"type": "integer", "minimum": 0}
    number_or_null = {"type": ["integer", "null"]}
    header = {"version": version, "digest": text, "by": text, "at": moment, "note": text}
    header |= {"rules": number, "tables": number, "errors": number}
    pointer = {"version": version, "digest": text, "since": moment, "by": text, "why": text}
    pointer |= {"previous": number_or_null, "shadow": number_or_null}
    change = {"action": text, "version": version, "by": text, "at": moment, "why": text}
    change |= {"previous": number_or_null, "forced": flag}
    analysis = {"errors": number, "findings": _list({"type": "object"}), "doubts": _list({"type": "object"})}
    analysis |= {"proved": number, "rules_shown_to_fail": number, "rules_that_require": number}
    mark = {"anyOf": [{"$ref": "#/components/schemas/Mark"}, {"type": "null"}]}
    ref_pointer = {"anyOf": [{"$ref": "#/components/schemas/Pointer"}, {"type": "null"}]}
    return schemas | {
        "RuleList": _object({"version": version, "rules": _list(rule)}),
        "OneRule": _object({"version": version, "rule": rule}),
        "VersionHeader": _object(header),
        "VersionList": _object(
            {"active": ref_pointer, "versions": _list({"$ref": "#/components/schemas/VersionHeader"})}
        ),
        "Version": {
            **_object({"header": {"$ref": "#/components/schemas/VersionHeader"}}),
            "description": "With its rules and the sizes of its tables, or with the rows of the table asked for.",
            "properties": {
                "header": {"$ref": "#/components/schemas/VersionHeader"},
                "rules": _list({"type": "object"}),
                "tables": {"type": "object"},
                "rows": _list(_list(text)),
            },
        },
        "Pointer": _object(pointer),
        "ChangeList": _object({"changes": _list(_object(change))}),
        "Checked": {
            **_object({"loads": flag}),
            "properties": {"loads": flag, "digest": text, "problems": _list({"type": "object"}), **analysis}
            | {"held_by_examples": {"type": "object"}},
        },
        "Published": _object({"version": version, "digest": text, **analysis}),
        "Differences": _object(
            {"from": version, "to": version, "rules": _list({"type": "object"}), "tables": {"type": "object"}}
        ),
        "Replayed": _object({"version": version, "complete": flag, "after": mark, "report": {"type": "object"}}),
    }


def rule_parameters() -> Json:
    """By name."""
    words = {"type": "string", "minLength": SHORTEST, "maxLength": LONGEST}
    version = {"type": "integer", "minimum": 1, "maximum": 999_999}

    def query(name: str, schema: Json, description: str) -> Json:
        return {"in": "query", "name": name, "required": False, "schema": schema, "description": description}

    def path(name: str, schema: Json, description: str) -> Json:
        return {"in": "path", "name": name, "required": True, "schema": schema, "description": description}

    return {
        "q": query("q", words, "Every word must stand in the rule: its clause, id, title, texts or conditions."),
        "clause": query("clause", {"type": "string"}, "A clause of the manual, such as M-5."),
        "therapy": query("therapy", {"type": "string"}, "A therapy that the rule's conditions name."),
        "provider_type": query(
            "provider_type", {"enum": [kind.value for kind in ProviderType]}, "A type of provider (M-12)."
        ),
        "effect": query("effect", {"enum": list(EFFECTS)}, "What follows when the rule is not met."),
        "from_version": query("from", version, "The version to compare with; the active one if it is left out."),
        "table": query("table", {"type": "string"}, "A table whose rows are to be told instead of the rules."),
        "rule_id": path("rule_id", {"type": "string"}, "The rule's id."),
        "version": path("version", version, "The version's number."),
    }


def _response_name(status: int) -> str:
    return f"RuleProblem{status}" if status in RULE_PROBLEMS else f"Problem{status}"


def _json(schema: str) -> Json:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _object(properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}
