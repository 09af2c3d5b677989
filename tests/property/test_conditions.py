"""The closures, the traced evaluation and a naive reference agree; more information never changes a truth."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from infusion_orders.facts.unknown import Fault, FaultyFact, Unknown
from infusion_orders.rules.condition import Condition
from infusion_orders.rules.evaluation import (
    ERROR,
    WORDS,
    compile_expression,
    compile_verdict,
    evaluate,
    explain,
    residual,
)
from infusion_orders.rules.resolution import Resolver
from infusion_orders.rules.rule import Verdict
from tests.property.reference import UNKNOWN, reference_truth
from tests.property.vocabulary import FACTS as SMALL_FACTS
from tests.property.vocabulary import SMALL, conditions, partly_known, unknown
from tests.support.examples import examples

if TYPE_CHECKING:
    from infusion_orders.rules.expression import Expression

CONDITION: TypeAdapter[Any] = TypeAdapter(Condition)
T, F, U = True, False, None


def resolved(written: dict[str, Any]) -> Expression:
    resolver = Resolver(SMALL)
    expression = resolver.expression(CONDITION.validate_python(written), "when")
    assert resolver.problems == []
    return expression


def truth(written: dict[str, Any], facts: dict[str, Any]) -> bool | None:
    return compile_expression(resolved(written))(facts)


@given(conditions(), partly_known())
def test_closures_agree_with_the_naive_reference(written: dict[str, Any], facts: dict[str, Any]) -> None:
    expected = reference_truth(written, facts)
    assert truth(written, facts) is (None if expected == UNKNOWN else expected)


WRAPPED = st.lists(st.sampled_from(["all", "any"]), max_size=4)
"""Compositions of a single part, to be put around a condition."""


def wrapped(condition: dict[str, Any], words: list[str]) -> dict[str, Any]:
    for word in words:
        condition = {word: [condition]}
    return condition


@examples(500)
@given(conditions(), conditions(), WRAPPED, WRAPPED, partly_known(), st.booleans())
def test_verdict_follows_from_the_naive_truths_of_both_conditions(
    when: dict[str, Any],
    require: dict[str, Any],
    around_when: list[str],
    around_require: list[str],
    facts: dict[str, Any],
    assigns: bool,
) -> None:
    judge = compile_verdict(
        resolved(wrapped(when, around_when)), resolved(wrapped(require, around_require)), assigns=assigns
    )
    applies, holds = reference_truth(when, facts), reference_truth(require, facts)
    if applies is False:
        expected = Verdict.NOT_APPLICABLE
    elif holds is True and (applies is True or not assigns):
        expected = Verdict.SATISFIED
    else:
        expected = Verdict.NOT_MET if applies is True and holds is False else Verdict.UNKNOWN
    assert judge(facts) is expected


@given(conditions(), partly_known())
def test_evaluation_explanation_and_residual_agree_with_the_closures(
    written: dict[str, Any], facts: dict[str, Any]
) -> None:
    expression = resolved(written)
    expected = compile_expression(expression)(facts)
    assert evaluate(expression, facts).truth is expected
    assert explain(expression, facts, SMALL)["truth"] == WORDS[expected]
    left = residual(expression, facts)
    assert compile_expression(left)(facts) is expected
    assert isinstance(left, bool) is (expected is not None)


def partly_faulty() -> st.SearchStrategy[dict[str, Any]]:
    """Facts of which some are known and the derivation of some has failed."""
    faulty = st.sets(st.sampled_from(sorted(SMALL_FACTS)))
    return st.builds(lambda facts, names: facts | dict.fromkeys(names, Fault()), partly_known(), faulty)


@given(conditions(), partly_faulty())
def test_closures_give_the_evaluated_truth_or_raise_if_a_fact_is_faulty(
    written: dict[str, Any], facts: dict[str, Any]
) -> None:
    expression = resolved(written)
    evaluated = evaluate(expression, facts).truth
    try:
        truth = compile_expression(expression)(facts)
    except FaultyFact:
        assert any(isinstance(value, Fault) for value in facts.values())
    else:
        assert truth is evaluated
    if evaluated == ERROR:
        with pytest.raises(FaultyFact):
            compile_expression(expression)(facts)
        with pytest.raises(FaultyFact):
            residual(expression, facts)


@given(conditions(), partly_known(), st.data())
def test_information_never_changes_a_settled_truth(
    written: dict[str, Any], facts: dict[str, Any], data: st.DataObject
) -> None:
    before = truth(written, facts)
    more = data.draw(partly_known())
    fuller = {name: more[name] if isinstance(value, Unknown) else value for name, value in facts.items()}
    if before is not None:
        assert truth(written, fuller) is before


def _flag(name: str, value: bool | None) -> Any:
    return unknown(name) if value is None else value


def _flags(first: bool | None, second: bool | None) -> dict[str, Any]:
    return {"first.flag": _flag("first.flag", first), "second.flag": _flag("second.flag", second)}


FIRST = {"fact": "first.flag", "is": True}
SECOND = {"fact": "second.flag", "is": True}


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        (T, T, T),
        (T, F, F),
        (T, U, U),
        (F, T, F),
        (F, F, F),
        (F, U, F),
        (U, T, U),
        (U, F, F),
        (U, U, U),
    ],
)
def test_truth_table_of_all(first: bool | None, second: bool | None, both: bool | None) -> None:
    assert truth({"all": [FIRST, SECOND]}, _flags(first, second)) is both


@pytest.mark.parametrize(
    ("first", "second", "either"),
    [
        (T, T, T),
        (T, F, T),
        (T, U, T),
        (F, T, T),
        (F, F, F),
        (F, U, U),
        (U, T, T),
        (U, F, U),
        (U, U, U),
    ],
)
def test_truth_table_of_any(first: bool | None, second: bool | None, either: bool | None) -> None:
    assert truth({"any": [FIRST, SECOND]}, _flags(first, second)) is either


@pytest.mark.parametrize(("first", "opposite"), [(T, F), (F, T), (U, U)])
def test_truth_table_of_not(first: bool | None, opposite: bool | None) -> None:
    assert truth({"not": FIRST}, _flags(first, U)) is opposite


def test_known_is_true_or_unknown_and_never_false() -> None:
    known = {"fact": "first.flag", "known": True}
    assert [truth(known, _flags(value, U)) for value in (T, F, U)] == [True, True, None]


def test_truth_tables_are_complete() -> None:
    assert len(set(product((T, F, U), repeat=2))) == 9
