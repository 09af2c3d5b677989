"""The evaluator: a condition is true, false or unknown on the facts of a line, in strong Kleene logic.

`evaluate` walks the syntax tree once and keeps the truth of every part; the explanation (`explain`) and what is still
open (`residual`) are read from that walk.  `compile_expression` and `compile_verdict` turn a condition into nested
closures that give nothing but the truth: they are ten times faster, and orders are judged by them.
`tests/property/test_conditions.py` checks that both give the same truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from infusion_orders.facts.plain_values import plain_value
from infusion_orders.facts.unknown import Fault, FaultyFact, Unknown
from infusion_orders.rules.expression import TESTS, Comparison, Every, Negation, Some
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.expression import Expression, Truth

    Test = Callable[[Mapping[str, Any]], Truth]
    Judge = Callable[[Mapping[str, Any]], Verdict]

ERROR: Literal["error"] = "error"
"""The truth of a condition that rests on a fact whose derivation failed."""
WORDS: Mapping[Any, str] = {True: "true", False: "false", None: "unknown", ERROR: "error"}


def compile_expression(expression: Expression) -> Test:
    """Return a function from facts to the truth of the expression.  It raises FaultyFact."""
    if isinstance(expression, bool):
        return lambda _facts: expression
    if isinstance(expression, Comparison):
        return _compile_comparison(expression)
    if isinstance(expression, Negation):
        return _not(compile_expression(expression.part))
    tests = tuple(compile_expression(part) for part in _flattened(expression))
    if len(tests) == 1:
        return tests[0]
    return _any(tests) if isinstance(expression, Some) else _all(tests)


def compile_verdict(when: Expression, require: Expression, *, assigns: bool) -> Judge:
    """Return a function from facts to the verdict of a rule.  It raises FaultyFact.

    If it is unknown whether the rule applies but the requirement holds, the rule is satisfied, unless it assigns.
    """
    applies, holds = compile_expression(when), compile_expression(require)
    satisfied, not_met, unknown = Verdict.SATISFIED, Verdict.NOT_MET, Verdict.UNKNOWN
    not_applicable = Verdict.NOT_APPLICABLE

    def judge(facts: Mapping[str, Any]) -> Verdict:
        applicable = applies(facts)
        if applicable is False:
            return not_applicable
        held = holds(facts)
        if held is False:
            return not_met if applicable else unknown
        return satisfied if held and (applicable or not assigns) else unknown

    return judge


def _compile_comparison(comparison: Comparison) -> Test:
    name, other = comparison.fact, comparison.other
    if other is not None:
        return _compile_relation(name, other, TESTS[comparison.operator])
    holds = TESTS[comparison.operator](comparison.constant)

    def test(facts: Mapping[str, Any]) -> Truth:
        value = facts[name]
        if isinstance(value, Unknown):
            return _unknown(name, value)
        return holds(value)  # type: ignore[no-any-return]

    return test


def _compile_relation(name: str, other: str, operator: Callable[[Any], Callable[[Any], bool]]) -> Test:
    def test(facts: Mapping[str, Any]) -> Truth:
        value, compared_with = facts[name], facts[other]
        if isinstance(value, Unknown) or isinstance(compared_with, Unknown):
            return _unknown(name, value, compared_with)
        return operator(compared_with)(value)

    return test


def _unknown(name: str, *values: Any) -> Truth:
    """Return None for unknown.  Raises FaultyFact if a value is a fault."""
    if any(isinstance(value, Fault) for value in values):
        raise FaultyFact(name)
    return None


def _not(part: Test) -> Test:
    def test(facts: Mapping[str, Any]) -> Truth:
        truth = part(facts)
        return None if truth is None else not truth

    return test


def _all(parts: tuple[Test, ...]) -> Test:
    def test(facts: Mapping[str, Any]) -> Truth:
        result: Truth = True
        for part in parts:
            truth = part(facts)
            if truth is False:
                return False
            if truth is None:
                result = None
        return result

    return test


def _any(parts: tuple[Test, ...]) -> Test:
    def test(facts: Mapping[str, Any]) -> Truth:
        result: Truth = False
        for part in parts:
            truth = part(facts)
            if truth is True:
                return True
            if truth is None:
                result = None
        return result

    return test


def _flattened(expression: Every | Some) -> Iterator[Expression]:
    """The parts, where a part of the same kind is replaced by its own parts."""
    for part in expression.parts:
        if isinstance(part, type(expression)):
            yield from _flattened(part)
        else:
            yield part


@dataclass(slots=True)
class Evaluation:
    """An expression with its truth, ERROR for a fault, and the evaluations of its parts."""

    expression: Expression
    truth: Truth | Literal["error"]
    parts: tuple[Evaluation, ...] = ()


def evaluate(expression: Expression, facts: Mapping[str, Any]) -> Evaluation:
    """Evaluate the expression and all of its parts."""
    if isinstance(expression, bool):
        return Evaluation(expression, expression)
    if isinstance(expression, Comparison):
        try:
            return Evaluation(expression, _compile_comparison(expression)(facts))
        except FaultyFact:
            return Evaluation(expression, ERROR)
    if isinstance(expression, Negation):
        part = evaluate(expression.part, facts)
        return Evaluation(expression, not part.truth if isinstance(part.truth, bool) else part.truth, (part,))
    parts = tuple([evaluate(part, facts) for part in expression.parts])
    truths = [part.truth for part in parts]
    settling = isinstance(expression, Some)
    truth = next((truth for truth in (settling, ERROR, None) if truth in truths), not settling)
    return Evaluation(expression, truth, parts)


def residual(expression: Expression, facts: Mapping[str, Any]) -> Expression:
    """Return True, False, or the part of the expression that depends on unknown facts.  Raises FaultyFact."""
    evaluation = evaluate(expression, facts)
    if evaluation.truth == ERROR:
        raise FaultyFact(next(_faulty_facts(evaluation)))
    return _open_part(evaluation)


def _open_part(evaluation: Evaluation) -> Expression:
    if isinstance(evaluation.truth, bool):
        return evaluation.truth
    open_parts = tuple([_open_part(part) for part in evaluation.parts if part.truth is None])
    expression = evaluation.expression
    if isinstance(expression, Negation):
        return Negation(open_parts[0])
    if isinstance(expression, Every | Some):
        return open_parts[0] if len(open_parts) == 1 else type(expression)(open_parts)
    return expression


def _faulty_facts(evaluation: Evaluation) -> Iterator[str]:
    if isinstance(evaluation.expression, Comparison):
        yield evaluation.expression.fact
    for part in evaluation.parts:
        if part.truth == ERROR:
            yield from _faulty_facts(part)


def explain(expression: Expression, facts: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """Return the condition as a tree in plain JSON: each part with its truth, each leaf with its value.

    The values of private facts are left out.
    """
    return _explained(evaluate(expression, facts), facts, catalogue)


def _explained(evaluation: Evaluation, facts: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    expression, truth = evaluation.expression, WORDS[evaluation.truth]
    if isinstance(expression, bool):
        return {"truth": truth}
    if isinstance(expression, Comparison):
        return _explained_comparison(expression, facts, catalogue) | {"truth": truth}
    parts = [_explained(part, facts, catalogue) for part in evaluation.parts]
    if isinstance(expression, Negation):
        return {"not": parts[0], "truth": truth}
    return {"any" if isinstance(expression, Some) else "all": parts, "truth": truth}


def _explained_comparison(comparison: Comparison, facts: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    explained: dict[str, Any] = {"fact": comparison.fact, "operator": comparison.operator}
    if comparison.other is not None:
        explained["other"] = comparison.other
    elif isinstance(comparison.constant, tuple):
        explained["constant"] = [plain_value(part) for part in comparison.constant]
    elif comparison.constant is not None:
        explained["constant"] = plain_value(comparison.constant)
    value = facts[comparison.fact]
    if not isinstance(value, Unknown) and not catalogue.facts[comparison.fact].private:
        explained["value"] = plain_value(value)
    return explained
