"""When the answer of the plan is due.  A decision shows it; nothing is delayed because of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.decisions.decision import Clock
from infusion_orders.facts.unknown import Unknown
from infusion_orders.orders.vocabularies import LineKind, LineOfBusiness, Urgency
from infusion_orders.rules.rule import Basis

if TYPE_CHECKING:
    from infusion_orders.facts.case import Case

STARTS = "when complete"


@dataclass(frozen=True, slots=True)
class _Due:
    """How long the plan has for a standard and for an expedited order, in words."""

    standard: str
    expedited: str
    basis: Basis
    citation: str


_ITEMS = {
    LineOfBusiness.MEDICARE_ADVANTAGE: _Due("7 calendar days", "72 hours", Basis.REGULATION, "CMS-0057-F"),
    LineOfBusiness.MEDI_CAL: _Due("7 calendar days", "72 hours", Basis.REGULATION, "CMS-0057-F"),
} | dict.fromkeys(
    (LineOfBusiness.COMMERCIAL_HMO, LineOfBusiness.COMMERCIAL_PPO, LineOfBusiness.COMMERCIAL_EPO),
    _Due("5 business days", "72 hours", Basis.REGULATION, "HSC 1367.01"),
)
_DRUGS = {
    LineOfBusiness.MEDICARE_ADVANTAGE: _Due("72 hours", "24 hours", Basis.UNVERIFIED, "Medicare Part B drugs"),
} | dict.fromkeys(
    (LineOfBusiness.COMMERCIAL_HMO, LineOfBusiness.COMMERCIAL_PPO, LineOfBusiness.COMMERCIAL_EPO),
    _Due("72 hours", "24 hours", Basis.REGULATION, "HSC 1367.241"),
)


def clock(case: Case) -> Clock | None:
    """Return the strictest clock of the lines; None while the line of business is unknown.

    A line that is or may be a drug brings the clock for drugs.
    """
    facts = case.lines[0]
    line_of_business = facts["member.line_of_business"]
    if not isinstance(line_of_business, str):
        return None
    kinds = [line["line.kind"] for line in case.lines]
    has_drug = any(isinstance(kind, Unknown) or kind == LineKind.DRUG for kind in kinds)
    items = _ITEMS[LineOfBusiness(line_of_business)]
    due = _DRUGS.get(LineOfBusiness(line_of_business), items) if has_drug else items
    expedited = facts["order.urgency"] == Urgency.EXPEDITED
    answer_due = due.expedited if expedited else due.standard
    return Clock(answer_due=answer_due, starts=STARTS, basis=due.basis, citation=due.citation)
