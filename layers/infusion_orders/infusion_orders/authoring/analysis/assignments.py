"""Whether the rules that assign one fact are complete and do not overlap."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from infusion_orders.authoring.analysis.report import FindingKind
from infusion_orders.rules.expression import Comparison, Every, Negation, Some
from infusion_orders.rules.resolution import DATE_OF_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infusion_orders.authoring.analysis.conditions import ConditionAnalysis
    from infusion_orders.authoring.analysis.report import AnalysisFinding
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.expression import Expression


def assignment_findings(conditions: ConditionAnalysis) -> Iterator[AnalysisFinding]:
    """Yield every overlap of two rules, and every gap of a fact that must be assigned, that an order shows."""
    rule_set = conditions.rule_set
    for target, positions in rule_set.assigning.items():
        rules = [rule_set.rules[position] for position in positions]
        faults: list[tuple[FindingKind, Sequence[CompiledRule], str, Expression]] = []
        problem = f"both rules assign {target} on the same line; change their conditions so that only one applies"
        for one, other in combinations(rules, 2):
            faults.append((FindingKind.OVERLAP, (one, other), problem, Every((one.when, other.when))))
        if rules and rule_set.catalogue.facts[target].must_be_assigned:
            problem = f"none of these rules assigns {target} on this line; extend a condition or add a rule"
            faults.append((FindingKind.GAP, rules, problem, _no_rule_applies(rules)))
        for kind, involved, problem, fault in faults:
            if conditions.can_hold(fault) is not False:
                yield from conditions.shown(kind, tuple(rule.id for rule in involved), problem, fault)


def _no_rule_applies(rules: Sequence[CompiledRule]) -> Expression:
    """Return the condition that no rule applies, on or after the first day on which one of them is in force."""
    starts = [rule.definition.effective.from_ for rule in rules]
    first = min(day for day in starts if day is not None) if all(starts) else None
    in_time: Expression = True if first is None else Comparison(DATE_OF_SERVICE, "at_least", first)
    return Every((in_time, Negation(Some(tuple(rule.when for rule in rules)))))
