"""How the lines of one order stand to each other: at the same time, of one kind, of one therapy, of one code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.derivation import some
from infusion_orders.facts.unknown import Unknown, unknown_of
from infusion_orders.orders.vocabularies import LineKind

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from infusion_orders.facts.case import Facts

GIVEN = frozenset({LineKind.DRUG.value, LineKind.NUTRITION.value})
"""The kinds of line that bill what is given, and so have a dose and a frequency of their own."""


def others(facts: Facts) -> tuple[Facts, ...]:
    """The order's other lines."""
    return tuple(line for line in facts.case.lines if line is not facts)


def others_with(facts: Facts, name: str, values: Container[Any]) -> list[Facts]:
    """The order's other lines on which the fact has one of the values, or is unknown."""
    lines_by = facts.case.lines_by(name)
    groups = (lines for value, lines in lines_by.items() if value is None or value in values)
    return [line for lines in groups for line in lines if line is not facts]


def others_of_the_code(facts: Facts) -> Sequence[Facts]:
    """The order's other lines that bill the line's code, or may."""
    hcpcs = facts["line.hcpcs"]
    return others(facts) if isinstance(hcpcs, Unknown) else others_with(facts, "line.hcpcs", (hcpcs,))


def others_given(facts: Facts) -> Sequence[Facts]:
    """The order's other lines that bill what is given, or may."""
    return others_with(facts, "line.kind", GIVEN)


def overlap(one: Facts, other: Facts) -> bool | Unknown:
    """Whether the two lines share a date of service."""
    first, other_first = one["line.date_of_service"], other["line.date_of_service"]
    if isinstance(first, Unknown) or isinstance(other_first, Unknown):
        return unknown_of(first, other_first, *(line["line.last_date_of_service"] for line in (one, other))) or False
    if first == other_first:
        return True
    earlier, later_first = (one, other_first) if first < other_first else (other, first)
    last = earlier["line.last_date_of_service"]
    return last if isinstance(last, Unknown) else bool(last >= later_first)


def same(name: str, one: Facts, other: Facts) -> bool | Unknown:
    """Whether a fact has one value on both lines."""
    return compared(one[name], other[name])


def compared(value: Any, other: Any) -> bool | Unknown:
    """Whether two values are equal."""
    return unknown_of(value, other) or value == other


def is_of_kind(facts: Facts, kinds: Iterable[str]) -> bool | Unknown:
    """Whether the line is of one of the kinds."""
    kind = facts["line.kind"]
    return kind if isinstance(kind, Unknown) else kind in kinds


def is_stated_of_kind(facts: Facts, kinds: Iterable[str]) -> bool | None:
    """Whether a line without a code is stated to be of one of the kinds; None when it has a code, or nothing is stated.

    A statement settles nothing, but it tells what not to ask for before the code is there.
    """
    hcpcs, stated = facts["line.hcpcs"], facts["line.stated_kind"]
    return stated in kinds if isinstance(hcpcs, Unknown) and not isinstance(stated, Unknown) else None


def has_code(facts: Facts, codes: Iterable[str]) -> bool | Unknown:
    """Whether the line bills one of the codes."""
    hcpcs = facts["line.hcpcs"]
    return hcpcs if isinstance(hcpcs, Unknown) else hcpcs in codes


def any_line(lines: Iterable[Facts], test: Any) -> bool | Unknown:
    """Whether the test is true of some line."""
    return some(test(line) for line in lines)
