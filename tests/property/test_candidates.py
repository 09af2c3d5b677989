"""Candidate selection leaves every verdict as it is without candidate selection."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infusion_orders.decisions.judgement import judge_order
from infusion_orders.facts.case import Case
from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.candidates import MOST_CACHED, FactFilter, bit_mask
from infusion_orders.rules.rule import Verdict
from tests.property.rule_sets import numbered_rule, rule_lists
from tests.property.test_decisions import FAULTY, FAULTY_FACTS
from tests.property.vocabulary import SMALL, partly_known
from tests.support.examples import examples
from tests.support.rules import a_rule_set, default_rules

if TYPE_CHECKING:
    from infusion_orders.rules.rule_set import RuleSet

SECOND = {"fact": "second.flag", "is": True}
COMMON = (
    {"fact": "first.flag", "is": True},
    {"fact": "the.colour", "in": ["red", "green"]},
    {"fact": "the.size", "at_least": 2},
)


def with_common_conditions(rules: list[Any], chosen: list[set[int]]) -> list[Any]:
    """The rules, each with some conditions that other rules have too."""
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


@examples(300)
@given(rule_lists(6), CHOSEN, partly_known(), st.booleans())
def test_every_verdict_is_the_same_without_candidate_selection(
    rules: list[Any], chosen: list[set[int]], facts: dict[str, Any], faulty: bool
) -> None:
    catalogue = FAULTY if faulty else SMALL
    rule_set = a_rule_set(*with_common_conditions(rules, chosen), catalogue=catalogue)
    known = {
        name: value
        for name, value in facts.items()
        if not isinstance(value, Unknown) and not (faulty and name in FAULTY_FACTS)
    }
    case = Case(rule_set.catalogue, rule_set.tables, line_facts=[known])
    (line,) = judge_order(case, rule_set, ["1"])
    for position, rule in enumerate(rule_set.rules):
        verdict = line.verdict(position)
        try:
            alone = rule.judge(line.facts)
        except Exception:
            alone = Verdict.ERROR
        assert verdict is alone or (alone is Verdict.ERROR and verdict is Verdict.NOT_APPLICABLE)


def some_rules(*chosen: set[int], require: Any = SECOND) -> RuleSet:
    """A rule for each set of common conditions that it names."""
    plain = [{**numbered_rule(number, None, require, "reject")} for number in range(len(chosen))]
    return a_rule_set(*with_common_conditions(plain, list(chosen)), catalogue=SMALL)


def test_each_fact_that_several_rules_name_has_one_filter() -> None:
    filters = some_rules({0}, {0, 1}, {1}, {0, 2}).candidates.filters
    assert {each.fact: each.naming for each in filters} == {"first.flag": 0b1011, "the.colour": 0b0110}


def test_filters_read_sent_facts_before_derived_facts() -> None:
    filters = default_rules().candidates.filters
    derived = [default_rules().catalogue.facts[each.fact].derive is not None for each in filters]
    assert derived == sorted(derived)
    assert True in derived
    assert False in derived


def test_fact_of_rules_that_are_already_excluded_is_not_derived() -> None:
    rule_set = some_rules({0, 1}, {0, 1})
    case = Case(rule_set.catalogue, rule_set.tables, line_facts=[{"first.flag": False}])
    (line,) = judge_order(case, rule_set, ["1"])
    assert not line.verdicts
    assert "the.colour" not in line.facts


def test_rule_with_two_conditions_on_one_fact_applies_where_both_hold() -> None:
    within = {"all": [{"fact": "the.colour", "in": ["red", "green"]}, {"fact": "the.colour", "in": ["green", "blue"]}]}
    rule_set = a_rule_set(*[numbered_rule(number, within, SECOND, "reject") for number in range(2)], catalogue=SMALL)
    for colour, applies in (("red", False), ("green", True), ("blue", False)):
        case = Case(rule_set.catalogue, rule_set.tables, line_facts=[{"the.colour": colour, "second.flag": False}])
        (line,) = judge_order(case, rule_set, ["1"])
        assert set(line.verdicts.values()) == ({Verdict.NOT_MET} if applies else set())


@pytest.mark.parametrize(
    ("day", "applies"),
    [("2025-12-31", False), ("2026-01-01", True), ("2026-06-30", True), ("2026-12-31", True), ("2027-01-01", False)],
)
def test_rule_does_not_apply_before_or_after_its_period(day: str, applies: bool) -> None:
    period = {"effective": {"from": "2026-01-01", "to": "2026-12-31"}}
    rule_set = a_rule_set(
        *[numbered_rule(number, None, SECOND, "reject") | period for number in range(2)], catalogue=SMALL
    )
    facts = {"line.date_of_service": date.fromisoformat(day), "second.flag": False}
    (line,) = judge_order(Case(rule_set.catalogue, rule_set.tables, line_facts=[facts]), rule_set, ["1"])
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
def test_rule_that_assigns_is_not_satisfied_while_its_condition_is_unknown(
    colour: str | None, flag: bool | None, verdict: Verdict
) -> None:
    when = {"all": [{"fact": "the.colour", "is": "red"}, {"any": [SECOND, {"fact": "third.flag", "is": True}]}]}
    assigning = {"when": when, "assign": {"line.responsible_party": "health_plan"}, "otherwise": None, "require": None}
    rule_set = a_rule_set(
        *[numbered_rule(number, None, None, "reject") | assigning for number in range(2)], catalogue=SMALL
    )
    given_facts = {"the.colour": colour, "second.flag": flag, "third.flag": False}
    known = {name: value for name, value in given_facts.items() if value is not None}
    (line,) = judge_order(Case(rule_set.catalogue, rule_set.tables, line_facts=[known]), rule_set, ["1"])
    assert [line.verdict(position) for position in range(2)] == [verdict] * 2


@pytest.mark.parametrize(("day", "applies"), [("2026-01-01", True), ("2026-01-02", False)])
def test_rule_for_one_day_does_not_apply_on_another(day: str, applies: bool) -> None:
    named = {"fact": "line.date_of_service", "is": "2026-01-01"}
    rule_set = a_rule_set(*[numbered_rule(number, named, SECOND, "reject") for number in range(2)], catalogue=SMALL)
    facts = {"line.date_of_service": date.fromisoformat(day), "second.flag": False}
    (line,) = judge_order(Case(rule_set.catalogue, rule_set.tables, line_facts=[facts]), rule_set, ["1"])
    assert set(line.verdicts.values()) == ({Verdict.NOT_MET} if applies else set())


def test_filter_excludes_every_value_that_is_not_listed() -> None:
    each = FactFilter(SMALL.facts["the.colour"], [(0, "is", "red")])
    for number in range(MOST_CACHED + 10):
        assert each.excluded(f"colour {number}") == 1
    assert each.excluded("red") == 0


@given(st.sets(st.integers(0, 300)))
def test_bit_mask_sets_the_bit_of_each_position(positions: set[int]) -> None:
    assert bit_mask(sorted(positions)) == sum(1 << position for position in positions)


def test_filters_cover_most_default_rules() -> None:
    rule_set = default_rules()
    covered = 0
    for each in rule_set.candidates.filters:
        covered |= each.naming
    assert covered.bit_count() > len(rule_set.rules) / 2
