"""Billing units of a line: computed from dose, code, frequency and dates, and compared with what will be billed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.facts.fact import Kind, internal_fact, line_fact
from infusion_orders.facts.line_pairs import DRUG_KINDS, has_modifier, is_stated_of_kind
from infusion_orders.facts.unknown import Truth, Unknown, known_or_none, some, unknown_of
from infusion_orders.orders.doses import PER_KILOGRAM, Quantity, convert, units_per_administration
from infusion_orders.orders.frequencies import administrations
from infusion_orders.orders.vocabularies import AmountUnit

if TYPE_CHECKING:
    from datetime import date

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.tables import Code, ReferenceTables

WASTE_MODIFIER, NO_WASTE_MODIFIER = "JW", "JZ"
AS_COMPUTED, DIFFERS, NOT_COMPUTED = "as_computed", "differs", "not_computed"
DIFFERS_FOR_COMBINATION = "differs_for_combination"
NOT_COMPUTABLE = "not computable"
DOSE_UNITS = frozenset(unit.value for unit in AmountUnit)
COMBINATIONS = frozenset({"combo_total", "combo_first_component"})
MOST_UNITS = 1_000_000_000
"""More units than this come from a slip of the pen in a dose, a vial or a frequency, and are not shown."""


@internal_fact("line.code_on_date", uses=("line.hcpcs", "line.date_of_service"))
def code_on_date(facts: Facts) -> Code | Unknown | None:
    """The line's code as it is on the first date of service; None when it is not valid then, or not in the tables."""
    hcpcs, day = facts["line.hcpcs"], facts["line.date_of_service"]
    if isinstance(hcpcs, Unknown) or isinstance(day, Unknown):
        return unknown_of(hcpcs, day)
    return facts.tables.code(hcpcs, day)


@internal_fact("line.dose_given", uses=("line.dose", "clinical.weight"))
def dose_given(facts: Facts) -> Quantity | Unknown:
    """The dose of one administration, for the member's weight where it is ordered per kilogram."""
    dose: Quantity | Unknown = facts["line.dose"]
    weight = facts["clinical.weight"]
    if isinstance(dose, Unknown):
        return unknown_of(dose, weight) or dose
    if not dose.is_per_kilogram:
        return dose
    return weight if isinstance(weight, Unknown) else dose.for_weight(weight)


@internal_fact("line.times_given", uses=("line.frequency", "line.date_of_service", "line.last_date_of_service"))
def times_given(facts: Facts) -> int | Unknown | None:
    """Administrations from the first to the last date of service; None when the last date is before the first."""
    frequency, first = facts["line.frequency"], facts["line.date_of_service"]
    last = facts["line.last_date_of_service"]
    unknown = unknown_of(frequency, first, last)
    if unknown is not None:
        return unknown
    return None if last < first else administrations(frequency, first, last)


@internal_fact("line.units_each_time", uses=("line.code_on_date", "line.dose_given"))
def units_each_time(facts: Facts) -> int | Unknown | None:
    """Units of one administration; None where the code is not valid, or has no units that the dose can be put in."""
    code, dose = facts["line.code_on_date"], facts["line.dose_given"]
    if code is None:
        return None
    return unknown_of(code, dose) or units_of_dose(dose, code)


def is_billed_by_dose(code: Code) -> bool:
    """Return whether a unit of the code is an amount of the drug, and not a day, an hour or an item."""
    return code.unit in DOSE_UNITS


def units_of_dose(dose: Quantity, code: Code) -> int | None:
    """Return the units of one administration; None when the code is not billed by the dose, or not in such a unit."""
    if code.unit is None or code.unit_quantity is None or not is_billed_by_dose(code):
        return None
    return units_per_administration(dose, Quantity(code.unit_quantity, code.unit))


def units_between(facts: Facts, code: Code, first: date, last: date) -> int | None:
    """Return the units of the line's dose between two days under any code, None where they cannot be computed."""
    dose, frequency = known_or_none(facts["line.dose_given"]), known_or_none(facts["line.frequency"])
    each = None if dose is None else units_of_dose(dose, code)
    if each is None or frequency is None or last < first:
        return None
    return plausible(each * administrations(frequency, first, last))


def plausible(units: int | None) -> int | None:
    """Return the units, or None for more units than any order has."""
    return None if units is None or units > MOST_UNITS else units


