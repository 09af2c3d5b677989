"""What rules do to each other and to themselves: dead ones, implied ones, and those that contradict each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

from infusion_orders.authoring.analysis.cells import TooManyCells, can_hold
from infusion_orders.authoring.analysis.findings import Doubt, Finding, Kind
from infusion_orders.authoring.analysis.samples import COMPLETE
from infusion_orders.rules.candidates import conjuncts
from infusion_orders.rules.compiled_rule import DATE_OF_SERVICE
from infusion_orders.rules.expression import Every, Negation, comparisons
from infusion_orders.rules.rule import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infusion_orders.authoring.analysis.orders import Json, OrderSearch
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.expression import Expression
    from infusion_orders.rules.rule_set import RuleSet


@dataclass(slots=True)
class RulesAnalysis:
    """The findings and doubts of one rule set's conditions; `proved` counts what was ruled out for every order."""

    rule_set: RuleSet
    search: OrderSearch
    doubts: list[Doubt] = field(default_factory=list)
    proved: int = 0
    shown_to_fail: int = 0
    alive: list[CompiledRule] = field(default_factory=list)
    _facts: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def of_one(self, rule: CompiledRule) -> Iterator[Finding]:
        """Whether the rule can apply, and whether it can fail."""
        if self._is_impossible(rule.when, (rule.rule.id,), "Can it apply?"):
            yield self._never_applies(rule)
            return
        if rule.assigns:
            return
        if self._asks(rule):
            return
        if self._is_impossible(rule.broken, (rule.rule.id,), "Can it fail?"):
            problem = (
                "can never fail: whenever it applies, what it requires holds already. If it is only to ask, require "
                "that the fact is known"
            )
            yield Finding(Kind.NEVER_FAILS, (rule.rule.id,), problem, self._order(rule.when) or COMPLETE)
            return
        self.alive.append(rule)
        found = self.search.find(rule.broken)
        if found.order is not None:
            self.shown_to_fail += 1
        else:
            self.doubts.append(Doubt((rule.rule.id,), "Is there an order that breaks it?", str(found)))

    def of_two(self, one: CompiledRule, other: CompiledRule) -> Iterator[Finding]:
        """Whether one implies the other, and whether they contradict each other.

        Two rules that share facts in their `when` alone are taken to have nothing to do with each other.
        """
        if not self._hang_together(one, other):
            return
        where = (one.rule.id, other.rule.id)
        both = Every((one.when, other.when))
        if self._can_hold(both, where, "Can both apply?") is False:
            return
        for weaker, stronger in ((one, other), (other, one)):
            if self._could_imply(weaker, stronger) and self._implies(weaker, stronger):
                yield from self._implied(weaker, stronger)
                return
        if self._contradict(one, other, both):
            problem = "contradict each other: whatever an order that both apply to says, one of them is not met"
            yield from self._shown(Kind.CONTRADICTION, where, problem, both)

    def _hang_together(self, one: CompiledRule, other: CompiledRule) -> bool:
        """Whether what one requires is something that the other speaks of: else neither can decide the other."""
        return not self._required(one).isdisjoint(self._named(other)) or not self._required(other).isdisjoint(
            self._named(one)
        )

    def _could_imply(self, weaker: CompiledRule, stronger: CompiledRule) -> bool:
        """A warning decides nothing anyway, and a rule says nothing of what it does not name."""
        return (
            weaker.effect is not Effect.WARN
            and _is_as_strong(stronger, weaker)
            and self._required(stronger) <= self._named(weaker)
        )

    def _named(self, rule: CompiledRule) -> frozenset[str]:
        return self._facts.setdefault((rule.rule.id, ""), facts_of(rule.broken))

    def _required(self, rule: CompiledRule) -> frozenset[str]:
        return self._facts.setdefault((rule.rule.id, "require"), facts_of(rule.require))

    def _asks(self, rule: CompiledRule) -> bool:
        """Whether all that the rule requires is that something is known: it can only ever ask."""
        return all(leaf.operator == "known" for leaf in comparisons(rule.require))

    def _implies(self, one: CompiledRule, other: CompiledRule) -> bool:
        """Whether every order that breaks the one breaks the other."""
        where = (one.rule.id, other.rule.id)
        return self._is_impossible(Every((one.broken, Negation(other.broken))), where, "Does one imply the other?")

    def _contradict(self, one: CompiledRule, other: CompiledRule, both: Expression) -> bool:
        """A rule that no order can meet says so on purpose; two that could be met apart but not together do not."""
        where = (one.rule.id, other.rule.id)
        question = "Can both be met?"
        met = Every((both, one.require, other.require))
        if self._can_hold(met, where, question) is not False:
            return False
        return all(self._can_hold(Every((both, rule.require)), where, question) is True for rule in (one, other))

    def _shown(self, kind: Kind, where: tuple[str, ...], problem: str, expression: Expression) -> Iterator[Finding]:
        """What is proved of orders that nobody can send is a doubt, not a fault."""
        found = self.search.find(expression)
        if found.order is not None:
            yield Finding(kind, where, problem, found.order)
        else:
            question = f"Is there an order that shows that they are: {kind.value}?"
            self.doubts.append(Doubt(where, question, str(found)))

    def _implied(self, weaker: CompiledRule, stronger: CompiledRule) -> Iterator[Finding]:
        problem = (
            f"is implied by {stronger.rule.id}: whatever breaks it breaks that rule too, so its effect "
            f"({weaker.effect}) is never what decides"
        )
        where = (weaker.rule.id, stronger.rule.id)
        yield from self._shown(Kind.IMPLIED, where, problem, Every((weaker.broken, stronger.broken)))

    def _never_applies(self, rule: CompiledRule) -> Finding:
        parts = list(conjuncts(rule.when))
        core = self._core(parts)
        facts = ", ".join(dict.fromkeys(leaf.fact for part in core for leaf in comparisons(part)))
        problem = f"can never apply: no values of {facts} meet all of its conditions"
        nearest = next(
            (order for part in reversed(core) if (order := self._order(_all_but(parts, part))) is not None), None
        )
        return Finding(Kind.NEVER_APPLIES, (rule.rule.id,), problem, nearest or COMPLETE)

    def _core(self, parts: Sequence[Expression]) -> list[Expression]:
        """Conditions that cannot hold together, none of which could be spared."""
        core = list(parts)
        for part in parts:
            fewer = [other for other in core if other is not part]
            if fewer and self._can_hold(Every(tuple(fewer)), (), "") is False:
                core = fewer
        return core

    def _order(self, expression: Expression) -> Json | None:
        return self.search.find(expression).order

    def _is_impossible(self, expression: Expression, where: tuple[str, ...], question: str) -> bool:
        return self._can_hold(expression, where, question) is False

    def _can_hold(self, expression: Expression, where: tuple[str, ...], question: str) -> bool | None:
        """None, and a doubt, where the cells are too many to tell."""
        try:
            found = can_hold(expression, self.rule_set.catalogue)
        except TooManyCells:
            if where:
                self.doubts.append(Doubt(where, question, "too many cells to enumerate"))
            return None
        self.proved += 1
        return found


def pairs(rules: Sequence[CompiledRule]) -> Iterator[tuple[CompiledRule, CompiledRule]]:
    """Every two rules once."""
    return combinations(rules, 2)


def facts_of(expression: Expression) -> frozenset[str]:
    """The facts that a condition names, without the day of service, on which nearly all of them hang."""
    leaves = comparisons(expression)
    names = {name for leaf in leaves for name in (leaf.fact, leaf.other) if name is not None}
    return frozenset(names - {DATE_OF_SERVICE})


def _is_as_strong(one: CompiledRule, other: CompiledRule) -> bool:
    effects = list(Effect)
    return (
        one.effect is not None and other.effect is not None and effects.index(one.effect) <= effects.index(other.effect)
    )


def _all_but(parts: Sequence[Expression], left_out: Expression) -> Expression:
    return Every(tuple(part for part in parts if part is not left_out))
