"""The parts of a decision: outcomes, findings, actions, the clock and the receipts."""

from __future__ import annotations

import gc
import json
from datetime import date
from decimal import Decimal
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.decisions import decide
from infusion_orders.decisions.clocks import clock
from infusion_orders.decisions.decide import decide_case, decision_digest
from infusion_orders.decisions.decision import Decision, Outcome, ResponsibleParty
from infusion_orders.decisions.judgement import outcome_of_line, outcome_of_order
from infusion_orders.facts.case import Case, Facts
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.unknown import Fault
from infusion_orders.orders.parsing import parse_order
from infusion_orders.orders.vocabularies import LineOfBusiness
from infusion_orders.reference.tables import ReferenceTables
from infusion_orders.rules.digests import canonical_json, digest
from infusion_orders.rules.rule import Effect, Rule, Verdict
from tests.support.orders import ABSENT, WEEK, an_order, an_order_document, an_order_of
from tests.support.orders import change as change_at
from tests.support.project import PROJECT
from tests.support.rules import TODAY, a_rule_requiring, a_rule_set, an_assignment, decide_facts, default_rules

if TYPE_CHECKING:
    from pathlib import Path

    from infusion_orders.rules.rule_set import RuleSet

DAY = date(2026, 12, 1)
PARTY = "line.responsible_party"
LINE = {"line.date_of_service": DAY}
S, N, U, X, E = Verdict.SATISFIED, Verdict.NOT_MET, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE, Verdict.ERROR


def decided(rule_set: RuleSet, *lines: dict[str, Any], **order: Any) -> Decision:
    """Decide lines whose facts are given; the order's facts are keywords with `__` for the dot."""
    known = {name.replace("__", "."): value for name, value in order.items()}
    return decide_facts(rule_set, [LINE | line for line in lines], known).decision


ROUTE = {"fact": "line.route", "is": "IV"}
TELEPHONE = {"fact": "care.telephone", "is": True}
OF_EACH_EFFECT = tuple(a_rule_requiring(f"rule.{effect}", effect.value, ROUTE) for effect in Effect)

Table = dict[frozenset[Outcome], Outcome]
A, R, D = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.REDIRECTED
REVIEW, INFO, INDETERMINATE = Outcome.NEEDS_REVIEW, Outcome.NEEDS_INFORMATION, Outcome.INDETERMINATE
SETTLED: Table = {
    frozenset({A}): A,
    frozenset({R}): R,
    frozenset({D}): D,
    frozenset({A, R}): Outcome.PARTLY_ACCEPTED,
    frozenset({A, D}): Outcome.PARTLY_ACCEPTED,
    frozenset({R, D}): D,
    frozenset({A, R, D}): Outcome.PARTLY_ACCEPTED,
}


@pytest.mark.parametrize("settled", [frozenset[Outcome](), *SETTLED], ids=lambda outcomes: "+".join(sorted(outcomes)))
@pytest.mark.parametrize(
    "still_open", [c for size in range(4) for c in combinations((INDETERMINATE, INFO, REVIEW), size)]
)
def test_outcome_of_the_order_follows_from_its_lines(
    settled: frozenset[Outcome], still_open: tuple[Outcome, ...]
) -> None:
    lines = [*settled, *still_open]
    if not lines:
        return
    expected = still_open[0] if still_open else SETTLED[settled]
    assert outcome_of_order(lines) is expected
    assert outcome_of_order([*reversed(lines), *lines]) is expected


@pytest.mark.parametrize("verdicts", list(product([S, N, U, X, E], repeat=4)), ids=lambda found: "-".join(found))
def test_strongest_effect_that_is_not_satisfied_decides_the_line(verdicts: tuple[Verdict, ...]) -> None:
    rule_set = a_rule_set(*OF_EACH_EFFECT)
    by_effect = dict(zip(Effect, verdicts, strict=True))
    in_order = [by_effect[rule.effect] for rule in rule_set.rules if rule.effect is not None]
    expected: tuple[Outcome, Effect | None] = (A, None)
    for effect, outcome in ((Effect.REDIRECT, D), (Effect.REJECT, R), (Effect.REVIEW, REVIEW)):
        if by_effect[effect] in (N, U, E):
            expected = {N: (outcome, None), U: (INFO, effect), E: (INDETERMINATE, None)}[by_effect[effect]]
            break
    assert outcome_of_line(rule_set, dict(enumerate(in_order))) == expected


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        ((E, N), R),
        ((N, E), R),
        ((E, U), INFO),
        ((U, E), INFO),
        ((U, N), R),
        ((E, S), INDETERMINATE),
        ((E, X), INDETERMINATE),
    ],
)
def test_fault_makes_a_line_indeterminate_only_if_nothing_stronger_was_found(
    verdicts: tuple[Verdict, ...], outcome: Outcome
) -> None:
    rule_set = a_rule_set(
        a_rule_requiring("rule.one", "reject", ROUTE), a_rule_requiring("rule.other", "reject", ROUTE)
    )
    assert outcome_of_line(rule_set, dict(enumerate(verdicts)))[0] is outcome


