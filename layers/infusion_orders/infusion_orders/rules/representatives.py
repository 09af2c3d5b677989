"""Representative values: a few values of a fact that stand for all others in the given comparisons.

A number lies between or on the constants that the comparisons name, a code is one of them or another one, a set of
codes contains some of them or none.  What is true for all representatives is therefore true for all values.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind
from infusion_orders.rules.expression import comparisons

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from infusion_orders.facts.fact import Catalogue, Fact
    from infusion_orders.rules.expression import Comparison, Expression

OTHERS = ("~other~", "~another~")
"""Two codes that no rule names.  A comparison of two facts needs two, one equal and one different."""
MOST_CODE_CLASSES = 5
ANY_STRUCTURE = object()


def representatives(fact: Fact, leaves: Sequence[Comparison], linked: Iterable[Any] = ()) -> tuple[Any, ...]:
    """Return the values of the fact to try; `linked` are values of the facts that it is compared with."""
    if fact.kind is Kind.BOOLEAN:
        return (True, False)
    if fact.kind is Kind.STRUCTURE:
        return (ANY_STRUCTURE,)
    if fact.kind is Kind.CODES:
        return _code_sets(leaves)
    constants = {constant for leaf in leaves for constant in constants_of(leaf)} | set(linked)
    if fact.kind is Kind.CODE:
        return _codes(fact, constants)
    return _points(sorted(constants), Decimal(1) if fact.kind is Kind.NUMBER else timedelta(days=1))


def answers_worth_trying(
    name: str, leaves: Mapping[str, Sequence[Comparison]], known: Mapping[str, Any], catalogue: Catalogue
) -> tuple[Any, ...]:
    """Return the representatives of a fact in all the leaves that name it, by itself or with another fact."""
    partners = {other for leaf in leaves[name] for other in (leaf.fact, leaf.other) if other not in (None, name)}
    linked: list[Any] = []
    for partner in sorted(partner for partner in partners if partner is not None):
        if partner in known:
            linked.append(known[partner])
        else:
            of_partner = [leaf for leaf in leaves[partner] if leaf.other is None]
            linked += representatives(catalogue.facts[partner], of_partner)
    own = [leaf for leaf in leaves[name] if leaf.other is None]
    return representatives(catalogue.facts[name], own, linked)


def leaves_by_fact(expressions: Iterable[Expression]) -> dict[str, list[Comparison]]:
    """Return the comparisons by the facts that they name, on either side."""
    leaves: dict[str, list[Comparison]] = {}
    for expression in expressions:
        for leaf in comparisons(expression):
            for name in (leaf.fact, leaf.other):
                if name is not None:
                    leaves.setdefault(name, []).append(leaf)
    return leaves


def constants_of(comparison: Comparison) -> tuple[Any, ...]:
    """Return the constants of a comparison: one, several, or none."""
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


def code_classes(leaves: Sequence[Comparison]) -> tuple[str, ...]:
    """Return one code of each class of codes that the comparisons treat alike."""
    classes: dict[tuple[bool, ...], str] = {}
    for code in (*sorted({code for leaf in leaves for code in constants_of(leaf)}), OTHERS[0]):
        alone = frozenset({code})
        classes.setdefault(tuple(leaf.holds(alone) for leaf in leaves), code)
    return tuple(classes.values())


def _code_sets(leaves: Sequence[Comparison]) -> tuple[frozenset[str], ...]:
    """Every combination of the classes, if there are few of them."""
    codes = code_classes(leaves)
    sizes = range(len(codes) + 1) if len(codes) <= MOST_CODE_CLASSES else (0, 1, len(codes))
    return tuple(frozenset(chosen) for size in sizes for chosen in combinations(codes, size))
