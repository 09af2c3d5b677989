"""Which unknown facts to ask for: enough to settle the rules whatever the answers, and none that could be left out.

The rules are those of one effect whose verdict is unknown.  The effect is settled as soon as one of these rules is
broken, or none can be.  Answers to all unknown facts that the rules name would settle it, because every rule would be
known.  A fact is kept only if, for some answers to the others, the effect would stay open without it.  The search tries
representative values, one rule after the other.  If the search takes too long, the fact is kept: one question too many
is better than one too few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.evaluation import compile_expression, residual
from infusion_orders.rules.expression import TriedAnswers, comparisons
from infusion_orders.rules.representatives import answers_worth_trying, leaves_by_fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.evaluation import Test
    from infusion_orders.rules.expression import Expression

BUDGET = 4000
"""How many partial answers are tried for one fact and rule; real rule sets need a few dozen."""


class _OutOfBudget(Exception):
    """The search tried too many answers."""


class Unsettled:
    """The unknown rules of one effect on one line."""

    def __init__(self, broken: Mapping[str, Expression], facts: Mapping[str, Any], catalogue: Catalogue) -> None:
        """`broken` gives for each rule, by id, the condition that is true if the rule is not met."""
        self._facts = facts
        open_parts = {rule: residual(expression, facts) for rule, expression in broken.items()}
        self._is_broken: dict[str, Test] = {rule: compile_expression(part) for rule, part in open_parts.items()}
        self._open_facts: dict[str, tuple[str, ...]] = {}
        """By rule: the unknown facts that it depends on."""
        for rule, part in open_parts.items():
            names = dict.fromkeys(name for leaf in comparisons(part) for name in (leaf.fact, leaf.other))
            self._open_facts[rule] = tuple(name for name in names if name is not None and self._is_open(name))
        leaves = leaves_by_fact(open_parts.values())
        self._known = {name: facts[name] for name in leaves if not self._is_open(name)}
        self._candidates: dict[str, tuple[Any, ...]] = {
            name: answers_worth_trying(name, leaves, self._known, catalogue) for name in leaves if self._is_open(name)
        }
        """By unknown fact: the answers worth trying."""
        self._left = BUDGET

    def _is_open(self, name: str) -> bool:
        return isinstance(self._facts[name], Unknown)

    def relevant(self) -> dict[str, tuple[str, ...]]:
        """Return the facts to ask for, each with the ids of the rules that depend on it.

        Starting from all unknown facts, one after the other is left out if the rest is still enough.  What remains is
        enough, and none of it can be left out, because leaving out others never makes a fact matter less.  Only the
        rules that name a fact are looked at: if all of them are settled without the fact, it changes no other rule.
        """
        asked: dict[str, tuple[str, ...]] = {}
        left_out: set[str] = set()
        for name in sorted(self._candidates):
            unanswered = left_out | {name}
            naming = (rule for rule in sorted(self._open_facts) if name in self._open_facts[rule])
            depending = tuple(rule for rule in naming if self._can_stay_open(rule, unanswered))
            if depending:
                asked[name] = depending
            else:
                left_out.add(name)
        return asked

    def one_answer_meets(self, name: str, requirements: Iterable[Test]) -> bool:
        """Whether one answer to this fact alone meets all of the requirements."""
        for value in self._candidates[name]:
            answered = TriedAnswers(self._facts)
            answered[name] = value
            if all(holds(answered) is True for holds in requirements):
                return True
        return False

    def _can_stay_open(self, rule: str, unanswered: AbstractSet[str]) -> bool:
        """Whether some answers to all other facts leave this rule unknown and no rule broken."""
        others = sorted(other for other in self._open_facts if other != rule)
        self._left = BUDGET
        try:
            return any(
                self._can_all_be_kept(others, answers, unanswered)
                for answers in self._answers_keeping(rule, TriedAnswers(self._known), unanswered, open_only=True)
            )
        except _OutOfBudget:
            return True

    def _can_all_be_kept(self, rules: Iterable[str], answers: TriedAnswers, unanswered: AbstractSet[str]) -> bool:
        """Whether the answers can be completed so that none of the rules is broken.

        Rules that no longer share a fact are independent, so each group of rules is completed by itself.
        """
        undecided: dict[str, list[str]] = {}
        for rule in rules:
            broken = self._is_broken[rule](answers)
            if broken is True:
                return False
            if broken is None and (names := self._names_to_answer(rule, answers, unanswered)):
                undecided[rule] = names
        return all(
            any(
                self._can_all_be_kept(group[1:], completed, unanswered)
                for completed in self._answers_keeping(group[0], answers, unanswered, open_only=False)
            )
            for group in _independent_groups(undecided)
        )

    def _answers_keeping(
        self, rule: str, answers: TriedAnswers, unanswered: AbstractSet[str], *, open_only: bool
    ) -> Iterator[TriedAnswers]:
        """Complete the answers so that this rule is not broken; with `open_only` it must still be unknown."""
        self._left -= 1
        if self._left < 0:
            raise _OutOfBudget
        broken = self._is_broken[rule](answers)
        if broken is True or (open_only and broken is False):
            return
        names = self._names_to_answer(rule, answers, unanswered)
        if broken is False or not names:
            yield answers
            return
        for value in self._candidates[names[0]]:
            tried = TriedAnswers(answers)
            tried[names[0]] = value
            yield from self._answers_keeping(rule, tried, unanswered, open_only=open_only)

    def _names_to_answer(self, rule: str, answers: TriedAnswers, unanswered: AbstractSet[str]) -> list[str]:
        return [name for name in self._open_facts[rule] if name not in unanswered and name not in answers]


def _independent_groups(names: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Group the rules, given with the facts they name, so that rules of different groups share no fact."""
    groups: list[tuple[list[str], set[str]]] = []
    for rule, of_rule in names.items():
        apart = [group for group in groups if group[1].isdisjoint(of_rule)]
        joined = [group for group in groups if not group[1].isdisjoint(of_rule)]
        rules = [each for group in joined for each in group[0]]
        groups = [*apart, ([*rules, rule], set(of_rule).union(*(group[1] for group in joined)))]
    return [rules for rules, _ in groups]
