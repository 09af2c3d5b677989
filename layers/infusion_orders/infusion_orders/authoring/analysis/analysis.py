"""The analysis of a whole rule set: assignments, vendors, each rule, pairs of rules, and tables."""

from __future__ import annotations

from itertools import combinations, islice
from math import comb
from typing import TYPE_CHECKING

from infusion_orders.authoring.analysis.assignments import assignment_findings
from infusion_orders.authoring.analysis.conditions import ConditionAnalysis
from infusion_orders.authoring.analysis.order_search import MOST_ORDERS, OrderSearch
from infusion_orders.authoring.analysis.report import Analysis, AnalysisFinding, Doubt, FindingKind, Severity
from infusion_orders.authoring.analysis.samples import COMPLETE
from infusion_orders.authoring.analysis.table_gaps import gap_findings
from infusion_orders.rules.expression import Comparison, Every

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.authoring.analysis.report import Progress
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.rule_set import RuleSet

MOST_PAIRS = 200_000
"""Above 632 rules some pairs are skipped; the report says how many."""


def analyse(rule_set: RuleSet, *, most_orders: int = MOST_ORDERS, progress: Progress | None = None) -> Analysis:
    """Analyse a rule set.  The result is deterministic; `most_orders` bounds the search for each question.

    Assignments come first, so that the bound on all searches together never skips who is responsible.
    """
    search = OrderSearch(rule_set.catalogue, rule_set.tables, most_orders)
    conditions = ConditionAnalysis(rule_set, search)
    requiring = sum(not rule.assigns for rule in rule_set.rules)
    steps = len(rule_set.rules) + min(MOST_PAIRS, comb(requiring, 2))
    findings: list[AnalysisFinding] = list(assignment_findings(conditions))
    findings += vendor_findings(rule_set, search)
    for done, rule in enumerate(rule_set.rules, start=1):
        findings += conditions.rule_findings(rule)
        if progress is not None:
            progress(done, steps)
    pairs = islice(combinations(conditions.alive, 2), MOST_PAIRS)
    for done, (one, other) in enumerate(pairs, start=len(rule_set.rules) + 1):
        findings += conditions.pair_findings(one, other)
        if progress is not None:
            progress(done, steps)
    skipped = comb(len(conditions.alive), 2) - MOST_PAIRS
    if skipped > 0:
        question = "Does one rule imply or contradict another?"
        conditions.doubts.append(Doubt((), question, f"{skipped} pairs of rules were skipped"))
    findings += gap_findings(rule_set.tables.rows())
    findings.sort(key=lambda finding: finding.severity is not Severity.ERROR)
    return Analysis(tuple(findings), tuple(conditions.doubts), conditions.proved, conditions.shown_to_fail, requiring)


def vendor_findings(rule_set: RuleSet, search: OrderSearch) -> Iterator[AnalysisFinding]:
    """Yield the rules whose action names a vendor that does not accept the therapy of an order that is sent there.

    A vendor that is given by a fact comes from the table of vendors and needs no check.
    """
    vendors = {row[0] for row in rule_set.tables.rows().get("vendors", ())[1:]}
    for rule in rule_set.rules:
        vendor = _named_vendor(rule)
        if vendor is None:
            continue
        refuses = Comparison("line.contracted_vendors", "contains_none", frozenset({vendor}))
        found = search.find(Every((rule.broken, refuses)))
        if found.order is not None or vendor not in vendors:
            does = (
                "does not accept this order's therapy on its date of service; name a vendor that does"
                if vendor in vendors
                else "is not in tables/vendors.csv; correct the name or add the vendor"
            )
            problem = f"the rule sends the order to the vendor {vendor}, which {does}"
            yield AnalysisFinding(FindingKind.NOBODY_THERE, (rule.id,), problem, found.order or COMPLETE)


def _named_vendor(rule: CompiledRule) -> str | None:
    action = None if rule.definition.otherwise is None else rule.definition.otherwise.action
    return action.vendor if action is not None and isinstance(action.vendor, str) else None
