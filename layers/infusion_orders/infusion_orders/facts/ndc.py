"""Whether a line's package is listed under the line's code in the crosswalk from NDC to HCPCS, if one is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.derivation import known
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.unknown import Unknown, unknown_of

if TYPE_CHECKING:
    from infusion_orders.facts.case import Facts

_SOURCES = ("line.hcpcs", "line.date_of_service", "line.ndc")

NO_CROSSWALK = "no_crosswalk"


def ndc_status(facts: Facts) -> Any:
    """The package is asked for only where packages of the code are listed on the day."""
    hcpcs, day, ndc = (facts[name] for name in _SOURCES)
    tables = facts.case.tables
    if not tables.has_ndc_crosswalk(known(hcpcs)):
        return NO_CROSSWALK
    if isinstance(hcpcs, Unknown) or isinstance(day, Unknown):
        return unknown_of(hcpcs, day, ndc)
    if not tables.has_ndc_crosswalk(hcpcs, day):
        return NO_CROSSWALK
    if isinstance(ndc, Unknown):
        return ndc
    codes = tables.ndc_codes(ndc, day)
    if not codes:
        return "not_listed"
    return "listed" if hcpcs in codes else "other_code"


def ndc_codes(facts: Facts) -> str:
    """The codes that the package is listed under on the day; empty while the package or the day is not known."""
    ndc, day = known(facts["line.ndc"]), known(facts["line.date_of_service"])
    return "" if ndc is None or day is None else " or ".join(facts.case.tables.ndc_codes(ndc, day))


NDC_FACTS: tuple[Fact, ...] = (
    Fact(
        name="line.ndc_status",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=frozenset({"listed", "other_code", "not_listed", NO_CROSSWALK}),
        description="Whether the crosswalk lists the package under the line's code on the date of service, under "
        "other codes only, or not at all; `no_crosswalk` where it lists no package of the code.",
        derived_from=_SOURCES,
        derive=ndc_status,
    ),
    Fact(
        name="line.ndc_codes",
        kind=Kind.TEXT,
        scope=Scope.LINE,
        description="The codes under which the crosswalk lists the package on the date of service.",
        derived_from=_SOURCES,
        derive=ndc_codes,
    ),
)
