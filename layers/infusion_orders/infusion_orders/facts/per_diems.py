"""Per diems beside what is given: of the same therapy, one a day, as many as days, marked when therapies concur."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.asked_of_line import THERAPIES
from infusion_orders.facts.beside import (
    GIVEN,
    any_line,
    is_of_kind,
    is_stated_of_kind,
    others,
    others_given,
    others_with,
    overlap,
    same,
)
from infusion_orders.facts.derivation import every, from_all, no, once_a_line, some
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.units import WASTE_MODIFIER, has_modifier
from infusion_orders.facts.unknown import Unknown, unknown_of
from infusion_orders.orders.schedules import Recurrence, administrations
from infusion_orders.orders.vocabularies import LineKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal

    from infusion_orders.facts.case import Facts

PER_DIEM = (LineKind.PER_DIEM.value,)
SECOND, FURTHER = "SH", "SJ"
LONGEST_DAILY_INTERVAL_HOURS = 72
"""A therapy that is given at least this often is paid by the day; a rarer one by the day of infusion."""
RELATED: Mapping[str, str] = {"ivig": "subcutaneous_immunoglobulin"}
"""Therapies of the tables that a per diem of another name may be meant for."""


def _gives_the_therapy(per_diem: Facts, line: Facts) -> bool | Unknown:
    """Whether the other line is the drug or the nutrition that the per diem is for."""
    return every((is_given(line), same("line.therapy", per_diem, line)))


def therapy_match(facts: Facts) -> str | Unknown:
    """Whether a drug of the order has the per diem's therapy."""
    therapy, lines = facts["line.therapy"], others_given(facts)
    if not isinstance(therapy, Unknown) and therapy not in THERAPIES:
        return "nothing_to_compare"
    matches = any_line(lines, lambda line: _gives_the_therapy(facts, line))
    if matches is True:
        return "same_therapy"
    given = any_line(lines, lambda line: is_of_kind(line, GIVEN))
    unknown = unknown_of(therapy, matches, given)
    if unknown is not None:
        return unknown
    if given is False:
        return "nothing_to_compare"
    related = any(line["line.therapy"] == RELATED.get(therapy) for line in others(facts))
    return "related_therapy" if related else "other_therapy"


@once_a_line
def drugs_of_the_therapy(facts: Facts) -> tuple[Facts, ...] | Unknown:
    """The lines that give the per diem's therapy."""
    belongs = [(line, _gives_the_therapy(facts, line)) for line in others_given(facts)]
    unknown = unknown_of(*(truth for _, truth in belongs))
    if unknown is not None:
        return unknown_of(unknown, *_what_drugs_could_say(facts)) or unknown
    return tuple(line for line, truth in belongs if truth is True)


def is_given(line: Facts) -> bool | Unknown:
    """Whether the line is a drug or a nutrition that the member receives: what is discarded is not given."""
    return every((is_of_kind(line, GIVEN), no(has_modifier(line, WASTE_MODIFIER))))


def _what_drugs_could_say(facts: Facts) -> list[Any]:
    """How often and how long the lines are given that may turn out to be the per diem's drugs."""
    lines = [line for line in others_given(facts) if _gives_the_therapy(facts, line) is not False]
    return [value for line in lines if is_stated_of_kind(line, GIVEN) is not False for value in how_it_is_given(line)]


def how_it_is_given(line: Facts) -> tuple[Any, Any]:
    """How often, and for how many hours at a time; either may be unknown."""
    return line["line.frequency"], line["line.infusion_time"]


def overlapping(facts: Facts) -> str | Unknown:
    """Whether another per diem of the same therapy falls on the same days; one of two may be marked as concurrent."""
    lines = others_with(facts, "line.kind", PER_DIEM)

    def clashes(line: Facts) -> bool | Unknown:
        together = overlap(facts, line)
        return together and every(
            (is_of_kind(facts, PER_DIEM), is_of_kind(line, PER_DIEM), _same_service(facts, line), together)
        )

    def unmarked(line: Facts) -> bool | Unknown:
        return no(some((has_modifier(facts, SECOND, FURTHER), has_modifier(line, SECOND, FURTHER))))

    twice = any_line(lines, lambda line: every((clashes(line), unmarked(line))))
    if twice is True:
        return "same_therapy"
    clash = any_line(lines, clashes)
    unknown = unknown_of(twice, clash)
    if unknown is not None:
        return unknown
    return "marked_as_concurrent" if clash else "none"


def _same_service(one: Facts, other: Facts) -> bool | Unknown:
    """One of the manual's therapies, or one code: `other` is no therapy that two codes would share."""
    therapy = one["line.therapy"]
    if isinstance(therapy, Unknown) or therapy in THERAPIES:
        return same("line.therapy", one, other)
    return same("line.hcpcs", one, other)


