"""Doses to billing units: the worked examples of the coding rules, and what must never be converted."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infusion_orders.orders.doses import Quantity, convert, units_per_administration, waste_units
from infusion_orders.orders.vocabularies import DoseUnit


def mg(value: str) -> Quantity:
    return Quantity(Decimal(value), "mg")


@pytest.mark.parametrize(
    ("value", "unit", "to_unit", "expected"),
    [
        ("1", "g", "mg", "1000"),
        ("1", "g", "mcg", "1000000"),
        ("250", "mcg", "mg", "0.25"),
        ("0.1", "mg", "g", "0.0001"),
        ("5", "mg", "mg", "5"),
        ("5", "unit", "unit", "5"),
        ("5", "ml", "ml", "5"),
        ("20", "meq", "meq", "20"),
        ("5", "g/kg", "mg/kg", "5000"),
        ("123456789012345678", "g", "mcg", "123456789012345678000000"),
    ],
)
def test_masses_convert_exactly_by_powers_of_a_thousand(value: str, unit: str, to_unit: str, expected: str) -> None:
    assert convert(Decimal(value), unit, to_unit) == Decimal(expected)


@pytest.mark.parametrize(
    ("unit", "to_unit"),
    [
        ("unit", "mg"),
        ("mg", "unit"),
        ("ml", "mg"),
        ("meq", "mg"),
        ("ml", "meq"),
        ("mg/kg", "mg"),
        ("mg", "mg/kg"),
        ("unit/kg", "mg/kg"),
        ("kg", "g"),
        ("mg", "/kg"),
        ("stone", "stone"),
    ],
)
def test_units_of_different_things_do_not_convert(unit: str, to_unit: str) -> None:
    one, other = Quantity(Decimal(1), unit), Quantity(Decimal(1), to_unit)

    assert convert(Decimal(1), unit, to_unit) is None
    assert units_per_administration(one, other) is None
    assert waste_units(one, other, other) is None
    assert waste_units(one, one, other) is None


def test_a_dose_per_kilogram_is_multiplied_by_the_weight() -> None:
    assert Quantity(Decimal(5), "mg/kg").for_weight(Decimal("75.0")) == mg("375")


def test_members_of_the_vocabulary_convert_like_their_texts() -> None:
    assert Quantity(Decimal(5), DoseUnit.MCG_PER_KG).for_weight(Decimal("0.4")) == Quantity(Decimal(2), "mcg")


def test_only_units_per_kilogram_need_the_weight() -> None:
    assert [unit for unit in DoseUnit if Quantity(Decimal(1), unit).is_per_kilogram] == [*DoseUnit][6:]


@pytest.mark.parametrize(
    ("dose", "unit", "unit_quantity", "code_unit", "expected"),
    [
        pytest.param("375", "mg", "10", "mg", 38, id="infliximab 5 mg/kg x 75 kg"),
        pytest.param("1", "g", "500", "mg", 2, id="vancomycin under its old code"),
        pytest.param("1", "g", "10", "mg", 100, id="vancomycin under its new code"),
        pytest.param("100", "mg", "80", "mg", 2, id="gentamicin, up to 80 mg"),
        pytest.param("24000000", "unit", "600000", "unit", 40, id="penicillin G, up to 600,000 units"),
        pytest.param("95", "mg", "1", "mg", 95, id="unit of 1 mg"),
        pytest.param("70", "mg", "100", "mg", 1, id="less than a unit is one"),
        pytest.param("0.3", "mg", "0.1", "mg", 3, id="decimals, where binary floats give 4"),
        pytest.param("100", "mcg", "0.1", "mg", 1, id="micrograms"),
    ],
)
def test_billing_units_round_up(dose: str, unit: str, unit_quantity: str, code_unit: str, expected: int) -> None:
    assert (
        units_per_administration(Quantity(Decimal(dose), unit), Quantity(Decimal(unit_quantity), code_unit)) == expected
    )


@pytest.mark.parametrize(("dose", "quantity"), [("0", "10"), ("-5", "10"), ("5", "0")])
def test_amounts_of_zero_raise(dose: str, quantity: str) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        units_per_administration(mg(dose), mg(quantity))


@pytest.mark.parametrize(
    ("dose", "vial", "unit_quantity", "expected"),
    [
        pytest.param("95", "100", "1", 5, id="the rest of the vial"),
        pytest.param("70", "100", "100", 0, id="within the unit that is billed"),
        pytest.param("375", "100", "10", 2, id="infliximab, 4 vials"),
        pytest.param("400", "100", "10", 0, id="nothing left"),
        pytest.param("401", "100", "10", 9, id="a fifth vial for one milligram"),
        pytest.param("150", "100", "75", 0, id="less than a whole unit is left"),
        pytest.param("40", "50", "80", 0, id="a vial smaller than the unit"),
    ],
)
def test_rest_of_single_dose_vials_is_waste(dose: str, vial: str, unit_quantity: str, expected: int) -> None:
    assert waste_units(mg(dose), mg(vial), mg(unit_quantity)) == expected


def test_vials_may_be_labelled_in_another_unit_than_the_dose() -> None:
    dose, vial = Quantity(Decimal("0.375"), "g"), Quantity(Decimal(100_000), "mcg")

    assert waste_units(dose, vial, mg("10")) == 2
