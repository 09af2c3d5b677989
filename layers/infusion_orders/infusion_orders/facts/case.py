"""An order's facts: asked facts are read at once, derived facts when they are first needed, and each only once."""

from __future__ import annotations

import weakref
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Scope
from infusion_orders.facts.plain_values import plain_facts
from infusion_orders.facts.unknown import Fault, Need, Reason, Unknown
from infusion_orders.orders.frequencies import UnclearFrequency
from infusion_orders.orders.identifiers import InvalidIdentifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.orders.order import Order, ServiceLine
    from infusion_orders.reference.tables import ReferenceTables


def missing(name: str, line: int | None) -> Unknown:
    """Return the unknown of a fact that was not sent."""
    return Unknown((Need(name, line, Reason.MISSING),))


@lru_cache(maxsize=1_000)
def nothing_sent(asked: tuple[str, ...], line: int | None) -> Mapping[str, Unknown]:
    """Return the asked facts of an order or a line that sends nothing.

    It is cached, because an order leaves out most of what it could send.  Without the cache, a tenth of the time from
    the parsed order to the verdicts is spent here (`make bench ONLY=peers`).
    """
    return {name: missing(name, line) for name in asked}


class CaseIsGone(RuntimeError):
    """A fact was first read after its Case was gone; the text is the fact's name."""


class Facts(dict[str, Any]):
    """The facts of one line by name, including the order's own: `facts[name]` derives a fact when it is first read.

    Raises KeyError for a name that the catalogue does not have, and CaseIsGone for a fact that is first read once the
    Case has been freed.  A derivation that fails gives a Fault.
    """

    __slots__ = ("_case", "catalogue", "line", "tables")

    def __init__(self, case: Case, line: int, of_order: Mapping[str, Any], of_line: Mapping[str, Any]) -> None:
        super().__init__(of_order)
        self.update(of_line)
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
    facts: dict[str, Any] = {}
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
                    except (InvalidIdentifier, UnclearFrequency) as invalid:
                        value = Unknown((Need(name, line, Reason.INVALID, str(invalid)),))
                if value is not None:
                    facts[name] = value
    return {**nothing_sent(catalogue.asked[scope], line), **facts}


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
            Facts(self, index, of_order, of_line) for index, of_line in enumerate(of_lines)
        )

    def lines_by(self, name: str) -> Mapping[Any, Sequence[Facts]]:
        """Return the lines by the value of one of their facts; under None those on which it is unknown."""
        found = self._lines_by.get(name)
        if found is None:
            found = self._lines_by[name] = {}
            for line in self.lines:
                value = line[name]
                found.setdefault(None if isinstance(value, Unknown) else value, []).append(line)
        return found

    def recorded(self) -> dict[str, Any]:
        """Return the facts to record with the decision, in plain JSON with sorted names.

        These are the asked facts, except those that identify a person.  In their place the facts derived from them are
        recorded, such as the age for the birth date, even when they are unknown.
        """
        recorded = self.catalogue.recorded
        return {
            "lines": [plain_facts(line, recorded[Scope.LINE]) for line in self.lines],
            "order": plain_facts(self.lines[0], recorded[Scope.ORDER]),
        }
