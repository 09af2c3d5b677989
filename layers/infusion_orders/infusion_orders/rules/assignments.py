"""Facts that rules assign, such as the responsible party.

A condition on an assigned fact is rewritten over sent and derived facts: it asks which assigning rule applies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.rules.expression import Comparison, Every, Negation, Some

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infusion_orders.rules.expression import Expression

LONGEST_CHAIN = 10
"""How many assigned facts may depend on each other in a row; a circle exceeds it."""


class CircularAssignment(ValueError):
    """Assigned facts that depend on each other."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """The assignment of one rule: the value is a literal, or that of a fact when `fact` is given."""

    rule: str
    applies: Expression
    value: str | None = None
    fact: str | None = None


def without_assigned_facts(
    expression: Expression, assignments: Mapping[str, Sequence[Assignment]], defaults: Mapping[str, str]
) -> Expression:
    """Rewrite the expression until it names no assigned fact.  Raises CircularAssignment."""
    for _ in range(LONGEST_CHAIN):
        rewritten = rewrite(expression, assignments, defaults)
        if rewritten == expression:
            return expression
        expression = rewritten
    message = "assigned facts depend on each other in a circle"
    raise CircularAssignment(message)


def rewrite(
    expression: Expression, assignments: Mapping[str, Sequence[Assignment]], defaults: Mapping[str, str]
) -> Expression:
    """Replace each comparison with an assigned fact once.  `defaults` gives the value that no rule assigns, by fact.

    If the comparison holds for the default, it fails only where a rule assigns a value for which it does not hold, and
    the other way round.  The assignments of one fact do not overlap, so each is looked at by itself.
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
