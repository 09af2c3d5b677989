"""Facts of the member: age and risk arrangement, county, and what California Children's Services would say."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.derivation import from_all
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.unknown import Need, Reason, Unknown, unknown_of
from infusion_orders.orders.order import LineOfBusiness, RiskArrangement

if TYPE_CHECKING:
    from datetime import date

    from infusion_orders.facts.case import Facts


WITHOUT_MEDICAL_GROUP = frozenset({LineOfBusiness.COMMERCIAL_PPO.value, LineOfBusiness.COMMERCIAL_EPO.value})
FEE_FOR_SERVICE = RiskArrangement.FEE_FOR_SERVICE.value


@from_all("member.birth_date", "line.date_of_service")
def age(_facts: Facts, birth_date: date, day: date) -> Decimal | Unknown:
    """Completed years by calendar: a birthday counts from its first moment; 29 February is reached on 1 March."""
    if birth_date > day:
        return Unknown((Need("member.birth_date", None, Reason.INVALID, "must not be after the date of service"),))
    before_birthday = (day.month, day.day) < (birth_date.month, birth_date.day)
    return Decimal(day.year - birth_date.year - before_birthday)


def risk_arrangement(facts: Facts) -> Any:
    """PPO and EPO members have no medical group: the plan pays fee for service, whatever was sent."""
    line_of_business, sent = facts["member.line_of_business"], facts["medical_group.risk_arrangement"]
    if line_of_business in WITHOUT_MEDICAL_GROUP:
        return FEE_FOR_SERVICE
    if sent == FEE_FOR_SERVICE or not isinstance(line_of_business, Unknown):
        return sent
    return unknown_of(line_of_business, sent)


@from_all("member.county", "line.date_of_service")
def whole_child_model(facts: Facts, county: str, day: date) -> str:
    """As the county table says on the date of service."""
    return facts.case.tables.whole_child_model(county, day)


@from_all("order.primary_diagnosis")
def ccs_presumption(facts: Facts, diagnosis: str) -> str:
    """A presumption only: a diagnosis code alone never settles eligibility."""
    found = facts.case.tables.ccs_presumption(diagnosis)
    return "unlisted" if found is None else found.presumption


def ccs_case_covers_order(facts: Facts) -> Any:
    """CCS covers conditions, not children: the case counts when it names the primary diagnosis or its category."""
    diagnosis = facts["order.primary_diagnosis"]
    return _case_names(facts, diagnosis if isinstance(diagnosis, Unknown) else frozenset({diagnosis}))


def ccs_case_names_a_diagnosis(facts: Facts) -> Any:
    """The case names some diagnosis of the order: then it is not unrelated to it."""
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


MEMBER_FACTS: tuple[Fact, ...] = (
    Fact(
        name="member.age",
        kind=Kind.NUMBER,
        scope=Scope.LINE,
        unit="years",
        description="The member's age in completed years on the line's date of service, by calendar.",
        derived_from=("member.birth_date", "line.date_of_service"),
        derive=age,
    ),
    Fact(
        name="member.risk_arrangement",
        kind=Kind.CODE,
        scope=Scope.ORDER,
        domain=frozenset(arrangement.value for arrangement in RiskArrangement),
        description="The medical group's risk arrangement; PPO and EPO members are fee for service.",
        derived_from=("member.line_of_business", "medical_group.risk_arrangement"),
        derive=risk_arrangement,
    ),
    Fact(
        name="member.whole_child_model",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=frozenset({"yes", "no", "unverified"}),
        description="Whether the member's county is under the Whole Child Model on the date of service: there the plan "
        "pays CCS services. `unverified`: the plan has not confirmed the county's entry.",
        derived_from=("member.county", "line.date_of_service"),
        derive=whole_child_model,
    ),
    Fact(
        name="order.ccs_presumption",
        kind=Kind.CODE,
        scope=Scope.ORDER,
        domain=frozenset({"eligible", "conditional", "not_eligible", "unlisted"}),
        description="What the primary diagnosis lets one presume of CCS eligibility.",
        derived_from=("order.primary_diagnosis",),
        derive=ccs_presumption,
    ),
    Fact(
        name="member.ccs_case_covers_order",
        kind=Kind.BOOLEAN,
        scope=Scope.ORDER,
        description="The member has an open CCS case for the condition that the order is for.",
        derived_from=("member.ccs_open_case", "member.ccs_conditions", "order.primary_diagnosis"),
        derive=ccs_case_covers_order,
    ),
    Fact(
        name="member.ccs_case_names_a_diagnosis",
        kind=Kind.BOOLEAN,
        scope=Scope.ORDER,
        description="The member has an open CCS case for some diagnosis of the order, primary or not.",
        derived_from=("member.ccs_open_case", "member.ccs_conditions", "order.diagnoses"),
        derive=ccs_case_names_a_diagnosis,
    ),
)
