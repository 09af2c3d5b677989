"""Whether the rules that assign one fact are complete and free of overlap."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from infusion_orders.authoring.analysis.cells import TooManyCells, can_hold
from infusion_orders.authoring.analysis.findings import Doubt, Finding, Kind
from infusion_orders.rules.compiled_rule import DATE_OF_SERVICE
from infusion_orders.rules.expression import Comparison, Every, Negation, Some

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infusion_orders.authoring.analysis.orders import OrderSearch
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.expression import Expression
    from infusion_orders.rules.rule_set import RuleSet


def assignment_findings(rule_set: RuleSet, search: OrderSearch, doubts: list[Doubt]) -> Iterator[Finding]:
    """Every overlap of two rules, and every gap of a fact that must be assigned, that an order shows."""
    for target, positions in rule_set.assigning.items():
        rules = [rule_set.rules[position] for position in positions]
        for one, other in combinations(rules, 2):
            where: tuple[str, ...] = (one.rule.id, other.rule.id)
            problem = f"both give {target} a value on the same line: which of them counts would be an accident"
            found = _shown(Every((one.when, other.when)), (Kind.OVERLAP, where, problem), rule_set, search, doubts)
            yield from found
        if rules and rule_set.catalogue.facts[target].must_be_assigned:
            where = tuple(rule.rule.id for rule in rules)
            problem = f"leave a gap: none of them gives {target} a value on this line"
            yield from _shown(_nobody(rules), (Kind.GAP, where, problem), rule_set, search, doubts)


def _nobody(rules: Sequence[CompiledRule]) -> Expression:
    """No rule applies, on a day from which on one of them is in force."""
    starts = [rule.rule.effective.from_ for rule in rules]
    first = min(day for day in starts if day is not None) if all(starts) else None
    in_time: Expression = True if first is None else Comparison(DATE_OF_SERVICE, "at_least", first)
    return Every((in_time, Negation(Some(tuple(rule.when for rule in rules)))))


def _shown(
    fault: Expression,
    told: tuple[Kind, tuple[str, ...], str],
    rule_set: RuleSet,
    search: OrderSearch,
    doubts: list[Doubt],
) -> Iterator[Finding]:
    """A finding where an order shows the fault; a doubt where the cells leave it open and no order was found."""
    kind, where, problem = told
    try:
        if not can_hold(fault, rule_set.catalogue):
            return
    except TooManyCells:
        pass
    found = search.find(fault)
    if found.order is not None:
        yield Finding(kind, where, problem, found.order)
    else:
        doubts.append(Doubt(where, f"Is there an order on which this holds: {problem}?", str(found)))
