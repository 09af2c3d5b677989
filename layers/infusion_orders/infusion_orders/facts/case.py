"""An order's facts, read or derived when a rule first asks for them, and at most once."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Scope
from infusion_orders.facts.unknown import Fault, Need, Reason, Unknown
from infusion_orders.orders.identifiers import InvalidIdentifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infusion_orders.codes.tables import ReferenceTables
    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.orders.order import Order


class Facts(dict[str, Any]):
    """The facts of one line by name, the order's own among them; `facts[name]` derives what is not there yet.

    Raises KeyError for a name that the catalogue does not have.  A derivation that fails gives a Fault.
    """

    __slots__ = ("case", "line")

    def __init__(self, case: Case, line: int, known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self.case = case
        self.line = line

    def __missing__(self, name: str) -> Any:
        """The value or an Unknown, kept for the next rule that asks."""
        fact = self.case.catalogue.facts[name]
        if fact.scope is Scope.ORDER:
            value = self.case.order_values.get(name)
            if value is None:
                value = self.case.order_values[name] = self._value(name)
        else:
            value = self._value(name)
        self[name] = value
        return value

    def _value(self, name: str) -> Any:
        fact = self.case.catalogue.facts[name]
        if fact.derive is not None:
            try:
                return fact.derive(self)
            except Exception:
                return Fault()
        line = self.line if fact.scope is Scope.LINE else None
        if fact.read is None or self.case.order is None:
            return Unknown((Need(name, line, Reason.MISSING),))
        try:
            value = fact.read(self.case.order, self.line)
        except InvalidIdentifier as invalid:
            return Unknown((Need(name, line, Reason.INVALID, str(invalid)),))
        return Unknown((Need(name, line, Reason.MISSING),)) if value is None else value


class Case:
    """All facts of one order under one version's tables."""

    __slots__ = ("catalogue", "lines", "order", "order_values", "tables")

    def __init__(
        self,
        catalogue: Catalogue,
        tables: ReferenceTables,
        *,
        order: Order | None = None,
        order_facts: Mapping[str, Any] | None = None,
        line_facts: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """From an order, or from facts by name (recorded ones, examples): facts given by name are taken as they are."""
        self.catalogue = catalogue
        self.tables = tables
        self.order = order
        self.order_values: dict[str, Any] = dict(order_facts or {})
        given = line_facts if line_facts is not None else [{}] * (len(order.lines) if order is not None else 1)
        self.lines: tuple[Facts, ...] = tuple(Facts(self, index, known) for index, known in enumerate(given))

    def recorded(self) -> dict[str, Any]:
        """The facts worth keeping, in plain JSON: every asked fact that identifies nobody, and the age in their place.

        A fact that failed its check is kept as `{"unknown": "invalid"}`, one that was not sent is left out.
        """
        kept = [
            fact
            for fact in self.catalogue.facts.values()
            if not fact.private and (fact.read is not None or any(self._private(name) for name in fact.derived_from))
        ]
        order_wide = [fact.name for fact in kept if fact.scope is Scope.ORDER]
        own = [fact.name for fact in kept if fact.scope is Scope.LINE]
        return {
            "order": _plain_facts(self.lines[0], order_wide),
            "lines": [_plain_facts(line, own) for line in self.lines],
        }

    def _private(self, name: str) -> bool:
        return self.catalogue.facts[name].private


def _plain_facts(facts: Facts, names: Sequence[str]) -> dict[str, Any]:
    plain = {}
    for name in names:
        value = facts[name]
        if not isinstance(value, Unknown):
            plain[name] = plain_value(value)
        elif any(need.reason is Reason.INVALID for need in value.needs):
            plain[name] = {"unknown": Reason.INVALID.value}
    return plain


def plain_value(value: Any) -> Any:
    """JSON of a known value: decimals as text, dates as ISO text, sets sorted, structures by field."""
    if isinstance(value, bool | str | int):
        return value
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [plain_value(part) for part in value]
    parts = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: plain_value(part) for name, part in parts.items() if part is not None}


def plain_decimal(value: Decimal) -> str:
    """`2.50` and `2.5` alike as `2.5`, never in exponent form: equal doses have equal receipts."""
    return format(value.normalize(), "f") if value else "0"