@pytest.mark.parametrize("written", [{}, {"coverage": "correctable"}])
def test_finding_of_a_correctable_rejection_shows_no_coverage(written: dict[str, str]) -> None:
    rule_set = a_rule_set(a_rule_requiring("rule.one", "reject", ROUTE, **written))
    (finding,) = decided(rule_set, {"line.route": "SQ"}).findings
    assert finding.coverage is None
    assert "coverage" not in finding.model_dump(mode="json", exclude_none=True)


def test_finding_of_an_excluded_rejection_shows_the_exclusion() -> None:
    rule_set = a_rule_set(a_rule_requiring("rule.one", "reject", ROUTE, coverage="excluded"))
    decision = decided(rule_set, {"line.route": "SQ"})
    assert decision.outcome is R
    assert decision.findings[0].model_dump(mode="json")["coverage"] == "excluded"


def test_marking_a_rejection_as_correctable_leaves_the_receipt_unchanged() -> None:
    unmarked = a_rule_set(a_rule_requiring("rule.one", "reject", ROUTE))
    marked = a_rule_set(a_rule_requiring("rule.one", "reject", ROUTE, coverage="correctable"))
    line = {"line.route": "SQ"}
    assert decided(unmarked, line).receipt == decided(marked, line).receipt


@pytest.mark.parametrize("effect", ["redirect", "review", "warn"])
def test_coverage_is_refused_with_another_effect_than_reject(effect: str) -> None:
    with pytest.raises(ValueError, match="coverage"):
        Rule.model_validate(a_rule_requiring("rule.one", effect, ROUTE, coverage="excluded"))


def test_faulty_fact_is_an_error_of_the_rules_that_use_it_only() -> None:
    rule_set = a_rule_set(
        a_rule_requiring("rule.one", "reject", ROUTE), a_rule_requiring("rule.two", "review", TELEPHONE)
    )
    decision = decided(rule_set, {"line.route": Fault(), "care.telephone": False})
    assert decision.outcome is INDETERMINATE
    by_rule = {finding.rule: finding for finding in decision.findings}
    assert (by_rule["rule.one"].verdict, by_rule["rule.two"].verdict) == (E, N)
    assert by_rule["rule.one"].message == "A technical fault kept this rule from being judged: The rule rule.one"
    assert by_rule["rule.one"].observed == {}
    assert decision.questions == ()


def test_finding_of_a_failed_rule_shows_no_facts() -> None:
    rule_set = a_rule_set(a_rule_requiring("rule.one", "reject", {"any": [TELEPHONE, ROUTE]}))
    (finding,) = decided(rule_set, {"line.route": Fault()}, care__telephone=False).findings
    assert (finding.verdict, finding.observed, finding.remedy) == (E, {}, None)


def test_order_rule_is_judged_on_the_date_of_each_line() -> None:
    of_order = a_rule_requiring("rule.phone", "reject", TELEPHONE) | {
        "scope": "order",
        "effective": {"from": "2026-12-02"},
    }
    days = (DAY, date(2026, 12, 2), DAY)
    decision = decided(a_rule_set(of_order), *({"line.date_of_service": day} for day in days), care__telephone=False)
    assert [line.outcome for line in decision.lines] == [A, R, A]
    assert [finding.lines for finding in decision.findings] == [("2",)]


def test_alternative_answer_must_settle_every_line() -> None:
    either = {"any": [TELEPHONE, {"fact": "caregiver.able", "is": True}]}
    rule_set = a_rule_set(
        a_rule_requiring("rule.either", "reject", {"any": [either, {"fact": "line.requires_admixture", "is": True}]})
    )
    both = decided(rule_set, {}, {"line.requires_admixture": False})
    alone = decided(rule_set, {})
    assert {one.pointers[0]: one.or_ for one in alone.questions}["/care/telephone"] == (
        "/caregiver/able",
        "/lines/0/requires_admixture",
    )
    assert {one.pointers[0]: one.or_ for one in both.questions}["/care/telephone"] == ("/caregiver/able",)


