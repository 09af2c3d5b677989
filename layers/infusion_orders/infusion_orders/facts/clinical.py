"""Clinical facts: parenteral nutrition by body weight and concentration, and whether the diagnoses are billable."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from infusion_orders.facts.fact import Kind, line_fact, order_fact
from infusion_orders.facts.unknown import Need, Reason, Unknown
from infusion_orders.orders.doses import EXACT
from infusion_orders.reference.diagnoses import BILLABLE, CANNOT_BE_CONFIRMED, NEEDS_MORE_DIGITS, NO_LIST, NOT_IN_LIST

if TYPE_CHECKING:
    from datetime import date

    from infusion_orders.reference.diagnoses import DiagnosisStanding
    from infusion_orders.reference.tables import ReferenceTables

GRAMS_PER_LITRE_OF_ONE_PERCENT = Decimal(10)
MOSM_PER_GRAM_OF_AMINO_ACIDS = Decimal(10)
MOSM_PER_GRAM_OF_DEXTROSE = Decimal(5)
MOSM_PER_MEQ_OF_CATIONS = Decimal(2)
_FOUR_PLACES = Decimal("0.0001")
"""No range has a bound as fine as that."""


def _per_kilogram(amount: Decimal, weight: Decimal) -> Decimal:
    return EXACT.divide(amount, weight).quantize(_FOUR_PLACES, context=EXACT)


@order_fact("nutrition.energy_per_kg", Kind.NUMBER, unit="kcal/kg/day", needs=("nutrition.energy", "clinical.weight"))
def energy_per_kg(_tables: ReferenceTables, energy: Decimal, weight: Decimal) -> Decimal:
    """The energy of a day for each kilogram of body weight."""
    return _per_kilogram(energy, weight)


@order_fact("nutrition.protein_per_kg", Kind.NUMBER, unit="g/kg/day", needs=("nutrition.protein", "clinical.weight"))
def protein_per_kg(_tables: ReferenceTables, protein: Decimal, weight: Decimal) -> Decimal:
    """The protein of a day for each kilogram of body weight."""
    return _per_kilogram(protein, weight)


@order_fact("nutrition.dextrose_percent", Kind.NUMBER, unit="percent", needs=("nutrition.dextrose",))
def dextrose_percent(_tables: ReferenceTables, grams_per_litre: Decimal) -> Decimal:
    """The dextrose in the solution; 100 g in a litre are 10 percent."""
    return EXACT.divide(grams_per_litre, GRAMS_PER_LITRE_OF_ONE_PERCENT)


@order_fact(
    "nutrition.osmolarity",
    Kind.NUMBER,
    unit="mOsm/l",
    needs=("nutrition.amino_acids", "nutrition.dextrose", "nutrition.cations"),
)
def osmolarity(_tables: ReferenceTables, amino_acids: Decimal, dextrose: Decimal, cations: Decimal) -> Decimal:
    """The solution's estimated osmolarity: 10 per gram of amino acids in a litre, 5 of dextrose, 2 per meq of cations.

    This is the usual estimate; it leaves out lipids and trace elements.
    """
    of_amino_acids = EXACT.multiply(amino_acids, MOSM_PER_GRAM_OF_AMINO_ACIDS)
    of_dextrose = EXACT.multiply(dextrose, MOSM_PER_GRAM_OF_DEXTROSE)
    of_cations = EXACT.multiply(cations, MOSM_PER_MEQ_OF_CATIONS)
    return EXACT.add(EXACT.add(of_amino_acids, of_dextrose), of_cations)


_WRONG = {
    NEEDS_MORE_DIGITS: "a code needs more digits, such as ",
    NOT_IN_LIST: "a code is not in the ICD-10-CM list, which has ",
}
_NOTHING_NEAR = "a code is not in the ICD-10-CM list, nor is its category"


@line_fact(
    "line.diagnosis_status",
    Kind.CODE,
    domain=(BILLABLE, CANNOT_BE_CONFIRMED, NO_LIST),
    needs=("order.diagnoses", "line.date_of_service"),
)
def diagnosis_status(tables: ReferenceTables, diagnoses: frozenset[str], day: date) -> str | Unknown:
    """Whether each diagnosis is a billable ICD-10-CM code on the date of service.

    `cannot_be_confirmed`: only the release of that day could tell, and it is not loaded.  A code that is certainly not
    billable makes the fact unknown with the nearest codes as a hint, so that the right one is asked for.
    """
    standings = [tables.diagnosis(code, day) for code in sorted(diagnoses)]
    hints = [_hint(standing) for standing in standings if standing.status in _WRONG]
    if hints:
        return Unknown(tuple(Need("order.diagnoses", None, Reason.INVALID, hint) for hint in dict.fromkeys(hints)))
    statuses = {standing.status for standing in standings}
    return next((status for status in (NO_LIST, CANNOT_BE_CONFIRMED) if status in statuses), BILLABLE)


def _hint(standing: DiagnosisStanding) -> str:
    return _WRONG[standing.status] + ", ".join(standing.instead) if standing.instead else _NOTHING_NEAR
