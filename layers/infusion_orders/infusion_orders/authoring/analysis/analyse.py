"""The whole analysis of one rule set."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from infusion_orders.authoring.analysis.assignments import assignment_findings
from infusion_orders.authoring.analysis.between_rules import RulesAnalysis, pairs
from infusion_orders.authoring.analysis.findings import Analysis, Doubt, Severity
from infusion_orders.authoring.analysis.orders import MOST_ORDERS, OrderSearch
from infusion_orders.authoring.analysis.table_periods import table_findings
from infusion_orders.authoring.analysis.vendors import vendor_findings

if TYPE_CHECKING:
    from infusion_orders.authoring.analysis.findings import Finding, Progress
    from infusion_orders.rules.rule_set import RuleSet

MOST_PAIRS = 200_000
"""Of more than 632 rules not every two are compared, and that is told."""


def analyse(rule_set: RuleSet, *, most_orders: int = MOST_ORDERS, progress: Progress | None = None) -> Analysis:
    """Bounded in time and memory by the searches' own limits (`most_orders` for each question); deterministic.

    Who is responsible is looked at first: whatever the bounds leave out, it is not that.
    """
    search = OrderSearch(rule_set.catalogue, rule_set.tables, most_orders)
    of_rules = RulesAnalysis(rule_set, search)
    requiring = sum(not rule.assigns for rule in rule_set.rules)
    steps = len(rule_set.rules) + min(MOST_PAIRS, requiring * (requiring - 1) // 2)
    done = 0
    findings: list[Finding] = list(assignment_findings(rule_set, search, of_rules.doubts))
    findings += vendor_findings(rule_set, search)
    for rule in rule_set.rules:
        findings += of_rules.of_one(rule)
        done = _told(progress, done, steps)
    for one, other in islice(pairs(of_rules.alive), MOST_PAIRS):
        findings += of_rules.of_two(one, other)
        done = _told(progress, done, steps)
    left_out = len(of_rules.alive) * (len(of_rules.alive) - 1) // 2 - MOST_PAIRS
    if left_out > 0:
        of_rules.doubts.append(Doubt((), "Does one rule imply or contradict another?", f"{left_out} pairs left out"))
    findings += table_findings(rule_set.tables.rows())
    findings.sort(key=lambda finding: finding.severity is not Severity.ERROR)
    return Analysis(tuple(findings), tuple(of_rules.doubts), of_rules.proved, of_rules.shown_to_fail, requiring)


def _told(progress: Progress | None, done: int, steps: int) -> int:
    if progress is not None:
        progress(done + 1, steps)
    return done + 1
