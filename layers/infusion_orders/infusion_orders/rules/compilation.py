"""Conditions as closures: a leaf is one look-up and one test, a composition stops at the first part that settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from infusion_orders.facts.unknown import Fault, FaultyFact, Unknown
from infusion_orders.rules.expression import TESTS, Comparison, Negation, Some, truth_of
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infusion_orders.rules.expression import Expression, Truth

    Test = Callable[[Mapping[str, Any]], Truth]
    Judge = Callable[[Mapping[str, Any]], Verdict]

_NOT_YET = object()


def compile_expression(expression: Expression, shared: Mapping[Expression, Test] | None = None) -> Test:
    """A function of the facts; it raises FaultyFact.

    `shared` holds the tests of expressions that stand in several rules: where one is met, its test is used.
    """
    known = shared or {}
    if expression in known:
        return known[expression]
    if isinstance(expression, Comparison):
        return _comparison(expression)
    if isinstance(expression, Negation):
        return _negation(compile_expression(expression.part, known))
    if isinstance(expression, bool):
        return lambda _facts: expression
    if len(expression.parts) == 1:
        return compile_expression(expression.parts[0], known)
    settled = isinstance(expression, Some)
    if all(isinstance(part, Comparison) and part.other is None and part not in known for part in expression.parts):
        return _until_a_leaf(cast("tuple[Comparison, ...]", expression.parts), settled=settled)
    return _until(tuple(compile_expression(part, known) for part in expression.parts), settled=settled)


def once(test: Test, name: str) -> Test:
    """The test with its truth kept among the facts under a name of its own, so that it is worked out once a line."""

    def kept(facts: Mapping[str, Any]) -> Truth:
        if not isinstance(facts, dict):
            return test(facts)
        truth = facts.get(name, _NOT_YET)
        if truth is _NOT_YET:
            truth = facts[name] = test(facts)
        return cast("Truth", truth)

    return kept


def _comparison(comparison: Comparison) -> Test:
    if comparison.other is not None:
        return lambda facts: truth_of(comparison, facts)
    name, test = comparison.fact, TESTS[comparison.operator](comparison.constant)

    def compare(facts: Mapping[str, Any]) -> Truth:
        value = facts[name]
        kind = value.__class__
        if kind is Unknown:
            return None
        if kind is Fault:
            raise FaultyFact(name)
        return bool(test(value))

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


def _until_a_leaf(leaves: tuple[Comparison, ...], *, settled: bool) -> Test:
    """The same where every part compares one fact with a constant, as most do: without a call for each."""
    tests = tuple((leaf.fact, TESTS[leaf.operator](leaf.constant)) for leaf in leaves)

    def combine(facts: Mapping[str, Any]) -> Truth:
        truth: Truth = not settled
        for name, test in tests:
            value = facts[name]
            kind = value.__class__
            if kind is Unknown:
                truth = None
            elif kind is Fault:
                raise FaultyFact(name)
            elif (not test(value)) is not settled:
                return settled
        return truth

    return combine


def verdict_by(asks: Test | None, holds: Test, *, assigns: bool) -> Judge:
    """A rule's verdict from whether it applies (always, where nothing is asked) and whether its requirement holds.

    Strong Kleene: an unknown `when` with a `require` that holds is no question, unless the rule assigns.
    What it gives raises FaultyFact.
    """

    def judge(facts: Mapping[str, Any]) -> Verdict:
        applies = True if asks is None else asks(facts)
        if applies is False:
            return Verdict.NOT_APPLICABLE
        truth = holds(facts)
        if truth is True and (applies or not assigns):
            return Verdict.SATISFIED
        return Verdict.NOT_MET if applies and truth is False else Verdict.UNKNOWN

    return judge