def counted(units: int) -> str:
    """Return units as a text, such as `1 unit` or `1,200 units`."""
    return f"{units:,} {'unit' if units == 1 else 'units'}"


@line_fact(
    "line.dose_fits_code",
    Kind.BOOLEAN,
    uses=("line.code_on_date", "line.dose", "line.hcpcs", "line.stated_kind", "line.modifiers"),
)
def dose_fits_code(facts: Facts) -> Truth:
    """False when the dose is in a unit that does not convert into the code's unit (mg and units).

    Discarded units have no dose.
    """
    code, dose = facts["line.code_on_date"], facts["line.dose"]
    if isinstance(code, Unknown) and is_stated_of_kind(facts, DRUG_KINDS) is False:
        return code
    if code is None or (not isinstance(code, Unknown) and not is_billed_by_dose(code)):
        return True
    fits = unknown_of(code, dose) or (
        convert(code.unit_quantity, dose.unit.removesuffix(PER_KILOGRAM), code.unit) is not None
    )
    return fits if fits is True else some((has_modifier(facts, WASTE_MODIFIER), fits))


@line_fact(
    "line.units_check",
    Kind.CODE,
    domain=(AS_COMPUTED, DIFFERS, DIFFERS_FOR_COMBINATION, NOT_COMPUTED),
    uses=(
        "line.code_on_date",
        "line.modifiers",
        "line.crosses_code_change",
        "line.hcpcs",
        "line.stated_kind",
        "line.units_each_time",
        "line.times_given",
        "line.units",
    ),
)
def units_check(facts: Facts) -> str | Unknown:
    """How the units to be billed compare with those computed from dose, code, frequency and dates.

    The dose of a combination product may be that of one part or of all of them.
    """
    code, waste = facts["line.code_on_date"], has_modifier(facts, WASTE_MODIFIER)
    crosses = facts["line.crosses_code_change"]
    if code is None or waste is True or crosses is True:
        return NOT_COMPUTED
    if isinstance(code, Unknown) and is_stated_of_kind(facts, DRUG_KINDS) is False:
        return code
    if not isinstance(code, Unknown) and not is_billed_by_dose(code):
        return NOT_COMPUTED
    each = facts["line.units_each_time"]
    if each is None:
        return NOT_COMPUTED
    times, units = facts["line.times_given"], facts["line.units"]
    unknown = unknown_of(code, each, times, units, waste, crosses)
    if unknown is not None:
        return unknown
    if times is None:
        return NOT_COMPUTED
    if units == each * times:
        return AS_COMPUTED
    return DIFFERS_FOR_COMBINATION if code.unit_kind in COMBINATIONS else DIFFERS


@line_fact("line.units_expected", Kind.TEXT, uses=("line.units_each_time", "line.times_given"))
def units_expected(facts: Facts) -> str:
    """The units computed from dose, code, frequency and dates, and how they were computed."""
    each, times = known_or_none(facts["line.units_each_time"]), known_or_none(facts["line.times_given"])
    if each is None or times is None or plausible(each * times) is None:
        return NOT_COMPUTABLE
    return f"{each * times:,} ({each:,} each time, {times:,} {'time' if times == 1 else 'times'})"


@line_fact("line.frequency_is_plain", Kind.BOOLEAN, uses=("line.frequency",))
def frequency_is_plain(facts: Facts) -> bool:
    """False when the frequency is an abbreviation that is easily misread; true while it is unknown."""
    frequency = known_or_none(facts["line.frequency"])
    return frequency is None or not frequency.warnings


@line_fact("line.frequency_reading", Kind.TEXT, uses=("line.frequency",))
def frequency_reading(facts: Facts) -> str:
    """How an easily misread frequency was read, and what to write instead."""
    frequency = known_or_none(facts["line.frequency"])
    return "" if frequency is None else "; ".join(frequency.warnings)


@line_fact("line.code_routes", Kind.CODES, needs=("line.hcpcs",))
def code_routes(tables: ReferenceTables, hcpcs: str) -> frozenset[str]:
    """The routes by which the code's drug is given, over all its periods; none for a code that is not a drug's."""
    return frozenset(route for period in tables.code_periods(hcpcs) for route in period.routes)
