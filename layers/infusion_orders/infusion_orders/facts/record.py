"""Recorded facts, read back from plain JSON so that their order can be decided again."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.case import Case
from infusion_orders.facts.fact import Kind, Scope
from infusion_orders.facts.unknown import Fault, Need, Reason, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import TypeAdapter

    from infusion_orders.facts.fact import Catalogue, Fact
    from infusion_orders.reference.tables import ReferenceTables


class UnreadableRecord(ValueError):
    """This release cannot read the recorded facts; the text names the fact, never its value."""


def case_from_record(record: Any, catalogue: Catalogue, tables: ReferenceTables) -> Case:
    """Return the case of facts that `Case.recorded` returned, perhaps under another version's tables.

    Raises UnreadableRecord for a fact that this release does not record, and for a value of the wrong type.
    """
    try:
        order, lines = record["order"], record["lines"]
        return Case(
            catalogue,
            tables,
            order_facts=_facts(order, catalogue, Scope.ORDER, None),
            line_facts=[_facts(line, catalogue, Scope.LINE, number) for number, line in enumerate(lines)],
        )
    except (KeyError, TypeError, AttributeError):
        raise UnreadableRecord("the record does not hold the facts of an order and its lines") from None


def _facts(plain: Mapping[str, Any], catalogue: Catalogue, scope: Scope, line: int | None) -> dict[str, Any]:
    recorded = catalogue.recorded_names[scope]
    facts = {}
    for name, value in plain.items():
        if name not in recorded:
            raise UnreadableRecord(f"{name} is not recorded of {'an order' if line is None else 'a line'}")
        facts[name] = _value(catalogue.facts[name], value, line)
    return facts


def _value(fact: Fact, value: Any, line: int | None) -> Any:
    try:
        if value == {"fault": True}:
            return Fault()
        if isinstance(value, dict) and "unknown" in value:
            return Unknown(tuple(_need(need, line) for need in value["unknown"]))
        return _READ[fact.kind](fact, value)
    except (ValueError, TypeError, KeyError, ArithmeticError):
        raise UnreadableRecord(f"{fact.name} is not recorded as a {fact.kind}") from None


def _need(plain: Mapping[str, Any], line: int | None) -> Need:
    of_line = line if plain.get("of_line") else None
    return Need(plain["fact"], of_line, Reason(plain["reason"]), plain.get("hint"))


def _boolean(_fact: Fact, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _code(fact: Fact, value: Any) -> str:
    if not isinstance(value, str) or (fact.domain is not None and value not in fact.domain):
        raise ValueError
    return value


def _number(_fact: Fact, value: Any) -> Decimal | int:
    """Read a number; a whole number stays an int, so that it is recorded again as it was."""
    if type(value) is int:
        return value
    if not isinstance(value, str):
        raise TypeError
    return Decimal(value)


def _codes(_fact: Fact, value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
        raise TypeError
    return frozenset(value)


def _structure(fact: Fact, value: Any) -> Any:
    if fact.structure is None:
        raise TypeError
    return _adapter(fact.structure).validate_python(value)


@cache
def _adapter(structure: type) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(structure)


_READ: Mapping[Kind, Callable[[Fact, Any], Any]] = {
    Kind.BOOLEAN: _boolean,
    Kind.CODE: _code,
    Kind.CODES: _codes,
    Kind.NUMBER: _number,
    Kind.DATE: lambda _fact, value: date.fromisoformat(value),
    Kind.STRUCTURE: _structure,
}
