"""Replay of recorded decisions under another version: what flips, because of which rules, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infusion_orders.decisions import decide
from infusion_orders.decisions.decision import Outcome
from infusion_orders.decisions.replay import Flip, NotReplayable, Obstacle, RecordedDecision, replay_decision
from infusion_orders.decisions.replay_report import DIMENSIONS, ReplayReport, report_of
from infusion_orders.facts.record import UnreadableRecord, case_from_record
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.rules.rule_set import RuleSet
from tests.support.orders import an_order, change
from tests.support.rules import SETTING, TODAY, changed_document, default_document, default_rules


def recorded(changes: dict[str, Any] | None = None, *, partner: str = "a-partner") -> RecordedDecision:
    """The example order with changes, decided under the default rules and recorded."""
    decided = decide(an_order(changes), default_rules(), as_of=TODAY)
    body = decided.decision.model_dump_json(by_alias=True, exclude_none=True)
    return RecordedDecision("01KAT7Q3V9M5R7T0ZJX2B8N4WC", partner, decided.facts.decode(), body)


def candidate(changes: dict[str, Any], rule: str = SETTING) -> RuleSet:
    """The default rules with one of them changed at JSON pointers."""
    changed = changed_document(changes, rule)
    return RuleSet.from_document(changed, version=2, digest=changed.digest)


REVIEWED = candidate({"/otherwise/effect": "review"})
NOBODY_ABLE = {"/caregiver/able": False}


def test_replay_under_the_same_rules_finds_no_flip() -> None:
    for changes in (None, NOBODY_ABLE, {"/caregiver": None}, {"/infusion_provider/vendor": "acme"}):
        assert replay_decision(recorded(changes), default_rules()).flips == ()


def test_changed_effect_flips_the_lines_that_the_rule_decided() -> None:
    found = replay_decision(recorded(NOBODY_ABLE), REVIEWED)

    assert found.outcome == ("rejected", "needs_review")
    assert found.line_of_business == "medicare_advantage"
    party = json.loads(recorded(NOBODY_ABLE).decision)["lines"][0]["responsible_party"]["party"]
    flipped = ("rejected", "needs_review")
    assert found.flips[0] == Flip("1", "anti_tnf", flipped, (party, party), (SETTING,))
    assert len(found.flips) == 3


def test_question_that_is_no_longer_asked_is_a_flip() -> None:
    spared = candidate({"/require": {"fact": "order.is_home_infusion", "is": True}})
    found = replay_decision(recorded({"/caregiver/able": None}), spared)
    assert found.outcome == ("needs_information", "accepted")
    assert {flip.rules for flip in found.flips} == {(SETTING,)}


def test_another_responsible_party_with_the_same_outcome_is_a_flip() -> None:
    other = candidate(
        {"/assign": {"line.responsible_party": "capitated_hospital"}}, "responsibility.shared-risk-contracted-vendor"
    )
    found = replay_decision(recorded(), other)
    before = json.loads(recorded().decision)["lines"][0]["responsible_party"]["party"]
    assert found.outcome == ("accepted", "accepted")
    assert {flip.party for flip in found.flips} == {(before, "capitated_hospital")}
    assert {flip.rules for flip in found.flips} == {("responsibility.shared-risk-contracted-vendor",)}


def test_replay_uses_the_tables_of_the_candidate_version() -> None:
    document = default_document()
    tables = {**document.tables, "vendors": document.tables["vendors"][:1]}
    nobody = RuleSetDocument(document.name, document.rules, tables)
    found = replay_decision(recorded(), RuleSet.from_document(nobody, version=2, digest=nobody.digest))
    assert found.outcome == ("accepted", "needs_review")


# --- what cannot be replayed


def altered(one: RecordedDecision, **changes: Any) -> RecordedDecision:
    texts = {"facts": one.facts, "decision": one.decision, **changes}
    return RecordedDecision(one.decision_id, one.partner, texts["facts"], texts["decision"])


def with_facts(one: RecordedDecision, pointer: str, value: Any) -> RecordedDecision:
    """Change a fact, and the receipt with it."""
    from infusion_orders.rules.digests import canonical_json, digest

    facts = json.loads(one.facts)
    change(facts, pointer, value)
    text = canonical_json(facts)
    decision = json.loads(one.decision)
    decision["receipt"]["facts"] = digest(text)
    return altered(one, facts=text.decode(), decision=json.dumps(decision))


def obstacle_of(one: RecordedDecision) -> Obstacle:
    with pytest.raises(NotReplayable) as refused:
        replay_decision(one, default_rules())
    return refused.value.obstacle


def test_altered_facts_are_not_replayed() -> None:
    one = recorded()
    assert obstacle_of(altered(one, facts=one.facts.replace("shared_risk", "full_risk"))) is Obstacle.FACTS_ALTERED


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"outcome": "accepted", "lines": []}', "{"])
def test_unreadable_decision_is_not_replayed(text: str) -> None:
    assert obstacle_of(altered(recorded(), decision=text)) is Obstacle.DECISION_UNREADABLE


def test_indeterminate_decision_is_not_replayed() -> None:
    one = recorded()
    decision = json.loads(one.decision)
    decision["lines"][0]["outcome"] = Outcome.INDETERMINATE.value
    assert obstacle_of(altered(one, decision=json.dumps(decision))) is Obstacle.FAULTY


def test_facts_of_fewer_lines_than_the_decision_are_not_replayed() -> None:
    one = recorded()
    lines = json.loads(one.facts)["lines"]
    assert obstacle_of(with_facts(one, "/lines", lines[:1])) is Obstacle.LINES_DIFFER


@pytest.mark.parametrize(
    ("pointer", "value", "problem"),
    [
        ("/order/invented.fact", True, "invented.fact is not recorded of an order"),
        ("/order/prescriber.npi", "1932104098", "prescriber.npi is not recorded of an order"),
        ("/lines/0/member.county", "Orange", "member.county is not recorded of a line"),
        ("/order/caregiver.able", "yes", "caregiver.able is not recorded as a boolean"),
        ("/order/member.line_of_business", "other", "member.line_of_business is not recorded as a code"),
        ("/order/order.diagnoses", ["A", 1], "order.diagnoses is not recorded as a set of codes"),
        ("/order/clinical.weight", "heavy", "clinical.weight is not recorded as a number"),
        ("/order/clinical.weight", 1.5, "clinical.weight is not recorded as a number"),
        ("/order/order.ordered_on", "today", "order.ordered_on is not recorded as a date"),
        ("/lines/0/line.dose", {"value": "x", "unit": "mg"}, "line.dose is not recorded as a structure"),
        ("/order/member.county", {"unknown": [{}]}, "member.county is not recorded as a code"),
        ("/lines", 1, "the record does not hold"),
        ("/order", [], "the record does not hold"),
    ],
)
def test_unreadable_fact_is_named_without_its_value(pointer: str, value: Any, problem: str) -> None:
    one = with_facts(recorded(), pointer, value)
    assert obstacle_of(one) is Obstacle.FACTS_OF_ANOTHER_RELEASE
    with pytest.raises(UnreadableRecord) as refused:
        case_from_record(json.loads(one.facts), default_rules().catalogue, default_rules().tables)
    assert problem in str(refused.value)
    assert str(value) not in str(refused.value) or isinstance(value, int | list)


# --- reports


def test_report_counts_by_line_of_business_therapy_rule_and_partner() -> None:
    ones = [recorded(NOBODY_ABLE), recorded(NOBODY_ABLE, partner="b"), recorded(), altered(recorded(), decision="")]

    report = report_of(ones, REVIEWED)

    assert (report.replayed, report.changed, round(report.share_changed, 4)) == (3, 2, 0.6667)
    flip = "rejected -> needs_review"
    assert report.orders == {flip: 2}
    assert report.lines == {flip: 6}
    assert report.by == {
        "line of business": {("medicare_advantage", flip): 2},
        "therapy": {("anti_tnf", flip): 2},
        "rule": {(SETTING, flip): 2},
        "partner": {("a-partner", flip): 1, ("b", flip): 1},
    }
    assert report.obstacles == {Obstacle.DECISION_UNREADABLE.value: 1}
    assert report.examples[flip] == ["01KAT7Q3V9M5R7T0ZJX2B8N4WC"]


def test_report_keeps_the_first_example_ids() -> None:
    one = recorded(NOBODY_ABLE)
    many = [RecordedDecision(f"{number:026d}", one.partner, one.facts, one.decision) for number in range(9, 0, -1)]
    examples = report_of(many, REVIEWED).examples["rejected -> needs_review"]
    assert examples == [f"{number:026d}" for number in range(1, 6)]


OUTCOMES = st.sampled_from(["accepted", "rejected", "needs_review"])
PARTIES = st.sampled_from(["medical_group", "health_plan"])
FLIPS = st.builds(
    Flip,
    line_id=st.sampled_from("12"),
    therapy=st.sampled_from(["tpn", "ivig"]),
    outcome=st.tuples(OUTCOMES, OUTCOMES),
    party=st.tuples(PARTIES, PARTIES),
    rules=st.lists(st.sampled_from(["a.one", "b.two"]), max_size=2, unique=True).map(tuple),
)


@st.composite
def reports(draw: st.DrawFn) -> ReplayReport:
    from infusion_orders.decisions.replay import Replayed

    report = ReplayReport()
    for number in draw(st.lists(st.integers(0, 40), max_size=8)):
        one = RecordedDecision(f"{number:026d}", draw(st.sampled_from("pq")), "", "")
        if draw(st.booleans()):
            report.add_obstacle(one, draw(st.sampled_from(Obstacle)).value)
            continue
        flips = draw(st.lists(FLIPS, max_size=2).map(tuple))
        report.add(Replayed(one, "medi_cal", (draw(OUTCOMES), draw(OUTCOMES)), flips))
    return report


def merged(*parts: ReplayReport) -> dict[str, Any]:
    whole = ReplayReport()
    for part in parts:
        whole.merge(part)
    return whole.plain()


@given(reports(), reports(), reports())
def test_reports_merge_in_any_order(one: ReplayReport, two: ReplayReport, three: ReplayReport) -> None:
    whole = merged(one, two, three)
    assert whole == merged(three, one, two)
    left = ReplayReport.from_plain(merged(one, two))
    assert merged(left, three) == whole


@given(reports())
def test_report_is_read_back_from_json(report: ReplayReport) -> None:
    plain = json.loads(json.dumps(report.plain()))
    assert ReplayReport.from_plain(plain).plain() == plain
    assert set(plain["by"]) == set(DIMENSIONS)
