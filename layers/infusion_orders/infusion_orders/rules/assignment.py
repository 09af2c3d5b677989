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
    """The expression without assigned facts.  `defaults` gives the value of a target that no rule assigns.

    What holds by default fails only where a rule assigns a value for which it does not hold, and the other way round:
    assignments of one target do not overlap, so no other rule needs to be looked at.
    """
    if isinstance(expression, Every | Some):
        return type(expression)(tuple(rewrite(part, assignments, defaults) for part in expression.parts))
    if isinstance(expression, Negation):
        return Negation(rewrite(expression.part, assignments, defaults))
    if not isinstance(expression, Comparison) or expression.fact not in defaults:
        return expression
    holds_by_default = expression.holds(defaults[expression.fact])
    otherwise: list[Expression] = []
    for assignment in assignments.get(expression.fact, ()):
        if assignment.fact is not None:
            matches: Expression = Comparison(assignment.fact, expression.operator, expression.constant)
            differs = Negation(matches) if holds_by_default else matches
            otherwise.append(Every((assignment.applies, differs)))
        elif expression.holds(assignment.value) is not holds_by_default:
            otherwise.append(assignment.applies)
    return Negation(Some(tuple(otherwise))) if holds_by_default else Some(tuple(otherwise))
