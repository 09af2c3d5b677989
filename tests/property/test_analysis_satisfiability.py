"""Some combination of values makes a condition true exactly if the search for one finds it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from infusion_orders.authoring.analysis.satisfiability import Satisfiability, TooManyCombinations
from infusion_orders.rules.evaluation import evaluate
from infusion_orders.rules.expression import comparisons
from tests.property.test_conditions import resolved
from tests.property.vocabulary import SMALL, VALUES, conditions

if TYPE_CHECKING:
    from infusion_orders.rules.expression import Expression


def can_hold_by_brute_force(expression: Expression) -> bool:
    """Try every value of every fact that the condition names."""
    leaves = comparisons(expression)
    names = sorted({name for leaf in leaves for name in (leaf.fact, leaf.other) if name is not None})
    combinations = product(*(VALUES[name] for name in names))
    return any(evaluate(expression, dict(zip(names, values, strict=True))).truth is True for values in combinations)


def test_nothing_is_proved_when_sets_of_codes_are_left_out() -> None:
    """Of six codes, only no code, each code alone and all codes are tried, so two of six are never tried."""
    wanted = [{"fact": "the.marks", "contains_any": [code]} for code in "ab"]
    others = [{"fact": "the.marks", "contains_none": [code]} for code in "cdef"]
    with pytest.raises(TooManyCombinations):
        Satisfiability(resolved({"all": [*wanted, *others]}), SMALL).solution()
    assert Satisfiability(resolved({"all": [wanted[0], *others]}), SMALL).solution() == {"the.marks": frozenset("a")}


@given(conditions())
def test_solution_exists_exactly_if_the_condition_can_hold(written: dict[str, Any]) -> None:
    expression = resolved(written)
    found = Satisfiability(expression, SMALL).solution()
    assert (found is not None) is can_hold_by_brute_force(expression)
    if found is not None:
        assert evaluate(expression, found).truth is True
