"""Per diems: of the therapy that is given, as many as days, one a day, and marked when therapies concur."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.asked import THERAPIES
from infusion_orders.facts.fact import Kind, internal_fact, line_fact
from infusion_orders.facts.line_pairs import (
    DRUG_KINDS,
    has_modifier,
    is_of_kind,
    is_stated_of_kind,
    other_drug_lines,
    other_lines,
    other_lines_with,
    overlap,
    same,
)
from infusion_orders.facts.units import WASTE_MODIFIER
from infusion_orders.facts.unknown import Truth, Unknown, every, negated, some, unknown_of
from infusion_orders.orders.frequencies import Recurrence, administrations
from infusion_orders.orders.vocabularies import LineKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.tables import ReferenceTables

PER_DIEM = (LineKind.PER_DIEM.value,)
SECOND, FURTHER = "SH", "SJ"
"""The modifiers of the second concurrent therapy, and of the third and further ones."""
LONGEST_DAILY_INTERVAL_HOURS = 72
"""A therapy that is given at least this often is paid by the day; a rarer one by the day of infusion."""
RELATED: Mapping[str, str] = {"ivig": "subcutaneous_immunoglobulin"}
"""Therapies of the tables that a per diem of another name may be meant for."""


@line_fact(
    "line.per_diem_therapy",
    Kind.CODE,
    domain=("same_therapy", "related_therapy", "other_therapy", "nothing_to_compare"),
    uses=("line.therapy", "line.kind", "line.modifiers"),
)
def per_diem_therapy(facts: Facts) -> str | Unknown:
    """For a per diem: whether a drug of the order has its therapy.

    There is nothing to compare when the order has no drug, or when the per diem is for none of the manual's therapies.
    """
    therapy, lines = facts["line.therapy"], other_drug_lines(facts)
    if not isinstance(therapy, Unknown) and therapy not in THERAPIES:
        return "nothing_to_compare"
    matches = some(_gives_the_therapy(facts, line) for line in lines)
    if matches is True:
        return "same_therapy"
    given = some(is_of_kind(line, DRUG_KINDS) for line in lines)
    unknown = unknown_of(therapy, matches, given)
    if unknown is not None:
        return unknown
    if given is False:
        return "nothing_to_compare"
    related = any(line["line.therapy"] == RELATED.get(therapy) for line in other_lines(facts))
    return "related_therapy" if related else "other_therapy"


def _gives_the_therapy(per_diem: Facts, line: Facts) -> Truth:
    """Return whether the other line is the drug or the nutrition that the per diem is for."""
    return every((is_given(line), same("line.therapy", per_diem, line)))


def is_given(line: Facts) -> Truth:
    """Return whether the line is a drug or a nutrition that the member receives; what is discarded is not."""
    return every((is_of_kind(line, DRUG_KINDS), negated(has_modifier(line, WASTE_MODIFIER))))


@internal_fact(
    "line.drugs_of_the_therapy",
    uses=(
        "line.therapy",
        "line.kind",
        "line.modifiers",
        "line.hcpcs",
        "line.stated_kind",
        "line.frequency",
        "line.infusion_time",
    ),
)
def drugs_of_the_therapy(facts: Facts) -> tuple[int, ...] | Unknown:
    """The indexes of the lines that give the per diem's therapy.

    While it is unknown which these are, so is how often and for how long the lines that may be among them are given.
    """
    belongs = [(line, _gives_the_therapy(facts, line)) for line in other_drug_lines(facts)]
    unknown = unknown_of(*(truth for _, truth in belongs))
    if unknown is None:
        return tuple(line.line for line, truth in belongs if truth is True)
    possible = [
        line for line, truth in belongs if truth is not False and is_stated_of_kind(line, DRUG_KINDS) is not False
    ]
    return unknown_of(unknown, *(value for line in possible for value in how_it_is_given(line))) or unknown


def how_it_is_given(line: Facts) -> tuple[Any, Any]:
    """Return how often, and for how many hours at a time; either may be unknown."""
    return line["line.frequency"], line["line.infusion_time"]


@line_fact(
    "line.per_diem_overlap",
    Kind.CODE,
    domain=("none", "same_therapy", "marked_as_concurrent"),
    uses=(
        "line.kind",
        "line.date_of_service",
        "line.last_date_of_service",
        "line.therapy",
        "line.hcpcs",
        "line.modifiers",
    ),
)
def per_diem_overlap(facts: Facts) -> str | Unknown:
    """For a per diem: whether another one of the same therapy is billed for the same days.

    `marked_as_concurrent`: one of the two is marked as a concurrent therapy (SH, SJ).
    """
    lines = other_lines_with(facts, "line.kind", PER_DIEM)

    def clashes(line: Facts) -> Truth:
        together = overlap(facts, line)
        return together and every(
            (is_of_kind(facts, PER_DIEM), is_of_kind(line, PER_DIEM), _same_service(facts, line), together)
        )

    def unmarked(line: Facts) -> Truth:
        return negated(some((has_modifier(facts, SECOND, FURTHER), has_modifier(line, SECOND, FURTHER))))

    twice = some(every((clashes(line), unmarked(line))) for line in lines)
    if twice is True:
        return "same_therapy"
    clash = some(map(clashes, lines))
    unknown = unknown_of(twice, clash)
    if unknown is not None:
        return unknown
    return "marked_as_concurrent" if clash else "none"


def _same_service(one: Facts, other: Facts) -> Truth:
    """Return whether the lines have one of the manual's therapies, or one code; `other` is not a therapy to share."""
    therapy = one["line.therapy"]
    if isinstance(therapy, Unknown) or therapy in THERAPIES:
        return same("line.therapy", one, other)
    return same("line.hcpcs", one, other)


