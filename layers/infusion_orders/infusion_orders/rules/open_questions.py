"""Which unknown facts to ask for: enough to settle the rules whatever the answers, and none that could be spared.

Given the rules of one effect that are unknown, the effect is settled as soon as one of them is broken or none of them
can be.  All unknown facts that they name are enough to settle it (each rule is then known); a fact is kept only if
some answers to the others would leave the effect hanging without it.  The search tries representative values, rule by
rule; past its budget a fact is kept, because one question too many is better than one too few.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.evaluation import compile_expression, residual
from infusion_orders.rules.expression import Answers, comparisons
from infusion_orders.rules.representatives import answers_worth_trying, leaves_by_fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.evaluation import Test
    from infusion_orders.rules.expression import Expression

BUDGET = 4000
"""Evaluations of one rule per fact; real rule sets need a few dozen."""


@dataclass(slots=True)
class _OutOfBudget(Exception):
    """The search gave up."""


@dataclass(slots=True)
class Unsettled:
    """The unknown rules of one effect on one line: `broken` is true for a rule that is not met, by rule id."""

    broken: Mapping[str, Expression]
    facts: Mapping[str, Any]
    catalogue: Catalogue
    _candidates: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    _names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _known: dict[str, Any] = field(default_factory=dict)
    _tests: dict[str, Test] = field(default_factory=dict)
    _left: int = BUDGET

    def __post_init__(self) -> None:
        """Works out what each rule still hangs on, and the answers worth trying."""
        self.broken = {rule: residual(expression, self.facts) for rule, expression in self.broken.items()}
        self._tests = {rule: compile_expression(expression) for rule, expression in self.broken.items()}
        leaves = leaves_by_fact(self.broken.values())
        for rule, expression in self.broken.items():
            names = (name for leaf in comparisons(expression) for name in (leaf.fact, leaf.other) if name is not None)
            self._names[rule] = tuple(name for name in dict.fromkeys(names) if self._is_open(name))
        self._known = {name: self.facts[name] for name in leaves if not self._is_open(name)}
        for name in leaves:
            if self._is_open(name):
                self._candidates[name] = answers_worth_trying(name, leaves, self._known, self.catalogue)

    def _is_open(self, name: str) -> bool:
        return isinstance(self.facts[name], Unknown)

    def relevant(self) -> dict[str, tuple[str, ...]]:
        """The facts to ask for, with the ids of the rules that hang on each.

        Starting from all of them, one fact after the other is left out if the rest is still enough.  What is left is
        enough, and nothing in it can be spared: leaving out others never makes a fact matter less.  Only the rules
        that name a fact need a look: where none of them can hang, all of them are settled without the fact, and what
        the other rules could do is as it was before.
        """
        asked: dict[str, tuple[str, ...]] = {}
        left_out: set[str] = set()
        for name in sorted({name for names in self._names.values() for name in names}):
            unanswered = left_out | {name}
            naming = (rule for rule in sorted(self.broken) if name in self._names[rule])
            hanging = tuple(rule for rule in naming if self._can_hang(rule, unanswered))
            if hanging:
                asked[name] = hanging
            else:
                left_out.add(name)
        return asked

    def _can_hang(self, rule: str, unanswered: AbstractSet[str]) -> bool:
        """Whether some answers to all other facts leave this rule unknown and no rule broken."""
        others = sorted(other for other in self.broken if other != rule)
        self._left = BUDGET
        try:
            return any(
                self._can_hold(others, answers, unanswered)
                for answers in self._assignments(rule, Answers(self._known), unanswered, hangs=True)
            )
        except _OutOfBudget:
            return True

    def _can_hold(self, rules: Iterable[str], answers: Answers, unanswered: AbstractSet[str]) -> bool:
        """Whether the answers can be completed so that none of the rules is broken.

        Rules that share no fact any more have nothing to do with each other: each group is completed by itself.
        """
        undecided: dict[str, list[str]] = {}
        for rule in rules:
            truth = self._tests[rule](answers)
            if truth is True:
                return False
            if truth is None and (names := self._unanswered_names(rule, answers, unanswered)):
                undecided[rule] = names
        return all(
            any(
                self._can_hold(group[1:], completed, unanswered)
                for completed in self._assignments(group[0], answers, unanswered, hangs=False)
            )
            for group in _groups(undecided)
        )

    def _unanswered_names(self, rule: str, answers: Answers, unanswered: AbstractSet[str]) -> list[str]:
        return [name for name in self._names[rule] if name not in unanswered and name not in answers]

    def _assignments(
        self, rule: str, answers: Answers, unanswered: AbstractSet[str], *, hangs: bool
    ) -> Iterator[Answers]:
        """Answers to the rule's other facts under which it is not broken (and, if it `hangs`, is still unknown)."""
        self._left -= 1
        if self._left < 0:
            raise _OutOfBudget
        truth = self._tests[rule](answers)
        if truth is True or (hangs and truth is False):
            return
        open_names = self._unanswered_names(rule, answers, unanswered)
        if truth is False or not open_names:
            yield answers
            return
        for value in self._candidates[open_names[0]]:
            tried = Answers(answers)
            tried[open_names[0]] = value
            yield from self._assignments(rule, tried, unanswered, hangs=hangs)

    def settles(self, name: str, requirements: Iterable[Test]) -> bool:
        """Whether one answer to this fact alone meets each of the requirements."""
        for value in self._candidates[name]:
            answered = Answers(self.facts)
            answered[name] = value
            if all(holds(answered) is True for holds in requirements):
                return True
        return False


def _groups(names: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The rules, by their names, that hang together by a common name, directly or by way of others."""
    groups: list[tuple[list[str], set[str]]] = []
    for rule, of_rule in names.items():
        apart = [group for group in groups if group[1].isdisjoint(of_rule)]
        together = [group for group in groups if not group[1].isdisjoint(of_rule)]
        rules = [each for group in together for each in group[0]]
        groups = [*apart, ([*rules, rule], set(of_rule).union(*(group[1] for group in together)))]
    return [rules for rules, _ in groups]
