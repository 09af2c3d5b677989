"""Facts of a service line: what its code says on the date of service, what kind of line it is, and its therapy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.asked_of_line import THERAPIES
from infusion_orders.facts.derivation import from_all
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.unknown import Reason, Unknown, unknown_of
from infusion_orders.orders.order import LineKind

if TYPE_CHECKING:
    from datetime import date

    from infusion_orders.codes.rows import Code
    from infusion_orders.facts.case import Facts

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
    """What the code is; where the tables do not say, what the partner says."""
    groups = {KIND_OF_GROUP.get(period.group) for period in code_periods(facts)}
    if len(groups) == 1 and None not in groups:
        return groups.pop()
    stated = facts["line.stated_kind"]
    if isinstance(stated, Unknown):
        return unknown_of(stated, facts["line.hcpcs"])
    return stated


def _own_therapy(facts: Facts) -> Any:
    """The line's therapy by its own code and words alone: `any` for a code that goes with every therapy."""
    stated, hcpcs = facts["line.stated_therapy"], facts["line.hcpcs"]
    therapies = {period.therapy for period in code_periods(facts)}
    if len(therapies) == 1 and ANY not in therapies:
        return therapies.pop()
    if not isinstance(stated, Unknown):
        return stated
    if isinstance(hcpcs, Unknown):
        return unknown_of(hcpcs, stated)
    return ANY if therapies == {ANY} else stated


def therapy(facts: Facts) -> Any:
    """The code's own therapy wins over the stated one; a line that goes with any takes the order's only therapy."""
    own = _own_therapy(facts)
    if own != ANY:
        return own
    others = [_own_therapy(line) for line in facts.case.lines if line is not facts]
    therapies = {other for other in others if not isinstance(other, Unknown) and other != ANY}
    if len(therapies) == 1 and not any(isinstance(other, Unknown) for other in others):
        return therapies.pop()
    return facts["line.stated_therapy"]


def therapy_agrees(facts: Facts) -> Any:
    """True unless the code is for one therapy and the partner names another."""
    stated = facts["line.stated_therapy"]
    therapies = {period.therapy for period in code_periods(facts)}
    if isinstance(stated, Unknown) or not therapies or ANY in therapies:
        return True
    return stated in {word if word in THERAPIES else "other" for word in therapies}


@from_all("line.therapy", "line.date_of_service")
def therapy_is_listed(facts: Facts, name: str, day: date) -> bool:
    """Whether the manual names the therapy; its list is not exhaustive (M-7)."""
    found = facts.case.tables.therapy(name, day)
    return found is not None and found.listed


IDENTIFIERS = (
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
    "line.hcpcs",
    "line.ndc",
)


def identifiers_are_well_formed(facts: Facts) -> Any:
    """True when every identifier that was sent passes its check, otherwise unknown with those that do not."""
    values = [facts[name] for name in IDENTIFIERS]
    invalid = [
        need for value in values if isinstance(value, Unknown) for need in value.needs if need.reason is Reason.INVALID
    ]
    return Unknown(tuple(invalid)) if invalid else True


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
        description="The therapy of the line: its code's own, else the stated one; a line whose code goes with every "
        "therapy takes the only therapy of the order.",
        derived_from=("line.hcpcs", "line.stated_therapy"),
        derive=therapy,
    ),
    Fact(
        name="line.therapy_agrees_with_code",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="False when the stated therapy is another than the code's own.",
        derived_from=("line.hcpcs", "line.stated_therapy"),
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
        name="line.identifiers_are_well_formed",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="Every identifier of the order and the line that was sent passes its check; never false: a wrong "
        "identifier makes it unknown, and the right one is asked for.",
        derived_from=IDENTIFIERS,
        derive=identifiers_are_well_formed,
    ),
)
