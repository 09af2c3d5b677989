"""The clauses M-1 to M-12 of the manual, each shown by orders; docs/traceability.md is generated from the markers."""

from __future__ import annotations

from typing import Any

import pytest

from infusion_orders.authoring.search import LONGEST, SHORTEST, SearchTextLength, find_rules
from infusion_orders.decisions.decision import Decision, Outcome
from infusion_orders.orders.vocabularies import ProviderType
from tests.support.orders import ABSENT, an_order_document
from tests.support.rules import decision_of, default_rules

CONTRACTED = "vendor.shared-risk-uses-contracted-vendor"
CHILD = {
    "/member/line_of_business": "medi_cal",
    "/member/birth_date": "2010-05-01",
    "/member/county": "Los Angeles",
    "/member/ccs": {"open_case": False, "conditions": []},
    "/diagnoses": [{"code": "C91.00", "primary": True}],
    "/lines/0/billing_path": "medical",
    "/lines/1/billing_path": "medical",
    "/lines/2/billing_path": "medical",
}


def decided(**changes: Any) -> Decision:
    return decision_of(an_order_document(changes))


def decided_with(changes: dict[str, Any]) -> Decision:
    return decision_of(an_order_document(changes))


def parties(decision: Decision) -> set[str | None]:
    return {None if line.responsible_party is None else line.responsible_party.party for line in decision.lines}


def asked(decision: Decision) -> list[str]:
    return [question.pointers[0] for question in decision.questions]


def broken(decision: Decision) -> set[str]:
    return {finding.rule for finding in decision.findings if finding.verdict.value == "not_met"}


def test_complete_example_is_accepted_with_the_contracted_vendor_responsible() -> None:
    decision = decided()
    assert decision.outcome is Outcome.ACCEPTED
    assert parties(decision) == {"capitated_vendor"}
    assert decision.questions == ()
    assert decision.findings == ()
    first = decision.lines[0].billing
    assert first is not None
    assert (first.units_per_administration, first.administrations, first.units, first.waste_units) == (38, 1, 38, 2)


@pytest.mark.clause("M-1")
def test_therapy_outside_the_home_is_not_covered_by_this_benefit() -> None:
    decision = decided_with({"/care/place_of_service": "11"})
    assert decision.outcome is Outcome.REJECTED
    assert broken(decision) == {"setting.therapy-is-given-at-home"}


@pytest.mark.clause("M-1")
def test_missing_signature_on_the_prescription_is_a_question() -> None:
    decision = decided_with({"/prescriber": ABSENT})
    assert decision.outcome is Outcome.NEEDS_INFORMATION
    assert asked(decision) == ["/prescriber/npi", "/prescriber/signed_on"]


@pytest.mark.clause("M-1")
def test_prescription_signed_after_the_service_is_reviewed() -> None:
    decision = decided_with({"/prescriber/signed_on": "2026-12-02"})
    assert decision.outcome is Outcome.NEEDS_REVIEW


@pytest.mark.clause("M-2")
@pytest.mark.parametrize(
    ("who", "outcome"),
    [
        ("registered_nurse", Outcome.ACCEPTED),
        ("licensed_vocational_nurse", Outcome.ACCEPTED),
        ("member", Outcome.ACCEPTED),
        ("caregiver", Outcome.ACCEPTED),
        ("unlicensed_aide", Outcome.REJECTED),
        ("other", Outcome.NEEDS_REVIEW),
        (None, Outcome.NEEDS_INFORMATION),
    ],
)
def test_therapy_is_given_by_qualified_people_and_unknown_people_are_a_question(
    who: str | None, outcome: Outcome
) -> None:
    decision = decided_with({"/care/administered_by": who})
    assert decision.outcome is outcome
    assert asked(decision) == (["/care/administered_by"] if who is None else [])


@pytest.mark.clause("M-3")
@pytest.mark.parametrize("homebound", [True, False, None])
def test_member_need_not_be_homebound(homebound: bool | None) -> None:
    assert decided_with({"/member/homebound": homebound}).outcome is Outcome.ACCEPTED


@pytest.mark.clause("M-3")
def test_no_rule_names_the_homebound_fact() -> None:
    for rule in default_rules().rules:
        assert "member.homebound" not in rule.definition.model_dump_json()


@pytest.mark.clause("M-4")
@pytest.mark.parametrize("criterion", ["plan_of_care", "skilled_need", "intermittent"])
def test_home_health_criteria_must_be_met_and_an_unknown_one_is_a_question(criterion: str) -> None:
    assert decided_with({f"/care/{criterion}": False}).outcome is Outcome.REJECTED
    unknown = decided_with({f"/care/{criterion}": ABSENT})
    assert unknown.outcome is Outcome.NEEDS_INFORMATION
    assert asked(unknown) == [f"/care/{criterion}"]


