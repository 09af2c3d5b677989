"""Facts of the member: age, risk arrangement, county, and California Children's Services (CCS)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind, line_fact, order_fact
from infusion_orders.facts.unknown import Need, Reason, Unknown, unknown_of
from infusion_orders.orders.vocabularies import LineOfBusiness, RiskArrangement
from infusion_orders.reference.schema import PRESUMPTIONS, WHOLE_CHILD_MODEL

if TYPE_CHECKING:
    from datetime import date

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.tables import ReferenceTables

WITHOUT_MEDICAL_GROUP = frozenset({LineOfBusiness.COMMERCIAL_PPO.value, LineOfBusiness.COMMERCIAL_EPO.value})
FEE_FOR_SERVICE = RiskArrangement.FEE_FOR_SERVICE.value


@line_fact("member.age", Kind.NUMBER, unit="years", needs=("member.birth_date", "line.date_of_service"))
def age(_tables: ReferenceTables, birth_date: date, day: date) -> Decimal | Unknown:
    """The member's age in completed years on the line's date of service, by calendar.

    A birthday counts from its first moment; someone born on 29 February is a year older on 1 March.
    """
    if birth_date > day:
        return Unknown((Need("member.birth_date", None, Reason.INVALID, "must not be after the date of service"),))
    before_birthday = (day.month, day.day) < (birth_date.month, birth_date.day)
    return Decimal(day.year - birth_date.year - before_birthday)


@order_fact(
    "member.risk_arrangement",
    Kind.CODE,
    domain=RiskArrangement,
    uses=("member.line_of_business", "medical_group.risk_arrangement"),
)
def risk_arrangement(facts: Facts) -> Any:
    """The medical group's risk arrangement; PPO and EPO members are fee for service.

    They have no medical group: the plan pays fee for service, whatever was sent.
    """
    line_of_business, sent = facts["member.line_of_business"], facts["medical_group.risk_arrangement"]
    if line_of_business in WITHOUT_MEDICAL_GROUP:
        return FEE_FOR_SERVICE
    if sent == FEE_FOR_SERVICE or not isinstance(line_of_business, Unknown):
        return sent
    return unknown_of(line_of_business, sent)


@line_fact(
    "member.whole_child_model",
    Kind.CODE,
    domain=WHOLE_CHILD_MODEL,
    needs=("member.county", "line.date_of_service"),
)
def whole_child_model(tables: ReferenceTables, county: str, day: date) -> str:
    """Whether the plan pays CCS services in the member's county on the date of service (Whole Child Model).

    `unverified`: the plan has not confirmed the county's entry.
    """
    return tables.whole_child_model(county, day)


@order_fact(
    "order.ccs_presumption",
    Kind.CODE,
    domain=(*PRESUMPTIONS, "unlisted"),
    needs=("order.primary_diagnosis",),
)
def ccs_presumption(tables: ReferenceTables, diagnosis: str) -> str:
    """What the primary diagnosis lets one presume about CCS eligibility; it never settles it."""
    found = tables.ccs_presumption(diagnosis)
    return "unlisted" if found is None else found.presumption


@order_fact(
    "member.ccs_case_covers_order",
    Kind.BOOLEAN,
    uses=("order.primary_diagnosis", "member.ccs_open_case", "member.ccs_conditions"),
)
def ccs_case_covers_order(facts: Facts) -> Any:
    """Whether the member has an open CCS case for the condition that the order is for.

    CCS covers conditions, not children: the case must name the primary diagnosis or its category.
    """
    diagnosis = facts["order.primary_diagnosis"]
    return _case_names(facts, diagnosis if isinstance(diagnosis, Unknown) else frozenset({diagnosis}))


@order_fact(
    "member.ccs_case_names_a_diagnosis",
    Kind.BOOLEAN,
    uses=("order.diagnoses", "member.ccs_open_case", "member.ccs_conditions"),
)
def ccs_case_names_a_diagnosis(facts: Facts) -> Any:
    """Whether the member has an open CCS case for some diagnosis of the order, primary or not."""
    return _case_names(facts, facts["order.diagnoses"])


def _case_names(facts: Facts, diagnoses: Any) -> Any:
    open_case, conditions = facts["member.ccs_open_case"], facts["member.ccs_conditions"]
    if open_case is False:
        return False
    if unknown_of(conditions, diagnoses) is None:
        categories = {condition[:3] for condition in conditions}
        if categories.isdisjoint(diagnosis[:3] for diagnosis in diagnoses):
            return False
    return unknown_of(open_case, conditions, diagnoses) or True
