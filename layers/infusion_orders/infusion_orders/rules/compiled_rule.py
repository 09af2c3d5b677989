"""A rule to judge lines by, made of its plain JSON piece by piece, each when it is first wanted.

Of a large rule set most rules are never candidates for an order: they are neither validated again nor compiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from infusion_orders.rules.assignment import Assignment, rewrite
from infusion_orders.rules.compilation import SharedTest, compile_expression, compile_verdict
from infusion_orders.rules.expression import Comparison, Every, Negation, comparisons
from infusion_orders.rules.resolution import Resolver
from infusion_orders.rules.rule import Effect, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from infusion_orders.facts.fact import Catalogue, Kind
    from infusion_orders.rules.compilation import Judge
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


class CompiledRule:
    """A rule to judge lines by: `when` and `require` speak of read and derived facts only.

    Everything but the attributes set at once raises, for a rule that never passed its checks, what these would tell.
    """

    def __init__(self, plain: Mapping[str, Any], compilation: Compilation) -> None:
        """`plain` is the rule's JSON.  An assigning rule has no effect."""
        self._plain = plain
        self._compilation = compilation
        self.id: str = plain["id"]
        otherwise = plain.get("otherwise")
        self.effect = None if otherwise is None else Effect(otherwise["effect"])
        self.assigned: tuple[str, ...] = tuple(plain.get("assign") or ())
        self.assigns = bool(self.assigned)
        self.is_of_order = plain["scope"] == Scope.ORDER.value

    def asked_of_single_facts(self, kinds: Container[Kind]) -> Iterator[tuple[str, str, Any]]:
        """Facts of these kinds, and its date, each with an operator and an operand: where one fails, it does not apply.

        As they stand in the plain JSON: that is all that is needed to know that a rule is no candidate.
        """
        period = self._plain.get("effective") or {}
        for operator, bound in (("at_least", period.get("from")), ("at_most", period.get("to"))):
            if bound is not None:
                yield DATE_OF_SERVICE, operator, bound
        catalogue = self._compilation.catalogue
        for leaf in _leaves_that_must_hold(self._plain.get("when")):
            name = leaf["fact"]
            if catalogue.facts[name].kind in kinds and name not in catalogue.assigned:
                for operator, operand in leaf.items():
                    if operator != "fact" and operand.__class__ is not dict:
                        yield name, operator, operand

    @cached_property
    def rule(self) -> Rule:
        """As its author wrote it."""
        return Rule.model_validate(self._plain)

    @cached_property
    def resolved(self) -> ResolvedRule:
        """With typed conditions, in which assigned facts stand by name."""
        return resolve(self.rule, Resolver(self._compilation.catalogue))

    @cached_property
    def when(self) -> Expression:
        """Whether it applies, the period included."""
        return self._compilation.without_assigned(_both(self.resolved.in_force, self.resolved.when))

    @cached_property
    def require(self) -> Expression:
        """What must hold where it applies."""
        return self._compilation.without_assigned(self.resolved.require)

    @cached_property
    def verdict(self) -> Judge:
        """The verdict as a function of the facts."""
        return self.verdict_where(self.when)

    def verdict_where(self, when: Expression) -> Judge:
        """The verdict as a function of the facts, if it applies where this holds."""
        return compile_verdict(when, self.require, self._compilation.shared, assigns=self.assigns)

    @cached_property
    def pointers(self) -> tuple[str, ...]:
        """Of the facts shown, into the partner's payload, `{line}` standing for the line's index; none twice."""
        catalogue = self._compilation.catalogue
        return tuple(dict.fromkeys(pointer for name in self.shown for pointer in catalogue.pointers(name)))

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The facts that a finding shows: those that the rule names and what a partner sent for them."""
        return _shown(self.resolved.when, self.require, self._compilation.catalogue)

    @cached_property
    def observable(self) -> tuple[str, ...]:
        """Those of the facts shown whose values are shown too: none that identifies a person."""
        return tuple(name for name in self.shown if not self._compilation.catalogue.facts[name].private)

    @property
    def broken(self) -> Expression:
        """True when the rule applies and is not met."""
        return Every((self.when, Negation(self.require)))


class Compilation:
    """What the rules of one set have in common: the vocabulary, and when each of them assigns."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.assigning: Sequence[CompiledRule] = ()

    @cached_property
    def _assignments(self) -> dict[str, list[Assignment]]:
        """By target."""
        assignments: dict[str, list[Assignment]] = {}
        for each in (rule.resolved for rule in self.assigning):
            for target, value in (each.rule.assign or {}).items():
                literal, fact = (value, None) if isinstance(value, str) else (None, value.fact)
                found = Assignment(each.rule.id, _both(each.in_force, each.when), literal, fact)
                assignments.setdefault(target, []).append(found)
        return assignments

    @cached_property
    def shared(self) -> Mapping[Expression, SharedTest]:
        """When rules assign: other rules rest on that too, so each is worked out once a line."""
        shared: dict[Expression, SharedTest] = {}
        for rule in self.assigning:
            shared[rule.when] = SharedTest(f"applies: {rule.id}", compile_expression(rule.when, shared))
        return shared

    def without_assigned(self, expression: Expression) -> Expression:
        """Over facts that are read and derived.  Raises CircularAssignment."""
        for _ in range(LONGEST_CHAIN):
            rewritten = rewrite(expression, self._assignments, self.catalogue.assigned)
            if rewritten == expression:
                return expression
            expression = rewritten
        message = "assigned facts rest on each other in a circle"
        raise CircularAssignment(message)


def compile_rules(rules: Iterable[Mapping[str, Any]], catalogue: Catalogue) -> tuple[CompiledRule, ...]:
    """Of plain JSON, sorted by id."""
    compilation = Compilation(catalogue)
    compiled = tuple(CompiledRule(plain, compilation) for plain in sorted(rules, key=lambda plain: str(plain["id"])))
    compilation.assigning = [rule for rule in compiled if rule.assigns]
    return compiled


def compile_all(rules: Iterable[CompiledRule]) -> None:
    """Now, and not when they are first wanted.  Raises what is wrong with one of them, such as CircularAssignment."""
    for rule in rules:
        _ = rule.verdict, rule.shown


def _leaves_that_must_hold(condition: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    waiting = [] if condition is None else [condition]
    while waiting:
        part = waiting.pop()
        if "all" in part:
            waiting += part["all"]
        elif "any" not in part and "not" not in part:
            yield part


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


def _both(first: Expression, second: Expression) -> Expression:
    if first is True:
        return second
    return first if second is True else Every((first, second))


def _shown(when: Expression, require: Expression, catalogue: Catalogue) -> tuple[str, ...]:
    """Of assigned facts in `when` only the name matters; in `require` what they come from is the reason."""
    named = [name for part in (when, require) for leaf in comparisons(part) for name in (leaf.fact, leaf.other)]
    facts = [catalogue.facts[name] for name in dict.fromkeys(named) if name is not None]
    sources = [source for fact in facts for source in catalogue.shown_sources(fact.name)]
    names = dict.fromkeys([*(fact.name for fact in facts), *sources])
    return tuple(name for name in names if name not in catalogue.assigned)


def any_date_in(period: Period) -> date:
    """A date of service on which a rule with that period is in force."""
    return period.from_ or period.to or date(2025, 1, 1)