@pytest.mark.clause("M-5")
def test_missing_caregiver_leads_to_exactly_three_questions() -> None:
    decision = decided_with({"/caregiver": ABSENT})
    assert decision.outcome is Outcome.NEEDS_INFORMATION
    assert asked(decision) == ["/caregiver/present", "/caregiver/willing", "/caregiver/able"]
    assert {question.because for question in decision.questions} == {("setting.someone-can-give-it",)}


@pytest.mark.clause("M-5")
def test_willing_member_is_an_alternative_to_the_caregiver() -> None:
    decision = decided_with({"/caregiver": ABSENT, "/member/willing_to_learn": ABSENT})
    instead = {question.pointers[0]: question.or_ for question in decision.questions}
    assert instead == {
        "/member/willing_to_learn": (),
        "/caregiver/present": ("/member/willing_to_learn",),
        "/caregiver/willing": ("/member/willing_to_learn",),
        "/caregiver/able": ("/member/willing_to_learn",),
    }


@pytest.mark.clause("M-5")
def test_order_is_rejected_if_nobody_at_home_can_give_the_therapy() -> None:
    assert decided_with({"/caregiver/able": False}).outcome is Outcome.REJECTED
    willing = decided_with({"/caregiver": ABSENT, "/member/willing_to_learn": True})
    assert willing.outcome is Outcome.ACCEPTED


IN_THE_MUSCLE = {
    "/member/medical_group/risk_arrangement": "full_risk",
    "/lines/0/hcpcs": "J0690",
    "/lines/0/route": "IM",
    "/lines/0/dose": {"value": 1, "unit": "g"},
    "/lines/0/frequency": "daily",
    "/lines/0/units": 2,
    "/lines/1": ABSENT,
    "/lines/1/hcpcs": "S9500",
}


@pytest.mark.clause("M-6")
def test_drug_that_is_not_infused_is_covered_only_if_it_must_be_admixed() -> None:
    assert decided_with({**IN_THE_MUSCLE, "/lines/0/requires_admixture": True}).outcome is Outcome.ACCEPTED
    rejected = decided_with({**IN_THE_MUSCLE, "/lines/0/requires_admixture": False})
    assert rejected.lines[0].outcome is Outcome.REJECTED
    assert rejected.outcome is Outcome.PARTLY_ACCEPTED


@pytest.mark.clause("M-6")
@pytest.mark.parametrize("route", ["PO", "INH"])
def test_admixed_drug_that_is_swallowed_or_inhaled_is_no_infusion(route: str) -> None:
    decision = decided_with({"/lines/0/route": route, "/lines/0/requires_admixture": True})
    assert decision.lines[0].outcome is Outcome.REJECTED


@pytest.mark.clause("M-7")
def test_infliximab_is_the_listed_remicade_only_intravenously() -> None:
    decision = decided_with({"/lines/0/route": "SC", "/lines/0/requires_admixture": True})
    assert decision.lines[0].outcome is Outcome.NEEDS_REVIEW
    assert "therapy.route-fits-the-code" in broken(decision)


@pytest.mark.clause("M-7")
@pytest.mark.parametrize("code", ["J1745", "Q5103", "Q5104", "Q5109", "Q5121"])
def test_infliximab_and_its_biosimilars_are_listed_as_remicade(code: str) -> None:
    assert decided_with({"/lines/0/hcpcs": code}).lines[0].outcome is Outcome.ACCEPTED


@pytest.mark.clause("M-7")
def test_unlisted_therapy_is_reviewed_and_never_rejected() -> None:
    decision = decided_with(
        {
            "/lines": [
                {
                    "line_id": "1",
                    "kind": "per_diem",
                    "hcpcs": "S9347",
                    "units": 1,
                    "modifiers": [],
                    "service_from": "2026-12-01",
                    "service_to": "2026-12-01",
                }
            ],
            "/member/medical_group/risk_arrangement": "full_risk",
        }
    )
    assert decision.outcome is Outcome.NEEDS_REVIEW
    assert "therapy.is-listed" in broken(decision)


@pytest.mark.clause("M-7")
def test_subcutaneous_infliximab_is_not_remicade() -> None:
    decision = decided_with({"/lines/0/hcpcs": "J1748", "/lines/0/route": "SC", "/lines/0/requires_admixture": False})
    assert decision.lines[0].outcome is not Outcome.ACCEPTED


