"""The schemas and parameters of the OpenAPI document, by the names that the table of routes uses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from infusion_orders.api.batch import MOST_ORDERS
from infusion_orders.api.problems import PROBLEM_TYPES, TITLES
from infusion_orders.api.rule_bodies import MOST_RULES, Activation, Draft, ReplayOrder, RollBack, ShadowChange
from infusion_orders.authoring.search import EFFECTS, LONGEST, SHORTEST
from infusion_orders.decisions.decision import Decision
from infusion_orders.orders.order import Order
from infusion_orders.orders.vocabularies import ProviderType
from infusion_orders.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
OBJECT: Json = {"type": "object"}
FLAG: Json = {"type": "boolean"}
MOMENT: Json = {"type": "string", "format": "date-time"}
COUNT: Json = {"type": "integer", "minimum": 0}
VERSION: Json = {"type": "integer", "minimum": 1}
VERSION_PARAMETER: Json = {"type": "integer", "minimum": 1, "maximum": 999_999}
VERSION_OR_NULL: Json = {"type": ["integer", "null"]}


def schemas() -> Json:
    """Every schema: of bodies and decisions from their models, of other answers as declared here."""
    orders = _of_models(Order, Decision)
    for name in _reachable(orders, "Decision") - _reachable(orders, "Order"):
        orders[name] = _without_null(orders[name])
    rules = _of_models(Rule, Draft, Activation, RollBack, ShadowChange, ReplayOrder)
    rules["Draft"]["description"] += f" At most {MOST_RULES} rules."
    return {
        **rules,
        **_rule_answers(),
        **dict(sorted(orders.items())),
        **_batch(),
        "Problem": _problem(),
    }


def parameters() -> Json:
    """Every query, header and path parameter by name."""
    search_text = {"type": "string", "minLength": SHORTEST, "maxLength": LONGEST}
    decision_id = {"type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"}
    key = {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"}
    provider_types = {"enum": [kind.value for kind in ProviderType]}
    declared: Mapping[str, tuple[str, str, Json, str]] = {
        "explain": ("query", "explain", {"const": "all"}, "`all` adds every rule's verdict with its values."),
        "as_of": (
            "query",
            "as_of",
            {"type": "string", "format": "date"},
            "Decide as of this day, not after today (UTC), under the rules that were active at its end.",
        ),
        "ruleset_version": (
            "query",
            "ruleset_version",
            VERSION_PARAMETER,
            "Decide under this version of the rules.",
        ),
        "idempotency_key": (
            "header",
            "Idempotency-Key",
            key,
            "A repeated request with the same key and body gets the stored decision instead of a second one.",
        ),
        "decision_id": ("path", "decision_id", decision_id, "The `decision_id` of the answer."),
        "q": ("query", "q", search_text, "Words that the rule's clause, id, title, texts or conditions all contain."),
        "clause": ("query", "clause", TEXT, "A clause of the manual, such as M-5."),
        "therapy": ("query", "therapy", TEXT, "A therapy that the rule's conditions name."),
        "provider_type": ("query", "provider_type", provider_types, "A type of provider (M-12)."),
        "effect": ("query", "effect", {"enum": list(EFFECTS)}, "The effect of a rule that is not met."),
        "from_version": (
            "query",
            "from",
            VERSION_PARAMETER,
            "The version to compare with; the active one if it is left out.",
        ),
        "table": ("query", "table", TEXT, "A table whose rows to return instead of the rules."),
        "rule_id": ("path", "rule_id", TEXT, "The rule's id."),
        "version": ("path", "version", VERSION_PARAMETER, "The version's number."),
    }
    return {
        name: {"in": place, "name": sent, "required": place == "path", "schema": schema, "description": description}
        for name, (place, sent, schema, description) in declared.items()
    }


def _rule_answers() -> Json:
    header = {"version": VERSION, "digest": TEXT, "by": TEXT, "at": MOMENT, "note": TEXT}
    header |= {"rules": COUNT, "tables": COUNT, "errors": COUNT}
    pointer = {"version": VERSION, "digest": TEXT, "since": MOMENT, "by": TEXT, "why": TEXT}
    pointer |= {"previous": VERSION_OR_NULL, "shadow": VERSION_OR_NULL}
    change = {"action": TEXT, "version": VERSION, "by": TEXT, "at": MOMENT, "why": TEXT}
    change |= {"previous": VERSION_OR_NULL, "forced": FLAG}
    analysis = {"errors": COUNT, "findings": _list(OBJECT), "doubts": _list(OBJECT), "proved": COUNT}
    analysis |= {"rules_shown_to_fail": COUNT, "rules_that_require": COUNT}
    draft = {"loads": FLAG, "digest": TEXT, "problems": _list(OBJECT), **analysis, "held_by_examples": OBJECT}
    contents = {"rules": _list(OBJECT), "tables": OBJECT, "rows": _list(_list(TEXT))}
    return {
        "RuleList": _object({"version": VERSION, "rules": _list(_ref("Rule"))}),
        "OneRule": _object({"version": VERSION, "rule": _ref("Rule")}),
        "VersionHeader": _object(header),
        "VersionList": _object({"active": _or_null("Pointer"), "versions": _list(_ref("VersionHeader"))}),
        "Version": {
            **_object({"header": _ref("VersionHeader"), **contents}, required=["header"]),
            "description": "The header with the rules and the sizes of the tables, or with the rows of one table.",
        },
        "Pointer": _object(pointer),
        "ChangeList": _object({"changes": _list(_object(change))}),
        "Checked": _object(draft, required=["loads"]),
        "Published": _object({"version": VERSION, "digest": TEXT, **analysis}),
        "Differences": _object({"from": VERSION, "to": VERSION, "rules": _list(OBJECT), "tables": OBJECT}),
        "Replayed": _object({"version": VERSION, "complete": FLAG, "after": _or_null("Mark"), "report": OBJECT}),
    }


def _batch() -> Json:
    index = {**COUNT, "description": "The position of the order in the request."}
    orders = {**_list(_ref("Order")), "minItems": 1, "maxItems": MOST_ORDERS}
    decisions = _list(_object({"index": index, "decision": _ref("Decision")}))
    problems = _list(_object({"index": index, "problem": _ref("Problem")}))
    return {
        "Batch": {**_object({"orders": orders}), "additionalProperties": False},
        "BatchAnswer": {
            **_object({"decisions": decisions, "problems": problems}),
            "description": "Every order of the request is in exactly one of the two lists.",
        },
    }


def _problem() -> Json:
    places = ("pointer", "parameter", "header", "rule", "path", "problem")
    error = {
        **_object(dict.fromkeys(places, TEXT), required=["problem"]),
        "description": "One place: a pointer into the body, a query parameter, a header, or a rule and the path in it.",
    }
    fields: Json = {
        "type": {"type": "string", "format": "uri", "enum": [PROBLEM_TYPES + name for name in TITLES]},
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": {**TEXT, "description": "What happened and what to do."},
        "instance": {**TEXT, "description": "The id of the request."},
        "errors": _list(error),
    }
    return {
        **_object(fields, required=["type", "title", "status", "detail", "instance"]),
        "description": "An RFC 9457 problem. It never holds a value of the order.",
    }


def _object(properties: Json, *, required: Sequence[str] | None = None) -> Json:
    return {"type": "object", "required": list(properties if required is None else required), "properties": properties}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(name: str) -> Json:
    return {"anyOf": [_ref(name), {"type": "null"}]}


def _of_models(*models: type[BaseModel]) -> Json:
    _, generated = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    found: Json = _without_titles(generated["$defs"])
    return found


def _reachable(schemas: Json, name: str) -> set[str]:
    """The schema and every schema that it refers to, directly or not."""
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
    """The schema without the titles that pydantic derives from names; a field that is called `title` stays."""
    if isinstance(schema, dict):
        return {
            name: _without_titles(part)
            for name, part in schema.items()
            if not (name == "title" and isinstance(part, str))
        }
    return [_without_titles(part) for part in schema] if isinstance(schema, list) else schema


def _without_null(schema: Any) -> Any:
    """The schema of an answer, in which fields are left out instead of null."""
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
