"""Codes that need, expect or exclude one another on the lines of one order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.facts.beside import any_line, has_code, others_with, overlap
from infusion_orders.facts.derivation import every, known, no, some
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.units import code_on_date
from infusion_orders.facts.unknown import Unknown, unknown_of
from infusion_orders.reference.schema import ANY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.rows import CodePair


def _pairs(facts: Facts, relation: str) -> tuple[CodePair, ...] | Unknown:
    hcpcs, day = facts["line.hcpcs"], facts["line.date_of_service"]
    if isinstance(hcpcs, Unknown) or isinstance(day, Unknown):
        return unknown_of(hcpcs, day) or ()
    return facts.case.tables.code_pairs(hcpcs, relation, day)


def _counts(facts: Facts, pair: CodePair) -> bool | Unknown:
    """Whether the pair is one of the member's line of business."""
    if pair.line_of_business == ANY:
        return True
    line_of_business = facts["member.line_of_business"]
    return line_of_business if isinstance(line_of_business, Unknown) else line_of_business == pair.line_of_business


def _excludes(facts: Facts, other: Facts) -> bool | Unknown:
    """Whether the line's code says that the other's may not stand beside it."""
    code, other_code, pairs = code_on_date(facts), code_on_date(other), _pairs(facts, "excludes")
    if isinstance(pairs, Unknown):
        return unknown_of(pairs, other["line.hcpcs"]) or False
    if code is not None and not isinstance(code, Unknown) and code.not_with:
        if isinstance(other_code, Unknown):
            return other_code
        if other_code is not None and code.excludes(other_code):
            return True
    return some(every((_counts(facts, pair), has_code(other, (pair.other,)))) for pair in pairs)


def _clash(one: Facts, other: Facts) -> bool | Unknown:
    together = overlap(one, other)
    return together and every((some((_excludes(one, other), _excludes(other, one))), together))


def _exclusive(facts: Facts) -> Sequence[Facts]:
    """The order's other lines whose codes exclude some other one, or may."""
    return others_with(facts, "line.hcpcs", facts.case.tables.exclusive_codes)


def stands_beside_the_others(facts: Facts) -> bool | Unknown:
    """False when the code and one on another line of the same days exclude each other."""
    if facts["line.hcpcs"].__class__ is str and facts["line.hcpcs"] not in facts.case.tables.exclusive_codes:
        return True
    return no(any_line(_exclusive(facts), lambda line: _clash(facts, line)))


def excluded_codes(facts: Facts) -> str:
    """The codes of other lines that it may not stand beside."""
    codes = {line["line.hcpcs"] for line in _exclusive(facts) if _clash(facts, line) is True}
    return ", ".join(sorted(codes))


def _has(facts: Facts, relation: str) -> bool | Unknown:
    """Whether one of the codes that the relation names is on another line of the same days, if it names any."""
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
        for line in others_with(facts, "line.hcpcs", (pair.other,))
    )
    return some((no(wanted_here), present))


def _named(facts: Facts, relation: str) -> str:
    return " or ".join(sorted({pair.other for pair in known(_pairs(facts, relation)) or ()}))


def has_needed_code(facts: Facts) -> bool | Unknown:
    """False when the code needs another beside it that is not there."""
    return _has(facts, "needs")


def needed_code(facts: Facts) -> str:
    """The codes of which it needs one."""
    return _named(facts, "needs")


def has_expected_code(facts: Facts) -> bool | Unknown:
    """False when the code is usually billed with another that is not there."""
    return _has(facts, "expects")


def expected_code(facts: Facts) -> str:
    """The codes of which it expects one."""
    return _named(facts, "expects")


_SOURCES = ("line.hcpcs", "line.date_of_service", "line.last_date_of_service", "member.line_of_business")

CODE_PAIR_FACTS: tuple[Fact, ...] = (
    Fact(
        name="line.stands_beside_the_others",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="False when the tables exclude the code beside one on another line of the same days.",
        derived_from=_SOURCES,
        derive=stands_beside_the_others,
    ),
    Fact(
        name="line.excluded_codes",
        kind=Kind.TEXT,
        scope=Scope.LINE,
        description="The codes on other lines that may not stand beside this one.",
        derived_from=_SOURCES,
        derive=excluded_codes,
    ),
    Fact(
        name="line.has_needed_code",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="False when the code needs another one beside it, on the same days, and the order has none.",
        derived_from=_SOURCES,
        derive=has_needed_code,
    ),
    Fact(
        name="line.needed_code",
        kind=Kind.TEXT,
        scope=Scope.LINE,
        description="The codes of which this one needs one beside it.",
        derived_from=_SOURCES,
        derive=needed_code,
    ),
    Fact(
        name="line.has_expected_code",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="False when the code is usually billed with another one, and the order has none.",
        derived_from=_SOURCES,
        derive=has_expected_code,
    ),
    Fact(
        name="line.expected_code",
        kind=Kind.TEXT,
        scope=Scope.LINE,
        description="The codes of which this one expects one beside it.",
        derived_from=_SOURCES,
        derive=expected_code,
    ),
)
