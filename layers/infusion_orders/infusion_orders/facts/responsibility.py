"""Who is responsible for a line: the division of financial responsibility (DOFR) and the contracted vendors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Fact, Kind, Scope, line_fact
from infusion_orders.facts.unknown import Unknown, unknown_of
from infusion_orders.reference.schema import CONTRACT_PARTIES

if TYPE_CHECKING:
    from datetime import date

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.tables import ReferenceTables

PARTIES = frozenset({*CONTRACT_PARTIES, "county_ccs", "medi_cal_rx"})
UNDETERMINED = "undetermined"
NOT_IN_CROSSWALK = "not_in_crosswalk"


@line_fact("line.dofr_category", Kind.CODE, needs=("line.hcpcs", "line.date_of_service"))
def dofr_category(tables: ReferenceTables, hcpcs: str, day: date) -> str:
    """The DOFR category that the plan's crosswalk gives the line's code on the date of service.

    `not_in_crosswalk` where it gives none: a category is never guessed (M-10).
    """
    return tables.dofr_category(hcpcs, day) or NOT_IN_CROSSWALK


@line_fact(
    "line.dofr_party",
    Kind.CODE,
    domain=PARTIES,
    uses=(
        "member.line_of_business",
        "member.risk_arrangement",
        "line.dofr_category",
        "line.date_of_service",
        "medical_group.id",
    ),
)
def dofr_party(facts: Facts) -> Any:
    """The party that the plan's DOFR grid names; `undetermined` where it has no row.

    The medical group is needed only where the grid tells groups apart.
    """
    line_of_business, arrangement = facts["member.line_of_business"], facts["member.risk_arrangement"]
    category, day = facts["line.dofr_category"], facts["line.date_of_service"]
    group = facts["medical_group.id"]
    unknown = unknown_of(line_of_business, arrangement, category, day)
    if unknown is not None:
        return unknown_of(unknown, group) if _group_could_matter(facts) else unknown
    if isinstance(group, Unknown) and _group_could_matter(facts):
        return group
    if category == NOT_IN_CROSSWALK:
        return UNDETERMINED
    found = facts.tables.dofr_party(
        medical_group=None if isinstance(group, Unknown) else group,
        line_of_business=line_of_business,
        risk_arrangement=arrangement,
        category=category,
        on=day,
    )
    return found or UNDETERMINED


def _group_could_matter(facts: Facts) -> bool:
    """Return whether a row for a named medical group fits what is known of the line."""
    known = {
        "line_of_business": facts["member.line_of_business"],
        "risk_arrangement": facts["member.risk_arrangement"],
        "category": facts["line.dofr_category"],
        "on": facts["line.date_of_service"],
    }
    fitting = {name: None if isinstance(value, Unknown) else value for name, value in known.items()}
    return facts.tables.dofr_tells_groups_apart(**fitting)


@line_fact(
    "line.contracted_vendors",
    Kind.CODES,
    needs=("line.therapy", "member.line_of_business", "line.date_of_service"),
)
def contracted_vendors(tables: ReferenceTables, therapy: str, line_of_business: str, day: date) -> frozenset[str]:
    """The contracted home-infusion vendors that accept the line's therapy on the date of service."""
    return frozenset(tables.contracted_vendors(therapy=therapy, line_of_business=line_of_business, on=day))


@line_fact("line.contracted_vendor", Kind.CODE, needs=("line.contracted_vendors",))
def contracted_vendor(_tables: ReferenceTables, vendors: frozenset[str]) -> str:
    """The contracted vendor to use for the line, or `none` when nobody accepts the therapy.

    Where several accept it, this is the first of them by id.
    """
    return min(vendors, default="none")


@line_fact("line.vendor_is_contracted", Kind.BOOLEAN, uses=("line.contracted_vendors", "vendor.id"))
def vendor_is_contracted(facts: Facts) -> Any:
    """Whether the order's vendor accepts the line's therapy on the date of service.

    False as soon as no vendor accepts it, whichever vendor the order names.
    """
    vendors, vendor = facts["line.contracted_vendors"], facts["vendor.id"]
    if vendors == frozenset():
        return False
    unknown = unknown_of(vendors, vendor)
    return unknown if unknown is not None else vendor in vendors


RESPONSIBLE_PARTY = Fact(
    name="line.responsible_party",
    kind=Kind.CODE,
    scope=Scope.LINE,
    domain=PARTIES,
    description="Who is responsible for the line: assigned by the rules of responsibility, `undetermined` where none "
    "of them applies.",
    default=UNDETERMINED,
    must_be_assigned=True,
)
CARVE_OUT = Fact(
    name="line.carve_out",
    kind=Kind.CODE,
    scope=Scope.LINE,
    domain=frozenset({"county_ccs", "possible_ccs", "medi_cal_rx", "none"}),
    description="The programme outside the plan that covers the line, or may: assigned by the carve-out rules.",
    default="none",
)
