"""The analysis finds each kind of faulty rule, and deciding the order that comes with a finding shows the fault."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.authoring.analysis.analysis import analyse
from infusion_orders.authoring.analysis.report import FindingKind, Severity
from infusion_orders.authoring.analysis.table_gaps import gap_findings
from infusion_orders.decisions import decide
from infusion_orders.decisions.line_decisions import RESPONSIBLE_PARTY
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.rules.rule_set import RuleSet
from tests.support.rules import TODAY, default_document, default_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infusion_orders.authoring.analysis.report import Analysis, AnalysisFinding
    from infusion_orders.decisions.decision import Decision

CITATION = {"document": "A manual", "basis": "manual"}
FROM_2024 = {"from": "2024-07-01"}


def requiring(rule_id: str, require: Any, when: Any = None, **more: Any) -> dict[str, Any]:
    otherwise = {"effect": "reject", "message": "Not so.", **more.pop("otherwise", {})}
    plain = {"id": rule_id, "title": "A rule", "scope": "line", "require": require, "otherwise": otherwise, **more}
    return {**plain, **({} if when is None else {"when": when}), "citation": CITATION, "effective": FROM_2024}


def assigning(rule_id: str, value: str, when: Any, target: str = RESPONSIBLE_PARTY) -> dict[str, Any]:
    plain = {"id": rule_id, "title": "An assignment", "scope": "line", "when": when, "assign": {target: value}}
    return {**plain, "citation": CITATION, "effective": FROM_2024}


def rule_set_of(*rules: dict[str, Any], tables: Mapping[str, Any] | None = None) -> RuleSet:
    document = RuleSetDocument("some", tuple(rules), {**default_document().tables, **(tables or {})})
    return RuleSet.from_document(document, version=1, digest=document.digest)


def the_finding(analysis: Analysis, kind: FindingKind) -> AnalysisFinding:
    (found,) = [finding for finding in analysis.findings if finding.kind is kind]
    return found


def decided(finding: AnalysisFinding, rule_set: RuleSet) -> Decision:
    """Decide the order that comes with the finding."""
    assert finding.order is not None
    return decide(parse_order(json.dumps(finding.order)), rule_set, as_of=TODAY, explain_all=True).decision


def verdicts(decision: Decision) -> dict[str, str]:
    """Return the verdict of each rule on the first line."""
    assert decision.explanation is not None
    first = decision.lines[0].line_id
    return {each.rule: each.verdict.value for each in decision.explanation if each.line_id == first}


def test_default_rules_have_no_finding_and_list_open_questions() -> None:
    analysis = analyse(default_rules())

    assert analysis.findings == ()
    assert analysis.rules_shown_to_fail >= 0.8 * analysis.rules_that_require
    open_rules = {doubt.where[0] for doubt in analysis.doubts}
    assert "ndc.is-listed" in open_rules  # the NDC crosswalk is empty, so no order can break the rule
    assert len(analysis.doubts) + analysis.rules_shown_to_fail >= analysis.rules_that_require - 1  # one rule only asks


def test_rule_that_never_applies_is_shown_by_the_nearest_order() -> None:
    dead = requiring(
        "some.dead",
        {"fact": "line.route", "is": "IV"},
        {"all": [{"fact": "member.age", "below": 18}, {"fact": "member.age", "at_least": 65}]},
    )
    rule_set = rule_set_of(dead)

    finding = the_finding(analyse(rule_set), FindingKind.NEVER_APPLIES)

    assert finding.severity is Severity.ERROR
    assert finding.where == ("some.dead",)
    assert "member.age" in finding.problem
    assert verdicts(decided(finding, rule_set)) == {"some.dead": "not_applicable"}


def test_only_conditions_that_exclude_each_other_are_named() -> None:
    dead = requiring(
        "some.dead",
        {"fact": "line.route", "is": "IV"},
        {
            "all": [
                {"fact": "care.telephone", "is": True},
                {"fact": "line.route", "is": "SC"},
                {"fact": "access.device", "is": "port"},
                {"fact": "line.route", "in": ["IV", "IM"]},
            ]
        },
    )
    problem = the_finding(analyse(rule_set_of(dead)), FindingKind.NEVER_APPLIES).problem
    assert "line.route" in problem
    assert not {name for name in ("care.telephone", "access.device") if name in problem}


def test_rule_that_never_fails_is_shown_by_an_order_it_applies_to() -> None:
    toothless = requiring(
        "some.toothless", {"fact": "member.age", "at_least": 18}, {"fact": "member.age", "at_least": 21}
    )
    rule_set = rule_set_of(toothless)

    finding = the_finding(analyse(rule_set), FindingKind.NEVER_FAILS)

    assert finding.severity is Severity.ERROR
    assert verdicts(decided(finding, rule_set)) == {"some.toothless": "satisfied"}


def test_rule_that_only_asks_may_never_fail() -> None:
    asking = requiring("some.asking", {"fact": "care.telephone", "known": True})
    assert analyse(rule_set_of(asking)).findings == ()


def test_implied_rule_is_shown_by_an_order_that_breaks_both() -> None:
    wide = requiring("some.wide", {"fact": "member.age", "at_least": 21}, otherwise={"effect": "redirect"})
    narrow = requiring("some.narrow", {"fact": "member.age", "at_least": 18})
    rule_set = rule_set_of(wide, narrow)

    finding = the_finding(analyse(rule_set), FindingKind.IMPLIED)

    assert finding.severity is Severity.WARNING
    assert finding.where == ("some.narrow", "some.wide")
    assert verdicts(decided(finding, rule_set)) == {"some.narrow": "not_met", "some.wide": "not_met"}


@pytest.mark.parametrize("effect", ["warn", "review"])
def test_rule_is_not_implied_by_one_with_a_weaker_effect(effect: str) -> None:
    weaker = requiring("some.wide", {"fact": "member.age", "at_least": 21}, otherwise={"effect": effect})
    stronger = requiring("some.narrow", {"fact": "member.age", "at_least": 18})
    assert analyse(rule_set_of(weaker, stronger)).findings == ()


def test_contradiction_is_shown_by_an_order_both_rules_apply_to() -> None:
    one = requiring("some.one", {"fact": "access.device", "is": "port"}, {"fact": "line.route", "is": "IV"})
    other = requiring("some.other", {"fact": "access.device", "in": ["picc", "midline"]})
    rule_set = rule_set_of(one, other)

    finding = the_finding(analyse(rule_set), FindingKind.CONTRADICTION)

    assert finding.where == ("some.one", "some.other")
    said = verdicts(decided(finding, rule_set))
    assert "not_met" in said.values()
    assert set(said.values()) <= {"satisfied", "not_met"}


def test_rule_that_forbids_on_purpose_contradicts_no_other() -> None:
    blanket = requiring("some.blanket", {"fact": "line.route", "is_not": "SC"}, {"fact": "line.route", "is": "SC"})
    other = requiring("some.other", {"fact": "line.route", "is": "SC"})
    kinds = {finding.kind for finding in analyse(rule_set_of(blanket, other)).findings}
    assert FindingKind.CONTRADICTION not in kinds


def test_overlap_is_shown_by_an_order_without_a_responsible_party() -> None:
    rule_set = rule_set_of(
        assigning("some.plan", "health_plan", {"fact": "member.age", "at_least": 18}),
        assigning("some.group", "medical_group", {"fact": "member.age", "at_most": 18}),
        assigning("some.county", "county_ccs", {"fact": "member.age", "below": 10}),
    )

    findings = [finding for finding in analyse(rule_set).findings if finding.kind is FindingKind.OVERLAP]

    assert {finding.where for finding in findings} == {("some.group", "some.plan"), ("some.county", "some.group")}
    for finding in findings:
        decision = decided(finding, rule_set)
        assert decision.lines[0].responsible_party is None
        assert [verdicts(decision)[rule] for rule in finding.where] == ["satisfied", "satisfied"]


def test_gap_is_shown_by_an_order_with_an_undetermined_party() -> None:
    rule_set = rule_set_of(
        assigning("some.plan", "health_plan", {"fact": "member.age", "above": 18}),
        assigning("some.group", "medical_group", {"fact": "member.age", "below": 18}),
    )

    finding = the_finding(analyse(rule_set), FindingKind.GAP)

    decision = decided(finding, rule_set)
    party = decision.lines[0].responsible_party
    assert party is not None
    assert (party.party, party.because) == ("undetermined", None)
    assert set(verdicts(decision).values()) == {"not_applicable"}


def test_complete_assignments_without_overlap_are_proved() -> None:
    rule_set = rule_set_of(
        assigning("some.plan", "health_plan", {"fact": "member.age", "at_least": 18}),
        assigning("some.group", "medical_group", {"fact": "member.age", "below": 18}),
    )
    analysis = analyse(rule_set)
    assert (analysis.findings, analysis.doubts) == ((), ())


def test_fact_that_need_not_be_assigned_may_keep_its_default() -> None:
    rule_set = rule_set_of(
        assigning("some.ccs", "county_ccs", {"fact": "member.age", "below": 18}, target="line.carve_out")
    )
    assert analyse(rule_set).findings == ()


@pytest.mark.parametrize(
    ("vendor", "problem"),
    [
        ("nobody", "the vendor nobody, which is not in tables/vendors.csv"),
        ("coram", "the vendor coram, which does not accept this order's therapy"),
    ],
)
def test_redirect_to_a_refusing_vendor_is_shown_by_an_order(vendor: str, problem: str) -> None:
    redirect = {"effect": "redirect", "action": {"action": "use_vendor", "vendor": vendor}}
    rule_set = rule_set_of(requiring("some.redirect", {"fact": "vendor.id", "is": vendor}, otherwise=redirect))

    finding = the_finding(analyse(rule_set), FindingKind.NOBODY_THERE)

    assert problem in finding.problem
    decision = decided(finding, rule_set)
    assert [(action.action, action.vendor) for action in decision.actions] == [("use_vendor", vendor)]
    line = parse_order(json.dumps(finding.order)).lines[0]
    assert line.service_from is not None
    accepting = rule_set.tables.contracted_vendors(
        therapy=str(decision.lines[0].therapy), line_of_business="medicare_advantage", on=line.service_from
    )
    assert vendor not in accepting


def test_redirect_to_an_accepting_vendor_is_no_finding() -> None:
    redirect = {"effect": "redirect", "action": {"action": "use_vendor", "vendor": "coram"}}
    rule = requiring(
        "some.redirect",
        {"fact": "vendor.id", "is": "coram"},
        {"fact": "line.therapy", "is": "anti_tnf"},
        otherwise=redirect,
    )
    assert analyse(rule_set_of(rule)).findings == ()


def changed(table: str, *rows: Sequence[str]) -> dict[str, list[Sequence[str]]]:
    """Return the table with its header and these rows."""
    return {table: [default_document().tables[table][0], *rows]}


CROSSWALK = "J1745", "", "home_health_infusion"


def test_table_gap_is_shown_by_an_order_on_its_first_day() -> None:
    tables = changed(
        "crosswalk",
        (*CROSSWALK, "2020-01-01", "2025-12-31", "plan_default"),
        (*CROSSWALK, "2026-02-01", "", "plan_default"),
    )
    in_crosswalk = requiring("some.crosswalk", {"fact": "line.dofr_category", "is_not": "not_in_crosswalk"})
    rule_set = rule_set_of(in_crosswalk, tables=tables)

    finding = the_finding(analyse(rule_set), FindingKind.TABLE_GAP)

    assert finding.severity is Severity.WARNING
    assert finding.where == ("tables/crosswalk.csv rows 2 and 3",)
    assert "code J1745 from 2026-01-01 to 2026-01-31" in finding.problem
    assert verdicts(decided(finding, rule_set)) == {"some.crosswalk": "not_met"}


def test_table_gap_may_be_a_single_day() -> None:
    rows = [(*CROSSWALK, "2020-01-01", "2025-12-31", "plan_default"), (*CROSSWALK, "2026-01-02", "", "plan_default")]
    (finding,) = gap_findings(changed("crosswalk", *rows))
    assert "from 2026-01-01 to 2026-01-01" in finding.problem


@pytest.mark.parametrize("begins", ["2026-01-01", ""])
def test_consecutive_rows_leave_no_gap(begins: str) -> None:
    ends = ("2025-12-31", "") if begins else ("", "")
    rows = [(*CROSSWALK, "2020-01-01", ends[0], "plan_default")]
    rows += [(*CROSSWALK, begins, ends[1], "plan_default")] if begins else []
    assert list(gap_findings(changed("crosswalk", *rows))) == []


def test_search_beyond_its_bound_is_a_doubt() -> None:
    rule = requiring("some.rule", {"fact": "member.age", "at_least": 21})

    analysis = analyse(rule_set_of(rule), most_orders=2)

    assert (analysis.findings, analysis.rules_shown_to_fail) == ((), 0)
    (doubt,) = analysis.doubts
    assert (doubt.where, doubt.looked_at) == (("some.rule",), "2 orders tried, then stopped")


def test_progress_reaches_the_last_step() -> None:
    steps_done: list[tuple[int, int]] = []
    rules = [requiring(f"some.rule-{age}", {"fact": "member.age", "at_least": age}) for age in (18, 21)]
    analyse(rule_set_of(*rules), progress=lambda done, steps: steps_done.append((done, steps)))
    assert steps_done == [(1, 3), (2, 3), (3, 3)]