@line_fact(
    "line.days_fit_dates",
    Kind.BOOLEAN,
    needs=("line.date_of_service", "line.last_date_of_service", "line.units"),
)
def days_fit_dates(_tables: ReferenceTables, first: date, last: date, units: Decimal) -> bool:
    """For what is billed by the day: there are not more units than days from first to last.

    True for a line that ends before it begins: another rule reports that.
    """
    return last < first or units <= (last - first).days + 1


@line_fact(
    "line.per_diem_infusion_days",
    Kind.CODE,
    domain=("as_expected", "more", "fewer"),
    uses=(
        "line.date_of_service",
        "line.last_date_of_service",
        "line.units",
        "line.hcpcs",
        "line.stated_kind",
        "line.drugs_of_the_therapy",
        "line.frequency",
    ),
)
def per_diem_infusion_days(facts: Facts) -> str | Unknown:
    """For a per diem: the billed days compared with the days on which its therapy is paid.

    A therapy is paid every day, or on its infusion days only when it is given less often than every 72 hours.
    """
    first, last, units = facts["line.date_of_service"], facts["line.last_date_of_service"], facts["line.units"]
    unknown = unknown_of(first, last, units)
    if unknown is not None and is_stated_of_kind(facts, PER_DIEM) is False:
        return unknown
    given = facts["line.drugs_of_the_therapy"]
    if isinstance(given, Unknown):
        return unknown_of(first, last, units, given) or given
    frequencies = [facts.case.lines[index]["line.frequency"] for index in given]
    unknown = unknown_of(first, last, units, *frequencies)
    if unknown is not None:
        return unknown
    if last < first:
        return "as_expected"
    in_all = (last - first).days + 1
    expected = max((_days_paid(frequency, first, last, in_all) for frequency in frequencies), default=in_all)
    if units == expected or units > in_all:
        return "as_expected"
    return "more" if units > expected else "fewer"


def _days_paid(frequency: Any, first: Any, last: Any, in_all: int) -> int:
    hours = frequency.interval_hours
    by_the_day = frequency.recurrence is Recurrence.CONTINUOUS or (
        hours is not None and hours <= LONGEST_DAILY_INTERVAL_HOURS and frequency.count is None
    )
    several_a_week = frequency.recurrence is Recurrence.WEEKDAYS and len(frequency.days_of_week) > 2
    if by_the_day or several_a_week:
        return in_all
    return min(in_all, administrations(frequency, first, last))


@line_fact(
    "line.concurrency_is_marked",
    Kind.BOOLEAN,
    uses=("line.kind", "line.date_of_service", "line.last_date_of_service", "line.modifiers"),
)
def concurrency_is_marked(facts: Facts) -> Truth:
    """For the per diems of the same days: one has neither SH nor SJ, the second has SH, each further one SJ."""
    concurrent: list[Facts] = [facts]
    for line in other_lines_with(facts, "line.kind", PER_DIEM):
        is_concurrent = every((is_of_kind(line, PER_DIEM), overlap(facts, line)))
        if isinstance(is_concurrent, Unknown):
            modifiers = (each["line.modifiers"] for each in facts.case.lines)
            return unknown_of(is_concurrent, *modifiers) or is_concurrent
        if is_concurrent:
            concurrent.append(line)
    modifiers_of = [line["line.modifiers"] for line in concurrent]
    unknown = unknown_of(*modifiers_of)
    if unknown is not None:
        return unknown
    second = sum(SECOND in each for each in modifiers_of)
    further = sum(FURTHER in each for each in modifiers_of)
    number = len(concurrent)
    return second == min(1, number - 1) and further == max(0, number - 2)
