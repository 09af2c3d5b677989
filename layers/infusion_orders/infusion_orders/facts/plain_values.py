"""Facts as plain JSON, as they are recorded with a decision."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.unknown import Fault, Reason, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infusion_orders.facts.case import Facts
    from infusion_orders.facts.unknown import Need


def plain_facts(facts: Facts, names: Sequence[str]) -> dict[str, Any]:
    """Return the named facts in plain JSON.

    An asked fact that was not sent is left out.  An unknown fact is recorded with its needs if it is derived, or if
    what was sent fails its check.
    """
    plain: dict[str, Any] = {}
    for name in names:
        value = facts[name]
        if not isinstance(value, Unknown):
            plain[name] = plain_value(value)
        elif isinstance(value, Fault):
            plain[name] = {"fault": True}
        elif facts.catalogue.facts[name].read is None or value.needs[0].reason is Reason.INVALID:
            plain[name] = {"unknown": [_plain_need(need) for need in value.needs]}
    return plain


def _plain_need(need: Need) -> dict[str, Any]:
    """Return a need with sorted names.  The need of a line is one of the line whose fact is recorded."""
    plain: dict[str, Any] = {"fact": need.fact}
    if need.hint is not None:
        plain["hint"] = need.hint
    if need.line is not None:
        plain["of_line"] = True
    plain["reason"] = need.reason.value
    return plain


def plain_value(value: Any) -> Any:
    """Return a known value in JSON: decimals and dates as text, sets sorted, structures by their sorted fields."""
    value_type: type = type(value)
    render = _RENDER.get(value_type)
    if render is not None:
        return render(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [plain_value(part) for part in value]
    parts = {name: getattr(value, name) for name in _fields_of(value_type)}
    return {name: plain_value(part) for name, part in parts.items() if part is not None}


@cache
def _fields_of(structure: type) -> tuple[str, ...]:
    return tuple(sorted(field.name for field in fields(structure)))


def plain_decimal(value: Decimal) -> str:
    """Return `2.5` for `2.50` and `2.5` alike, never in exponent form: equal doses have equal receipts."""
    text = str(value)
    if text.isdecimal():
        return text
    return format(value.normalize(), "f") if value else "0"


_RENDER: dict[type, Callable[[Any], Any]] = {
    bool: bool,
    str: str,
    int: int,
    Decimal: plain_decimal,
    date: date.isoformat,
    frozenset: sorted,
}
