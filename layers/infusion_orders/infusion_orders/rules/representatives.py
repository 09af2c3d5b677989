"""Representative values: a few values of a fact that tell apart everything that the given comparisons can tell apart.

A number falls between or on the constants that are named, a code is one of them or another, a set of codes holds some
of them or none.  What holds for all representatives therefore holds for all values.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infusion_orders.facts.fact import Fact
    from infusion_orders.rules.expression import Comparison

OTHERS = ("~other~", "~another~")
"""Two codes that no rule names: two, because comparing two facts can tell equal from different ones."""
MOST_CODE_CLASSES = 5
ANY_STRUCTURE = object()


def representatives(fact: Fact, comparisons: Sequence[Comparison], linked: Iterable[Any] = ()) -> tuple[Any, ...]:
    """The values of `fact` to try.  `linked` are values of the facts that it is compared with."""
    if fact.kind is Kind.BOOLEAN:
        return (True, False)
    if fact.kind is Kind.STRUCTURE:
        return (ANY_STRUCTURE,)
    if fact.kind is Kind.CODES:
        return _code_sets(comparisons)
    constants = {constant for comparison in comparisons for constant in _constants(comparison)} | set(linked)
    if fact.kind is Kind.CODE:
        return _codes(fact, constants)
    return _points(sorted(constants), Decimal(1) if fact.kind is Kind.NUMBER else timedelta(days=1))


def _constants(comparison: Comparison) -> tuple[Any, ...]:
    if comparison.constant is None:
        return ()
    if isinstance(comparison.constant, tuple | frozenset):
        return tuple(comparison.constant)
    return (comparison.constant,)


def _codes(fact: Fact, constants: set[Any]) -> tuple[str, ...]:
    unnamed = OTHERS if fact.domain is None else tuple(sorted(fact.domain - constants))[:2]
    return (*sorted(constants), *unnamed)


def _points(constants: list[Any], step: Any) -> tuple[Any, ...]:
    if not constants:
        return (date(2025, 1, 1), date(2025, 1, 2)) if isinstance(step, timedelta) else (Decimal(0), Decimal(1))
    points = [constants[0] - step]
    for low, high in zip(constants, [*constants[1:], constants[-1] + 2 * step], strict=True):
        points += [low, low + (high - low) / 2]
    return tuple(dict.fromkeys(points))


def _code_sets(comparisons: Sequence[Comparison]) -> tuple[frozenset[str], ...]:
    """One code of each class that the comparisons cannot tell apart, in every combination while those are few."""
    classes: dict[tuple[bool, ...], str] = {}
    for code in (*sorted({code for comparison in comparisons for code in _constants(comparison)}), OTHERS[0]):
        alone = frozenset({code})
        classes.setdefault(tuple(comparison.holds(alone) for comparison in comparisons), code)
    codes = list(classes.values())
    sizes = range(len(codes) + 1) if len(codes) <= MOST_CODE_CLASSES else (0, 1, len(codes))
    return tuple(frozenset(chosen) for size in sizes for chosen in combinations(codes, size))
