"""Per-diem ladders: a therapy's per-diem code depends on how often, how much or how long the therapy is given."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind, internal_fact, line_fact
from infusion_orders.facts.line_pairs import DRUG_KINDS, is_stated_of_kind, other_drug_lines, other_lines
from infusion_orders.facts.per_diems import PER_DIEM, how_it_is_given, is_given
from infusion_orders.facts.unknown import Truth, Unknown, known_or_none, some, unknown_of
from infusion_orders.orders.frequencies import Recurrence
from infusion_orders.reference.schema import ANY_MEASURE, CONTINUOUS, INTERMITTENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.tables import Rung

CONTINUOUS_FROM_HOURS = 24
THERAPY_S_OWN = "the per diem of the therapy"


@internal_fact(
    "line.lines_measured",
    uses=(
        "line.kind",
        "line.modifiers",
        "line.drugs_of_the_therapy",
        "line.hcpcs",
        "line.stated_kind",
        "line.frequency",
        "line.infusion_time",
    ),
)
def lines_measured(facts: Facts) -> tuple[int, ...] | Unknown:
    """The indexes of the lines whose frequency and duration decide the per diem's code.

    These are the drugs of its therapy, or the per diem itself in an order without drugs.
    """
    given, drugs = some(map(is_given, other_drug_lines(facts))), facts["line.drugs_of_the_therapy"]
    if isinstance(given, Unknown) or isinstance(drugs, Unknown):
        no_drug_stated = not any(is_stated_of_kind(line, DRUG_KINDS) for line in other_lines(facts))
        own = how_it_is_given(facts) if given is not True and no_drug_stated else ()
        return unknown_of(given, drugs, *own) or ()
    return drugs if given else (facts.line,)


@internal_fact("line.ladder", uses=("line.code_on_date", "line.date_of_service"))
def ladder(facts: Facts) -> tuple[Rung, tuple[Rung, ...]] | Unknown | None:
    """The rung of the line's code, and the specific rungs of its therapy; None for a code that is on no ladder."""
    code = facts["line.code_on_date"]
    if code is None or isinstance(code, Unknown):
        return code
    rungs = facts.tables.rungs(code.therapy, facts["line.date_of_service"])
    own = next((rung for rung in rungs if rung.hcpcs == code.hcpcs), None)
    if own is None:
        return None
    return own, tuple(rung for rung in rungs if rung.measure != ANY_MEASURE)


_MEASURES = ("line.lines_measured", "line.daily_volume", "line.frequency", "line.infusion_time")
"""What a ladder may go by."""


def _measured(facts: Facts, measure: str) -> tuple[Any, ...] | Unknown:
    """Return what the ladder goes by, for each line measured; a volume is the per diem's own, of all that is given."""
    if measure == "daily_volume_ml":
        return (facts["line.daily_volume"],)
    indexes = facts["line.lines_measured"]
    if isinstance(indexes, Unknown):
        return indexes
    lines = [facts.case.lines[index] for index in indexes]
    return tuple(_interval(line) if measure == "interval_hours" else _infusion(line) for line in lines)


def _interval(facts: Facts) -> Any:
    """Return the hours between administrations, or `irregular` where the interval varies."""
    frequency = facts["line.frequency"]
    if isinstance(frequency, Unknown):
        return frequency
    hours = frequency.interval_hours
    if hours is None or hours.denominator != 1:
        return "irregular"
    return Decimal(hours.numerator)


def _infusion(facts: Facts) -> Any:
    """Return `continuous` where one administration never ends or runs 24 hours or more, else `intermittent`."""
    hours, frequency = facts["line.infusion_time"], facts["line.frequency"]
    if not isinstance(hours, Unknown) and hours >= CONTINUOUS_FROM_HOURS:
        return CONTINUOUS
    if not isinstance(frequency, Unknown) and frequency.recurrence is Recurrence.CONTINUOUS:
        return CONTINUOUS
    return unknown_of(hours, frequency) or INTERMITTENT


@line_fact(
    "line.per_diem_ladder",
    Kind.CODE,
    domain=("fits", "other_rung", "no_rung", "not_on_a_ladder"),
    uses=("line.ladder", "line.per_diem_therapy", "line.hcpcs", "line.stated_kind", *_MEASURES),
)
def per_diem_ladder(facts: Facts) -> str | Unknown:
    """For a per diem: whether its code is the one for how often, how much or how long the therapy is given.

    This depends on the drugs of its therapy, or on the line itself when the order has no drug.
    """
    found = facts["line.ladder"]
    if found is None or facts["line.per_diem_therapy"] == "other_therapy":
        return "not_on_a_ladder"
    if isinstance(found, Unknown):
        if is_stated_of_kind(facts, PER_DIEM) is False:
            return found
        return unknown_of(found, facts["line.daily_volume"], facts["line.lines_measured"]) or found
    own, rungs = found
    if own.measure == ANY_MEASURE:
        return "not_on_a_ladder"
    values = _measured(facts, rungs[0].measure)
    return values if isinstance(values, Unknown) else _compared(own, rungs, values)


def _compared(own: Rung, rungs: Iterable[Rung], values: tuple[Any, ...]) -> str | Unknown:
    reached = [_code_for(value, rungs) for value in values]
    if own.hcpcs in reached:
        return "fits"
    unknown = unknown_of(*values)
    if unknown is not None:
        return unknown
    return "other_rung" if any(reached) else "no_rung"


def _code_for(value: Any, rungs: Iterable[Rung]) -> str | None:
    """Return the code of the rung that holds the value, if it is known and one holds it."""
    if isinstance(value, Unknown):
        return None
    return next((rung.hcpcs for rung in rungs if rung.holds(value)), None)


@line_fact("line.generic_per_diem_fits", Kind.BOOLEAN, uses=("line.ladder", *_MEASURES))
def generic_per_diem_fits(facts: Facts) -> Truth:
    """False for the generic per diem of a therapy whose ladder has a code for how it is given."""
    found = facts["line.ladder"]
    if found is None or isinstance(found, Unknown):
        return found or True
    own, rungs = found
    values = _measured(facts, rungs[0].measure) if own.measure == ANY_MEASURE else ()
    if isinstance(values, Unknown):
        return values
    return unknown_of(*values) or not any(_code_for(value, rungs) for value in values)


@line_fact("line.per_diem_expected", Kind.TEXT, uses=("line.ladder", *_MEASURES))
def per_diem_expected(facts: Facts) -> str:
    """For a per diem: the code of its ladder for how the therapy is given, if the ladder has one."""
    found = known_or_none(facts["line.ladder"])
    if found is None:
        return THERAPY_S_OWN
    _own, rungs = found
    values = known_or_none(_measured(facts, rungs[0].measure)) or ()
    codes = sorted({code for code in (_code_for(value, rungs) for value in values) if code is not None})
    return " or ".join(codes) if codes else THERAPY_S_OWN
