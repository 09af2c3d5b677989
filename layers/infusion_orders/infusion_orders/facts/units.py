"""Billing units of a line: worked out from dose, code, frequency and dates, and compared with what will be billed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.beside import GIVEN, is_stated_of_kind
from infusion_orders.facts.derivation import from_all, known, once_a_line
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.unknown import Unknown, unknown_of
from infusion_orders.orders.doses import (
    IncompatibleUnits,
    administered_dose,
    convert,
    units_per_administration,
    waste_units,
)
from infusion_orders.orders.schedules import administrations
from infusion_orders.orders.vocabularies import AmountUnit

if TYPE_CHECKING:
    from datetime import date

    from infusion_orders.facts.case import Facts
    from infusion_orders.orders.doses import AdministeredDose
    from infusion_orders.reference.rows import Code

WASTE_MODIFIER, NO_WASTE_MODIFIER = "JW", "JZ"
AS_COMPUTED, DIFFERS, NOT_COMPUTED = "as_computed", "differs", "not_computed"
DIFFERS_FOR_COMBINATION = "differs_for_combination"
DOSE_UNITS = frozenset(unit.value for unit in AmountUnit)
COMBINATIONS = frozenset({"combo_total", "combo_first_component"})
MOST = 1_000_000_000
"""Beyond this a dose, a vial or a frequency is a slip of the pen, and what follows from it is not shown."""


@once_a_line
def code_on_date(facts: Facts) -> Code | Unknown | None:
    """The line's code as it is on the first date of service; None when it is not valid then, or not in the tables."""
    hcpcs, day = facts["line.hcpcs"], facts["line.date_of_service"]
    if isinstance(hcpcs, Unknown) or isinstance(day, Unknown):
        return unknown_of(hcpcs, day)
    return facts.case.tables.code(hcpcs, day)


def is_billed_by_dose(code: Code) -> bool:
    """Whether a unit of the code is an amount of the drug, and not a day, an hour or an item."""
    return code.unit in DOSE_UNITS


@once_a_line
def dose_given(facts: Facts) -> AdministeredDose | Unknown:
    """The dose of one administration, worked out for the member's weight where it is ordered per kilogram."""
    dose, weight = facts["line.dose"], facts["clinical.weight"]
    if isinstance(dose, Unknown):
        return unknown_of(dose, weight) or dose
    if not dose.unit.endswith("/kg"):
        return administered_dose(dose.value, dose.unit, None)
    return weight if isinstance(weight, Unknown) else administered_dose(dose.value, dose.unit, weight)


@once_a_line
def times_given(facts: Facts) -> int | Unknown | None:
    """Administrations from the first to the last date of service; None when these are the wrong way round."""
    frequency, first, last = (
        facts[name] for name in ("line.frequency", "line.date_of_service", "line.last_date_of_service")
    )
    unknown = unknown_of(frequency, first, last)
    if unknown is not None:
        return unknown
    return None if last < first else administrations(frequency, first, last)


def units_each(dose: AdministeredDose, code: Code) -> int | None:
    """Units of one administration; None when the code is not billed by the dose, or not in such a unit."""
    if code.unit is None or code.unit_quantity is None or not is_billed_by_dose(code):
        return None
    try:
        return units_per_administration(dose.value, dose.unit, code.unit_quantity, code.unit)
    except IncompatibleUnits:
        return None


@once_a_line
def units_each_time(facts: Facts) -> int | Unknown | None:
    """Units of one administration of the line; None where its code is not valid, or they cannot be worked out."""
    code, dose = code_on_date(facts), dose_given(facts)
    if code is None:
        return None
    if isinstance(code, Unknown) or isinstance(dose, Unknown):
        return unknown_of(code, dose)
    return units_each(dose, code)


def units_between(facts: Facts, code: Code, first: date, last: date) -> int | None:
    """Units of the line's dose from one day to another under any code, where they can be worked out."""
    dose, frequency = known(dose_given(facts)), known(facts["line.frequency"])
    each = None if dose is None else units_each(dose, code)
    if each is None or frequency is None or last < first:
        return None
    return sane(each * administrations(frequency, first, last))


@once_a_line
def waste_of(facts: Facts) -> int | Unknown | None:
    """Units left over in the line's vials over all administrations; None when they cannot be worked out.

    What is left in a container for several doses is no waste.
    """
    code, dose, times = code_on_date(facts), dose_given(facts), times_given(facts)
    vial, single = facts["line.vial_size"], facts["line.single_dose_container"]
    if code is None or (not isinstance(code, Unknown) and not is_billed_by_dose(code)):
        return None
    if single is False:
        return 0
    unknown = unknown_of(code, dose, times, vial, single)
    if unknown is not None:
        return unknown
    each = waste_each(dose, vial, code)
    return each * times if isinstance(each, int) and isinstance(times, int) else None


def waste_each(dose: Any, vial: Any, code: Any) -> int | None:
    """Units left over after one administration from single-dose vials of that size."""
    try:
        return waste_units(
            dose.value,
            dose.unit,
            vial=vial.value,
            vial_unit=vial.unit,
            unit_quantity=code.unit_quantity,
            code_unit=code.unit,
        )
    except IncompatibleUnits:
        return None


def sane(count: int | None) -> int | None:
    """The count, unless it is beyond what a slip of the pen explains better."""
    return None if count is None or count > MOST else count


def has_modifier(facts: Facts, *modifiers: str) -> bool | Unknown:
    """Whether the line carries one of the modifiers."""
    sent = facts["line.modifiers"]
    return sent if isinstance(sent, Unknown) else not sent.isdisjoint(modifiers)


