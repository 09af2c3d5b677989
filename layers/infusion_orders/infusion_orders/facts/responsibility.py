"""Facts that decide who is responsible: the DOFR category and grid, and the plan's contracted vendors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.derivation import from_all
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.unknown import Unknown, unknown_of

if TYPE_CHECKING:
    from datetime import date

    from infusion_orders.facts.case import Facts

PARTIES = frozenset(
    {
        "health_plan",
        "medical_group",
        "capitated_vendor",
        "capitated_hospital",
        "county_ccs",
        "medi_cal_rx",
        "undetermined",
    }
)
UNDETERMINED = "undetermined"
NOT_IN_CROSSWALK = "not_in_crosswalk"


@from_all("line.hcpcs", "line.date_of_service")
def dofr_category(facts: Facts, hcpcs: str, day: date) -> str:
    """As the crosswalk says on the date of service: never a guess (M-10)."""
    return facts.case.tables.dofr_category(hcpcs, day) or NOT_IN_CROSSWALK


def dofr_party(facts: Facts) -> Any:
    """What the grid says; the medical group is only needed where the grid tells groups apart."""
    names = ("member.line_of_business", "member.risk_arrangement", "line.dofr_category", "line.date_of_service")
    line_of_business, arrangement, category, day = (facts[name] for name in names)
    group = facts["medical_group.id"]
    unknown = unknown_of(line_of_business, arrangement, category, day)
    if unknown is not None:
        return unknown_of(unknown, group) if _group_could_matter(facts) else unknown
    named = None if isinstance(group, Unknown) else group
    if named is None and _group_could_matter(facts):
        return group
    if category == NOT_IN_CROSSWALK:
        return UNDETERMINED
    found = facts.case.tables.dofr_party(
        medical_group=named,
        line_of_business=line_of_business,
        risk_arrangement=arrangement,
        category=category,
        on=day,
    )
    return found or UNDETERMINED


def _group_could_matter(facts: Facts) -> bool:
    """Whether some row for a named medical group fits what is known of the line."""
    known = {
        "line_of_business": facts["member.line_of_business"],
        "risk_arrangement": facts["member.risk_arrangement"],
        "category": facts["line.dofr_category"],
        "on": facts["line.date_of_service"],
    }
    fitting = {name: None if isinstance(value, Unknown) else value for name, value in known.items()}
    return facts.case.tables.dofr_tells_groups_apart(**fitting)


@from_all("line.therapy", "member.line_of_business", "line.date_of_service")
def contracted_vendors(facts: Facts, therapy: str, line_of_business: str, day: date) -> frozenset[str]:
    """The vendors that accept the therapy on the date of service."""
    vendors = facts.case.tables.contracted_vendors(therapy=therapy, line_of_business=line_of_business, on=day)
    return frozenset(vendors)


@from_all("line.contracted_vendors")
def contracted_vendor(_facts: Facts, vendors: frozenset[str]) -> str:
    """The vendor to name in an action: the first by id where several accept."""
    return min(vendors, default="none")


def vendor_is_contracted(facts: Facts) -> Any:
    """False as soon as nobody accepts the therapy, whichever vendor the order names."""
    vendors, vendor = facts["line.contracted_vendors"], facts["vendor.id"]
    if vendors == frozenset():
        return False
    unknown = unknown_of(vendors, vendor)
    return unknown if unknown is not None else vendor in vendors


RESPONSIBILITY_FACTS: tuple[Fact, ...] = (
    Fact(
        name="line.dofr_category",
        kind=Kind.CODE,
        scope=Scope.LINE,
        description="The category of the division of financial responsibility that the plan's crosswalk gives the "
        "line's code on the date of service, or `not_in_crosswalk`.",
        derived_from=("line.hcpcs", "line.date_of_service"),
        derive=dofr_category,
    ),
    Fact(
        name="line.dofr_party",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=PARTIES,
        description="The party that the plan's DOFR grid names; `undetermined` where no row is loaded.",
        derived_from=(
            "medical_group.id",
            "member.line_of_business",
            "member.risk_arrangement",
            "line.dofr_category",
            "line.date_of_service",
        ),
        derive=dofr_party,
    ),
    Fact(
        name="line.contracted_vendors",
        kind=Kind.CODES,
        scope=Scope.LINE,
        description="The contracted home-infusion vendors that accept the line's therapy on the date of service.",
        derived_from=("line.therapy", "member.line_of_business", "line.date_of_service"),
        derive=contracted_vendors,
    ),
    Fact(
        name="line.contracted_vendor",
        kind=Kind.CODE,
        scope=Scope.LINE,
        description="The contracted vendor to use for the line, or `none` when nobody accepts the therapy.",
        derived_from=("line.contracted_vendors",),
        derive=contracted_vendor,
    ),
    Fact(
        name="line.vendor_is_contracted",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="The order's vendor is one that accepts the line's therapy on the date of service.",
        derived_from=("line.contracted_vendors", "vendor.id"),
        derive=vendor_is_contracted,
    ),
    Fact(
        name="line.responsible_party",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=PARTIES,
        description="Who is responsible for the line: assigned by the rules of responsibility, `undetermined` where "
        "none of them applies.",
        default=UNDETERMINED,
        must_be_assigned=True,
    ),
    Fact(
        name="line.carve_out",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=frozenset({"county_ccs", "possible_ccs", "medi_cal_rx", "none"}),
        description="The programme outside the plan that covers the line, or may: assigned by the carve-out rules.",
        default="none",
    ),
)
