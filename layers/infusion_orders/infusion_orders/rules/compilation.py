"""Conditions as closures: each leaf is one look-up and one test, each composition stops at the first part that settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.unknown import Fault, FaultyFact, Unknown
from infusion_orders.rules.expression import TESTS, Comparison, Every, Negation, Some, truth_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infusion_orders.rules.expression import Expression, Truth

    Test = Callable[[Mapping[str, Any]], Truth]


def compile_expression(expression: Expression) -> Test:
    """A function of the facts.  It raises FaultyFact."""
    if isinstance(expression, Comparison):
        return _comparison(expression)
    if isinstance(expression, Negation):
        return _negation(compile_expression(expression.part))
    if isinstance(expression, Every):
        return _until(tuple(map(compile_expression, expression.parts)), settled=False)
    if isinstance(expression, Some):
        return _until(tuple(map(compile_expression, expression.parts)), settled=True)
    return lambda _facts: expression


def _comparison(comparison: Comparison) -> Test:
    if comparison.other is not None:
        return lambda facts: truth_of(comparison, facts)
    name, test, constant = comparison.fact, TESTS[comparison.operator], comparison.constant

    def compare(facts: Mapping[str, Any]) -> Truth:
        value = facts[name]
        kind = value.__class__
        if kind is Unknown:
            return None
        if kind is Fault:
            raise FaultyFact(name)
        return test(value, constant)

    return compare


def _negation(part: Test) -> Test:
    def negate(facts: Mapping[str, Any]) -> Truth:
        truth = part(facts)
        return None if truth is None else not truth

    return negate


def _until(parts: tuple[Test, ...], *, settled: bool) -> Test:
    """Kleene `or` (settled by a true part) and `and` (settled by a false one)."""

    def combine(facts: Mapping[str, Any]) -> Truth:
        truth: Truth = not settled
        for part in parts:
            found = part(facts)
            if found is settled:
                return settled
            if found is None:
                truth = None
        return truth

    return combine
