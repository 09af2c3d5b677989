"""Facts of a service line: what its code says on the date of service, what kind of line it is, and its therapy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.asked_of_line import THERAPIES
from infusion_orders.facts.derivation import every, from_all
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.unknown import Reason, Unknown, unknown_of
from infusion_orders.orders.order import LineKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.rows import Code

ANY = "any"
"""The therapy of a code that goes with every therapy: nursing, supplies, pumps."""

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


def code_periods(facts: Facts) -> tuple[Code, ...]:
    """All periods of the line's code; none when the code is unknown or not in the tables."""
    hcpcs = facts["line.hcpcs"]
    return () if isinstance(hcpcs, Unknown) else facts.case.tables.code_periods(hcpcs)


@from_all("line.hcpcs", "line.date_of_service")
def code_status(facts: Facts, hcpcs: str, day: date) -> str:
    """A well-formed code that the tables do not know is not invalid: it may be newer than they are."""
    periods = facts.case.tables.code_periods(hcpcs)
    if not periods:
        return "not_in_tables"
    if facts.case.tables.code(hcpcs, day) is not None:
        return "valid"
    return "ended" if periods[-1].valid_to is not None and day > periods[-1].valid_to else "not_yet_valid"


def kind(facts: Facts) -> Any:
    """What the code is; where the tables do not say, what the partner says.  Without a code neither is known."""
    stated, hcpcs = facts["line.stated_kind"], facts["line.hcpcs"]
    if isinstance(hcpcs, Unknown):
        return unknown_of(hcpcs, stated)
    kinds = {KIND_OF_GROUP.get(period.group) for period in code_periods(facts)} - {None}
    return kinds.pop() if len(kinds) == 1 else stated


def _own_therapy(facts: Facts) -> Any:
    """The therapy of the line's code, or `any`.

    A drug without a code of its own, and a code that the tables do not have, are for what the partner says.
    """
    hcpcs = facts["line.hcpcs"]
    if isinstance(hcpcs, Unknown):
        return hcpcs
    periods = code_periods(facts)
    therapies = {period.therapy for period in periods}
    if len(therapies) == 1 and ANY not in therapies:
        return therapies.pop()
    is_drug = any(KIND_OF_GROUP.get(period.group) == LineKind.DRUG for period in periods)
    return facts["line.stated_therapy"] if is_drug or not periods else ANY


def therapy(facts: Facts) -> Any:
    """The code's own therapy.  A line that goes with any takes the only one of the other lines, else the stated one.

    What is stated settles nothing while a code is missing that could say otherwise.
    """
    own, stated = _own_therapy(facts), facts["line.stated_therapy"]
    if isinstance(own, Unknown):
        return unknown_of(own, stated)
    if own != ANY:
        return own
    others = [_own_therapy(line) for line in facts.case.lines if line is not facts]
    unknown = unknown_of(*others)
    if unknown is not None:
        return unknown_of(unknown, stated)
    therapies = set(others) - {ANY}
    return therapies.pop() if len(therapies) == 1 else stated


def therapy_agrees(facts: Facts) -> Any:
    """False when the partner names another therapy than the one that the line is judged by."""
    stated, judged = facts["line.stated_therapy"], facts["line.therapy"]
    if isinstance(stated, Unknown) or isinstance(judged, Unknown):
        return True
    return stated == (judged if judged in THERAPIES else "other")


def route_fits_code(facts: Facts) -> Any:
    """False for a route by which no period of the code is given; a code without routes leaves it open."""
    hcpcs = facts["line.hcpcs"]
    routes = {route for period in code_periods(facts) for route in period.routes}
    if isinstance(hcpcs, Unknown):
        return unknown_of(hcpcs, facts["line.route"])
    route = facts["line.route"]
    if not routes:
        return True
    return route if isinstance(route, Unknown) else route in routes


@from_all("line.date_of_service", "line.last_date_of_service")
def dates_are_in_order(_facts: Facts, first: date, last: date) -> bool:
    """False for a line that ends before it begins."""
    return first <= last


@from_all("line.therapy", "line.date_of_service")
def therapy_is_listed(facts: Facts, name: str, day: date) -> bool:
    """Whether the manual names the therapy; its list is not exhaustive (M-7)."""
    found = facts.case.tables.therapy(name, day)
    return found is not None and found.listed


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


