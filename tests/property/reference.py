"""A naive reference implementation of the rule language, which reads what authors write."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN = "unknown"


def reference_truth(condition: Mapping[str, Any], facts: Mapping[str, Any]) -> Any:
    """True, False or "unknown"."""
    if "all" in condition:
        truths = [reference_truth(part, facts) for part in condition["all"]]
        if any(truth is False for truth in truths):
            return False
        return UNKNOWN if UNKNOWN in truths else True
    if "any" in condition:
        truths = [reference_truth(part, facts) for part in condition["any"]]
        if any(truth is True for truth in truths):
            return True
        return UNKNOWN if UNKNOWN in truths else False
    if "not" in condition:
        truth = reference_truth(condition["not"], facts)
        return UNKNOWN if truth == UNKNOWN else not truth
    return _leaf(condition, facts)


def _leaf(leaf: Mapping[str, Any], facts: Mapping[str, Any]) -> Any:
    value = facts[leaf["fact"]]
    (operator,) = set(leaf) - {"fact"}
    right = leaf[operator]
    if isinstance(right, dict):
        right = facts[right["fact"]]
    if isinstance(value, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    if operator == "known":
        return True
    if isinstance(value, Decimal):
        right = [Decimal(bound) for bound in right] if isinstance(right, list) else Decimal(right)
    match operator:
        case "is":
            return value == right
        case "is_not":
            return value != right
        case "in":
            return value in right
        case "not_in":
            return value not in right
        case "below":
            return value < right
        case "at_most":
            return value <= right
        case "above":
            return value > right
        case "at_least":
            return value >= right
        case "between":
            return right[0] <= value <= right[1]
        case "contains_any":
            return any(code in value for code in right)
        case "contains_none":
            return not any(code in value for code in right)
        case "starts_with_any":
            return any(code.startswith(prefix) for code in value for prefix in right)
    raise AssertionError(operator)
