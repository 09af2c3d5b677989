"""Whether the crosswalk from NDC to HCPCS, if one is loaded, lists a line's package under the line's code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind, line_fact
from infusion_orders.facts.unknown import Unknown, known_or_none, unknown_of

if TYPE_CHECKING:
    from infusion_orders.facts.case import Facts

NO_CROSSWALK = "no_crosswalk"


@line_fact(
    "line.ndc_status",
    Kind.CODE,
    domain=("listed", "other_code", "not_listed", NO_CROSSWALK),
    uses=("line.hcpcs", "line.date_of_service", "line.ndc"),
)
def ndc_status(facts: Facts) -> Any:
    """Whether the crosswalk lists the package under the line's code on the date of service.

    `other_code`: it lists the package under other codes only.  `no_crosswalk`: it lists no package of the code, so the
    package is not asked for.
    """
    hcpcs, day, ndc = facts["line.hcpcs"], facts["line.date_of_service"], facts["line.ndc"]
    if not facts.tables.has_ndc_crosswalk(known_or_none(hcpcs)):
        return NO_CROSSWALK
    if isinstance(hcpcs, Unknown) or isinstance(day, Unknown):
        return unknown_of(hcpcs, day, ndc)
    if not facts.tables.has_ndc_crosswalk(hcpcs, day):
        return NO_CROSSWALK
    if isinstance(ndc, Unknown):
        return ndc
    codes = facts.tables.ndc_codes(ndc, day)
    if not codes:
        return "not_listed"
    return "listed" if hcpcs in codes else "other_code"


@line_fact("line.ndc_codes", Kind.TEXT, uses=("line.ndc", "line.date_of_service"))
def ndc_codes(facts: Facts) -> str:
    """The codes under which the crosswalk lists the package on the date of service, if both are known."""
    ndc, day = known_or_none(facts["line.ndc"]), known_or_none(facts["line.date_of_service"])
    return "" if ndc is None or day is None else " or ".join(facts.tables.ndc_codes(ndc, day))
