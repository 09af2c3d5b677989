"""Judging behind gates gives every rule the verdict that it has by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infusion_orders.decisions.judging import judge
from infusion_orders.facts.case import Case
from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.gates import Gates
from infusion_orders.rules.rule import Verdict
from tests.default_rules import default_rules
from tests.property.rule_sets import a_rule_set, rule_lists
from tests.property.test_decisions import FAULTY, FAULTY_FACTS
from tests.property.vocabulary import SMALL, partly_known

COMMON = (
    {"fact": "first.flag", "is": True},
    {"fact": "the.colour", "in": ["red", "green"]},
    {"fact": "the.size", "at_least": 2},
)


def with_common_conditions(rules: list[Any], chosen: list[set[int]]) -> list[Any]:
    """The rules, with some of the conditions that stand in many of them."""
    return [
        {
            **rule,
            "when": {
                "all": [*(COMMON[number] for number in sorted(numbers)), *([rule["when"]] if rule["when"] else [])]
            },
        }
        for rule, numbers in zip(rules, chosen, strict=False)
    ]


CHOSEN = st.lists(st.sets(st.integers(0, 2), min_size=1), min_size=6, max_size=6)


@settings(max_examples=300, deadline=None)
@given(rule_lists(6), CHOSEN, partly_known(), st.booleans())
def test_every_verdict_is_the_one_without_gates(
    rules: list[Any], chosen: list[set[int]], facts: dict[str, Any], faulty: bool
) -> None:
    catalogue = FAULTY if faulty else SMALL
    rule_set = a_rule_set(with_common_conditions(rules, chosen), catalogue)
    known = {
        name: value
        for name, value in facts.items()
        if not isinstance(value, Unknown) and not (faulty and name in FAULTY_FACTS)
    }
    case = Case(rule_set.catalogue, rule_set.tables, line_facts=[known])
    (line,) = judge(case, rule_set, ["1"])
    for rule, verdict in zip(rule_set.rules, line.verdicts, strict=True):
        try:
            alone = rule.verdict(line.facts)
        except Exception:
            alone = Verdict.ERROR
        assert verdict is alone or (alone is Verdict.ERROR and verdict is Verdict.NOT_APPLICABLE)


def test_common_conditions_become_gates_and_are_not_asked_again() -> None:
    rule = {"fact": "second.flag", "is": True}
    rules = a_rule_set(
        with_common_conditions(
            [
                {**found, "when": None, "require": rule}
                for found in [
                    {
                        "id": f"rule.number-{n}",
                        "title": "A rule",
                        "scope": "line",
                        "otherwise": {"effect": "reject", "message": "Not met."},
                        "citation": {"document": "A manual", "basis": "manual"},
                    }
                    for n in range(3)
                ]
            ],
            [{0}, {0, 1}, {0}],
        )
    ).rules
    gates = Gates.of(rules)
    assert [gate.rules for gate in gates.gates] == [0b111]
    assert [beyond is None for beyond in gates.beyond] == [True, False, True]


def test_the_default_rules_share_their_periods_and_kinds_of_line() -> None:
    rule_set = default_rules()
    masks = [gate.rules.bit_count() for gate in rule_set.gates.gates]
    assert max(masks) > len(rule_set.rules) / 2


@pytest.mark.parametrize("position", range(3))
def test_a_rule_without_its_gate_would_judge_otherwise(position: int) -> None:
    """The gates carry weight: a set that loses one judges a line that the gate had kept from it."""
    rules = [
        {
            "id": f"rule.number-{number}",
            "title": "A rule",
            "scope": "line",
            "when": COMMON[0],
            "require": {"fact": "second.flag", "is": True},
            "otherwise": {"effect": "reject", "message": "Not met."},
            "citation": {"document": "A manual", "basis": "manual"},
        }
        for number in range(3)
    ]
    rule_set = a_rule_set(rules)
    case = Case(rule_set.catalogue, rule_set.tables, line_facts=[{"first.flag": False, "second.flag": False}])
    (closed,) = judge(case, rule_set, ["1"])
    assert set(closed.verdicts) == {Verdict.NOT_APPLICABLE}
    (gate,) = rule_set.gates.gates
    leaky = replace(rule_set.gates, gates=(replace(gate, rules=gate.rules & ~(1 << position)),))
    object.__setattr__(rule_set, "gates", leaky)
    (open_line,) = judge(case, rule_set, ["1"])
    assert open_line.verdicts[position] is Verdict.NOT_MET
