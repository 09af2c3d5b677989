"""The billing units of a line, computed where dose, code, frequency and dates say enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.decisions.decision import Billing
from infusion_orders.facts.unknown import Unknown
from infusion_orders.orders.doses import (
    IncompatibleUnits,
    administered_dose,
    units_per_administration,
    waste_units,
)
from infusion_orders.orders.schedules import administrations

if TYPE_CHECKING:
    from infusion_orders.codes.rows import Code
    from infusion_orders.facts.case import Facts
    from infusion_orders.orders.doses import AdministeredDose

MOST = 1_000_000_000
"""Beyond this a dose, a vial or a frequency is a slip of the pen, and what follows from it is not shown."""


def billing(facts: Facts) -> Billing | None:
    """None for a line of which nothing can be computed: no dose, or a code that is not billed by the dose."""
    times = _administrations(facts)
    dose, code = _dose(facts), _code(facts)
    if dose is None or code is None or code.unit is None or code.unit_quantity is None:
        return None
    try:
        each = units_per_administration(dose.value, dose.unit, code.unit_quantity, code.unit)
    except IncompatibleUnits:
        return None
    waste = _waste(facts, dose, code)
    return Billing(
        units_per_administration=_sane(each),
        administrations=_sane(times),
        units=_sane(None if times is None else each * times),
        waste_units=_sane(None if times is None or waste is None else waste * times),
    )


def _sane(count: int | None) -> int | None:
    return None if count is None or count > MOST else count


def _known(facts: Facts, name: str) -> Any:
    value = facts[name]
    return None if isinstance(value, Unknown) else value


def _dose(facts: Facts) -> AdministeredDose | None:
    """The dose of one administration, worked out for the member's weight where it is ordered per kilogram."""
    dose, weight = _known(facts, "line.dose"), _known(facts, "clinical.weight")
    if dose is None or (dose.unit.endswith("/kg") and weight is None):
        return None
    return administered_dose(dose.value, dose.unit, weight)


def _code(facts: Facts) -> Code | None:
    hcpcs, day = _known(facts, "line.hcpcs"), _known(facts, "line.date_of_service")
    return None if hcpcs is None or day is None else facts.case.tables.code(hcpcs, day)


def _administrations(facts: Facts) -> int | None:
    frequency = _known(facts, "line.frequency")
    first, last = _known(facts, "line.date_of_service"), _known(facts, "line.last_date_of_service")
    if frequency is None or first is None or last is None or last < first:
        return None
    return administrations(frequency, first, last)


def _waste(facts: Facts, dose: AdministeredDose, code: Code) -> int | None:
    """Units left over in single-dose vials."""
    vial, single = _known(facts, "line.vial_size"), _known(facts, "line.single_dose_container")
    if vial is None or single is not True or code.unit is None or code.unit_quantity is None:
        return None
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
