"""One immutable version of the rules with its tables, compiled and ready to decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from infusion_orders.codes.tables import ReferenceTables
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.fact import Kind
from infusion_orders.rules.assignment import Assignment, rewrite
from infusion_orders.rules.compilation import compile_expression, once, verdict_by
from infusion_orders.rules.expression import Comparison, Every, Negation, comparisons
from infusion_orders.rules.gates import Gates, conjuncts, is_of_one_fact
from infusion_orders.rules.resolution import Resolver
from infusion_orders.rules.rule import Effect, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.compilation import Judge, Test
    from infusion_orders.rules.document import RuleSetDocument
    from infusion_orders.rules.expression import Expression
    from infusion_orders.rules.rule import Period

DATE_OF_SERVICE = "line.date_of_service"
LONGEST_CHAIN = 10
"""Assigned facts may rest on others, at most so many deep: a circle is found by exceeding it."""


class CircularAssignment(ValueError):
    """Assigned facts that rest on each other; the text names one of them."""


@dataclass(frozen=True, slots=True)
class ResolvedRule:
    """A rule with typed conditions.  `when` includes the rule's period; assigned facts still stand by name."""

    rule: Rule
    in_force: Expression
    when: Expression
    require: Expression


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule to judge lines by: `when` and `require` speak of read and derived facts only.

    `shown` are the facts that a finding shows: those that the rule names and what a partner sent for them.
    """

    rule: Rule
    when: Expression
    require: Expression
    applies: Test
    holds: Test
    shown: tuple[str, ...] = ()
    verdict: Judge = field(init=False)
    effect: Effect | None = field(init=False)
    assigns: bool = field(init=False)
    is_of_order: bool = field(init=False)

    def __post_init__(self) -> None:
        """What every judgement looks at is kept at hand; an assigning rule has no effect."""
        assigns = self.rule.assign is not None
        object.__setattr__(self, "effect", None if self.rule.otherwise is None else self.rule.otherwise.effect)
        object.__setattr__(self, "assigns", assigns)
        object.__setattr__(self, "is_of_order", self.rule.scope is Scope.ORDER)
        object.__setattr__(self, "verdict", verdict_by(self.applies, self.holds, assigns=assigns))

    @property
    def broken(self) -> Expression:
        """True when the rule applies and is not met."""
        return Every((self.when, Negation(self.require)))

    @property
    def asked_of_single_facts(self) -> Iterator[Comparison]:
        """Comparisons of one fact with a constant that must hold, or else the rule does not apply."""
        return filter(is_of_one_fact, conjuncts(self.when))


@dataclass(frozen=True, slots=True)
class RuleSet:
    """`digest` names the content, `version` the publication; rules are sorted by id."""

    name: str
    version: int
    digest: str
    rules: tuple[CompiledRule, ...]
    tables: ReferenceTables
    catalogue: Catalogue
    of_effect: Mapping[Effect, tuple[int, ...]] = field(init=False)
    assigning: Mapping[str, tuple[int, ...]] = field(init=False)
    gates: Gates = field(init=False)

    def __post_init__(self) -> None:
        """The positions of the rules of each effect, and of those that assign each fact."""
        numbered = tuple(enumerate(self.rules))
        of_effect = {effect: tuple(at for at, rule in numbered if rule.effect is effect) for effect in Effect}
        assigning = {
            target: tuple(at for at, rule in numbered if target in (rule.rule.assign or {}))
            for target in self.catalogue.assigned
        }
        object.__setattr__(self, "of_effect", of_effect)
        object.__setattr__(self, "assigning", assigning)
        object.__setattr__(self, "gates", Gates(self.rules, self.catalogue))

    @classmethod
    def from_document(
        cls, document: RuleSetDocument, *, version: int, digest: str, catalogue: Catalogue = CATALOGUE
    ) -> RuleSet:
        """From a document that passed its checks and whose digest was verified."""
        rules = tuple(Rule.model_validate(rule) for rule in document.rules)
        tables = ReferenceTables.from_rows(document.tables, checked=True)
        return cls(document.name, version, digest, compile_rules(rules, catalogue), tables, catalogue)


def resolve(rule: Rule, resolver: Resolver) -> ResolvedRule:
    """The rule's conditions over the resolver's catalogue; problems are noted there."""
    resolver.line_facts_allowed = rule.scope is Scope.LINE
    in_force = _in_force(rule.effective)
    when = True if rule.when is None else resolver.expression(rule.when, "when")
    require = True if rule.require is None else resolver.expression(rule.require, "require")
    return ResolvedRule(rule, in_force, when, require)


def _in_force(period: Period) -> Expression:
    bounds = [("at_least", period.from_), ("at_most", period.to)]
    leaves = tuple(Comparison(DATE_OF_SERVICE, operator, bound) for operator, bound in bounds if bound is not None)
    return Every(leaves) if len(leaves) > 1 else leaves[0] if leaves else True


def compile_rules(rules: Iterable[Rule], catalogue: Catalogue) -> tuple[CompiledRule, ...]:
    """Sorted by id.  Raises CircularAssignment."""
    resolver = Resolver(catalogue)
    resolved = [resolve(rule, resolver) for rule in sorted(rules, key=lambda rule: rule.id)]
    assignments = assignments_of(resolved)

    def without_assigned(expression: Expression) -> Expression:
        for _ in range(LONGEST_CHAIN):
            rewritten = rewrite(expression, assignments, catalogue.assigned)
            if rewritten == expression:
                return expression
            expression = rewritten
        message = "assigned facts rest on each other in a circle"
        raise CircularAssignment(message)

    shared: dict[Expression, Test] = {}
    for each in resolved:
        if each.rule.assign is not None:
            applies = without_assigned(_both(each.in_force, each.when))
            shared[applies] = once(compile_expression(applies, shared), f"applies: {each.rule.id}")
    return tuple(_compile(each, without_assigned, shared, catalogue) for each in resolved)


def assignments_of(resolved: Iterable[ResolvedRule]) -> dict[str, list[Assignment]]:
    """The rules that assign, by target."""
    assignments: dict[str, list[Assignment]] = {}
    for each in resolved:
        for target, value in (each.rule.assign or {}).items():
            literal, fact = (value, None) if isinstance(value, str) else (None, value.fact)
            found = Assignment(each.rule.id, _both(each.in_force, each.when), literal, fact)
            assignments.setdefault(target, []).append(found)
    return assignments


def _both(first: Expression, second: Expression) -> Expression:
    if first is True:
        return second
    return first if second is True else Every((first, second))


def _compile(
    resolved: ResolvedRule,
    without_assigned: Callable[[Expression], Expression],
    shared: Mapping[Expression, Test],
    catalogue: Catalogue,
) -> CompiledRule:
    when = without_assigned(_both(resolved.in_force, resolved.when))
    require = without_assigned(resolved.require)
    return CompiledRule(
        resolved.rule,
        when,
        require,
        compile_expression(when, shared),
        compile_expression(require, shared),
        _shown(resolved.when, require, catalogue),
    )


def _shown(when: Expression, require: Expression, catalogue: Catalogue) -> tuple[str, ...]:
    """Of assigned facts in `when` only the name matters; in `require` what they come from is the reason."""
    named = [name for part in (when, require) for leaf in comparisons(part) for name in (leaf.fact, leaf.other)]
    facts = [catalogue.facts[name] for name in dict.fromkeys(named) if name is not None]
    sent = [
        source
        for fact in facts
        for source in fact.derived_from
        if catalogue.facts[source].read is not None and catalogue.facts[source].kind is not Kind.STRUCTURE
    ]
    names = dict.fromkeys([*(fact.name for fact in facts), *sent])
    return tuple(name for name in names if name not in catalogue.assigned)


def any_date_in(period: Period) -> date:
    """A date of service on which a rule with that period is in force."""
    return period.from_ or period.to or date(2025, 1, 1)
