"""From an ordered dose to billing units and discarded units, in decimals throughout.

Masses convert by powers of a thousand.  Units of activity, millilitres and milliequivalents do not convert, because
that would depend on the drug.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from infusion_orders.orders.vocabularies import AmountUnit, DoseUnit

if TYPE_CHECKING:
    from collections.abc import Mapping

PER_KILOGRAM = "/kg"

_EXPONENT_OF_GRAM: Mapping[str, int] = {AmountUnit.G.value: 0, AmountUnit.MG.value: -3, AmountUnit.MCG.value: -6}
_UNITS = frozenset(unit.value for unit in DoseUnit)
EXACT = Context(prec=60)
"""Enough digits that nothing is rounded: two amounts of 18 digits, multiplied and scaled by a million, have fewer."""


class IncompatibleUnits(ValueError):
    """The two units measure different things; the text names them."""


class WeightNeeded(ValueError):
    """The dose is per kilogram, and the body weight is not known."""


@dataclass(frozen=True, slots=True)
class AdministeredDose:
    """The whole dose of one administration: its unit is never per kilogram."""

    value: Decimal
    unit: str


def convert(value: Decimal, unit: str, to_unit: str) -> Decimal:
    """Return the same amount in another unit, exactly.  Raises IncompatibleUnits.

    Units are those of AmountUnit; either both are per kilogram or neither is.
    """
    if unit not in _UNITS or to_unit not in _UNITS:
        raise IncompatibleUnits(f"doses are in {', '.join(AmountUnit)}, or these per kilogram (mg/kg)")
    if unit == to_unit:
        return value
    amount, to_amount = unit.removesuffix(PER_KILOGRAM), to_unit.removesuffix(PER_KILOGRAM)
    same_base = unit.endswith(PER_KILOGRAM) == to_unit.endswith(PER_KILOGRAM)
    if not same_base or amount not in _EXPONENT_OF_GRAM or to_amount not in _EXPONENT_OF_GRAM:
        raise IncompatibleUnits(f"{unit} cannot be expressed in {to_unit}")
    return value.scaleb(_EXPONENT_OF_GRAM[amount] - _EXPONENT_OF_GRAM[to_amount], EXACT)


def administered_dose(value: Decimal, unit: str, weight_kg: Decimal | None) -> AdministeredDose:
    """Return a dose per kilogram times the weight, and any other dose as it is.

    Raises WeightNeeded for a dose per kilogram without a weight.
    """
    if not unit.endswith(PER_KILOGRAM):
        return AdministeredDose(value, unit)
    if weight_kg is None:
        raise WeightNeeded("a dose per kilogram needs the member's weight in kilograms")
    return AdministeredDose(EXACT.multiply(value, weight_kg), unit.removesuffix(PER_KILOGRAM))


def units_per_administration(dose: Decimal, unit: str, unit_quantity: Decimal, code_unit: str) -> int:
    """Return the billing units of one administration; each is `unit_quantity` of `code_unit`, and part of one counts.

    Raises IncompatibleUnits, and ValueError for a dose or a unit quantity of 0.
    """
    return _whole_and_part(convert(dose, unit, code_unit), unit_quantity)


def waste_units(
    dose: Decimal,
    unit: str,
    *,
    vial: Decimal,
    vial_unit: str,
    unit_quantity: Decimal,
    code_unit: str,
) -> int:
    """Return the billing units discarded (JW) from single-dose vials of one size; 0 means none to report (JZ).

    As many vials are opened as the dose needs.  Billed and discarded units together never exceed what the vials held:
    the rest of a unit that was billed in part is not waste, and less than a whole unit is not reported.
    Raises IncompatibleUnits, and ValueError for a dose, a vial or a unit quantity of 0.
    """
    needed, content = convert(dose, unit, code_unit), convert(vial, vial_unit, code_unit)
    opened = _whole_and_part(needed, content)
    billed = _whole_and_part(needed, unit_quantity)
    return max(0, int(EXACT.divide_int(EXACT.multiply(content, opened), unit_quantity)) - billed)


def _whole_and_part(amount: Decimal, size: Decimal) -> int:
    """Return how many of the size are needed for the amount."""
    if amount <= 0 or size <= 0:
        raise ValueError("amounts must be more than 0")
    whole, part = EXACT.divmod(amount, size)
    return int(whole) + (part > 0)
