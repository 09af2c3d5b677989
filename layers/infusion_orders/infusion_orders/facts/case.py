"""An order's facts, read or derived when a rule first asks for them, and at most once."""

from __future__ import annotations

import weakref
from dataclasses import fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Scope
from infusion_orders.facts.unknown import Fault, Need, Reason, Unknown
from infusion_orders.orders.identifiers import InvalidIdentifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.orders.order import Order, ServiceLine
    from infusion_orders.reference.tables import ReferenceTables


@lru_cache(maxsize=10_000)
def missing(name: str, line: int | None) -> Unknown:
    """The fact that was not sent; one object each, because sparse orders have many."""
    return Unknown((Need(name, line, Reason.MISSING),))


class CaseIsGone(RuntimeError):
    """A fact was read that had not been derived while its order was decided; the text is the fact's name."""


class Facts(dict[str, Any]):
    """The facts of one line by name, including the order's own: `facts[name]` derives a fact when it is first read.

    Raises KeyError for a name that the catalogue does not have, and CaseIsGone for a fact that is not yet derived when
    nobody holds the Case any more.  A derivation that fails gives a Fault.
    """

    __slots__ = ("_case", "catalogue", "line", "tables")

    def __init__(self, case: Case, line: int, known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self._case = weakref.ref(case)
        self.catalogue = case.catalogue
        self.tables = case.tables
        self.line = line

    @property
    def case(self) -> Case:
        """The order's case.  Raises CaseIsGone."""
        case = self._case()
        if case is None:
            raise CaseIsGone("the case")
        return case

    def __missing__(self, name: str) -> Any:
        """Derive the fact and keep its value; a fact of the order is kept for all lines at once."""
        case = self._case()
        if case is None:
            raise CaseIsGone(name)
        fact = self.catalogue.declared[name]
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


def facts_as_sent(catalogue: Catalogue, scope: Scope, sent: Order | ServiceLine, line: int | None) -> dict[str, Any]:
    """Return every asked fact of the order or of one line, as sent or missing."""
    facts: dict[str, Any] = {name: missing(name, line) for name in catalogue.asked[scope]}
    for part in catalogue.asked_parts[scope]:
        holder: Any = sent
        for step in part.path:
            holder = getattr(holder, step)
            if holder is None:
                break
        else:
            fields_sent = vars(holder)
            for name, field, read in part.facts:
                value = fields_sent.get(field)
                if value is not None:
                    try:
                        value = read(value)
                    except InvalidIdentifier as invalid:
                        value = Unknown((Need(name, line, Reason.INVALID, str(invalid)),))
                if value is not None:
                    facts[name] = value
    return facts


class Case:
    """All facts of one order under one version's tables.

    A Case holds its lines, and the lines reach it by a weak reference.  So the memory of a decided order is freed
    without the garbage collector, and the next order finds it still in the processor's cache.  Keep the Case in a
    variable while you read facts.
    """

    __slots__ = ("__weakref__", "_lines_by", "catalogue", "lines", "tables")

    def __init__(
        self,
        catalogue: Catalogue,
        tables: ReferenceTables,
        *,
        order: Order | None = None,
        order_facts: Mapping[str, Any] | None = None,
        line_facts: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Take an order, or facts by name (recorded ones, examples), which are used as they are."""
        self.catalogue = catalogue
        self.tables = tables
        self._lines_by: dict[str, dict[Any, list[Facts]]] = {}
        if order is None:
            of_order, of_lines = dict(order_facts or {}), line_facts if line_facts is not None else [{}]
        else:
            of_order = facts_as_sent(catalogue, Scope.ORDER, order, None)
            of_lines = [facts_as_sent(catalogue, Scope.LINE, sent, line) for line, sent in enumerate(order.lines)]
        self.lines: tuple[Facts, ...] = tuple(
            Facts(self, index, {**of_order, **known}) for index, known in enumerate(of_lines)
        )

    def lines_by(self, name: str) -> Mapping[Any, Sequence[Facts]]:
        """The lines by the value of one of their facts, those on which it is unknown under None."""
        found = self._lines_by.get(name)
        if found is None:
            found = self._lines_by[name] = {}
            for line in self.lines:
                value = line[name]
                found.setdefault(None if isinstance(value, Unknown) else value, []).append(line)
        return found

    def recorded(self) -> dict[str, Any]:
        """The facts worth keeping, in plain JSON: every asked fact that identifies nobody, and the age in their place.

        One that was not sent is left out; one that failed its check is kept with what it needs, and so is what stands
        in place of facts that identify a person: whether these were sent is told by nothing else.
        The names of every object are sorted.
        """
        recorded = self.catalogue.recorded
        return {
            "lines": [_plain_facts(line, recorded[Scope.LINE]) for line in self.lines],
            "order": _plain_facts(self.lines[0], recorded[Scope.ORDER]),
        }


def _plain_facts(facts: Facts, names: Sequence[str]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name in names:
        value = facts[name]
        kind = value.__class__
        if kind in PLAIN_KINDS:
            plain[name] = value
        elif kind is Unknown:
            if facts.catalogue.facts[name].read is None or value.needs[0].reason is Reason.INVALID:
                plain[name] = {"unknown": [_plain_need(need) for need in value.needs]}
        elif kind is Fault:
            plain[name] = {"fault": True}
        else:
            plain[name] = plain_value(value)
    return plain


def _plain_need(need: Need) -> dict[str, Any]:
    """The line is the one that the fact is recorded of, if the need is a line's."""
    plain: dict[str, Any] = {"fact": need.fact}
    if need.hint is not None:
        plain["hint"] = need.hint
    if need.line is not None:
        plain["of_line"] = True
    plain["reason"] = need.reason.value
    return plain


def plain_value(value: Any) -> Any:
    """JSON of a known value: decimals as text, dates as ISO text, sets sorted, structures by their sorted fields."""
    render = _RENDER.get(value.__class__)
    if render is not None:
        return render(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [plain_value(part) for part in value]
    parts = {name: getattr(value, name) for name in _fields_of(value.__class__)}
    return {name: plain_value(part) for name, part in parts.items() if part is not None}


@cache
def _fields_of(structure: type) -> tuple[str, ...]:
    return tuple(sorted(field.name for field in fields(structure)))


def plain_decimal(value: Decimal) -> str:
    """`2.50` and `2.5` alike as `2.5`, never in exponent form: equal doses have equal receipts."""
    text = str(value)
    if text.isdecimal():
        return text
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
