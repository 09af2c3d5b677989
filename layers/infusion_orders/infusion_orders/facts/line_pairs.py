"""Comparisons between the lines of one order: on the same days, of one kind, of one therapy, of one code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.unknown import Truth, Unknown, unknown_of
from infusion_orders.orders.vocabularies import LineKind

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from infusion_orders.facts.case import Facts

DRUG_KINDS = frozenset({LineKind.DRUG.value, LineKind.NUTRITION.value})
"""The kinds of line that bill what the member receives, and so have a dose and a frequency of their own."""


def other_lines(facts: Facts) -> tuple[Facts, ...]:
    """Return the order's other lines."""
    return tuple(line for line in facts.case.lines if line is not facts)


def other_lines_with(facts: Facts, name: str, values: Container[Any]) -> list[Facts]:
    """Return the order's other lines on which the fact has one of the values, or is unknown."""
    lines_by = facts.case.lines_by(name)
    groups = (lines for value, lines in lines_by.items() if value is None or value in values)
    return [line for lines in groups for line in lines if line is not facts]


def other_lines_of_the_code(facts: Facts) -> Sequence[Facts]:
    """Return the order's other lines that bill the line's code, or may."""
    hcpcs = facts["line.hcpcs"]
    return other_lines(facts) if isinstance(hcpcs, Unknown) else other_lines_with(facts, "line.hcpcs", (hcpcs,))


def other_drug_lines(facts: Facts) -> Sequence[Facts]:
    """Return the order's other lines that bill a drug or a nutrition, or may."""
    return other_lines_with(facts, "line.kind", DRUG_KINDS)


def overlap(one: Facts, other: Facts) -> Truth:
    """Return whether two lines share a date of service."""
    first, other_first = one["line.date_of_service"], other["line.date_of_service"]
    if isinstance(first, Unknown) or isinstance(other_first, Unknown):
        return unknown_of(first, other_first, *(line["line.last_date_of_service"] for line in (one, other))) or False
    if first == other_first:
        return True
    earlier, later_first = (one, other_first) if first < other_first else (other, first)
    last = earlier["line.last_date_of_service"]
    return last if isinstance(last, Unknown) else bool(last >= later_first)


def same(name: str, one: Facts, other: Facts) -> Truth:
    """Return whether a fact has one value on both lines, unknown while it is unknown on one of them."""
    value, other_value = one[name], other[name]
    return unknown_of(value, other_value) or bool(value == other_value)


def is_of_kind(facts: Facts, kinds: Container[str]) -> Truth:
    """Return whether the line is of one of the kinds."""
    kind = facts["line.kind"]
    return kind if isinstance(kind, Unknown) else kind in kinds


def is_stated_of_kind(facts: Facts, kinds: Container[str]) -> bool | None:
    """Return whether a line without a code is stated to be of one of the kinds.

    None when the line has a code, or when nothing is stated.  A statement settles nothing, but it shows what need not
    be asked before the code is known.
    """
    hcpcs, stated = facts["line.hcpcs"], facts["line.stated_kind"]
    return stated in kinds if isinstance(hcpcs, Unknown) and not isinstance(stated, Unknown) else None


def has_code(facts: Facts, codes: Container[str]) -> Truth:
    """Return whether the line bills one of the codes."""
    hcpcs = facts["line.hcpcs"]
    return hcpcs if isinstance(hcpcs, Unknown) else hcpcs in codes


def has_modifier(facts: Facts, *modifiers: str) -> Truth:
    """Return whether the line has one of the modifiers."""
    sent = facts["line.modifiers"]
    return sent if isinstance(sent, Unknown) else not sent.isdisjoint(modifiers)
