"""What a service line is: the status of its code, its kind, its therapy, its route, its dates and its identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.asked import THERAPIES
from infusion_orders.facts.fact import Kind, line_fact, order_fact
from infusion_orders.facts.unknown import Reason, Unknown, unknown_of
from infusion_orders.orders.vocabularies import LineKind
from infusion_orders.reference.schema import ANY_THERAPY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.tables import Code, ReferenceTables

KIND_OF_GROUP = {
    "drug": LineKind.DRUG.value,
    "drug_noc": LineKind.DRUG.value,
    "per_diem": LineKind.PER_DIEM.value,
    "nutrition": LineKind.NUTRITION.value,
    "nursing": LineKind.NURSING.value,
    "hit_professional": LineKind.NURSING.value,
    "supply": LineKind.SUPPLY.value,
    "catheter": LineKind.SUPPLY.value,
    "pump": LineKind.PUMP.value,
    "device_service": LineKind.SUPPLY.value,
    "pharmacy_hourly": LineKind.NURSING.value,
}
"""The kind of line that bills a code, by the code's group in the table of codes."""
HOME = "12"


@order_fact("order.is_home_infusion", Kind.BOOLEAN, needs=("care.place_of_service",))
def is_home_infusion(_tables: ReferenceTables, place: str) -> bool:
    """Whether the therapy is given in the member's home: place of service 12 (M-1)."""
    return place == HOME


@line_fact(
    "line.code_status",
    Kind.CODE,
    domain=("valid", "ended", "not_yet_valid", "not_in_tables"),
    needs=("line.hcpcs", "line.date_of_service"),
)
def code_status(tables: ReferenceTables, hcpcs: str, day: date) -> str:
    """Whether the line's code is valid on the date of service.

    A well-formed code that the tables do not have is not invalid: it may be newer than they are.
    """
    periods = tables.code_periods(hcpcs)
    if not periods:
        return "not_in_tables"
    if tables.code(hcpcs, day) is not None:
        return "valid"
    return "ended" if periods[-1].valid_to is not None and day > periods[-1].valid_to else "not_yet_valid"


@line_fact("line.kind", Kind.CODE, domain=LineKind, uses=("line.stated_kind", "line.hcpcs"))
def kind(facts: Facts) -> Any:
    """What the line is: what its code says, or what the partner says where the tables do not have the code.

    Without a code the kind is unknown, whatever the partner says.
    """
    stated, hcpcs = facts["line.stated_kind"], facts["line.hcpcs"]
    if isinstance(hcpcs, Unknown):
        return unknown_of(hcpcs, stated)
    kinds = {KIND_OF_GROUP.get(period.group) for period in _code_periods(facts)} - {None}
    return kinds.pop() if len(kinds) == 1 else stated


@line_fact("line.therapy", Kind.CODE, uses=("line.hcpcs", "line.stated_therapy"))
def therapy(facts: Facts) -> Any:
    """The therapy of the line: the one of its code.

    A code that goes with every therapy takes the only therapy of the other lines, else the stated one.  The stated
    therapy settles nothing while a line's code is missing that could say otherwise.
    """
    own, stated = _own_therapy(facts), facts["line.stated_therapy"]
    if isinstance(own, Unknown):
        return unknown_of(own, stated)
    if own != ANY_THERAPY:
        return own
    others = [_own_therapy(line) for line in facts.case.lines if line is not facts]
    unknown = unknown_of(*others)
    if unknown is not None:
        return unknown_of(unknown, stated)
    therapies = set(others) - {ANY_THERAPY}
    return therapies.pop() if len(therapies) == 1 else stated


def _own_therapy(facts: Facts) -> Any:
    """Return the therapy of the line's code, `any` for a code that goes with every therapy.

    For a drug without a code of its own, and for a code that the tables do not have, the stated therapy counts.
    """
    hcpcs = facts["line.hcpcs"]
    if isinstance(hcpcs, Unknown):
        return hcpcs
    periods = _code_periods(facts)
    therapies = {period.therapy for period in periods}
    if len(therapies) == 1 and ANY_THERAPY not in therapies:
        return therapies.pop()
    is_drug = any(KIND_OF_GROUP.get(period.group) == LineKind.DRUG for period in periods)
    return facts["line.stated_therapy"] if is_drug or not periods else ANY_THERAPY