def test_findings_are_sorted_by_effect_and_a_warning_changes_no_outcome() -> None:
    rules = [
        a_rule_requiring(f"{name}.{effect}", effect, ROUTE)
        for effect, name in product(("warn", "review", "reject"), "ba")
    ]
    decision = decided(a_rule_set(*rules), {"line.route": "SC"})
    found = [finding.rule for finding in decision.findings]
    assert found == ["a.reject", "b.reject", "a.review", "b.review", "a.warn", "b.warn"]
    assert decision.lines[0].findings == tuple(found)
    warned = decided(a_rule_set(rules[0]), {"line.route": "SC"})
    assert (warned.outcome, len(warned.findings)) == (A, 1)


def test_lines_with_the_same_observation_share_a_finding() -> None:
    rule_set = a_rule_set(a_rule_requiring("rule.route", "reject", ROUTE, "Not by {line.route}."))
    routes = ["SC", "IV", "PO", "SC"]
    decision = decided(rule_set, *({"line.route": route} for route in routes))
    found = {finding.lines: finding for finding in decision.findings}
    assert set(found) == {("1", "4"), ("3",)}
    first = found[("1", "4")]
    assert (first.message, first.observed) == ("Not by SC.", {"line.route": "SC"})
    assert first.pointers == ("/lines/0/route", "/lines/3/route")
    assert (first.clause, first.effect, first.verdict) == ("M-1", Effect.REJECT, N)
    assert first.citation.updated == date(2024, 7, 1)
    assert found[("3",)].pointers == ("/lines/2/route",)
    assert [line.findings for line in decision.lines] == [("rule.route",), (), ("rule.route",), ("rule.route",)]


def test_lines_with_different_messages_have_separate_findings() -> None:
    rule_set = a_rule_set(a_rule_requiring("rule.phone", "reject", TELEPHONE, "No telephone for {line.hcpcs}."))
    decision = decided(rule_set, {"line.hcpcs": "J1745"}, {"line.hcpcs": "J0690"}, care__telephone=False)
    assert [(finding.lines, finding.message) for finding in decision.findings] == [
        (("1",), "No telephone for J1745."),
        (("2",), "No telephone for J0690."),
    ]


def test_finding_cites_its_rule() -> None:
    rules = [a_rule_requiring(f"rule.{topic}", "reject", TELEPHONE) for topic in ("one", "two")]
    for rule in rules:
        rule["citation"] = rule["citation"] | {"topic": rule["id"]}
    rule_set = a_rule_set(*rules)
    for _ in range(2):
        decision = decided(rule_set, {"line.hcpcs": "J1745"}, care__telephone=False)
        assert [(finding.rule, finding.citation.topic) for finding in decision.findings] == [
            ("rule.one", "rule.one"),
            ("rule.two", "rule.two"),
        ]


def test_lines_with_different_remedies_have_separate_findings() -> None:
    rule_set = a_rule_set(a_rule_requiring("rule.phone", "reject", TELEPHONE, remedy="Ask about {line.hcpcs}."))
    decision = decided(rule_set, {"line.hcpcs": "J1745"}, {"line.hcpcs": "J0690"}, care__telephone=False)
    assert [finding.remedy for finding in decision.findings] == ["Ask about J1745.", "Ask about J0690."]


def test_finding_shows_no_private_fact() -> None:
    condition = {
        "all": [{"fact": name, "known": True} for name in ("member.birth_date", "prescriber.npi", "member.age")]
        + [{"fact": "member.age", "at_least": 90}]
    }
    decision = decided(
        a_rule_set(a_rule_requiring("rule.age", "reject", condition)),
        {},
        member__birth_date=date(1951, 3, 2),
        prescriber__npi="1932104098",
    )
    (finding,) = decision.findings
    assert finding.observed == {"member.age": "75", "line.date_of_service": "2026-12-01"}
    assert set(finding.pointers) == {"/member/birth_date", "/prescriber/npi", "/lines/0/service_from"}
    assert "1951-03-02" not in decision.model_dump_json()