@pytest.mark.clause("M-7")
def test_code_wins_over_a_contradicting_therapy_which_is_a_finding() -> None:
    decision = decided_with({"/lines/0/therapy": "tpn"})
    assert decision.outcome is Outcome.ACCEPTED
    assert decision.lines[0].therapy == "anti_tnf"
    assert broken(decision) == {"therapy.agrees-with-the-code"}


@pytest.mark.clause("M-8")
def test_shared_risk_order_to_another_vendor_is_redirected() -> None:
    decision = decided_with({"/infusion_provider/vendor": "acme-infusion"})
    assert decision.outcome is Outcome.REDIRECTED
    assert parties(decision) == {"medical_group"}
    (action,) = decision.actions
    assert (action.action, action.vendor, action.lines) == ("use_vendor", "coram", ("1", "2", "3"))
    (finding,) = [each for each in decision.findings if each.rule == CONTRACTED]
    assert finding.clause == "M-8"
    assert finding.observed["vendor.id"] == "acme-infusion"
    assert "/infusion_provider/vendor" in finding.pointers


@pytest.mark.clause("M-8")
@pytest.mark.parametrize(
    ("day", "outcome", "party"),
    [
        ("2024-10-07", Outcome.ACCEPTED, "capitated_vendor"),
        ("2024-10-08", Outcome.NEEDS_REVIEW, "undetermined"),
    ],
)
def test_acute_therapy_has_no_accepting_contracted_vendor_from_8_october_2024(
    day: str, outcome: Outcome, party: str
) -> None:
    line = {
        "line_id": "1",
        "kind": "drug",
        "hcpcs": "J0690",
        "dose": {"value": 1, "unit": "g"},
        "frequency": "once",
        "units": 2,
        "modifiers": [],
        "route": "IV",
        "billing_path": "medical",
        "service_from": day,
        "service_to": day,
    }
    decision = decided_with({"/lines": [line], "/prescriber/signed_on": "2024-10-01"})
    assert decision.outcome is outcome
    assert parties(decision) == {party}
    assert [action.action for action in decision.actions if action.vendor is not None] == []


@pytest.mark.clause("M-9")
@pytest.mark.parametrize(
    ("changes", "party", "outcome"),
    [
        ({"/member/medical_group/risk_arrangement": "full_risk"}, "medical_group", Outcome.ACCEPTED),
        ({"/member/medical_group/risk_arrangement": "fee_for_service"}, "health_plan", Outcome.ACCEPTED),
        ({"/member/medical_group/risk_arrangement": "dual_risk"}, "undetermined", Outcome.NEEDS_REVIEW),
        (
            {"/member/line_of_business": "commercial_ppo", "/member/medical_group": ABSENT},
            "health_plan",
            Outcome.ACCEPTED,
        ),
        (
            {"/member/line_of_business": "commercial_epo", "/member/medical_group": ABSENT},
            "health_plan",
            Outcome.ACCEPTED,
        ),
    ],
)
def test_responsible_party_follows_the_risk_arrangement(changes: dict[str, Any], party: str, outcome: Outcome) -> None:
    decision = decided_with(changes)
    assert parties(decision) == {party}
    assert decision.outcome is outcome


@pytest.mark.clause("M-9")
def test_unknown_risk_arrangement_is_a_question_and_names_no_party() -> None:
    decision = decided_with({"/member/medical_group/risk_arrangement": ABSENT})
    assert decision.outcome is Outcome.NEEDS_INFORMATION
    assert "/member/medical_group/risk_arrangement" in asked(decision) or decision.questions == ()
    assert parties(decision) == {None}


@pytest.mark.clause("M-10")
def test_code_that_is_not_in_the_crosswalk_is_reviewed() -> None:
    decision = decided_with({"/lines/0/hcpcs": "J3490", "/lines/0/therapy": "anti_tnf"})
    assert decision.lines[0].outcome is Outcome.NEEDS_REVIEW
    assert decision.lines[0].dofr_category is None or decision.lines[0].dofr_category == "not_in_crosswalk"
    assert "therapy.medication-is-in-the-crosswalk" in broken(decision)


@pytest.mark.clause("M-10")
def test_code_newer_than_the_tables_is_reviewed_and_a_malformed_one_asked_for() -> None:
    newer = decided_with({"/lines/0/hcpcs": "J9898", "/lines/0/therapy": "anti_tnf"})
    assert newer.lines[0].outcome is Outcome.NEEDS_REVIEW
    malformed = decided_with({"/lines/0/hcpcs": "J99"})
    (question,) = malformed.questions[:1]
    assert malformed.lines[0].outcome is Outcome.NEEDS_INFORMATION
    assert (question.pointers, question.reason) == (("/lines/0/hcpcs",), "invalid")
    assert "J99" not in malformed.model_dump_json()