def _code_periods(facts: Facts) -> tuple[Code, ...]:
    """Return all periods of the line's code; none while the code is unknown or where the tables do not have it."""
    hcpcs = facts["line.hcpcs"]
    return () if isinstance(hcpcs, Unknown) else facts.tables.code_periods(hcpcs)


@line_fact("line.therapy_agrees_with_code", Kind.BOOLEAN, uses=("line.stated_therapy", "line.therapy"))
def therapy_agrees_with_code(facts: Facts) -> bool:
    """False when the partner names another therapy than the one that the line is judged by."""
    stated, judged = facts["line.stated_therapy"], facts["line.therapy"]
    if isinstance(stated, Unknown) or isinstance(judged, Unknown):
        return True
    return bool(stated == (judged if judged in THERAPIES else "other"))


@line_fact("line.therapy_is_listed", Kind.BOOLEAN, needs=("line.therapy", "line.date_of_service"))
def therapy_is_listed(tables: ReferenceTables, name: str, day: date) -> bool:
    """Whether the manual names the therapy among the approved ones (M-7); its list is not exhaustive."""
    return tables.therapy_is_listed(name, day)


@line_fact("line.route_fits_code", Kind.BOOLEAN, uses=("line.hcpcs", "line.route"))
def route_fits_code(facts: Facts) -> Any:
    """Whether the code's drug can be given by the route; true for a code that has no routes of its own."""
    hcpcs = facts["line.hcpcs"]
    if isinstance(hcpcs, Unknown):
        return unknown_of(hcpcs, facts["line.route"])
    routes = {route for period in _code_periods(facts) for route in period.routes}
    if not routes:
        return True
    route = facts["line.route"]
    return route if isinstance(route, Unknown) else route in routes


@line_fact("line.dates_are_in_order", Kind.BOOLEAN, needs=("line.date_of_service", "line.last_date_of_service"))
def dates_are_in_order(_tables: ReferenceTables, first: date, last: date) -> bool:
    """False for a line that ends before it begins."""
    return first <= last


@line_fact("line.dates_lie_in_one_month", Kind.BOOLEAN, needs=("line.date_of_service", "line.last_date_of_service"))
def dates_lie_in_one_month(_tables: ReferenceTables, first: date, last: date) -> bool:
    """Whether the first and the last date of service are in one calendar month."""
    return (first.year, first.month) == (last.year, last.month)


@order_fact("prescriber.is_identified", Kind.BOOLEAN, needs=("prescriber.npi",))
def prescriber_is_identified(_tables: ReferenceTables, _npi: str) -> bool:
    """The prescriber's NPI was sent and passes its check; never false: until then it is unknown."""
    return True


IDENTIFIERS_OF_ORDER = (
    "submitter.npi",
    "member.mbi",
    "member.cin",
    "member.county",
    "member.ccs_conditions",
    "medical_group.id",
    "prescriber.npi",
    "vendor.id",
    "vendor.npi",
    "care.place_of_service",
    "order.diagnoses",
)
IDENTIFIERS_OF_LINE = ("line.hcpcs", "line.ndc")
IDENTIFIERS = (*IDENTIFIERS_OF_ORDER, *IDENTIFIERS_OF_LINE)


@order_fact("order.identifiers_are_well_formed", Kind.BOOLEAN, uses=IDENTIFIERS_OF_ORDER)
def order_identifiers_are_well_formed(facts: Facts) -> bool | Unknown:
    """Every identifier of the order itself that was sent passes its check; never false."""
    return _are_well_formed(facts[name] for name in IDENTIFIERS_OF_ORDER)


@line_fact("line.identifiers_are_well_formed", Kind.BOOLEAN, uses=IDENTIFIERS)
def line_identifiers_are_well_formed(facts: Facts) -> bool | Unknown:
    """Every identifier of the order and the line that was sent passes its check.

    It is never false: a malformed identifier makes it unknown, and the right one is asked for.
    """
    return _are_well_formed(facts[name] for name in IDENTIFIERS)


def _are_well_formed(values: Iterable[Any]) -> bool | Unknown:
    """Return true when every value that was sent passes its check, else unknown with those that do not."""
    unknown = [value for value in values if isinstance(value, Unknown)]
    invalid = dict.fromkeys(need for value in unknown for need in value.needs if need.reason is Reason.INVALID)
    return Unknown(tuple(invalid)) if invalid else True
