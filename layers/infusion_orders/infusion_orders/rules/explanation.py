"""Why a condition is true, false or unknown: each leaf with its value and its truth, on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.case import PLAIN_KINDS, plain_value
from infusion_orders.facts.unknown import Fault, FaultyFact, Unknown
from infusion_orders.rules.expression import Comparison, Negation, Some, truth_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.expression import Expression

WORDS = {True: "true", False: "false", None: "unknown"}
NEGATED = {"true": "false", "false": "true"}
ERROR = "error"


def explain(expression: Expression, facts: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """The condition as a tree in plain JSON; the values of private facts are left out."""
    if isinstance(expression, Comparison):
        explained: dict[str, Any] = {"fact": expression.fact, "operator": expression.operator}
        if expression.other is not None:
            explained["other"] = expression.other
        elif expression.constant is not None:
            explained["constant"] = _plain_constant(expression.constant)
        value = facts[expression.fact]
        if not isinstance(value, Unknown) and not catalogue.facts[expression.fact].private:
            explained["value"] = plain_value(value)
        return explained | {"truth": _leaf_truth(expression, facts)}
    if isinstance(expression, bool):
        return {"truth": WORDS[expression]}
    if isinstance(expression, Negation):
        part = explain(expression.part, facts, catalogue)
        return {"not": part, "truth": NEGATED.get(part["truth"], part["truth"])}
    parts = [explain(part, facts, catalogue) for part in expression.parts]
    word, settled = ("any", "true") if isinstance(expression, Some) else ("all", "false")
    truths = {part["truth"] for part in parts}
    first = next((truth for truth in (settled, ERROR, "unknown") if truth in truths), WORDS[settled == "false"])
    return {word: parts, "truth": first}


def _leaf_truth(comparison: Comparison, facts: Mapping[str, Any]) -> str:
    try:
        return WORDS[truth_of(comparison, facts)]
    except FaultyFact:
        return ERROR


def observed(names: tuple[str, ...], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The known values by name: a rule's `observable` leaves out what is private."""
    values = {}
    for name in names:
        value = facts[name]
        kind = value.__class__
        if kind in PLAIN_KINDS:
            values[name] = value
        elif kind is not Unknown and kind is not Fault:
            values[name] = plain_value(value)
    return values


def _plain_constant(constant: Any) -> Any:
    if isinstance(constant, tuple):
        return [plain_value(part) for part in constant]
    return plain_value(constant)
