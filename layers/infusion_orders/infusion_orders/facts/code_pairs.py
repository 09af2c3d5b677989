"""Codes that need, expect or exclude one another on the lines of one order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.facts.fact import Kind, line_fact
from infusion_orders.facts.line_pairs import has_code, other_lines_with, overlap
from infusion_orders.facts.unknown import Truth, Unknown, every, known_or_none, negated, some, unknown_of
from infusion_orders.reference.schema import ANY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.tables import CodePair

_PAIR = ("line.hcpcs", "line.date_of_service")
"""What the pairs of a line's code are looked up by."""
_PAIR_OF_LINES = (*_PAIR, "line.last_date_of_service", "member.line_of_business")


@line_fact("line.stands_beside_the_others", Kind.BOOLEAN, uses=("line.code_on_date", *_PAIR_OF_LINES))
def goes_with_the_others(facts: Facts) -> Truth:
    """False when the tables exclude the code together with one on another line of the same days."""
    hcpcs = facts["line.hcpcs"]
    if not isinstance(hcpcs, Unknown) and hcpcs not in facts.tables.exclusive_codes:
        return True
    return negated(some(_clash(facts, line) for line in _exclusive_lines(facts)))


@line_fact("line.excluded_codes", Kind.TEXT, uses=("line.code_on_date", *_PAIR_OF_LINES))
def excluded_codes(facts: Facts) -> str:
    """The codes on other lines that may not be billed together with this one."""
    codes = {line["line.hcpcs"] for line in _exclusive_lines(facts) if _clash(facts, line) is True}
    return ", ".join(sorted(codes))


def _exclusive_lines(facts: Facts) -> Sequence[Facts]:
    """Return the order's other lines whose codes exclude some other code, or may."""
    return other_lines_with(facts, "line.hcpcs", facts.tables.exclusive_codes)


def _clash(one: Facts, other: Facts) -> Truth:
    together = overlap(one, other)
    return together and every((some((_excludes(one, other), _excludes(other, one))), together))


def _excludes(facts: Facts, other: Facts) -> Truth:
    """Return whether the line's code says that the other's may not be billed with it."""
    code, other_code = facts["line.code_on_date"], other["line.code_on_date"]
    pairs = _pairs(facts, "excludes")
    if isinstance(pairs, Unknown):
        return unknown_of(pairs, other["line.hcpcs"]) or False
    if code is not None and not isinstance(code, Unknown) and code.not_with:
        if isinstance(other_code, Unknown):
            return other_code
        if other_code is not None and code.excludes(other_code):
            return True
    return some(every((_counts(facts, pair), has_code(other, (pair.other,)))) for pair in pairs)


def _pairs(facts: Facts, relation: str) -> tuple[CodePair, ...] | Unknown:
    hcpcs, day = facts["line.hcpcs"], facts["line.date_of_service"]
    if isinstance(hcpcs, Unknown) or isinstance(day, Unknown):
        return unknown_of(hcpcs, day) or ()
    return facts.tables.code_pairs(hcpcs, relation, day)


def _counts(facts: Facts, pair: CodePair) -> Truth:
    """Return whether the pair is for the member's line of business."""
    if pair.line_of_business == ANY:
        return True
    line_of_business = facts["member.line_of_business"]
    return line_of_business if isinstance(line_of_business, Unknown) else line_of_business == pair.line_of_business


@line_fact("line.has_needed_code", Kind.BOOLEAN, uses=_PAIR_OF_LINES)
def has_needed_code(facts: Facts) -> Truth:
    """False when the code needs another one on the same days, and the order has none."""
    return _has(facts, "needs")


@line_fact("line.needed_code", Kind.TEXT, uses=_PAIR)
def needed_code(facts: Facts) -> str:
    """The codes of which this one needs one."""
    return _named(facts, "needs")


@line_fact("line.has_expected_code", Kind.BOOLEAN, uses=_PAIR_OF_LINES)
def has_expected_code(facts: Facts) -> Truth:
    """False when the code is usually billed with another one, and the order has none."""
    return _has(facts, "expects")


@line_fact("line.expected_code", Kind.TEXT, uses=_PAIR)
def expected_code(facts: Facts) -> str:
    """The codes of which this one expects one."""
    return _named(facts, "expects")


def _has(facts: Facts, relation: str) -> Truth:
    """Return whether one of the codes that the relation names, if it names any, is on another line of the same days."""
    pairs = _pairs(facts, relation)
    if isinstance(pairs, Unknown):
        wanted = [line[name] for line in facts.case.lines for name in ("line.hcpcs", "line.last_date_of_service")]
        return unknown_of(pairs, *wanted) or pairs
    if not pairs:
        return True
    wanted_here = some(_counts(facts, pair) for pair in pairs)
    present = some(
        every((_counts(facts, pair), has_code(line, (pair.other,)), overlap(facts, line)))
        for pair in pairs
        for line in other_lines_with(facts, "line.hcpcs", (pair.other,))
    )
    return some((negated(wanted_here), present))


def _named(facts: Facts, relation: str) -> str:
    return " or ".join(sorted({pair.other for pair in known_or_none(_pairs(facts, relation)) or ()}))
