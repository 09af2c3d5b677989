"""What holds for every order under the default rules, from three ids alone to every field sent."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infusion_orders.decisions import decide
from infusion_orders.decisions.decide import decide_case
from infusion_orders.decisions.decision import Decision, Outcome
from infusion_orders.facts.record import case_from_record
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.rule import Verdict
from tests.property.strategies import orders, partial
from tests.support.examples import examples
from tests.support.orders import an_order_document
from tests.support.rules import TODAY, decision_of, default_rules

SETTLED = {Outcome.ACCEPTED, Outcome.REJECTED, Outcome.REDIRECTED, Outcome.NEEDS_REVIEW}
EFFECTS = ["redirect", "reject", "review"]
THERAPY_OF = {
    "J1745": "anti_tnf",
    "J0690": "anti_infective",
    "J1748": "other",
    "J3490": "anti_tnf",
    "J1569": "ivig",
    "J9999": "chemotherapy",
}
"""A therapy that the code does not contradict: what contradicts is no further information but other information."""


@examples(150)
@given(orders())
def test_recorded_facts_give_the_same_decision_and_digests(document: dict[str, Any]) -> None:
    rules, order = default_rules(), parse_order(json.dumps(document, default=str))
    decided = decide(order, rules, as_of=TODAY)
    case = case_from_record(json.loads(decided.facts), rules.catalogue, rules.tables)
    line_ids = [line.line_id for line in order.lines]
    assert decide_case(case, rules, order_id=order.order_id, line_ids=line_ids, as_of=TODAY) == decided


@examples(150)
@given(orders())
def test_every_decision_fits_its_schema(document: dict[str, Any]) -> None:
    decision = decide(parse_order(json.dumps(document, default=str)), default_rules(), as_of=TODAY).decision
    checked = Decision.model_validate(decision.model_dump(by_alias=True))
    assert checked.model_dump() == decision.model_dump()
    assert checked.model_dump_json() == decision.model_dump_json()
    assert Decision.model_validate_json(decision.model_dump_json(by_alias=True)) == decision


def complete_orders() -> st.SearchStrategy[dict[str, Any]]:
    """Complete orders that differ in what the rules look at: every question has its answer here."""
    choices: dict[str, list[Any]] = {
        "/member/line_of_business": ["medicare_advantage", "medi_cal", "commercial_hmo", "commercial_ppo"],
        "/member/birth_date": ["1951-03-02", "2005-12-01", "2005-12-02", "2016-02-29"],
        "/member/county": ["Los Angeles", "San Mateo", "Orange"],
        "/member/medical_group/risk_arrangement": ["shared_risk", "dual_risk", "full_risk", "fee_for_service"],
        "/member/medical_group/id": ["PPG-0420", "EXAMPLE-PPG"],
        "/member/ccs/open_case": [True, False],
        "/member/ccs/conditions": [["K50.90"], ["E84.0"], ["N10"]],
        "/member/willing_to_learn": [True, False],
        "/caregiver/able": [True, False],
        "/infusion_provider/vendor": ["coram", "acme-infusion"],
        "/care/place_of_service": ["12", "11"],
        "/care/administered_by": ["registered_nurse", "member", "unlicensed_aide", "other"],
        "/care/skilled_need": [True, False],
        "/prescriber/signed_on": ["2026-11-20", "2026-12-02"],
        "/prescriber/ccs_paneled": [True, False],
        "/diagnoses/0/code": ["K50.90", "C91.00", "N10", "Z00.00"],
        "/lines/0/hcpcs": list(THERAPY_OF),
        "/lines/0/route": ["IV", "SC", "PO"],
        "/lines/0/requires_admixture": [True, False],
        "/lines/1/billing_path": ["medical", "pharmacy"],
        "/lines/2/billing_path": ["medical"],
        "/lines/2/service_from": ["2026-12-01", "2024-10-07", "2024-06-30"],
    }
    return st.fixed_dictionaries({pointer: st.sampled_from(values) for pointer, values in choices.items()}).map(
        lambda chosen: an_order_document({**chosen, "/lines/0/therapy": THERAPY_OF[chosen["/lines/0/hcpcs"]]})
    )


def values_at(document: Any, pointer: str) -> Any:
    for step in pointer.strip("/").split("/"):
        document = document[int(step)] if isinstance(document, list) else document.get(step)
        if document is None:
            return None
    return document


def answered(sparse: dict[str, Any], full: dict[str, Any], decision: Decision) -> dict[str, Any]:
    """The sparse order with every question answered as in the full one."""
    result = copy.deepcopy(sparse)
    for question in decision.questions:
        *way, last = question.pointers[0].strip("/").split("/")
        parent: Any = result
        for step in way:
            if isinstance(parent, list):
                parent = parent[int(step)]
            else:
                if parent.get(step) is None:
                    parent[step] = {}
                parent = parent[step]
        parent[last] = values_at(full, question.pointers[0])
    return result


def open_effects(decision: Decision) -> dict[str, int]:
    """For each line that wants information, how far down the effects it came."""
    return {
        line.line_id: min(
            EFFECTS.index(finding.effect.value)
            for finding in decision.findings
            if finding.verdict is Verdict.UNKNOWN and line.line_id in finding.lines and finding.effect.value in EFFECTS
        )
        for line in decision.lines
        if line.outcome is Outcome.NEEDS_INFORMATION
    }


@examples(300)
@given(orders())
def test_every_order_gets_a_decision_without_an_error(document: dict[str, Any]) -> None:
    decision = decision_of(document)
    assert not [finding.rule for finding in decision.findings if finding.verdict is Verdict.ERROR]
    assert decision.outcome is not Outcome.INDETERMINATE
    wants = any(line.outcome is Outcome.NEEDS_INFORMATION for line in decision.lines)
    assert bool(decision.questions) is wants


@examples(200)
@given(st.data(), complete_orders() | orders())
def test_missing_fields_never_settle_an_order_differently(data: st.DataObject, full: dict[str, Any]) -> None:
    sparse = data.draw(partial(full))
    fuller = {line.line_id: line.outcome for line in decision_of(full).lines}
    for line in decision_of(sparse).lines:
        if line.outcome in SETTLED:
            assert line.outcome is fuller[line.line_id]


@examples(200)
@given(st.data(), complete_orders())
def test_answering_every_question_settles_the_effect_that_asked(data: st.DataObject, full: dict[str, Any]) -> None:
    sparse = data.draw(partial(full))
    decision = decision_of(sparse)
    before = open_effects(decision)
    after = open_effects(decision_of(answered(sparse, full, decision)))
    for line_id, effect in before.items():
        assert after.get(line_id, len(EFFECTS)) > effect


@examples(100)
@given(complete_orders())
def test_complete_order_raises_no_question(full: dict[str, Any]) -> None:
    assert decision_of(full).questions == ()


@examples(100)
@given(complete_orders(), st.sampled_from([True, False, None]))
def test_homebound_never_counts_against_an_order(full: dict[str, Any], homebound: bool | None) -> None:
    other = copy.deepcopy(full)
    other["member"]["homebound"] = homebound
    first, second = decision_of(full), decision_of(other)
    assert first.model_copy(update={"receipt": second.receipt}) == second
