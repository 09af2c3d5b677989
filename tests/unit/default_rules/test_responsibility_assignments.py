"""Every complete order has exactly one responsible party, in all combinations that the manual names (M-9, M-11)."""

from __future__ import annotations

import json
from datetime import date
from itertools import product

import pytest

from infusion_orders.decisions.judgement import judge_order
from infusion_orders.decisions.line_decisions import RESPONSIBLE_PARTY, responsible_party
from infusion_orders.facts.case import Case
from infusion_orders.orders.parsing import parse_order
from infusion_orders.orders.vocabularies import LineOfBusiness, RiskArrangement
from infusion_orders.rules.rule import Verdict
from tests.support.orders import an_order_document
from tests.support.rules import default_rules

DAYS = tuple(map(date.fromisoformat, ("2024-07-01", "2024-10-07", "2024-10-08", "2026-12-01")))
AGES = ("20 until tomorrow", "21 today", "grown up")
WHOLE_CHILD_MODEL = {"Los Angeles": "no", "Merced": "yes", "Marin": "unverified"}
LAST_DAY_OF_ACUTE_REFERRALS = date(2024, 10, 7)


def born(age: str, day: date) -> date:
    if age == "grown up":
        return date(1951, 3, 2)
    birthday = day.replace(year=day.year - 21)
    return birthday if age == "21 today" else birthday.replace(day=birthday.day + 1)


def contracted_vendor_accepts(code: str, day: date) -> bool:
    return code == "J1745" or day <= LAST_DAY_OF_ACUTE_REFERRALS


def expected_party(
    business: str, arrangement: str, vendor: str, path: str, age: str, county: str, code: str, day: date
) -> str:
    if business == "medi_cal" and path == "pharmacy":
        return "medi_cal_rx"
    if business == "medi_cal" and age == "20 until tomorrow" and county != "Merced":
        return "county_ccs" if WHOLE_CHILD_MODEL[county] == "no" else "undetermined"
    if business in ("commercial_ppo", "commercial_epo"):
        return "health_plan"
    if arrangement == "shared_risk":
        if not contracted_vendor_accepts(code, day):
            return "undetermined"
        return "capitated_vendor" if vendor == "coram" else "medical_group"
    return {"full_risk": "medical_group", "dual_risk": "undetermined", "fee_for_service": "health_plan"}[arrangement]


@pytest.mark.parametrize("business", list(LineOfBusiness))
@pytest.mark.parametrize("arrangement", list(RiskArrangement))
def test_exactly_one_assignment_applies_to_every_line(business: LineOfBusiness, arrangement: RiskArrangement) -> None:
    rule_set = default_rules()
    assigning = [
        (position, rule.id)
        for position, rule in enumerate(rule_set.rules)
        if RESPONSIBLE_PARTY in (rule.definition.assign or {})
    ]
    assert all(rule.startswith("responsibility.") for _, rule in assigning)
    for combination in product(
        ("coram", "acme"), ("medical", "pharmacy"), AGES, WHOLE_CHILD_MODEL, ("J1745", "J0690"), DAYS
    ):
        vendor, path, age, county, code, day = combination
        # given a complete order of one line, with a diagnosis that CCS is presumed to cover
        order = an_order_document(
            {
                "/member/line_of_business": business.value,
                "/member/medical_group/risk_arrangement": arrangement.value,
                "/infusion_provider/vendor": vendor,
                "/member/birth_date": born(age, day).isoformat(),
                "/member/county": county,
                "/member/ccs": {"open_case": False, "conditions": []},
                "/diagnoses": [{"code": "C91.00", "primary": True}],
                "/lines": [
                    {"line_id": "1", "hcpcs": code, "service_from": day.isoformat(), "billing_path": path},
                ],
            }
        )
        # when it is judged
        (line,) = judge_order(
            Case(rule_set.catalogue, rule_set.tables, order=parse_order(json.dumps(order))), rule_set, ["1"]
        )
        # then one rule gives the party, and none is unknown
        verdicts = {rule: line.verdict(position) for position, rule in assigning}
        assert set(verdicts.values()) <= {Verdict.SATISFIED, Verdict.NOT_APPLICABLE}, (combination, verdicts)
        satisfied = [rule for rule, verdict in verdicts.items() if verdict is Verdict.SATISFIED]
        assert len(satisfied) == 1, (combination, verdicts)
        party = responsible_party(line, rule_set)
        assert party is not None
        expected = expected_party(business.value, arrangement.value, vendor, path, age, county, code, day)
        assert (party.because, party.party) == (satisfied[0], expected), combination
