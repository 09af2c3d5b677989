"""Whether the rules that assign one fact are complete and do not overlap."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from infusion_orders.authoring.analysis.report import AnalysisFinding, Doubt, FindingKind
from infusion_orders.authoring.analysis.satisfiability import TooManyCombinations, can_hold
from infusion_orders.rules.expression import Comparison, Every, Negation, Some
from infusion_orders.rules.resolution import DATE_OF_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infusion_orders.authoring.analysis.order_search import OrderSearch
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.expression import Expression
    from infusion_orders.rules.rule_set import RuleSet


def assignment_findings(rule_set: RuleSet, search: OrderSearch, doubts: list[Doubt]) -> Iterator[AnalysisFinding]:
    """Yield every overlap of two rules, and every gap of a fact that must be assigned, that an order shows."""
    for target, positions in rule_set.assigning.items():
        rules = [rule_set.rules[position] for position in positions]
        for one, other in combinations(rules, 2):
            where: tuple[str, ...] = (one.id, other.id)
            problem = f"both rules assign {target} on the same line; change their conditions so that only one applies"
            fault = Every((one.when, other.when))
            yield from _shown(fault, FindingKind.OVERLAP, where, problem, rule_set, search, doubts)
        if rules and rule_set.catalogue.facts[target].must_be_assigned:
            where = tuple(rule.id for rule in rules)
            problem = f"none of these rules assigns {target} on this line; extend a condition or add a rule"
            yield from _shown(_no_rule_applies(rules), FindingKind.GAP, where, problem, rule_set, search, doubts)


def _no_rule_applies(rules: Sequence[CompiledRule]) -> Expression:
    """Return the condition that no rule applies, on or after the first day on which one of them is in force."""
    starts = [rule.definition.effective.from_ for rule in rules]
    first = min(day for day in starts if day is not None) if all(starts) else None
    in_time: Expression = True if first is None else Comparison(DATE_OF_SERVICE, "at_least", first)
    return Every((in_time, Negation(Some(tuple(rule.when for rule in rules)))))


def _shown(
    fault: Expression,
    kind: FindingKind,
    where: tuple[str, ...],
    problem: str,
    rule_set: RuleSet,
    search: OrderSearch,
    doubts: list[Doubt],
) -> Iterator[AnalysisFinding]:
    """Yield a finding if an order shows the fault; note a doubt if the fault is possible and no order was found."""
    try:
        if not can_hold(fault, rule_set.catalogue):
            return
    except TooManyCombinations:
        pass
    found = search.find(fault)
    if found.order is not None:
        yield AnalysisFinding(kind, where, problem, found.order)
    else:
        doubts.append(Doubt(where, f"Is there an order for which the {kind.value}?", str(found)))
