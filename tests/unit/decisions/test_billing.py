"""Billing units of a line, computed from dose, code, frequency and dates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.decisions.line_decisions import billing
from infusion_orders.facts.case import Case
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.orders.doses import Quantity
from infusion_orders.orders.frequencies import parse_frequency
from tests.support.rules import default_rules

if TYPE_CHECKING:
    from infusion_orders.decisions.decision import Billing

COMPLETE: dict[str, Any] = {
    "line.hcpcs": "J1745",
    "line.dose": Quantity(Decimal(5), "mg/kg"),
    "clinical.weight": Decimal(75),
    "line.frequency": parse_frequency("daily"),
    "line.date_of_service": date(2026, 12, 1),
    "line.last_date_of_service": date(2026, 12, 3),
    "line.vial_size": Quantity(Decimal(100), "mg"),
    "line.single_dose_container": True,
}


def billed(**changes: Any) -> Billing | None:
    """Bill a complete line with changed facts: `__` stands for the dot, and None removes a fact."""
    known = COMPLETE | {name.replace("__", "."): value for name, value in changes.items()}
    facts = {name: value for name, value in known.items() if value is not None}
    case = Case(CATALOGUE, default_rules().tables, line_facts=[facts])
    return billing(case.lines[0])


def units(found: Billing | None) -> tuple[int | None, ...]:
    assert found is not None
    return (found.units_per_administration, found.administrations, found.units, found.waste_units)


def test_units_and_waste_cover_all_administrations() -> None:
    assert units(billed()) == (38, 3, 114, 6)


def test_first_and_last_day_are_administrations() -> None:
    assert units(billed(line__last_date_of_service=date(2026, 12, 1))) == (38, 1, 38, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"line__frequency": None},
        {"line__last_date_of_service": None},
        {"line__last_date_of_service": date(2026, 11, 30)},
    ],
)
def test_units_of_one_administration_are_shown_if_their_number_is_unknown(changes: dict[str, Any]) -> None:
    assert units(billed(**changes)) == (38, None, None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"line__vial_size": None},
        {"line__single_dose_container": None},
        {"line__single_dose_container": False},
        {"line__vial_size": Quantity(Decimal(10), "ml")},
    ],
)
def test_only_single_dose_vials_of_known_size_leave_waste(changes: dict[str, Any]) -> None:
    assert units(billed(**changes)) == (38, 3, 114, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"line__dose": None},
        {"clinical__weight": None},
        {"line__hcpcs": None},
        {"line__hcpcs": "E0781"},
        {"line__hcpcs": "J0001"},
        {"line__date_of_service": None},
        {"line__dose": Quantity(Decimal(5), "ml")},
    ],
)
def test_billing_is_absent_if_nothing_can_be_computed(changes: dict[str, Any]) -> None:
    assert billed(**changes) is None


def test_fixed_dose_needs_no_weight() -> None:
    found = billed(line__dose=Quantity(Decimal(400), "mg"), clinical__weight=None)
    assert units(found) == (40, 3, 120, 0)
