"""Judging behind gates gives every rule the verdict that it has by itself."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infusion_orders.decisions.judging import judge
from infusion_orders.facts.case import Case
from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.candidates import MOST_KEPT, Gate, bits
from infusion_orders.rules.rule import Verdict
from tests.property.rule_sets import a_rule, a_rule_set, rule_lists
from tests.property.test_decisions import FAULTY, FAULTY_FACTS
from tests.property.vocabulary import SMALL, partly_known
from tests.support.default_rules import default_rules

if TYPE_CHECKING:
    from infusion_orders.rules.rule_set import RuleSet

SECOND = {"fact": "second.flag", "is": True}
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
    for position, rule in enumerate(rule_set.rules):
        verdict = line.verdict(position)
        try:
            alone = rule.verdict(line.facts)
        except Exception:
            alone = Verdict.ERROR
        assert verdict is alone or (alone is Verdict.ERROR and verdict is Verdict.NOT_APPLICABLE)


def some_rules(*chosen: set[int], require: Any = SECOND) -> RuleSet:
    """A rule for each set of common conditions that it names."""
    plain = [{**a_rule(number, None, require, "reject")} for number in range(len(chosen))]
    return a_rule_set(with_common_conditions(plain, list(chosen)))


def test_each_fact_that_several_rules_name_becomes_one_gate() -> None:
    gates = some_rules({0}, {0, 1}, {1}, {0, 2}).gates
    assert {gate.fact: gate.rules for gate in gates.gates} == {"first.flag": 0b1011, "the.colour": 0b0110}


def test_facts_that_are_sent_are_looked_at_before_those_that_are_derived() -> None:
    gates = default_rules().gates.gates
    derived = [default_rules().catalogue.facts[gate.fact].derive is not None for gate in gates]
    assert derived == sorted(derived)
    assert True in derived
    assert False in derived


def test_a_fact_of_rules_that_are_closed_already_is_not_even_derived() -> None:
    rule_set = some_rules({0, 1}, {0, 1})
    case = Case(rule_set.catalogue, rule_set.tables, line_facts=[{"first.flag": False}])
    (line,) = judge(case, rule_set, ["1"])
    assert not line.verdicts
    assert "the.colour" not in line.facts


def test_a_rule_may_say_several_things_of_one_fact() -> None:
    within = {"all": [{"fact": "the.colour", "in": ["red", "green"]}, {"fact": "the.colour", "in": ["green", "blue"]}]}
    rule_set = a_rule_set([a_rule(number, within, SECOND, "reject") for number in range(2)])
    for colour, applies in (("red", False), ("green", True), ("blue", False)):
        case = Case(rule_set.catalogue, rule_set.tables, line_facts=[{"the.colour": colour, "second.flag": False}])
        (line,) = judge(case, rule_set, ["1"])
        assert set(line.verdicts.values()) == ({Verdict.NOT_MET} if applies else set())


@pytest.mark.parametrize(
    ("day", "applies"),
    [("2025-12-31", False), ("2026-01-01", True), ("2026-06-30", True), ("2026-12-31", True), ("2027-01-01", False)],
)
def test_both_ends_of_a_period_close_a_rule(day: str, applies: bool) -> None:
    period = {"effective": {"from": "2026-01-01", "to": "2026-12-31"}}
    rule_set = a_rule_set([a_rule(number, None, SECOND, "reject") | period for number in range(2)])
    facts = {"line.date_of_service": date.fromisoformat(day), "second.flag": False}
    (line,) = judge(Case(rule_set.catalogue, rule_set.tables, line_facts=[facts]), rule_set, ["1"])
    assert set(line.verdicts.values()) == ({Verdict.NOT_MET} if applies else set())


@pytest.mark.parametrize(
    ("colour", "flag", "verdict"),
    [
        ("blue", True, Verdict.NOT_APPLICABLE),
        ("red", False, Verdict.NOT_APPLICABLE),
        ("red", None, Verdict.UNKNOWN),
        (None, True, Verdict.UNKNOWN),
        ("red", True, Verdict.SATISFIED),
    ],
)
def test_a_rule_that_assigns_is_never_satisfied_by_what_is_unknown(
    colour: str | None, flag: bool | None, verdict: Verdict
) -> None:
    """Its gates may be open while the rest of its `when` is not known."""
    when = {"all": [{"fact": "the.colour", "is": "red"}, {"any": [SECOND, {"fact": "third.flag", "is": True}]}]}
    assigning = {"when": when, "assign": {"line.responsible_party": "health_plan"}, "otherwise": None, "require": None}
    rule_set = a_rule_set([a_rule(number, None, None, "reject") | assigning for number in range(2)])
    given_facts = {"the.colour": colour, "second.flag": flag, "third.flag": False}
    known = {name: value for name, value in given_facts.items() if value is not None}
    (line,) = judge(Case(rule_set.catalogue, rule_set.tables, line_facts=[known]), rule_set, ["1"])
    assert [line.verdict(position) for position in range(2)] == [verdict] * 2


@pytest.mark.parametrize(("day", "applies"), [("2026-01-01", True), ("2026-01-02", False)])
def test_a_day_that_is_named_closes_a_rule_on_every_other(day: str, applies: bool) -> None:
    named = {"fact": "line.date_of_service", "is": "2026-01-01"}
    rule_set = a_rule_set([a_rule(number, named, SECOND, "reject") for number in range(2)])
    facts = {"line.date_of_service": date.fromisoformat(day), "second.flag": False}
    (line,) = judge(Case(rule_set.catalogue, rule_set.tables, line_facts=[facts]), rule_set, ["1"])
    assert set(line.verdicts.values()) == ({Verdict.NOT_MET} if applies else set())


def test_what_is_kept_of_a_gate_is_bounded() -> None:
    gate = Gate(SMALL.facts["the.colour"], [(0, "is", "red")])
    for number in range(MOST_KEPT + 10):
        assert gate.closed(f"colour {number}") == 1
    assert gate.closed("red") == 0
    assert len(gate._kept) <= MOST_KEPT


def test_a_rule_behind_its_gates_is_compiled_once_for_all_plans() -> None:
    rule_set = some_rules({0}, {0}, {1}, {1})
    judges = []
    for colour in ("red", "blue"):
        facts = Case(rule_set.catalogue, rule_set.tables, line_facts=[{"first.flag": True, "the.colour": colour}])
        _, of_line = rule_set.gates.plan(facts.lines[0])
        judges.append(dict(of_line))
    assert (set(judges[0]), set(judges[1])) == ({0, 1, 2, 3}, {0, 1})
    assert judges[0][0] is judges[1][0]


@given(st.sets(st.integers(0, 300)))
def test_bits_stand_at_their_positions(positions: set[int]) -> None:
    assert bits(sorted(positions)) == sum(1 << position for position in positions)


def test_most_of_the_default_rules_stand_behind_gates() -> None:
    rule_set = default_rules()
    behind = 0
    for gate in rule_set.gates.gates:
        behind |= gate.rules
    assert behind.bit_count() > len(rule_set.rules) / 2


def test_a_rule_without_its_gate_would_judge_otherwise() -> None:
    """The gates carry weight: a set that loses one judges a line that the gate had kept from it."""
    closed = {"first.flag": False, "second.flag": False}
    rule_set = some_rules({0}, {0}, {0})
    case = Case(rule_set.catalogue, rule_set.tables, line_facts=[closed])
    (line,) = judge(case, rule_set, ["1"])
    assert [line.verdict(position) for position in range(3)] == [Verdict.NOT_APPLICABLE] * 3

    leaky = some_rules({0}, {0}, {0})
    (gate,) = leaky.gates.gates
    gate.listed[False] = [1]
    (line,) = judge(Case(leaky.catalogue, leaky.tables, line_facts=[closed]), leaky, ["1"])
    assert [line.verdict(position) for position in range(3)] == [
        Verdict.NOT_APPLICABLE,
        Verdict.NOT_MET,
        Verdict.NOT_APPLICABLE,
    ]