def _well_formed(*names: str) -> Callable[[Facts], bool | Unknown]:
    """True when every one that was sent passes its check, otherwise unknown with those that do not."""

    def derive(facts: Facts) -> bool | Unknown:
        sent = [value for value in map(facts.__getitem__, names) if isinstance(value, Unknown)]
        invalid = tuple(need for value in sent for need in value.needs if need.reason is Reason.INVALID)
        return Unknown(invalid) if invalid else True

    return derive


def identifiers_are_well_formed(facts: Facts) -> bool | Unknown:
    """Those of the order and those of the line."""
    return every((facts["order.identifiers_are_well_formed"], _IDENTIFIERS_OF_LINE_ARE_WELL_FORMED(facts)))


_IDENTIFIERS_OF_LINE_ARE_WELL_FORMED = _well_formed(*IDENTIFIERS_OF_LINE)


LINE_FACTS: tuple[Fact, ...] = (
    Fact(
        name="order.is_home_infusion",
        kind=Kind.BOOLEAN,
        scope=Scope.ORDER,
        description="The therapy is given in the member's home: place of service 12 (M-1).",
        derived_from=("care.place_of_service",),
        derive=from_all("care.place_of_service")(lambda _facts, place: place == "12"),
    ),
    Fact(
        name="line.code_status",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=frozenset({"valid", "ended", "not_yet_valid", "not_in_tables"}),
        description="Whether the line's code is valid on the date of service.",
        derived_from=("line.hcpcs", "line.date_of_service"),
        derive=code_status,
    ),
    Fact(
        name="line.kind",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=frozenset(member.value for member in LineKind),
        description="What the line is: as its code says, else as the partner says.",
        derived_from=("line.hcpcs", "line.stated_kind"),
        derive=kind,
    ),
    Fact(
        name="line.therapy",
        kind=Kind.CODE,
        scope=Scope.LINE,
        description="The therapy of the line: its code's own; a line whose code goes with every therapy takes the only "
        "one of the other lines, else the stated one.",
        derived_from=("line.hcpcs", "line.stated_therapy"),
        derive=therapy,
    ),
    Fact(
        name="line.therapy_agrees_with_code",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="False when the stated therapy is another than the one that the line is judged by.",
        derived_from=("line.therapy", "line.stated_therapy"),
        derive=therapy_agrees,
    ),
    Fact(
        name="line.therapy_is_listed",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="The manual names the therapy among the approved ones (M-7); the list is not exhaustive.",
        derived_from=("line.therapy", "line.date_of_service"),
        derive=therapy_is_listed,
    ),
    Fact(
        name="line.route_fits_code",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="The code's drug is given by the route; true for a code that has no routes of its own.",
        derived_from=("line.hcpcs", "line.route"),
        derive=route_fits_code,
    ),
    Fact(
        name="line.dates_are_in_order",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="The line does not end before it begins.",
        derived_from=("line.date_of_service", "line.last_date_of_service"),
        derive=dates_are_in_order,
    ),
    Fact(
        name="prescriber.is_identified",
        kind=Kind.BOOLEAN,
        scope=Scope.ORDER,
        description="The prescriber's NPI was sent and passes its check; never false: until then it is unknown.",
        derived_from=("prescriber.npi",),
        derive=from_all("prescriber.npi")(lambda _facts, _npi: True),
    ),
    Fact(
        name="order.identifiers_are_well_formed",
        kind=Kind.BOOLEAN,
        scope=Scope.ORDER,
        description="Every identifier of the order itself that was sent passes its check; never false.",
        derived_from=IDENTIFIERS_OF_ORDER,
        derive=_well_formed(*IDENTIFIERS_OF_ORDER),
    ),
    Fact(
        name="line.identifiers_are_well_formed",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="Every identifier of the order and the line that was sent passes its check; never false: a wrong "
        "identifier makes it unknown, and the right one is asked for.",
        derived_from=(*IDENTIFIERS_OF_ORDER, *IDENTIFIERS_OF_LINE),
        derive=identifiers_are_well_formed,
    ),
)
