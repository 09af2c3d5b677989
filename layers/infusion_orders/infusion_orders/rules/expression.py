"""Conditions with names resolved and constants typed: what is compiled, explained, asked about and analysed."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.unknown import Fault, FaultyFact, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Truth = bool | None
"""True, False, or None for unknown."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A leaf: `constant` is a typed value (a frozenset for lists, a pair for `between`), or `other` names a fact."""

    fact: str
    operator: str
    constant: Any = None
    other: str | None = None

    def holds(self, value: Any, other: Any = None) -> bool:
        """Truth for known values; `other` is the value of the fact on the right side, if there is one."""
        return bool(TESTS[self.operator](value, self.constant if self.other is None else other))


@dataclass(frozen=True, slots=True)
class Every:
    """Strong Kleene `and`."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Strong Kleene `or`."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """Strong Kleene `not`."""

    part: Expression


Expression = Comparison | Every | Some | Negation | bool

TESTS: Mapping[str, Callable[[Any, Any], Any]] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "in": lambda value, constants: value in constants,
    "not_in": lambda value, constants: value not in constants,
    "below": operator.lt,
    "at_most": operator.le,
    "above": operator.gt,
    "at_least": operator.ge,
    "between": lambda value, bounds: bounds[0] <= value <= bounds[1],
    "contains_any": lambda value, constants: not value.isdisjoint(constants),
    "contains_none": lambda value, constants: value.isdisjoint(constants),
    "starts_with_any": lambda value, prefixes: (
        value.startswith(prefixes) if isinstance(value, str) else any(code.startswith(prefixes) for code in value)
    ),
    "known": lambda _value, _constant: True,
}


def comparisons(expression: Expression) -> Iterator[Comparison]:
    """Every leaf from left to right."""
    if isinstance(expression, Comparison):
        yield expression
    elif isinstance(expression, Negation):
        yield from comparisons(expression.part)
    elif not isinstance(expression, bool):
        for part in expression.parts:
            yield from comparisons(part)


def truth_of(comparison: Comparison, facts: Mapping[str, Any]) -> Truth:
    """A leaf's truth: unknown while one of its facts is.  Raises FaultyFact."""
    value = facts[comparison.fact]
    other = None if comparison.other is None else facts[comparison.other]
    if isinstance(value, Fault) or isinstance(other, Fault):
        raise FaultyFact(comparison.fact)
    if isinstance(value, Unknown) or isinstance(other, Unknown):
        return None
    return comparison.holds(value, other)


class Answers(dict[str, Any]):
    """Known facts and tried answers by name; every other fact is unknown."""

    def __missing__(self, name: str) -> Any:
        return _UNANSWERED


_UNANSWERED = Unknown(())
