"""What holds for every dose: nothing is lost, nothing is billed beyond need, and the scale does not matter."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from infusion_orders.orders.doses import Quantity, convert, units_per_administration, waste_units

DOSES = st.decimals("0.001", "1000000", places=3)
SIZES = st.decimals("0.01", "1000", places=2)
MASSES = st.sampled_from(["g", "mg", "mcg"])


def in_unit(value: Decimal, unit: str, to_unit: str) -> Decimal:
    converted = convert(value, unit, to_unit)
    assert converted is not None
    return converted


def units(dose: Decimal, size: Decimal, unit: str = "mg") -> int:
    found = units_per_administration(Quantity(dose, unit), Quantity(size, "mg"))
    assert found is not None
    return found


def waste(dose: Decimal, vial: Decimal, size: Decimal) -> int:
    found = waste_units(Quantity(dose, "mg"), Quantity(vial, "mg"), Quantity(size, "mg"))
    assert found is not None
    return found


@given(DOSES, MASSES, MASSES)
def test_conversion_there_and_back_is_the_same_amount(dose: Decimal, unit: str, to_unit: str) -> None:
    assert in_unit(in_unit(dose, unit, to_unit), to_unit, unit) == dose


@given(DOSES, MASSES, MASSES, MASSES)
def test_conversion_over_a_third_unit_is_the_same_amount(
    dose: Decimal, unit: str, by_way_of: str, to_unit: str
) -> None:
    assert in_unit(in_unit(dose, unit, by_way_of), by_way_of, to_unit) == in_unit(dose, unit, to_unit)


@given(DOSES, DOSES, SIZES)
def test_larger_dose_never_has_fewer_units(dose: Decimal, another: Decimal, size: Decimal) -> None:
    smaller, larger = sorted((dose, another))

    assert units(smaller, size) <= units(larger, size)


@given(DOSES, MASSES, SIZES, MASSES)
def test_units_do_not_depend_on_the_unit_of_the_dose(dose: Decimal, unit: str, size: Decimal, written_in: str) -> None:
    assert units(dose, size, unit) == units(in_unit(dose, unit, written_in), size, written_in)


@given(DOSES, SIZES)
def test_units_cover_the_dose_with_less_than_one_unit_to_spare(dose: Decimal, size: Decimal) -> None:
    number = units(dose, size)

    assert number >= 1
    assert (number - 1) * size < dose <= number * size


@given(DOSES, SIZES, SIZES)
def test_billed_and_discarded_units_never_exceed_the_opened_vials(dose: Decimal, vial: Decimal, size: Decimal) -> None:
    wasted = waste(dose, vial, size)
    opened = units(dose, vial)
    billed = units(dose, size)

    assert wasted >= 0
    assert wasted == 0 or (billed + wasted) * size <= opened * vial
    assert wasted * size < vial


@given(st.integers(1, 1000), st.integers(1, 50), st.integers(1, 20))
def test_units_of_whole_unit_vials_are_all_billed_or_discarded(
    units_of_dose: int, size: int, units_of_vial: int
) -> None:
    dose, vial = Decimal(units_of_dose), Decimal(size * units_of_vial)
    wasted = waste(dose, vial, Decimal(size))
    opened = units(dose, vial)

    assert units(dose, Decimal(size)) + wasted == opened * units_of_vial
