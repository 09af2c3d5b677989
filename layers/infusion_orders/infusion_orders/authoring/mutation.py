"""Mutation testing of rules: change a rule in one place, and see whether one of its examples fails.

A change that no example notices is a survivor: the examples do not pin down that part of the rule.  A change that gives
the same verdict for every combination of facts is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.analysis.satisfiability import Satisfiability, TooManyCombinations
from infusion_orders.authoring.examples import as_given, example_problems, given_facts
from infusion_orders.rules.expression import Comparison, Every, Negation, Some
from infusion_orders.rules.representatives import OTHERS
from infusion_orders.rules.rule import Example

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.expression import Expression
    from infusion_orders.rules.resolution import ResolvedRule

OPPOSITES: Mapping[str, tuple[str, ...]] = {
    "is": ("is_not",),
    "is_not": ("is",),
    "in": ("not_in",),
    "not_in": ("in",),
    "contains_any": ("contains_none",),
    "contains_none": ("contains_any",),
    "below": ("at_most", "at_least"),
    "at_most": ("below", "above"),
    "above": ("at_least", "at_most"),
    "at_least": ("above", "below"),
}
"""The operators that an author may write by mistake: the opposite one and, for bounds, the neighbouring one."""
UNNAMED = "other"
"""The code shown in an example for any code that the rule does not name."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed rule; `slip` says what was changed and completes the sentence `no example fails if ...`."""

    resolved: ResolvedRule
    slip: str


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no example noticed, and an example in plain JSON that would notice it, if one was found."""

    slip: str
    example: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class MutationResult:
    """The number of mutants that count, of those noticed (`killed`), and of those that equal the rule (`same`)."""

    mutants: int
    killed: int
    same: int
    survivors: tuple[Survivor, ...]


def mutation_result(resolved: ResolvedRule, catalogue: Catalogue) -> MutationResult:
    """Run the rule's examples against every mutant of the rule."""
    killed = same = 0
    survivors: list[Survivor] = []
    for mutant in mutants(resolved):
        if next(example_problems(mutant.resolved, catalogue), None) is not None:
            killed += 1
            continue
        try:
            difference = _distinguishing_facts(resolved, mutant.resolved, catalogue)
        except TooManyCombinations:
            survivors.append(Survivor(mutant.slip, None))
            continue
        if difference is None:
            same += 1
        else:
            survivors.append(Survivor(mutant.slip, _example(resolved, difference, catalogue)))
    return MutationResult(killed + len(survivors), killed, same, tuple(survivors))


def mutants(resolved: ResolvedRule) -> Iterator[Mutant]:
    """Yield the mutants of a rule, in the order in which the rule is written."""
    if resolved.rule.when is not None:
        yield Mutant(replace(resolved, when=True), "`when` is left out")
        for slip, when in _altered(resolved.when):
            yield Mutant(replace(resolved, when=when), f"{slip} in `when`")
    if resolved.rule.require is not None:
        yield Mutant(replace(resolved, require=Negation(resolved.require)), "`require` is negated")
        for slip, require in _altered(resolved.require):
            yield Mutant(replace(resolved, require=require), f"{slip} in `require`")


def _altered(expression: Expression) -> Iterator[tuple[str, Expression]]:
    if isinstance(expression, Comparison):
        yield from _altered_comparison(expression)
    elif isinstance(expression, Negation):
        yield "`not` is left out", expression.part
        for slip, part in _altered(expression.part):
            yield slip, Negation(part)
    elif not isinstance(expression, bool):
        yield from _altered_parts(expression)


def _altered_parts(expression: Every | Some) -> Iterator[tuple[str, Expression]]:
    word, other = ("all", Some) if isinstance(expression, Every) else ("any", Every)
    if len(expression.parts) > 1:
        yield f"`{word}` becomes `{'any' if word == 'all' else 'all'}`", other(expression.parts)
        for index in range(len(expression.parts)):
            parts = expression.parts[:index] + expression.parts[index + 1 :]
            yield f"part {index + 1} of `{word}` is left out", type(expression)(parts)
    for index, part in enumerate(expression.parts):
        for slip, changed in _altered(part):
            yield slip, type(expression)((*expression.parts[:index], changed, *expression.parts[index + 1 :]))


def _altered_comparison(leaf: Comparison) -> Iterator[tuple[str, Expression]]:
    for operator in OPPOSITES.get(leaf.operator, ()):
        yield f"{leaf.fact} `{leaf.operator}` becomes `{operator}`", replace(leaf, operator=operator)
    if isinstance(leaf.constant, frozenset) and len(leaf.constant) > 1:
        for constant in sorted(leaf.constant):
            fewer = replace(leaf, constant=leaf.constant - {constant})
            yield f"{constant} is left out of the list for {leaf.fact}", fewer
    elif leaf.operator == "between":
        for index, step in ((0, -1), (0, 1), (1, -1), (1, 1)):
            bounds = list(leaf.constant)
            bounds[index] = _moved(bounds[index], step)
            yield f"{leaf.fact} {leaf.constant[index]} becomes {bounds[index]}", replace(leaf, constant=tuple(bounds))
    elif isinstance(leaf.constant, Decimal | date):
        for step in (-1, 1):
            moved = _moved(leaf.constant, step)
            yield f"{leaf.fact} {leaf.constant} becomes {moved}", replace(leaf, constant=moved)


def _moved(bound: Any, step: int) -> Any:
    """Move a date by one day, or a number by one in its last written place (2.5 becomes 2.6)."""
    if isinstance(bound, date):
        return bound + timedelta(days=step)
    return bound + Decimal((0, (1,), min(0, int(bound.as_tuple().exponent)))) * step


def _distinguishing_facts(one: ResolvedRule, other: ResolvedRule, catalogue: Catalogue) -> Mapping[str, Any] | None:
    """Return facts for which the two rules give different verdicts, preferably one of them `not met`, or None.

    Raises TooManyCombinations.
    """
    broken, other_broken = (Every((rule.when, Negation(rule.require))) for rule in (one, other))
    for mine, theirs in ((broken, other_broken), (one.when, other.when)):
        differs = Some((Every((mine, Negation(theirs))), Every((Negation(mine), theirs))))
        found = Satisfiability(differs, catalogue).solution()
        if found is not None:
            return dict(found)
    return None


def _example(resolved: ResolvedRule, facts: Mapping[str, Any], catalogue: Catalogue) -> Mapping[str, Any]:
    """Return an example with the verdict that the rule gives now.  The author must confirm that it is right."""
    given = {name: UNNAMED if value in OTHERS else _plain(value) for name, value in facts.items()}
    example = Example.model_validate({"given": given, "expect": "unknown"})
    verdict = as_given(resolved, example).verdict(given_facts(resolved, example, catalogue))
    return {"given": given, "expect": verdict.value}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, frozenset):
        return sorted(UNNAMED if code in OTHERS else code for code in value)
    return value.isoformat() if isinstance(value, date) else value
