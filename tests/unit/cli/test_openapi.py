"""The OpenAPI document is valid and agrees with the code about requests and answers."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from infusion_orders.api.problems import TITLES
from infusion_orders.decisions.decision import Decision
from infusion_orders.orders.parsing import order_from_json, parse_json
from infusion_orders_cli.docs.openapi import PARTNER_PROBLEMS, RULE_PROBLEMS, openapi_document
from tests.support.orders import an_order_document
from tests.support.project import PROJECT

ROOT = PROJECT


@cache
def document() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(openapi_document(ROOT)))
    return read


def errors(schema: str, instance: Any) -> list[str]:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document()["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(instance)]


def test_document_is_valid_openapi() -> None:
    validate(document())


def test_every_problem_has_a_status_and_an_example() -> None:
    documented = [names for problems in (PARTNER_PROBLEMS, RULE_PROBLEMS) for names, _ in problems.values()]
    assert {name for names in documented for name in names} == set(TITLES)
    for response in document()["components"]["responses"].values():
        for example in response["content"]["application/problem+json"]["examples"].values():
            assert errors("Problem", example["value"]) == []


def test_examples_match_what_the_code_reads_and_renders() -> None:
    examples = document()["components"]["examples"]

    order_from_json(parse_json(json.dumps(examples["order"]["value"])))
    decision = Decision.model_validate_json(json.dumps(examples["decision"]["value"]))

    assert decision.outcome == "accepted"
    assert errors("Order", examples["order"]["value"]) == []
    assert errors("Batch", examples["batch"]["value"]) == []
    assert errors("Decision", examples["decision"]["value"]) == []


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("/surprise", 1), ("/lines", []), ("/order_id", None), ("/urgency", "soon"), ("/lines/0/dose/value", -1)],
)
def test_order_schema_refuses_what_the_code_refuses(pointer: str, value: Any) -> None:
    assert errors("Order", an_order_document({pointer: value})) != []


def test_answers_never_hold_null() -> None:
    text = json.dumps({name: document()["components"]["schemas"][name] for name in ("Decision", "Finding", "Question")})

    assert '"null"' not in text
