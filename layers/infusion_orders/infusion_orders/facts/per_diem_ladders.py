"""Ladders of per diems: the code of a therapy that goes by how often, how much or how long it is given."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.beside import GIVEN, any_line, is_stated_of_kind, others, others_given
from infusion_orders.facts.derivation import known, once_a_line
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.per_diems import PER_DIEM, drugs_of_the_therapy, how_it_is_given, is_given
from infusion_orders.facts.units import code_on_date
from infusion_orders.facts.unknown import Unknown, unknown_of
from infusion_orders.orders.schedules import Recurrence
from infusion_orders.reference.schema import ANY_MEASURE, CONTINUOUS, INTERMITTENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.rows import Rung

CONTINUOUS_FROM_HOURS = 24


@once_a_line
def _sources(facts: Facts) -> tuple[Facts, ...] | Unknown:
    """The lines whose frequency the ladder goes by: the therapy's drugs, or the per diem in an order without drugs."""
    given, drugs = any_line(others_given(facts), is_given), drugs_of_the_therapy(facts)
    if isinstance(given, Unknown) or isinstance(drugs, Unknown):
        no_drug_stated = not any(is_stated_of_kind(line, GIVEN) for line in others(facts))
        own = how_it_is_given(facts) if given is not True and no_drug_stated else ()
        return unknown_of(given, drugs, *own) or ()
    return drugs if given else (facts,)


def _interval(facts: Facts) -> Any:
    """Hours between administrations, or the word for what has no one interval."""
    frequency = facts["line.frequency"]
    if isinstance(frequency, Unknown):
        return frequency
    hours = frequency.interval_hours
    if hours is None or hours.denominator != 1:
        return "irregular"
    return Decimal(hours.numerator)


def _infusion(facts: Facts) -> Any:
    """Whether one administration runs on without end, or 24 hours or more; or else ends."""
    hours, frequency = facts["line.infusion_time"], facts["line.frequency"]
    if not isinstance(hours, Unknown) and hours >= CONTINUOUS_FROM_HOURS:
        return CONTINUOUS
    if not isinstance(frequency, Unknown) and frequency.recurrence is Recurrence.CONTINUOUS:
        return CONTINUOUS
    return unknown_of(hours, frequency) or INTERMITTENT


def _measured(facts: Facts, measure: str) -> tuple[Any, ...] | Unknown:
    """What the therapy's ladder goes by, of each source; a volume is the per diem's own, of all that is given."""
    if measure == "daily_volume_ml":
        return (facts["line.daily_volume"],)
    sources = _sources(facts)
    if isinstance(sources, Unknown):
        return sources
    return tuple(_interval(line) if measure == "interval_hours" else _infusion(line) for line in sources)


@once_a_line
def _ladder(facts: Facts) -> tuple[Rung, tuple[Rung, ...]] | Unknown | None:
    """The rung of the line's code, and the specific rungs of its therapy; None for a code on no ladder."""
    code = code_on_date(facts)
    if code is None or isinstance(code, Unknown):
        return code
    rungs = facts.case.tables.rungs(code.therapy, facts["line.date_of_service"])
    own = next((rung for rung in rungs if rung.hcpcs == code.hcpcs), None)
    if own is None:
        return None
    return own, tuple(rung for rung in rungs if rung.measure != ANY_MEASURE)


def ladder(facts: Facts) -> str | Unknown:
    """Whether the per diem's code is the one for how often, how much or how long its therapy is given."""
    found = _ladder(facts)
    if found is None or facts["line.per_diem_therapy"] == "other_therapy":
        return "not_on_a_ladder"
    if isinstance(found, Unknown):
        if is_stated_of_kind(facts, PER_DIEM) is False:
            return found
        return unknown_of(found, facts["line.daily_volume"], _sources(facts)) or found
    own, rungs = found
    if own.measure == ANY_MEASURE:
        return "not_on_a_ladder"
    values = _measured(facts, rungs[0].measure)
    return values if isinstance(values, Unknown) else _step(own, rungs, values)


def generic_fits(facts: Facts) -> bool | Unknown:
    """False for the generic per diem of a therapy whose ladder has a code for what is given."""
    found = _ladder(facts)
    if found is None or isinstance(found, Unknown):
        return found or True
    own, rungs = found
    values = _measured(facts, rungs[0].measure) if own.measure == ANY_MEASURE else ()
    if isinstance(values, Unknown):
        return values
    return unknown_of(*values) or not any(_rung_of(value, rungs) for value in values)


def _step(own: Rung, rungs: Iterable[Rung], values: Iterable[Any]) -> str | Unknown:
    """What the code is against the rungs of what is given."""
    values = tuple(values)
    reached = [_rung_of(value, rungs) for value in values]
    if own.hcpcs in reached:
        return "fits"
    unknown = unknown_of(*values)
    if unknown is not None:
        return unknown
    return "other_rung" if any(reached) else "no_rung"


def _rung_of(value: Any, rungs: Iterable[Rung]) -> str | None:
    if isinstance(value, Unknown):
        return None
    return next((rung.hcpcs for rung in rungs if rung.holds(value)), None)


def code_expected(facts: Facts) -> str:
    """The codes of the ladder for what is given; the therapy's own where the ladder has none for it."""
    found = known(_ladder(facts))
    if found is None:
        return "the per diem of the therapy"
    _own, rungs = found
    values = known(_measured(facts, rungs[0].measure)) or ()
    codes = sorted({code for code in (_rung_of(value, rungs) for value in values) if code is not None})
    return " or ".join(codes) if codes else "the per diem of the therapy"


PER_DIEM_LADDER_FACTS: tuple[Fact, ...] = (
    Fact(
        name="line.per_diem_ladder",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=frozenset({"fits", "other_rung", "no_rung", "not_on_a_ladder"}),
        description="For a per diem: whether its code is the one for how often, how much or how long the therapy is "
        "given, going by the drugs of its therapy, or by the line itself when the order has none.",
        derived_from=("line.hcpcs", "line.frequency", "line.infusion_time", "line.daily_volume"),
        derive=ladder,
    ),
    Fact(
        name="line.generic_per_diem_fits",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="False for the generic per diem of a therapy whose ladder has a code for what is given.",
        derived_from=("line.hcpcs", "line.frequency", "line.infusion_time", "line.daily_volume"),
        derive=generic_fits,
    ),
    Fact(
        name="line.per_diem_expected",
        kind=Kind.TEXT,
        scope=Scope.LINE,
        description="For a per diem: the code of its ladder for what is given.",
        derived_from=("line.hcpcs", "line.frequency", "line.infusion_time", "line.daily_volume"),
        derive=code_expected,
    ),
)
