"""Wrong rules made from right ones, one slip each: an example must notice, or nothing holds the rule to its meaning.

A mutant that says the same of every combination of the facts' cells is no slip and does not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.analysis.cells import Cells, TooManyCells
from infusion_orders.authoring.examples import as_given, example_problems, given_facts
from infusion_orders.rules.expression import Comparison, Every, Negation, Some
from infusion_orders.rules.representatives import OTHERS
from infusion_orders.rules.rule import Example

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.compiled_rule import ResolvedRule
    from infusion_orders.rules.expression import Expression

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
"""Another operator that a hand slips to: the opposite, and for bounds the neighbour too."""
UNNAMED = "other"
"""A code that the rule does not name, in an example."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule with one slip; `slip` says which."""

    resolved: ResolvedRule
    slip: str


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no example noticed, and an example (plain) that would, to be written down if it is right."""

    slip: str
    example: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class MutationResult:
    """How many mutants count and how many were noticed; `same` say what the rule says and do not count."""

    mutants: int
    killed: int
    same: int
    survivors: tuple[Survivor, ...]


def mutation_result(resolved: ResolvedRule, catalogue: Catalogue) -> MutationResult:
    """Every mutant of a rule against its examples."""
    killed = same = 0
    survivors: list[Survivor] = []
    for mutant in mutants(resolved):
        if next(example_problems(mutant.resolved, catalogue), None) is not None:
            killed += 1
            continue
        try:
            tells = _what_tells_apart(resolved, mutant.resolved, catalogue)
        except TooManyCells:
            survivors.append(Survivor(mutant.slip, None))
            continue
        if tells is None:
            same += 1
        else:
            survivors.append(Survivor(mutant.slip, _example(resolved, tells, catalogue)))
    return MutationResult(killed + len(survivors), killed, same, tuple(survivors))


def mutants(resolved: ResolvedRule) -> Iterator[Mutant]:
    """In the order in which the rule is read."""
    if resolved.rule.when is not None:
        yield Mutant(replace(resolved, when=True), "when: left out")
        for slip, when in _altered(resolved.when):
            yield Mutant(replace(resolved, when=when), f"when: {slip}")
    if resolved.rule.require is not None:
        yield Mutant(replace(resolved, require=Negation(resolved.require)), "require: turned round")
        for slip, require in _altered(resolved.require):
            yield Mutant(replace(resolved, require=require), f"require: {slip}")


def _altered(expression: Expression) -> Iterator[tuple[str, Expression]]:
    if isinstance(expression, Comparison):
        yield from _altered_comparison(expression)
    elif isinstance(expression, Negation):
        yield "`not` left out", expression.part
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
            yield f"part {index + 1} of `{word}` left out", type(expression)(parts)
    for index, part in enumerate(expression.parts):
        for slip, changed in _altered(part):
            yield slip, type(expression)((*expression.parts[:index], changed, *expression.parts[index + 1 :]))


def _altered_comparison(leaf: Comparison) -> Iterator[tuple[str, Expression]]:
    for operator in OPPOSITES.get(leaf.operator, ()):
        yield f"{leaf.fact} `{leaf.operator}` becomes `{operator}`", replace(leaf, operator=operator)
    if isinstance(leaf.constant, frozenset) and len(leaf.constant) > 1:
        for constant in sorted(leaf.constant):
            fewer = replace(leaf, constant=leaf.constant - {constant})
            yield f"{leaf.fact}: {constant} left out of the list", fewer
    elif leaf.operator == "between":
        for index, step in ((0, -1), (0, 1), (1, -1), (1, 1)):
            bounds = list(leaf.constant)
            bounds[index] = _moved(bounds[index], step)
            yield f"{leaf.fact}: {leaf.constant[index]} becomes {bounds[index]}", replace(leaf, constant=tuple(bounds))
    elif isinstance(leaf.constant, Decimal | date):
        for step in (-1, 1):
            moved = _moved(leaf.constant, step)
            yield f"{leaf.fact}: {leaf.constant} becomes {moved}", replace(leaf, constant=moved)


def _moved(bound: Any, step: int) -> Any:
    """A day, or one in the last place that is written: 2.5 becomes 2.6."""
    if isinstance(bound, date):
        return bound + timedelta(days=step)
    return bound + Decimal((0, (1,), min(0, int(bound.as_tuple().exponent)))) * step


def _what_tells_apart(one: ResolvedRule, other: ResolvedRule, catalogue: Catalogue) -> Mapping[str, Any] | None:
    """Facts for which the two do not say the same, if possible one of them `not met`; None if there are none.

    Raises TooManyCells.
    """
    broken, other_broken = (Every((rule.when, Negation(rule.require))) for rule in (one, other))
    for mine, theirs in ((broken, other_broken), (one.when, other.when)):
        differs = Some((Every((mine, Negation(theirs))), Every((Negation(mine), theirs))))
        found = Cells(differs, catalogue).some()
        if found is not None:
            return dict(found)
    return None


def _example(resolved: ResolvedRule, facts: Mapping[str, Any], catalogue: Catalogue) -> Mapping[str, Any]:
    """With the verdict that the rule gives now: whether it is right, its author knows."""
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
