"""Whether a condition can be true at all, tried over every combination of the values that it can tell apart.

For each fact these are its enumeration, true and false, the intervals between the constants that the condition names,
or one code of each class.  Facts are treated as independent of each other.  So a condition that no combination makes
true is true for no order, while one that some combination makes true may still be impossible, because derived facts
depend on each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind
from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.evaluation import residual
from infusion_orders.rules.expression import TriedAnswers, comparisons
from infusion_orders.rules.representatives import (
    MOST_CODE_CLASSES,
    answers_worth_trying,
    code_classes,
    leaves_by_fact,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.expression import Comparison, Expression

MOST_STEPS = 20_000
"""The number of partial combinations that are tried for one condition."""


class TooManyCombinations(Exception):
    """The condition has more combinations of values than the bounds allow, so nothing is known about it."""


@dataclass(slots=True)
class Satisfiability:
    """The search for values that make one condition true."""

    expression: Expression
    catalogue: Catalogue
    _leaves: Mapping[str, Sequence[Comparison]] = field(init=False)
    _values: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    _left: int = MOST_STEPS

    def __post_init__(self) -> None:
        """Collect what each fact is compared with."""
        self._leaves = leaves_by_fact([self.expression])

    def solution(self) -> Mapping[str, Any] | None:
        """Return values that make the condition true, without facts that do not matter, or None if there are none.

        Raises TooManyCombinations.
        """
        found = self._search(self.expression, TriedAnswers())
        if found is None and not all(map(self._is_exhausted, self._leaves)):
            raise TooManyCombinations
        return found

    def _is_exhausted(self, name: str) -> bool:
        """Return whether all values of the fact are tried; of many codes, not every set is."""
        is_set = self.catalogue.facts[name].kind is Kind.CODES
        return not is_set or len(code_classes(self._leaves[name])) <= MOST_CODE_CLASSES

    def _search(self, expression: Expression, answers: TriedAnswers) -> Mapping[str, Any] | None:
        self._left -= 1
        if self._left < 0:
            raise TooManyCombinations
        left = residual(expression, answers)
        if isinstance(left, bool):
            return answers if left else None
        leaf = next(comparisons(left))
        open_fact = leaf.fact if isinstance(answers[leaf.fact], Unknown) or leaf.other is None else leaf.other
        for value in self._values_of(open_fact):
            tried = TriedAnswers(answers)
            tried[open_fact] = value
            found = self._search(left, tried)
            if found is not None:
                return found
        return None

    def _values_of(self, name: str) -> tuple[Any, ...]:
        if name not in self._values:
            self._values[name] = answers_worth_trying(name, self._leaves, {}, self.catalogue)
        return self._values[name]
