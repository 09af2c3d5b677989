"""An order's facts, read or derived when a rule first asks for them, and at most once."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Scope
from infusion_orders.facts.unknown import Fault, Need, Reason, Unknown
from infusion_orders.orders.identifiers import InvalidIdentifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from infusion_orders.codes.tables import ReferenceTables
    from infusion_orders.facts.fact import Catalogue, Fact
    from infusion_orders.orders.order import Order


@lru_cache(maxsize=10_000)
def missing(name: str, line: int | None) -> Unknown:
    """The fact that was not sent; one object each, because sparse orders have many."""
    return Unknown((Need(name, line, Reason.MISSING),))


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
        """The value or an Unknown, kept for the next rule that asks; the order's own facts at once for all lines."""
        case = self.case
        fact = case.catalogue.facts[name]
        of_order = fact.scope is Scope.ORDER
        if fact.derive is None:
            value: Any = missing(name, None if of_order else self.line)
        else:
            try:
                value = fact.derive(self)
            except Exception:  # a fault in one fact must not take the others with it
                value = Fault()
        self[name] = value
        if of_order:
            for line in case.lines:
                line.setdefault(name, value)
        return value


def facts_as_sent(asked: Sequence[Fact], order: Order, line: int) -> dict[str, Any]:
    """What the order says of each asked fact, known or not: most of it is recorded, so it is read at once."""
    read: dict[str, Any] = {}
    for fact in asked:
        where = None if fact.scope is Scope.ORDER else line
        try:
            value = fact.read(order, line) if fact.read is not None else None
        except InvalidIdentifier as invalid:
            value = Unknown((Need(fact.name, where, Reason.INVALID, str(invalid)),))
        read[fact.name] = missing(fact.name, where) if value is None else value
    return read


class Case:
    """All facts of one order under one version's tables."""

    __slots__ = ("catalogue", "lines", "tables")

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
        if order is None:
            of_order, of_lines = dict(order_facts or {}), line_facts if line_facts is not None else [{}]
        else:
            of_order = facts_as_sent(catalogue.asked[Scope.ORDER], order, 0)
            asked = catalogue.asked[Scope.LINE]
            of_lines = [facts_as_sent(asked, order, line) for line in range(len(order.lines))]
        self.lines: tuple[Facts, ...] = tuple(
            Facts(self, index, {**of_order, **known}) for index, known in enumerate(of_lines)
        )

    def recorded(self) -> dict[str, Any]:
        """The facts worth keeping, in plain JSON: every asked fact that identifies nobody, and the age in their place.

        One that was not sent is left out; one that failed its check is kept with what it needs, and so is what stands
        in place of facts that identify a person: whether these were sent is told by nothing else.
        """
        recorded = self.catalogue.recorded
        return {
            "order": _plain_facts(self.lines[0], recorded[Scope.ORDER]),
            "lines": [_plain_facts(line, recorded[Scope.LINE]) for line in self.lines],
        }


def _plain_facts(facts: Facts, names: Sequence[str]) -> dict[str, Any]:
    plain = {}
    for name in names:
        value = facts[name]
        if not isinstance(value, Unknown):
            plain[name] = plain_value(value)
        elif isinstance(value, Fault):
            plain[name] = {"fault": True}
        elif facts.case.catalogue.facts[name].read is None or value.needs[0].reason is Reason.INVALID:
            plain[name] = {"unknown": [_plain_need(need) for need in value.needs]}
    return plain


def _plain_need(need: Need) -> dict[str, Any]:
    """The line is the one that the fact is recorded of, if the need is a line's."""
    plain: dict[str, Any] = {"fact": need.fact, "reason": need.reason.value}
    if need.line is not None:
        plain["of_line"] = True
    return plain if need.hint is None else plain | {"hint": need.hint}


def plain_value(value: Any) -> Any:
    """JSON of a known value: decimals as text, dates as ISO text, sets sorted, structures by field."""
    render = _RENDER.get(value.__class__)
    if render is not None:
        return render(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [plain_value(part) for part in value]
    parts = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: plain_value(part) for name, part in parts.items() if part is not None}


def plain_decimal(value: Decimal) -> str:
    """`2.50` and `2.5` alike as `2.5`, never in exponent form: equal doses have equal receipts."""
    return format(value.normalize(), "f") if value else "0"


PLAIN_KINDS = frozenset({bool, str, int})
"""Of values that are their own plain JSON."""


def _as_it_is(value: Any) -> Any:
    return value


_RENDER: dict[type, Callable[[Any], Any]] = {
    **dict.fromkeys(PLAIN_KINDS, _as_it_is),
    Decimal: plain_decimal,
    date: date.isoformat,
    frozenset: sorted,
}
