"""Whether the order's diagnoses are billable codes of ICD-10-CM: a code that is none is asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.derivation import from_all
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.unknown import Need, Reason, Unknown
from infusion_orders.reference.diagnoses import BILLABLE, CANNOT_BE_CONFIRMED, NEEDS_MORE_DIGITS, NO_LIST, NOT_IN_LIST

if TYPE_CHECKING:
    from datetime import date

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.diagnoses import DiagnosisStanding

_SOURCES = ("order.diagnoses", "line.date_of_service")
_WRONG = {
    NEEDS_MORE_DIGITS: "a code needs more digits, such as ",
    NOT_IN_LIST: "a code is not in the ICD-10-CM list, which has ",
}
_NOTHING_NEAR = "a code is not in the ICD-10-CM list, nor is its category"


@from_all(*_SOURCES)
def diagnosis_status(facts: Facts, diagnoses: frozenset[str], day: date) -> Any:
    """A wrong code makes the fact unknown, with the nearest codes as a hint; what was sent is not repeated."""
    standings = [facts.case.tables.diagnosis(code, day) for code in sorted(diagnoses)]
    hints = [_hint(standing) for standing in standings if standing.status in _WRONG]
    if hints:
        return Unknown(tuple(Need("order.diagnoses", None, Reason.INVALID, hint) for hint in dict.fromkeys(hints)))
    statuses = {standing.status for standing in standings}
    return next((status for status in (NO_LIST, CANNOT_BE_CONFIRMED) if status in statuses), BILLABLE)


def _hint(standing: DiagnosisStanding) -> str:
    return _WRONG[standing.status] + ", ".join(standing.instead) if standing.instead else _NOTHING_NEAR


DIAGNOSIS_FACTS: tuple[Fact, ...] = (
    Fact(
        name="line.diagnosis_status",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=frozenset({BILLABLE, CANNOT_BE_CONFIRMED, NO_LIST}),
        description="Whether each diagnosis is a billable ICD-10-CM code: `cannot_be_confirmed` where only the release "
        "of the date of service could tell, and it is not loaded. A code that is certainly none is asked for again.",
        derived_from=_SOURCES,
        derive=diagnosis_status,
    ),
)
