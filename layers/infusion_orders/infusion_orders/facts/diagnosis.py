"""Whether the order's diagnoses are billable ICD-10-CM codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.facts.fact import Kind, line_fact
from infusion_orders.facts.unknown import Need, Reason, Unknown
from infusion_orders.reference.diagnoses import BILLABLE, CANNOT_BE_CONFIRMED, NEEDS_MORE_DIGITS, NO_LIST, NOT_IN_LIST

if TYPE_CHECKING:
    from datetime import date

    from infusion_orders.reference.diagnoses import DiagnosisStanding
    from infusion_orders.reference.tables import ReferenceTables

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