def test_message_shows_the_values_of_its_facts() -> None:
    message = (
        "{line.route}, {clinical.weight}, {line.date_of_service}, {order.diagnoses}, {vendor.id}, {care.telephone}"
    )
    rule_set = a_rule_set(a_rule_requiring("rule.text", "reject", ROUTE, message, remedy="Not by {line.route}."))
    decision = decided(
        rule_set,
        {"line.route": "SC", "clinical.weight": Decimal("75.0"), "order.diagnoses": frozenset({"K50.90", "C91.00"})},
        care__telephone=True,
    )
    (finding,) = decision.findings
    assert finding.message == "SC, 75, 2026-12-01, C91.00, K50.90, (not known), True"
    assert finding.remedy == "Not by SC."


def test_finding_of_an_unknown_rule_has_no_remedy() -> None:
    rule_set = a_rule_set(a_rule_requiring("rule.phone", "reject", TELEPHONE, "No telephone.", remedy="Get one."))
    (finding,) = decided(rule_set, {}).findings
    assert (finding.verdict, finding.message, finding.remedy) == (U, "Not yet settled: The rule rule.phone", None)
    assert (finding.observed, finding.pointers) == ({}, ("/care/telephone",))


def test_actions_come_from_rules_that_are_not_met() -> None:
    rule_set = a_rule_set(
        a_rule_requiring(
            "rule.fact", "redirect", ROUTE, action={"action": "use_vendor", "vendor": {"fact": "vendor.id"}}
        ),
        a_rule_requiring("rule.literal", "review", ROUTE, action={"action": "use_vendor", "vendor": "coram"}),
        a_rule_requiring("rule.plain", "warn", ROUTE, action={"action": "ask_plan"}),
        a_rule_requiring("rule.silent", "warn", ROUTE),
        a_rule_requiring("rule.open", "warn", TELEPHONE, action={"action": "get_telephone"}),
    )
    lines = ({"line.route": "SC"}, {"line.route": "IV"}, {"line.route": "PO"})
    decision = decided(rule_set, *lines, vendor__id="acme")
    assert [(one.action, one.vendor, one.lines, one.because) for one in decision.actions] == [
        ("use_vendor", "acme", ("1", "3"), "rule.fact"),
        ("use_vendor", "coram", ("1", "3"), "rule.literal"),
        ("ask_plan", None, ("1", "3"), "rule.plain"),
    ]
    unknown_vendor = decided(rule_set, lines[0]).actions[0]
    assert (unknown_vendor.action, unknown_vendor.vendor) == ("use_vendor", None)


def test_responsible_party_is_assigned_or_the_default_or_absent() -> None:
    iv, sc = {"fact": "line.route", "is": "IV"}, {"fact": "line.route", "is": "SC"}
    rule_set = a_rule_set(
        an_assignment("party.iv", PARTY, "health_plan", iv),
        an_assignment("party.fact", PARTY, {"fact": "line.dofr_party"}, sc),
    )

    def party(**line: Any) -> ResponsibleParty | None:
        facts = {f"line.{name}": value for name, value in line.items()}
        return decided(rule_set, facts).lines[0].responsible_party

    assert party(route="IV") == ResponsibleParty(party="health_plan", because="party.iv")
    assert party(route="SC", dofr_party="medical_group") == ResponsibleParty(
        party="medical_group", because="party.fact"
    )
    assert party(route="PO") == ResponsibleParty(party="undetermined", because=None)
    assert party() is None
    assert party(route="SC") is None
    assert party(route=Fault()) is None


def test_two_rules_give_a_responsible_party_only_if_they_agree() -> None:
    iv, known = {"fact": "line.route", "is": "IV"}, {"fact": "line.route", "known": True}

    def party(one: str, other: str) -> ResponsibleParty | None:
        rule_set = a_rule_set(
            an_assignment("party.b", PARTY, one, iv),
            an_assignment("party.a", PARTY, other, known),
        )
        return decided(rule_set, {"line.route": "IV"}).lines[0].responsible_party

    assert party("health_plan", "medical_group") is None
    assert party("health_plan", "health_plan") == ResponsibleParty(party="health_plan", because="party.a")


