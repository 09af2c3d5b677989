"""What parenteral nutrition comes to: by body weight, as a percentage, and the osmolarity that a vein must stand."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from infusion_orders.facts.derivation import from_all
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.orders.doses import EXACT

if TYPE_CHECKING:
    from infusion_orders.facts.case import Facts

GRAMS_PER_LITRE_OF_ONE_PERCENT = 10
MOSM_PER_GRAM_OF_AMINO_ACIDS = 10
MOSM_PER_GRAM_OF_DEXTROSE = 5
MOSM_PER_MEQ_OF_CATIONS = 2

_FOUR_PLACES = Decimal("0.0001")


def _per_kilogram(_facts: Facts, amount: Decimal, weight: Decimal) -> Decimal:
    """To four places: no range has a bound as fine as that."""
    return EXACT.divide(amount, weight).quantize(_FOUR_PLACES, context=EXACT)


def _percent(_facts: Facts, grams_per_litre: Decimal) -> Decimal:
    return EXACT.divide(grams_per_litre, Decimal(GRAMS_PER_LITRE_OF_ONE_PERCENT))


def _osmolarity(_facts: Facts, amino_acids: Decimal, dextrose: Decimal, cations: Decimal) -> Decimal:
    """The usual estimate; lipids and trace amounts are left out of it."""
    parts = (
        EXACT.multiply(amino_acids, Decimal(MOSM_PER_GRAM_OF_AMINO_ACIDS)),
        EXACT.multiply(dextrose, Decimal(MOSM_PER_GRAM_OF_DEXTROSE)),
        EXACT.multiply(cations, Decimal(MOSM_PER_MEQ_OF_CATIONS)),
    )
    return EXACT.add(EXACT.add(parts[0], parts[1]), parts[2])


_SOLUTION = ("nutrition.amino_acids", "nutrition.dextrose", "nutrition.cations")

NUTRITION_FACTS: tuple[Fact, ...] = (
    Fact(
        name="nutrition.energy_per_kg",
        kind=Kind.NUMBER,
        scope=Scope.ORDER,
        unit="kcal/kg/day",
        description="The energy of a day for each kilogram of body weight.",
        derived_from=("nutrition.energy", "clinical.weight"),
        derive=from_all("nutrition.energy", "clinical.weight")(_per_kilogram),
    ),
    Fact(
        name="nutrition.protein_per_kg",
        kind=Kind.NUMBER,
        scope=Scope.ORDER,
        unit="g/kg/day",
        description="The protein of a day for each kilogram of body weight.",
        derived_from=("nutrition.protein", "clinical.weight"),
        derive=from_all("nutrition.protein", "clinical.weight")(_per_kilogram),
    ),
    Fact(
        name="nutrition.dextrose_percent",
        kind=Kind.NUMBER,
        scope=Scope.ORDER,
        unit="percent",
        description="The dextrose in the solution; 100 g in a litre are 10 percent.",
        derived_from=("nutrition.dextrose",),
        derive=from_all("nutrition.dextrose")(_percent),
    ),
    Fact(
        name="nutrition.osmolarity",
        kind=Kind.NUMBER,
        scope=Scope.ORDER,
        unit="mOsm/l",
        description="The estimated osmolarity of the solution: 10 for each gram of amino acids in a litre, 5 for each "
        "gram of dextrose, 2 for each milliequivalent of cations.",
        derived_from=_SOLUTION,
        derive=from_all(*_SOLUTION)(_osmolarity),
    ),
)
