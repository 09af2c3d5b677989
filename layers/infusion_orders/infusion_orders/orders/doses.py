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


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount in one of the order's dose units (`mg`, `mcg/kg`, ...): a dose, a vial's content, a billing unit."""

    value: Decimal
    unit: str

    @property
    def is_per_kilogram(self) -> bool:
        """Whether this is an amount for each kilogram of body weight."""
        return self.unit.endswith(PER_KILOGRAM)

    def for_weight(self, weight_kg: Decimal) -> Quantity:
        """Return an amount per kilogram as the whole amount for a body weight."""
        return Quantity(EXACT.multiply(self.value, weight_kg), self.unit.removesuffix(PER_KILOGRAM))


def convert(value: Decimal, unit: str, to_unit: str) -> Decimal | None:
    """Return the same amount in another unit, exactly; None where the two units measure different things.

    Units are those of AmountUnit; either both are per kilogram or neither is.
    """
    if unit not in _UNITS or to_unit not in _UNITS:
        return None
    if unit == to_unit:
        return value
    amount, to_amount = unit.removesuffix(PER_KILOGRAM), to_unit.removesuffix(PER_KILOGRAM)
    same_base = unit.endswith(PER_KILOGRAM) == to_unit.endswith(PER_KILOGRAM)
    if not same_base or amount not in _EXPONENT_OF_GRAM or to_amount not in _EXPONENT_OF_GRAM:
        return None
    return value.scaleb(_EXPONENT_OF_GRAM[amount] - _EXPONENT_OF_GRAM[to_amount], EXACT)


def units_per_administration(dose: Quantity, billing_unit: Quantity) -> int | None:
    """Return the billing units of one administration, of which part of one counts; None where they do not convert.

    Raises ValueError for a dose or a billing unit of 0.
    """
    needed = convert(dose.value, dose.unit, billing_unit.unit)
    return None if needed is None else _whole_and_part(needed, billing_unit.value)


def waste_units(dose: Quantity, vial: Quantity, billing_unit: Quantity) -> int | None:
    """Return the billing units discarded (JW) from single-dose vials of one size; 0 means none to report (JZ).

    As many vials are opened as the dose needs.  Billed and discarded units together never exceed what the vials held:
    the rest of a unit that was billed in part is not waste, and less than a whole unit is not reported.
    None where the units do not convert.  Raises ValueError for a dose, a vial or a billing unit of 0.
    """
    needed = convert(dose.value, dose.unit, billing_unit.unit)
    content = convert(vial.value, vial.unit, billing_unit.unit)
    if needed is None or content is None:
        return None
    opened = _whole_and_part(needed, content)
    billed = _whole_and_part(needed, billing_unit.value)
    return max(0, int(EXACT.divide_int(EXACT.multiply(content, opened), billing_unit.value)) - billed)


def _whole_and_part(amount: Decimal, size: Decimal) -> int:
    """Return how many of the size are needed for the amount."""
    if amount <= 0 or size <= 0:
        raise ValueError("amounts must be more than 0")
    whole, part = EXACT.divmod(amount, size)
    return int(whole) + (part > 0)