CLOCKS = {
    ("medicare_advantage", "drug", "standard"): ("72 hours", "unverified"),
    ("medicare_advantage", "drug", "expedited"): ("24 hours", "unverified"),
    ("medicare_advantage", "pump", "standard"): ("7 calendar days", "regulation"),
    ("medicare_advantage", "pump", "expedited"): ("72 hours", "regulation"),
    ("medi_cal", "drug", "standard"): ("7 calendar days", "regulation"),
    ("medi_cal", "drug", "expedited"): ("72 hours", "regulation"),
    ("medi_cal", "pump", "standard"): ("7 calendar days", "regulation"),
    ("medi_cal", "pump", "expedited"): ("72 hours", "regulation"),
} | {
    (business, kind, urgency): (due, "regulation")
    for business in ("commercial_hmo", "commercial_ppo", "commercial_epo")
    for kind, urgency, due in (
        ("drug", "standard", "72 hours"),
        ("drug", "expedited", "24 hours"),
        ("pump", "standard", "5 business days"),
        ("pump", "expedited", "72 hours"),
    )
}


def the_clock(business: str | None, urgency: str | None, *kinds: str | None) -> Any:
    order = {"member.line_of_business": business, "order.urgency": urgency}
    return clock(
        Case(
            CATALOGUE,
            ReferenceTables({}),
            order_facts={name: value for name, value in order.items() if value is not None},
            line_facts=[{} if kind is None else {"line.kind": kind} for kind in kinds],
        )
    )


@pytest.mark.parametrize(("business", "kind", "urgency"), CLOCKS)
def test_strictest_line_decides_when_the_answer_is_due(business: str, kind: str, urgency: str) -> None:
    found = the_clock(business, urgency, "pump", kind, "nursing")
    assert (found.answer_due, found.basis) == CLOCKS[(business, kind, urgency)]
    assert found.starts == "when complete"
    assert found.citation


def test_every_line_of_business_has_a_clock() -> None:
    assert {business for business, _, _ in CLOCKS} == set(LineOfBusiness)
    assert the_clock(None, "standard", "drug") is None


def test_line_that_may_be_a_drug_has_the_clock_for_drugs() -> None:
    assert the_clock("commercial_hmo", None, "pump", None).answer_due == "72 hours"
    assert the_clock("commercial_hmo", None, "pump").answer_due == "5 business days"


def test_same_order_has_the_same_receipt() -> None:
    one, other = (decide(an_order(), default_rules(), as_of=TODAY) for _ in range(2))
    assert one.decision.receipt == other.decision.receipt
    assert one.decision.receipt.facts == digest(one.facts)
    assert one.decision.receipt.decision == decision_digest(one.decision)
    assert one.decision.receipt.decision.startswith("sha256:")


ALONE = {"line_id": "1", "hcpcs": "S9500", "units": 7, "modifiers": [], "frequency": "every 24 hours", **WEEK}
"""A per diem whose units follow from its own frequency."""


@pytest.mark.parametrize("sent", [an_order_document(), an_order_of(ALONE)], ids=["example", "per diem alone"])
@pytest.mark.parametrize("explain_all", [False, True])
def test_facts_of_a_decided_order_are_freed_without_the_garbage_collector(
    sent: dict[str, Any], explain_all: bool
) -> None:
    order, rules = parse_order(json.dumps(sent)), default_rules()
    decide(order, rules, as_of=TODAY, explain_all=explain_all)
    gc.collect()
    gc.disable()
    try:
        before = sum(isinstance(there, Facts) for there in gc.get_objects())
        decided = decide(order, rules, as_of=TODAY, explain_all=explain_all)
        assert sum(isinstance(there, Facts) for there in gc.get_objects()) == before
    finally:
        gc.enable()
    assert decided.decision.lines


ORDERS = sorted((PROJECT / "events" / "orders").glob("*.json"))


@pytest.mark.parametrize("example", ORDERS, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"/member/birth_date": ABSENT, "/prescriber": ABSENT},
        {"/lines/0/hcpcs": "no code", "/member/county": "Atlantis", "/lines/0/frequency": "now and then"},
        {"/lines/0/dose": {"value": 2.50, "unit": "mg/kg"}, "/diagnoses": [{"code": "k50.90"}, {"code": "C91.00"}]},
    ],
)
def test_recorded_facts_are_canonical_json(example: Path, change: dict[str, Any]) -> None:
    document = json.loads(example.read_text("utf-8"))
    for pointer, value in change.items():
        change_at(document, pointer, value)
    decided = decide(parse_order(json.dumps(document)), default_rules(), as_of=TODAY)
    assert decided.facts == canonical_json(json.loads(decided.facts))
    assert decided.decision.receipt.facts == digest(decided.facts)


