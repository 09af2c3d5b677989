"""Whether a condition can hold at all: every combination of its facts' cells, as far as it takes to tell.

A fact's cells are its enumeration, true and false, the intervals between the constants that the condition names, and
the classes of codes that it tells apart.  Facts are taken as independent of each other: what holds in no cell holds for
no order; what holds in a cell may still be impossible, because derived facts hang together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind
from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.expression import Answers, comparisons
from infusion_orders.rules.open_questions import residual
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
"""Partial combinations that are looked at for one condition."""


class TooManyCells(Exception):
    """The condition could not be enumerated within its bounds: nothing is said of it."""


@dataclass(slots=True)
class Cells:
    """The cells of one condition."""

    expression: Expression
    catalogue: Catalogue
    _leaves: Mapping[str, Sequence[Comparison]] = field(init=False)
    _cells: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    _left: int = MOST_STEPS

    def __post_init__(self) -> None:
        """What each fact is compared with."""
        self._leaves = leaves_by_fact([self.expression])

    def some(self) -> Mapping[str, Any] | None:
        """A combination in which the condition holds (facts that do not matter are left out); None if there is none.

        Raises TooManyCells.
        """
        found = self._search(self.expression, Answers())
        if found is None and not all(map(self._is_exhausted, self._leaves)):
            raise TooManyCells
        return found

    def _is_exhausted(self, name: str) -> bool:
        """Whether the fact's cells are all there are: of many codes not every set is tried."""
        is_set = self.catalogue.facts[name].kind is Kind.CODES
        return not is_set or len(code_classes(self._leaves[name])) <= MOST_CODE_CLASSES

    def _search(self, expression: Expression, answers: Answers) -> Mapping[str, Any] | None:
        self._left -= 1
        if self._left < 0:
            raise TooManyCells
        left = residual(expression, answers)
        if isinstance(left, bool):
            return answers if left else None
        leaf = next(comparisons(left))
        open_fact = leaf.fact if isinstance(answers[leaf.fact], Unknown) or leaf.other is None else leaf.other
        for value in self._cells_of(open_fact):
            tried = Answers(answers)
            tried[open_fact] = value
            found = self._search(left, tried)
            if found is not None:
                return found
        return None

    def _cells_of(self, name: str) -> tuple[Any, ...]:
        if name not in self._cells:
            self._cells[name] = answers_worth_trying(name, self._leaves, {}, self.catalogue)
        return self._cells[name]


def can_hold(expression: Expression, catalogue: Catalogue) -> bool:
    """Whether the condition holds in some cell.  Raises TooManyCells."""
    return Cells(expression, catalogue).some() is not None
