"""Faults in the conditions of one rule or of two: dead rules, implied rules, and rules that contradict each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infusion_orders.authoring.analysis.report import AnalysisFinding, Doubt, FindingKind
from infusion_orders.authoring.analysis.samples import COMPLETE
from infusion_orders.authoring.analysis.satisfiability import Satisfiability, TooManyCombinations
from infusion_orders.rules.expression import Every, Negation, comparisons, conjuncts
from infusion_orders.rules.resolution import DATE_OF_SERVICE
from infusion_orders.rules.rule import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infusion_orders.authoring.analysis.order_search import Json, OrderSearch
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.expression import Expression
    from infusion_orders.rules.rule_set import RuleSet

STRENGTH = {effect: strength for strength, effect in enumerate(reversed(Effect))}


@dataclass(slots=True)
class ConditionAnalysis:
    """Analyses the conditions of one rule set.

    `proved` counts the conditions that were settled for every order, `shown_to_fail` the rules that some order breaks.
    `alive` are the rules that may be broken: only these are compared in pairs.
    """

    rule_set: RuleSet
    search: OrderSearch
    doubts: list[Doubt] = field(default_factory=list)
    proved: int = 0
    shown_to_fail: int = 0
    alive: list[CompiledRule] = field(default_factory=list)
    _facts: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def rule_findings(self, rule: CompiledRule) -> Iterator[AnalysisFinding]:
        """Yield a finding if the rule can never apply, or can never be broken."""
        where = (rule.id,)
        if self.can_hold(rule.when, where, "Can it apply?") is False:
            yield self._never_applies(rule)
            return
        if rule.assigns or _only_asks(rule):
            return
        if self.can_hold(rule.broken, where, "Can it fail?") is False:
            problem = (
                "the rule can never fail: whenever it applies, its requirement is already true. If it should only ask "
                "for a fact, require that the fact is `known`"
            )
            yield AnalysisFinding(FindingKind.NEVER_FAILS, where, problem, self._order(rule.when) or COMPLETE)
            return
        self.alive.append(rule)
        found = self.search.find(rule.broken)
        if found.order is not None:
            self.shown_to_fail += 1
        else:
            self.doubts.append(Doubt(where, "Is there an order that breaks it?", str(found)))

    def pair_findings(self, one: CompiledRule, other: CompiledRule) -> Iterator[AnalysisFinding]:
        """Yield a finding if one rule implies the other, or if the two contradict each other.

        Rules whose requirements name no fact of the other rule are skipped: neither can decide the other.
        """
        if not self._are_related(one, other):
            return
        where = (one.id, other.id)
        both = Every((one.when, other.when))
        if self.can_hold(both, where, "Can both apply?") is False:
            return
        for weaker, stronger in ((one, other), (other, one)):
            if self._could_imply(weaker, stronger) and self._implies(weaker, stronger):
                yield from self._implied(weaker, stronger)
                return
        if self._contradict(one, other, both):
            problem = "the rules contradict each other: every order that both apply to breaks one of them"
            yield from self.shown(FindingKind.CONTRADICTION, where, problem, both)

    def _are_related(self, one: CompiledRule, other: CompiledRule) -> bool:
        return not self._required(one).isdisjoint(self._named(other)) or not self._required(other).isdisjoint(
            self._named(one)
        )

    def _could_imply(self, weaker: CompiledRule, stronger: CompiledRule) -> bool:
        """Return whether it is worth proving that the stronger rule makes the weaker one superfluous.

        A warning never decides an outcome, and no rule can be implied by facts that it does not name.
        """
        return (
            weaker.effect is not Effect.WARN
            and _is_as_strong(stronger, weaker)
            and self._required(stronger) <= self._named(weaker)
        )

    def _named(self, rule: CompiledRule) -> frozenset[str]:
        return self._facts.setdefault((rule.id, ""), facts_of(rule.broken))

    def _required(self, rule: CompiledRule) -> frozenset[str]:
        return self._facts.setdefault((rule.id, "require"), facts_of(rule.require))

    def _implies(self, one: CompiledRule, other: CompiledRule) -> bool:
        """Return whether it is proved that every order that breaks the one rule breaks the other."""
        only_one = Every((one.broken, Negation(other.broken)))
        return self.can_hold(only_one, (one.id, other.id), "Does one imply the other?") is False

    def _contradict(self, one: CompiledRule, other: CompiledRule, both: Expression) -> bool:
        """Return whether each rule can be met where both apply, but not both of them.

        A rule that no order can meet forbids something on purpose and contradicts nothing.
        """
        where = (one.id, other.id)
        question = "Can both be met?"
        met = Every((both, one.require, other.require))
        if self.can_hold(met, where, question) is not False:
            return False
        return all(self.can_hold(Every((both, rule.require)), where, question) is True for rule in (one, other))

    def shown(
        self, kind: FindingKind, where: tuple[str, ...], problem: str, expression: Expression
    ) -> Iterator[AnalysisFinding]:
        """Yield the finding if an order shows it; otherwise note a doubt, because perhaps no such order can exist."""
        found = self.search.find(expression)
        if found.order is not None:
            yield AnalysisFinding(kind, where, problem, found.order)
        else:
            self.doubts.append(Doubt(where, f"Is there an order that shows this: {kind.value}?", str(found)))

    def _implied(self, weaker: CompiledRule, stronger: CompiledRule) -> Iterator[AnalysisFinding]:
        problem = (
            f"the rule {weaker.id} is implied by {stronger.id}: every order that breaks the first also "
            f"breaks the second, so its effect ({weaker.effect}) never decides. Narrow one of them, or remove the first"
        )
        where = (weaker.id, stronger.id)
        yield from self.shown(FindingKind.IMPLIED, where, problem, Every((weaker.broken, stronger.broken)))

    def _never_applies(self, rule: CompiledRule) -> AnalysisFinding:
        """Name the facts whose conditions exclude each other, and show an order that meets all conditions but one."""
        parts = list(conjuncts(rule.when))
        core = self._core(parts)
        facts = ", ".join(dict.fromkeys(leaf.fact for part in core for leaf in comparisons(part)))
        problem = f"the rule can never apply: its conditions on {facts} exclude each other"
        nearest = next(
            (order for part in reversed(core) if (order := self._order(_all_but(parts, part))) is not None), None
        )
        return AnalysisFinding(FindingKind.NEVER_APPLIES, (rule.id,), problem, nearest or COMPLETE)

    def _core(self, parts: Sequence[Expression]) -> list[Expression]:
        """Return a smallest selection of the conditions that cannot all be true."""
        core = list(parts)
        for part in parts:
            fewer = [other for other in core if other is not part]
            if fewer and self.can_hold(Every(tuple(fewer))) is False:
                core = fewer
        return core

    def _order(self, expression: Expression) -> Json | None:
        return self.search.find(expression).order

    def can_hold(self, expression: Expression, where: tuple[str, ...] = (), question: str = "") -> bool | None:
        """Return whether the condition can be true; None, with a doubt, if there are too many combinations to try."""
        try:
            found = Satisfiability(expression, self.rule_set.catalogue).solution() is not None
        except TooManyCombinations:
            if where:
                self.doubts.append(Doubt(where, question, "too many combinations of values to try"))
            return None
        self.proved += 1
        return found


def facts_of(expression: Expression) -> frozenset[str]:
    """Return the facts that a condition names, without the date of service, which nearly every rule depends on."""
    leaves = comparisons(expression)
    names = {name for leaf in leaves for name in (leaf.fact, leaf.other) if name is not None}
    return frozenset(names - {DATE_OF_SERVICE})


def _only_asks(rule: CompiledRule) -> bool:
    """Return whether the rule requires only that facts are known: it can ask for them, but never fail."""
    return all(leaf.operator == "known" for leaf in comparisons(rule.require))


def _is_as_strong(one: CompiledRule, other: CompiledRule) -> bool:
    return one.effect is not None and other.effect is not None and STRENGTH[one.effect] >= STRENGTH[other.effect]


def _all_but(parts: Sequence[Expression], left_out: Expression) -> Expression:
    return Every(tuple(part for part in parts if part is not left_out))