@pytest.mark.parametrize(
    ("change", "decision_too"),
    [({"/care/telephone": False}, False), ({"/care/place_of_service": "11"}, True), ({"/lines/0/units": 39}, None)],
)
def test_receipt_changes_with_a_fact(change: dict[str, Any], decision_too: bool | None) -> None:
    one, other = (decide(an_order(changes), default_rules(), as_of=TODAY).decision for changes in ({}, change))
    assert one.receipt.facts != other.receipt.facts
    if decision_too is not None:
        assert (one.receipt.decision != other.receipt.decision) is decision_too


def test_receipt_of_the_facts_leaves_out_what_identifies_a_person() -> None:
    changes = {"/member/mbi": "1EG4-TE5-MK72", "/member/birth_date": "1951-03-03", "/prescriber/npi": "1234567893"}
    one, other = (decide(an_order(sent), default_rules(), as_of=TODAY) for sent in ({}, changes))
    assert one.facts == other.facts
    assert one.decision.receipt == other.decision.receipt


def test_receipt_leaves_out_id_age_explanation_and_itself() -> None:
    plain = decide(an_order(), default_rules(), as_of=TODAY).decision
    explained = decide(an_order(), default_rules(), as_of=TODAY, explain_all=True).decision
    given_out = decide(an_order(), default_rules(), as_of=TODAY, decision_id="some-id", age_seconds=77).decision
    assert explained.explanation
    assert (given_out.decision_id, given_out.ruleset.age_seconds) == ("some-id", 77)
    assert given_out.receipt == explained.receipt == plain.receipt
    assert decision_digest(given_out) == decision_digest(explained) == plain.receipt.decision


@pytest.mark.parametrize(
    "changed", [{"order_id": "other"}, {"as_of": date(2026, 11, 26)}, {"outcome": R}, {"lines": ()}, {"clock": None}]
)
def test_receipt_covers_everything_else_in_the_decision(changed: dict[str, Any]) -> None:
    decision = decide(an_order(), default_rules(), as_of=TODAY).decision
    assert decision_digest(decision.model_copy(update=changed)) != decision.receipt.decision
    other_version = decision.ruleset.model_copy(update={"version": 2})
    assert decision_digest(decision.model_copy(update={"ruleset": other_version})) != decision.receipt.decision


def test_explanation_covers_every_rule_and_line_without_private_values() -> None:
    decision = decide(an_order(), default_rules(), as_of=TODAY, explain_all=True).decision
    assert decision.explanation is not None
    assert len(decision.explanation) == len(default_rules().rules) * len(decision.lines)
    text = json.dumps([one.model_dump(mode="json") for one in decision.explanation])
    for private in ("1951-03-02", "1EG4TE5MK73", "1234567893", "1932104098", "1245319599"):
        assert private not in text


def test_explanation_gives_the_truth_of_every_part() -> None:
    condition = {"any": [ROUTE, {"all": [TELEPHONE, {"not": ROUTE}]}, {"fact": "member.birth_date", "known": True}]}
    rule_set = a_rule_set(a_rule_requiring("rule.one", "warn", condition))
    case = Case(
        CATALOGUE,
        rule_set.tables,
        line_facts=[{"line.date_of_service": DAY, "line.route": "SC"}],
    )
    decision = decide_case(case, rule_set, order_id="o", line_ids=["1"], as_of=TODAY, explain_all=True).decision
    assert decision.explanation is not None
    (one,) = decision.explanation
    assert (one.rule, one.line_id, one.verdict, one.when) == ("rule.one", "1", U, {"truth": "true"})
    route = {"fact": "line.route", "operator": "is", "constant": "IV", "value": "SC", "truth": "false"}
    assert one.require == {
        "any": [
            route,
            {
                "all": [
                    {"fact": "care.telephone", "operator": "is", "constant": True, "truth": "unknown"},
                    {"not": route, "truth": "true"},
                ],
                "truth": "unknown",
            },
            {"fact": "member.birth_date", "operator": "known", "truth": "unknown"},
        ],
        "truth": "unknown",
    }


def test_decision_keeps_the_order_and_the_ids_of_the_lines() -> None:
    decision = decided(
        a_rule_set(a_rule_requiring("rule.route", "reject", ROUTE)), {"line.route": "SC"}, {"line.route": "IV"}
    )
    assert [(line.line_id, line.outcome) for line in decision.lines] == [("1", R), ("2", A)]
    assert decision.outcome is Outcome.PARTLY_ACCEPTED
