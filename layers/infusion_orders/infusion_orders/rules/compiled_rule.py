"""A rule in the forms that a decision needs: JSON, validated model, typed conditions, and a function of the facts.

Each form is made from the one before it when it is first needed.  In a large rule set most rules never become a
candidate, and only their JSON is read.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Scope
from infusion_orders.rules.assignments import Assignment, without_assigned_facts
from infusion_orders.rules.evaluation import compile_expression, compile_verdict
from infusion_orders.rules.expression import Every, Negation, comparisons
from infusion_orders.rules.resolution import DATE_OF_SERVICE, Resolver, resolve
from infusion_orders.rules.rule import Effect, Rule

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from infusion_orders.facts.fact import Catalogue, Kind
    from infusion_orders.rules.evaluation import Judge, Test
    from infusion_orders.rules.expression import Expression
    from infusion_orders.rules.resolution import ResolvedRule


class CompiledRule:
    """A rule that lines can be judged by.

    The attributes of a rule that never passed its checks raise what the checks would report.
    """

    def __init__(self, plain: Mapping[str, Any], siblings: RulesOfSet) -> None:
        """`plain` is the JSON of the rule.  A rule that assigns has no effect."""
        self._plain = plain
        self._siblings = siblings
        self.id: str = plain["id"]
        otherwise = plain.get("otherwise")
        self.effect = None if otherwise is None else Effect(otherwise["effect"])
        self.assigned: tuple[str, ...] = tuple(plain.get("assign") or ())
        self.assigns = bool(self.assigned)
        self.is_of_order = plain["scope"] == Scope.ORDER.value

    def necessary_comparisons(self, kinds: Container[Kind]) -> Iterator[tuple[str, str, Any]]:
        """Yield (fact, operator, operand as written) for comparisons that must hold for the rule to apply.

        Only facts of these kinds, and the rule's period.  Everything is read from the JSON, so that a rule that is no
        candidate is never validated or compiled.
        """
        period = self._plain.get("effective") or {}
        for operator, bound in (("at_least", period.get("from")), ("at_most", period.get("to"))):
            if bound is not None:
                yield DATE_OF_SERVICE, operator, bound
        catalogue = self._siblings.catalogue
        for leaf in _necessary_leaves(self._plain.get("when")):
            name = leaf["fact"]
            if catalogue.facts[name].kind in kinds and name not in catalogue.assigned:
                for operator, operand in leaf.items():
                    if operator != "fact" and not isinstance(operand, dict):
                        yield name, operator, operand

    @cached_property
    def definition(self) -> Rule:
        """The rule as its author wrote it."""
        return Rule.model_validate(self._plain)

    @cached_property
    def resolved(self) -> ResolvedRule:
        """The rule with typed conditions, in which assigned facts still appear by name."""
        return resolve(self.definition, Resolver(self._siblings.catalogue))

    @cached_property
    def when(self) -> Expression:
        """The condition under which the rule applies, its period included."""
        return self._siblings.without_assigned_facts(self.resolved.applies)

    @cached_property
    def require(self) -> Expression:
        """The condition that must hold where the rule applies."""
        return self._siblings.without_assigned_facts(self.resolved.require)

    @property
    def broken(self) -> Expression:
        """The condition that is true if the rule applies and is not met."""
        return Every((self.when, Negation(self.require)))

    @cached_property
    def judge(self) -> Judge:
        """The function from the facts of a line to the verdict."""
        return compile_verdict(self.when, self.require, assigns=self.assigns)

    @cached_property
    def requirement_holds(self) -> Test:
        """The function from the facts of a line to the truth of `require`."""
        return compile_expression(self.require)

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The facts that a finding shows: those that the rule names, and what partners send for them.

        Of an assigned fact in `when` nothing is shown; in `require` the facts behind it are.
        """
        catalogue = self._siblings.catalogue
        leaves = [*comparisons(self.resolved.when), *comparisons(self.require)]
        named = dict.fromkeys(name for leaf in leaves for name in (leaf.fact, leaf.other) if name is not None)
        sources = [source for name in named for source in catalogue.shown_sources(name)]
        return tuple(name for name in dict.fromkeys([*named, *sources]) if name not in catalogue.assigned)

    @cached_property
    def observable(self) -> tuple[str, ...]:
        """The facts shown whose values may be shown too: all except those that identify a person."""
        return tuple(name for name in self.shown if not self._siblings.catalogue.facts[name].private)

    @cached_property
    def pointers(self) -> tuple[str, ...]:
        """The pointers of the facts shown into the partner's order; `{line}` stands for the line's index."""
        catalogue = self._siblings.catalogue
        return tuple(dict.fromkeys(pointer for name in self.shown for pointer in catalogue.pointers(name)))


class RulesOfSet:
    """What the rules of one set share: the catalogue of facts, and the rules that assign facts."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.assigning: Sequence[CompiledRule] = ()

    @cached_property
    def _assignments(self) -> dict[str, list[Assignment]]:
        """The assignments by the fact that they give a value."""
        assignments: dict[str, list[Assignment]] = {}
        for resolved in (rule.resolved for rule in self.assigning):
            for target, value in (resolved.rule.assign or {}).items():
                literal, fact = (value, None) if isinstance(value, str) else (None, value.fact)
                assignment = Assignment(resolved.rule.id, resolved.applies, literal, fact)
                assignments.setdefault(target, []).append(assignment)
        return assignments

    def without_assigned_facts(self, expression: Expression) -> Expression:
        """Return the expression over facts that are sent or derived.  Raises CircularAssignment."""
        return without_assigned_facts(expression, self._assignments, self.catalogue.assigned)


def compile_rules(rules: Iterable[Mapping[str, Any]], catalogue: Catalogue) -> tuple[CompiledRule, ...]:
    """Return the rules of a set, given in plain JSON, sorted by id."""
    siblings = RulesOfSet(catalogue)
    compiled = tuple(CompiledRule(plain, siblings) for plain in sorted(rules, key=lambda plain: str(plain["id"])))
    siblings.assigning = [rule for rule in compiled if rule.assigns]
    return compiled


def compile_all(rules: Iterable[CompiledRule]) -> None:
    """Compile every rule now.  Raises what is wrong with one of them, such as CircularAssignment."""
    for rule in rules:
        _ = rule.judge, rule.shown


def _necessary_leaves(condition: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    """The leaves of a condition in plain JSON that must hold for the whole to hold."""
    waiting = [] if condition is None else [condition]
    while waiting:
        part = waiting.pop()
        if "all" in part:
            waiting += part["all"]
        elif "any" not in part and "not" not in part:
            yield part
