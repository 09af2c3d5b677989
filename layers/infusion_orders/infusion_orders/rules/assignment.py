"""Facts that rules assign: a condition on one is a condition on when its rules apply, so it is rewritten as that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.rules.expression import Comparison, Every, Negation, Some

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infusion_orders.rules.expression import Expression


@dataclass(frozen=True, slots=True)
class Assignment:
    """One rule's assignment: the value is a literal, or that of a fact when `fact` is given."""

    rule: str
    applies: Expression
    value: str | None = None
    fact: str | None = None


def rewrite(
    expression: Expression, assignments: Mapping[str, Sequence[Assignment]], defaults: Mapping[str, str]
) -> Expression:
    """The expression without assigned facts.  `defaults` gives the value of a target that no rule assigns."""
    if isinstance(expression, Every | Some):
        return type(expression)(tuple(rewrite(part, assignments, defaults) for part in expression.parts))
    if isinstance(expression, Negation):
        return Negation(rewrite(expression.part, assignments, defaults))
    if not isinstance(expression, Comparison) or expression.fact not in defaults:
        return expression
    ways: list[Expression] = []
    for assignment in assignments.get(expression.fact, ()):
        if assignment.fact is not None:
            matches = Comparison(assignment.fact, expression.operator, expression.constant)
            ways.append(Every((assignment.applies, matches)))
        elif expression.holds(assignment.value):
            ways.append(assignment.applies)
    if expression.holds(defaults[expression.fact]):
        ways.append(Negation(Some(tuple(assignment.applies for assignment in assignments.get(expression.fact, ())))))
    return Some(tuple(ways))
