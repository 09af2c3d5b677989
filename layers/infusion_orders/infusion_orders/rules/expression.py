"""The syntax tree of conditions, with typed constants.  `evaluation.py` evaluates it."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Truth = bool | None
"""True, False, or None for unknown."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A fact compared with `constant` (a frozenset for lists, a pair for `between`) or with the fact `other`."""

    fact: str
    operator: str
    constant: Any = None
    other: str | None = None

    def holds(self, value: Any, other: Any = None) -> bool:
        """Whether the comparison holds for known values; `other` is the value of the fact on the right side."""
        return bool(TESTS[self.operator](self.constant if self.other is None else other)(value))


@dataclass(frozen=True, slots=True)
class Every:
    """True if every part is true, in strong Kleene logic."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """True if at least one part is true, in strong Kleene logic."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """True if the part is false, in strong Kleene logic."""

    part: Expression


Expression = Comparison | Every | Some | Negation | bool


def _starts_with_any(prefixes: tuple[str, ...]) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:
        if isinstance(value, str):
            return value.startswith(prefixes)
        return any(code.startswith(prefixes) for code in value)

    return test


TESTS: Mapping[str, Callable[[Any], Callable[[Any], Any]]] = {
    "is": lambda constant: partial(operator.eq, constant),
    "is_not": lambda constant: partial(operator.ne, constant),
    "in": lambda constants: constants.__contains__,
    "not_in": lambda constants: lambda value: value not in constants,
    "below": lambda constant: partial(operator.gt, constant),
    "at_most": lambda constant: partial(operator.ge, constant),
    "above": lambda constant: partial(operator.lt, constant),
    "at_least": lambda constant: partial(operator.le, constant),
    "between": lambda bounds: lambda value: bounds[0] <= value <= bounds[1],
    "contains_any": lambda constants: lambda value: not constants.isdisjoint(value),
    "contains_none": lambda constants: constants.isdisjoint,
    "starts_with_any": _starts_with_any,
    "known": lambda _constant: lambda _value: True,
}
"""The operators: each takes what a fact is compared with, and returns the test of a known value."""


def comparisons(expression: Expression) -> Iterator[Comparison]:
    """Yield every leaf from left to right."""
    if isinstance(expression, Comparison):
        yield expression
    elif isinstance(expression, Negation):
        yield from comparisons(expression.part)
    elif not isinstance(expression, bool):
        for part in expression.parts:
            yield from comparisons(part)


def conjuncts(expression: Expression) -> Iterator[Expression]:
    """Yield the parts that must all hold for the expression to hold."""
    if isinstance(expression, Every):
        for part in expression.parts:
            yield from conjuncts(part)
    elif expression is not True:
        yield expression


class TriedAnswers(dict[str, Any]):
    """Known facts and tried answers by name; every other fact is unknown."""

    def __missing__(self, name: str) -> Any:
        return _UNANSWERED


_UNANSWERED = Unknown(())