def days_fit_dates(_facts: Facts, first: date, last: date, units: Decimal) -> bool:
    """Whether there is a day for each per diem; dates the wrong way round are another rule's."""
    return last < first or units <= (last - first).days + 1


def infusion_days(facts: Facts) -> str | Unknown:
    """How many per diems are billed, against the days on which the drugs of the therapy are given."""
    first, last, units = (facts[name] for name in ("line.date_of_service", "line.last_date_of_service", "line.units"))
    unknown = unknown_of(first, last, units)
    if unknown is not None and is_stated_of_kind(facts, PER_DIEM) is False:
        return unknown
    given = drugs_of_the_therapy(facts)
    frequencies = (given,) if isinstance(given, Unknown) else tuple(line["line.frequency"] for line in given)
    unknown = unknown_of(first, last, units, *frequencies)
    if unknown is not None:
        return unknown
    if last < first:
        return "as_expected"
    in_all = (last - first).days + 1
    expected = max((_days_of(frequency, first, last, in_all) for frequency in frequencies), default=in_all)
    if units == expected or units > in_all:
        return "as_expected"
    return "more" if units > expected else "fewer"


def _days_of(frequency: Any, first: Any, last: Any, in_all: int) -> int:
    hours = frequency.interval_hours
    by_the_day = frequency.recurrence is Recurrence.CONTINUOUS or (
        hours is not None and hours <= LONGEST_DAILY_INTERVAL_HOURS and frequency.count is None
    )
    several_a_week = frequency.recurrence is Recurrence.WEEKDAYS and len(frequency.days_of_week) > 2
    if by_the_day or several_a_week:
        return in_all
    return min(in_all, administrations(frequency, first, last))


def concurrency_is_marked(facts: Facts) -> bool | Unknown:
    """Of the per diems of the same days one has no mark, the second SH, each further one SJ."""
    concurrent: list[Facts] = [facts]
    for line in others_with(facts, "line.kind", PER_DIEM):
        beside = every((is_of_kind(line, PER_DIEM), overlap(facts, line)))
        if isinstance(beside, Unknown):
            return unknown_of(beside, *(each["line.modifiers"] for each in facts.case.lines)) or beside
        if beside:
            concurrent.append(line)
    modifiers = [line["line.modifiers"] for line in concurrent]
    unknown = unknown_of(*modifiers)
    if unknown is not None:
        return unknown
    second = sum(SECOND in each for each in modifiers)
    further = sum(FURTHER in each for each in modifiers)
    number = len(concurrent)
    return second == min(1, number - 1) and further == max(0, number - 2)


_TIMES = ("line.hcpcs", "line.frequency", "line.date_of_service", "line.last_date_of_service")

PER_DIEM_FACTS: tuple[Fact, ...] = (
    Fact(
        name="line.per_diem_therapy",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=frozenset({"same_therapy", "related_therapy", "other_therapy", "nothing_to_compare"}),
        description="For a per diem: whether a drug of the order has its therapy; nothing to compare when the order "
        "has no drug, or the per diem is for none of the manual's therapies.",
        derived_from=("line.hcpcs", "line.stated_therapy"),
        derive=therapy_match,
    ),
    Fact(
        name="line.per_diem_overlap",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=frozenset({"none", "same_therapy", "marked_as_concurrent"}),
        description="For a per diem: whether another one of the same therapy falls on the same days, and whether one "
        "of the two is marked as a concurrent therapy (SH, SJ).",
        derived_from=("line.hcpcs", "line.date_of_service", "line.last_date_of_service", "line.modifiers"),
        derive=overlapping,
    ),
    Fact(
        name="line.days_fit_dates",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="For what is billed by the day: there are not more units than days from first to last.",
        derived_from=("line.date_of_service", "line.last_date_of_service", "line.units"),
        derive=from_all("line.date_of_service", "line.last_date_of_service", "line.units")(days_fit_dates),
    ),
    Fact(
        name="line.per_diem_infusion_days",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=frozenset({"as_expected", "more", "fewer"}),
        description="For a per diem: the billed days against those of its therapy, which is expected every day, but on "
        "its infusion days only when it is given less often than every 72 hours.",
        derived_from=(*_TIMES, "line.units"),
        derive=infusion_days,
    ),
    Fact(
        name="line.concurrency_is_marked",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="For a per diem: of those of the same days one has neither SH nor SJ, the second SH, others SJ.",
        derived_from=("line.hcpcs", "line.date_of_service", "line.last_date_of_service", "line.modifiers"),
        derive=concurrency_is_marked,
    ),
)