def dose_fits_code(facts: Facts) -> bool | Unknown:
    """False when the dose is in a unit that the code's cannot be worked out from; discarded units have no dose."""
    code, dose = code_on_date(facts), facts["line.dose"]
    if isinstance(code, Unknown) and is_stated_of_kind(facts, GIVEN) is False:
        return code
    if code is None or (not isinstance(code, Unknown) and not is_billed_by_dose(code)):
        return True
    fits = unknown_of(code, dose) or _converts(dose.unit.removesuffix("/kg"), code)
    return fits if fits is True else _unless(has_modifier(facts, WASTE_MODIFIER), fits)


def _unless(excused: bool | Unknown, truth: bool | Unknown) -> bool | Unknown:
    if excused is True:
        return True
    return truth if excused is False else unknown_of(excused, truth) or truth


def _converts(unit: str, code: Any) -> bool:
    try:
        convert(code.unit_quantity, unit, code.unit)
    except IncompatibleUnits:
        return False
    return True


def units_check(facts: Facts) -> str | Unknown:
    """How the units that will be billed compare with those that the dose makes."""
    code, waste = code_on_date(facts), has_modifier(facts, WASTE_MODIFIER)
    crosses = facts["line.crosses_code_change"]
    if code is None or waste is True or crosses is True:
        return NOT_COMPUTED
    if isinstance(code, Unknown) and is_stated_of_kind(facts, GIVEN) is False:
        return code
    if not isinstance(code, Unknown) and not is_billed_by_dose(code):
        return NOT_COMPUTED
    each = units_each_time(facts)
    if each is None:
        return NOT_COMPUTED
    times, units = times_given(facts), facts["line.units"]
    unknown = unknown_of(code, each, times, units, waste, crosses)
    if unknown is not None:
        return unknown
    return _compared(units, each, times, code) if isinstance(times, int) else NOT_COMPUTED


def _compared(units: Any, each: Any, times: int, code: Any) -> str:
    if units == each * times:
        return AS_COMPUTED
    return DIFFERS_FOR_COMBINATION if code.unit_kind in COMBINATIONS else DIFFERS


def units_expected(facts: Facts) -> str:
    """The units that the dose makes, with how they come about; `not computable` where something is wanting."""
    each, times = known(units_each_time(facts)), known(times_given(facts))
    if each is None or times is None or sane(each * times) is None:
        return "not computable"
    return f"{each * times:,} ({each:,} each time, {times:,} {'time' if times == 1 else 'times'})"


def dates_lie_in_one_month(_facts: Facts, first: date, last: date) -> bool:
    """Whether both days lie in one calendar month."""
    return (first.year, first.month) == (last.year, last.month)


def frequency_is_plain(facts: Facts) -> bool:
    """False for an abbreviation that is easily misread, though it has one reading only; true for none at all."""
    return not frequency_reading(facts)


def frequency_reading(facts: Facts) -> str:
    """How the frequency was read, and what to write instead."""
    frequency = known(facts["line.frequency"])
    return "" if frequency is None else "; ".join(frequency.warnings)


def code_routes(facts: Facts) -> frozenset[str] | Unknown:
    """By which routes the code's drug is given, over all periods; empty for a code without routes."""
    hcpcs = facts["line.hcpcs"]
    if isinstance(hcpcs, Unknown):
        return hcpcs
    return frozenset(route for period in facts.case.tables.code_periods(hcpcs) for route in period.routes)


_DOSE = ("line.dose", "clinical.weight", "line.hcpcs", "line.date_of_service")
_COUNTED = (*_DOSE, "line.frequency", "line.last_date_of_service")

UNIT_FACTS: tuple[Fact, ...] = (
    Fact(
        name="line.dose_fits_code",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="False when the dose is in a unit that the code's unit cannot be worked out from (mg and units).",
        derived_from=("line.hcpcs", "line.date_of_service", "line.dose", "line.modifiers"),
        derive=dose_fits_code,
    ),
    Fact(
        name="line.units_check",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=frozenset({AS_COMPUTED, DIFFERS, DIFFERS_FOR_COMBINATION, NOT_COMPUTED}),
        description="How the units to be billed compare with those that dose, code, frequency and dates make; a "
        "combination's dose may be meant of one part or of all.",
        derived_from=(*_COUNTED, "line.units", "line.modifiers"),
        derive=units_check,
    ),
    Fact(
        name="line.units_expected",
        kind=Kind.TEXT,
        scope=Scope.LINE,
        description="The units that dose, code, frequency and dates make, and how they come about.",
        derived_from=_COUNTED,
        derive=units_expected,
    ),
    Fact(
        name="line.dates_lie_in_one_month",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="The first and the last date of service lie in one calendar month.",
        derived_from=("line.date_of_service", "line.last_date_of_service"),
        derive=from_all("line.date_of_service", "line.last_date_of_service")(dates_lie_in_one_month),
    ),
    Fact(
        name="line.frequency_is_plain",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="False when the frequency is an abbreviation that is easily misread.",
        derived_from=("line.frequency",),
        derive=frequency_is_plain,
    ),
    Fact(
        name="line.frequency_reading",
        kind=Kind.TEXT,
        scope=Scope.LINE,
        description="How an easily misread frequency was read.",
        derived_from=("line.frequency",),
        derive=frequency_reading,
    ),
    Fact(
        name="line.code_routes",
        kind=Kind.CODES,
        scope=Scope.LINE,
        description="The routes by which the code's drug is given; none for a code that is no drug's.",
        derived_from=("line.hcpcs",),
        derive=code_routes,
    ),
)
