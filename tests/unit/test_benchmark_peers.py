"""Conditions said in the languages of the engines that the benchmark compares with; the engines are not needed."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.measuring import Times
from benchmarks.peer_engines import Peer, named
from benchmarks.peer_languages import CEL, REST, ZEN, json_logic, plain, zen_table
from benchmarks.peers import RULES, documents, setting
from infusion_orders.rules.expression import TESTS, Comparison, Every, Expression, Negation, Some, comparisons

if TYPE_CHECKING:
    from collections.abc import Iterable

DRUG = Comparison("line.kind", "is", "drug")
SIGNED = Comparison("prescriber.signed_on", "at_most", other="line.date_of_service")
FEW = Comparison("line.units", "below", Decimal("2.5"))
KIND, UNITS = {"var": "line_kind"}, {"var": "line_units"}
ITEM = {"var": ""}

COMPARISONS = [
    (DRUG, {"===": [KIND, "drug"]}, 'line_kind == "drug"', 'line_kind == "drug"'),
    (
        Comparison("care.telephone", "is", True),
        {"===": [{"var": "care_telephone"}, True]},
        "care_telephone == true",
        "care_telephone == true",
    ),
    (
        Comparison("line.kind", "is_not", "drug"),
        {"!==": [KIND, "drug"]},
        'line_kind != "drug"',
        'line_kind != "drug"',
    ),
    (
        Comparison("line.kind", "in", frozenset({"drug", "a"})),
        {"in": [KIND, ["a", "drug"]]},
        'line_kind in ["a", "drug"]',
        'line_kind in ["a", "drug"]',
    ),
    (
        Comparison("line.kind", "not_in", frozenset({"drug"})),
        {"!": {"in": [KIND, ["drug"]]}},
        'line_kind not in ["drug"]',
        '!(line_kind in ["drug"])',
    ),
    (FEW, {"<": [UNITS, 2.5]}, "line_units < 2.5", "line_units < 2.5"),
    (
        Comparison("line.units", "above", Decimal("3")),
        {">": [UNITS, 3.0]},
        "line_units > 3.0",
        "line_units > 3.0",
    ),
    (
        Comparison("line.date_of_service", "at_least", date(2024, 7, 1)),
        {">=": [{"var": "line_date_of_service"}, "2024-07-01"]},
        'date(line_date_of_service) >= date("2024-07-01")',
        'line_date_of_service >= "2024-07-01"',
    ),
    (
        SIGNED,
        {"<=": [{"var": "prescriber_signed_on"}, {"var": "line_date_of_service"}]},
        "date(prescriber_signed_on) <= date(line_date_of_service)",
        "prescriber_signed_on <= line_date_of_service",
    ),
    (
        Comparison("line.units", "between", (Decimal("0.8"), Decimal("2"))),
        {"<=": [0.8, UNITS, 2.0]},
        "line_units in [0.8..2.0]",
        "(line_units >= 0.8 && line_units <= 2.0)",
    ),
    (
        Comparison("line.modifiers", "contains_any", frozenset({"JA"})),
        {"some": [{"var": "line_modifiers"}, {"in": [ITEM, ["JA"]]}]},
        'some(line_modifiers, # in ["JA"])',
        'line_modifiers.exists(code, code in ["JA"])',
    ),
    (
        Comparison("line.modifiers", "contains_none", frozenset({"JA"})),
        {"none": [{"var": "line_modifiers"}, {"in": [ITEM, ["JA"]]}]},
        'none(line_modifiers, # in ["JA"])',
        '!line_modifiers.exists(code, code in ["JA"])',
    ),
    (
        Comparison("line.hcpcs", "starts_with_any", ("J1", "S")),
        {"some": [{"merge": [{"var": "line_hcpcs"}]}, {"or": [{"starts_with": [ITEM, one]} for one in ("J1", "S")]}]},
        'some([line_hcpcs], startsWith(#, "J1") or startsWith(#, "S"))',
        '[line_hcpcs].exists(code, code.startsWith("J1") || code.startsWith("S"))',
    ),
    (
        Comparison("order.diagnoses", "starts_with_any", ("D8",)),
        {"some": [{"merge": [{"var": "order_diagnoses"}]}, {"or": [{"starts_with": [ITEM, "D8"]}]}]},
        'some(order_diagnoses, startsWith(#, "D8"))',
        'order_diagnoses.exists(code, code.startsWith("D8"))',
    ),
    (
        Comparison("prescriber.signed_on", "known"),
        {"!==": [{"var": "prescriber_signed_on"}, None]},
        "prescriber_signed_on != null",
        "prescriber_signed_on == prescriber_signed_on",
    ),
]


@pytest.mark.parametrize(
    ("comparison", "as_json_logic", "as_zen", "as_cel"), COMPARISONS, ids=[str(row[0].operator) for row in COMPARISONS]
)
def test_a_comparison_in_each_language(comparison: Comparison, as_json_logic: Any, as_zen: str, as_cel: str) -> None:
    assert json_logic(comparison) == as_json_logic
    assert ZEN.said(comparison) == as_zen
    assert CEL.said(comparison) == as_cel


def test_every_operator_is_said_in_each_language() -> None:
    assert {row[0].operator for row in COMPARISONS} == set(TESTS)
    assert set(ZEN.tests) == set(CEL.tests) == set(TESTS)


@pytest.mark.parametrize(
    ("expression", "as_json_logic", "as_zen", "as_cel"),
    [
        (True, True, "true", "true"),
        (
            Some((DRUG, Every((FEW, Negation(DRUG))))),
            {"or": [{"===": [KIND, "drug"]}, {"and": [{"<": [UNITS, 2.5]}, {"!": {"===": [KIND, "drug"]}}]}]},
            '(line_kind == "drug" or (line_units < 2.5 and not (line_kind == "drug")))',
            '(line_kind == "drug" || (line_units < 2.5 && !(line_kind == "drug")))',
        ),
    ],
)
def test_a_composition_in_each_language(expression: Expression, as_json_logic: Any, as_zen: str, as_cel: str) -> None:
    assert json_logic(expression) == as_json_logic
    assert ZEN.said(expression) == as_zen
    assert CEL.said(expression) == as_cel


def test_a_table_has_a_row_for_each_alternative_and_a_column_for_what_is_no_comparison() -> None:
    either = Some((Every((DRUG, FEW)), Negation(DRUG)))
    content = json.loads(zen_table({"either": either, "few": FEW}))["nodes"][1]["content"]
    assert content["inputs"] == [
        {"id": "line_kind", "name": "line_kind", "field": "line_kind"},
        {"id": "line_units", "name": "line_units", "field": "line_units"},
        {"id": REST, "name": REST},
    ]
    cells = [(row["line_kind"], row["line_units"], row[REST], row["holds"]) for row in content["rules"]]
    assert cells == [
        ('$ == "drug"', "$ < 2.5", "", '"either"'),
        ("", "", 'not (line_kind == "drug")', '"either"'),
        ("", "$ < 2.5", "", '"few"'),
    ]


def test_a_table_says_a_second_comparison_of_a_fact_as_an_expression() -> None:
    both = Every((FEW, Comparison("line.units", "above", Decimal("1"))))
    row = json.loads(zen_table({"both": both}))["nodes"][1]["content"]["rules"][0]
    assert (row["line_units"], row[REST]) == ("$ < 2.5", "line_units > 1.0")


def test_values_are_plain_json() -> None:
    values = (Decimal("2.50"), 3, True, "a", date(2026, 12, 1), frozenset({"b", "a"}), None)
    assert [plain(value) for value in values] == [2.5, 3.0, True, "a", "2026-12-01", ["a", "b"], None]
    assert [type(plain(value)) for value in (3, True)] == [float, bool]


def test_a_program_is_given_the_facts_that_its_condition_names_or_all_that_were_prepared() -> None:
    def first(_facts: Any) -> bool:
        return True

    def second(_facts: Any) -> bool:
        return False

    own = Peer("own", [first, second], dict, own_facts=[named(SIGNED), named(DRUG)], outside=json.dumps)
    facts = {"line_kind": "drug", "line_date_of_service": "2026-12-01"}
    assert own.evaluations(facts) == [
        (first, {"line_date_of_service": "2026-12-01"}),
        (second, {"line_kind": "drug"}),
    ]
    assert own.prepared_evaluations(facts)[1] == (second, '{"line_kind": "drug"}')
    assert Peer("whole", [first], sorted).evaluations(facts) == [(first, ["line_date_of_service", "line_kind"])]


def test_the_rules_are_of_every_file_with_every_operator_and_size() -> None:
    shared = setting()
    subjects = {rule.id.split(".")[0] for rule in shared.rule_set.rules if rule.require is not True}
    of_other_subjects_files = {"submitter", "nursing"}
    assert {name.split(".")[0] for name in RULES} == subjects - of_other_subjects_files

    def operators_and_sizes(conditions: Iterable[Expression]) -> tuple[set[str], set[int]]:
        leaves = [list(comparisons(condition)) for condition in conditions]
        return {leaf.operator for of_one in leaves for leaf in of_one}, {len(of_one) for of_one in leaves}

    requires: list[Expression] = [rule.require for rule in shared.rule_set.rules if rule.require is not True]
    assert operators_and_sizes(rule.require for rule in shared.rules.values()) == operators_and_sizes(requires)
    assert len(set(RULES)) == 25


def test_the_orders_are_the_same_every_time() -> None:
    assert list(documents()) == list(documents())
    assert len({json.dumps(order, sort_keys=True) for order in documents()}) > 900


def test_times_of_one_thing() -> None:
    assert Times("call", (2.0, 4.0)).each(4) == Times("call", (0.5, 1.0))