@pytest.mark.clause("M-11")
def test_eligible_condition_of_a_child_is_redirected_to_county_ccs() -> None:
    decision = decided_with(CHILD)
    assert decision.outcome is Outcome.REDIRECTED
    assert parties(decision) == {"county_ccs"}
    assert {action.action for action in decision.actions} == {"refer_to_county_ccs"}
    (finding,) = [each for each in decision.findings if each.rule == "carve-out.referred-to-county-ccs"]
    assert "Do not delay urgent therapy" in (finding.remedy or "")


@pytest.mark.clause("M-11")
@pytest.mark.parametrize(
    ("changes", "ccs"),
    [
        ({"/member/birth_date": "2005-12-02"}, True),
        ({"/member/birth_date": "2005-12-01"}, False),
        ({"/member/county": "San Mateo"}, False),
        ({"/member/line_of_business": "commercial_hmo"}, False),
        ({"/diagnoses": [{"code": "N10", "primary": True}]}, False),
        (
            {
                "/diagnoses": [{"code": "N10", "primary": True}],
                "/member/ccs": {"open_case": True, "conditions": ["N10"]},
            },
            True,
        ),
        (
            {
                "/diagnoses": [{"code": "N10", "primary": True}],
                "/member/ccs": {"open_case": True, "conditions": ["C91.00"]},
            },
            False,
        ),
    ],
)
def test_ccs_depends_on_age_on_the_date_of_service_county_and_condition(changes: dict[str, Any], ccs: bool) -> None:
    decision = decided_with({**CHILD, **changes})
    assert (parties(decision) == {"county_ccs"}) is ccs


@pytest.mark.clause("M-11")
def test_therapy_across_the_21st_birthday_is_judged_line_by_line() -> None:
    decision = decided_with(
        {
            **CHILD,
            "/member/birth_date": "2005-12-15",
            "/lines/2/service_from": "2026-12-15",
            "/lines/2/service_to": "2026-12-15",
        }
    )
    assert [line.outcome for line in decision.lines][:2] == [Outcome.REDIRECTED, Outcome.REDIRECTED]
    assert decision.lines[2].outcome is not Outcome.REDIRECTED


@pytest.mark.clause("M-11")
@pytest.mark.parametrize(
    "changes",
    [
        {"/diagnoses": [{"code": "K50.90", "primary": True}]},
        {"/diagnoses": [{"code": "Z00.00", "primary": True}]},
        {"/member/county": "Orange"},
        {
            "/diagnoses": [{"code": "N10", "primary": True}, {"code": "E84.0"}],
            "/member/ccs": {"open_case": True, "conditions": ["E84.0"]},
        },
    ],
)
def test_possible_ccs_condition_is_reviewed_and_names_no_party(changes: dict[str, Any]) -> None:
    decision = decided_with({**CHILD, **changes, "/infusion_provider/vendor": "acme-infusion"})
    assert decision.outcome is Outcome.NEEDS_REVIEW
    assert parties(decision) == {"undetermined"}
    assert "use_vendor" not in {action.action for action in decision.actions}
    assert "carve-out.possible-ccs-condition-is-reviewed" in broken(decision)


@pytest.mark.clause("M-11")
def test_pharmacy_benefit_of_medi_cal_members_is_redirected_to_medi_cal_rx() -> None:
    decision = decided_with({**CHILD, "/member/birth_date": "1951-03-02", "/lines/0/billing_path": "pharmacy"})
    assert decision.lines[0].outcome is Outcome.REDIRECTED
    assert decision.lines[0].responsible_party is not None
    assert decision.lines[0].responsible_party.party == "medi_cal_rx"
    assert decision.lines[1].outcome is Outcome.ACCEPTED


@pytest.mark.clause("M-12")
@pytest.mark.parametrize("text", ["a" * (SHORTEST - 1), "a" * (LONGEST + 1), "   ab   "])
def test_search_takes_4_to_60_characters(text: str) -> None:
    with pytest.raises(SearchTextLength, match="4 to 60"):
        find_rules([], text)


@pytest.mark.clause("M-12")
def test_search_finds_by_title_text_clause_and_provider_type() -> None:
    rules = [each.definition for each in default_rules().rules]
    assert find_rules(rules, "caregiver")[0].id == "setting.someone-can-give-it"
    assert {rule.clause for rule in find_rules(rules, None, clause="M-8")} == {"M-8"}
    assert find_rules(rules, "contracted vendor", provider_type=ProviderType.HOSPITAL)
    assert find_rules(rules, "no such word anywhere") == []
    assert [rule.id for rule in find_rules(rules, "M-11 panel")] == ["carve-out.ccs-prescriber-is-paneled"]


