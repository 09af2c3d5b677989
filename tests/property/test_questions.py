"""The questions are sufficient and none is superfluous, checked by trying every answer."""

from __future__ import annotations

from math import prod
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.evaluation import evaluate
from infusion_orders.rules.open_questions import Unsettled
from tests.property.test_conditions import resolved
from tests.property.vocabulary import SMALL, VALUES, completions, conditions, partly_known
from tests.support.examples import examples

ENOUGH_TO_TRY = 20_000


def rules(data: st.DataObject, facts: dict[str, Any]) -> dict[str, Any]:
    """Draw rules that the facts leave open, as conditions that are true if the rule is broken."""
    drawn = data.draw(st.lists(conditions(5), min_size=1, max_size=3))
    expressions = {f"rule-{position}": resolved(written) for position, written in enumerate(drawn)}
    return {rule: broken for rule, broken in expressions.items() if evaluate(broken, facts).truth is None}


def level(broken: dict[str, Any], facts: dict[str, Any]) -> bool | None:
    """Return True if any rule of the effect is broken, None if any is open, else False."""
    truths = {evaluate(expression, facts).truth for expression in broken.values()}
    return True if True in truths else None if None in truths else False


def combinations(names: list[str]) -> int:
    return prod(len(VALUES[name]) for name in names)


@examples(150)
@given(partly_known(), st.data())
def test_questions_are_sufficient(facts: dict[str, Any], data: st.DataObject) -> None:
    broken = rules(data, facts)
    asked = list(Unsettled(broken, facts, SMALL).relevant())
    assume(combinations(asked) <= ENOUGH_TO_TRY)
    for answered in completions(facts, asked):
        assert level(broken, answered) is not None


@examples(150)
@given(partly_known(), st.data())
def test_each_question_is_needed_for_some_answers_to_the_others(facts: dict[str, Any], data: st.DataObject) -> None:
    broken = rules(data, facts)
    asked = list(Unsettled(broken, facts, SMALL).relevant())
    for name in asked:
        others = [other for other in asked if other != name]
        assume(combinations(others) <= ENOUGH_TO_TRY)
        assert any(level(broken, answered) is None for answered in completions(facts, others))


@examples(100)
@given(partly_known(), st.data())
def test_only_unknown_facts_are_asked_for(facts: dict[str, Any], data: st.DataObject) -> None:
    broken = rules(data, facts)
    named = {name for name, value in facts.items() if isinstance(value, Unknown)}
    asked = set(Unsettled(broken, facts, SMALL).relevant())
    assert asked <= named
    assert bool(asked) is bool(broken) or all(evaluate(each, facts).truth is None for each in broken.values())