@pytest.mark.clause("M-12")
def test_wrong_identifier_is_asked_for_again_and_never_shown() -> None:
    decision = decided_with({"/prescriber/npi": "1234567890"})
    (question,) = decision.questions
    assert (question.pointers, question.reason) == (("/prescriber/npi",), "invalid")
    assert question.hint is not None
    assert "check digit" in question.hint
    assert "1234567890" not in decision.model_dump_json()


@pytest.mark.clause("M-11")
def test_open_case_without_conditions_is_a_question() -> None:
    decision = decided_with(
        {
            **CHILD,
            "/diagnoses": [{"code": "N10", "primary": True}],
            "/member/ccs": {"open_case": True, "conditions": []},
        }
    )
    assert decision.outcome is Outcome.NEEDS_INFORMATION
    assert asked(decision) == ["/member/ccs/conditions"]


@pytest.mark.clause("M-11")
def test_birth_date_after_the_service_is_asked_for_again() -> None:
    decision = decided_with({**CHILD, "/member/birth_date": "2100-01-01"})
    assert ("/member/birth_date", "invalid") in {(each.pointers[0], each.reason) for each in decision.questions}


@pytest.mark.clause("M-7")
def test_line_without_a_code_is_a_question_even_with_a_therapy() -> None:
    decision = decided_with({"/lines/0/hcpcs": ABSENT, "/lines/0/therapy": "ivig", "/lines/1": ABSENT})
    assert decision.outcome is Outcome.NEEDS_INFORMATION
    assert asked(decision) == ["/lines/0/hcpcs"]


@pytest.mark.clause("M-7")
def test_nursing_visit_takes_the_only_therapy_of_the_other_lines() -> None:
    visit = {
        "line_id": "4",
        "hcpcs": "99601",
        "units": 1,
        "modifiers": [],
        "service_from": "2026-12-01",
        "service_to": "2026-12-01",
    }
    decision = decided_with({"/lines/-": visit})
    assert decision.outcome is Outcome.ACCEPTED
    assert decision.lines[3].therapy == "anti_tnf"
    other = decided_with({"/lines/-": {**visit, "therapy": "tpn"}})
    assert other.outcome is Outcome.ACCEPTED
    assert broken(other) == {"therapy.agrees-with-the-code"}


@pytest.mark.parametrize("code", ["S5035", "S9810"])
def test_services_of_devices_and_pharmacists_need_no_route(code: str) -> None:
    service = {"line_id": "4", "hcpcs": code, "service_from": "2026-12-01", "therapy": "anti_tnf"}
    assert not [each for each in asked(decided_with({"/lines/-": service})) if "route" in each or "admixture" in each]


@pytest.mark.clause("M-1")
def test_line_that_ends_before_it_begins_is_rejected() -> None:
    assert decided_with({"/lines/0/service_to": "2026-01-01"}).lines[0].outcome is Outcome.REJECTED


@pytest.mark.parametrize("text", ["Smith", "cancer"])
def test_diagnosis_that_is_a_word_is_asked_for_and_never_shown(text: str) -> None:
    decision = decided_with({"/diagnoses": [{"code": text, "primary": True}]})
    assert ("/diagnoses", "invalid") in {(each.pointers[0], each.reason) for each in decision.questions}
    assert text.upper()[:3] not in decision.model_dump_json(include={"findings", "questions"})


def test_implausible_numbers_are_not_shown() -> None:
    every_instant = {"frequency": 1000, "period": "0.000000000000000001", "periodUnit": "s"}
    billing = decided_with({"/lines/0/frequency": every_instant}).lines[0].billing
    assert billing is not None
    assert (billing.administrations, billing.units) == (None, None)


def test_malformed_diagnosis_is_asked_for_next_to_one_without_a_code() -> None:
    decision = decided_with({"/diagnoses": [{"code": "K50.90", "primary": True}, {"code": None}, {"code": "#bad"}]})
    assert ("/diagnoses", "invalid") in {(each.pointers[0], each.reason) for each in decision.questions}


def test_date_before_the_rules_is_reviewed_and_names_no_party() -> None:
    decision = decided_with({"/lines/0/service_from": "2024-06-30", "/lines/0/service_to": "2024-06-30"})
    first = decision.lines[0]
    assert first.outcome is Outcome.NEEDS_REVIEW
    assert first.responsible_party is not None
    assert first.responsible_party.party == "undetermined"
