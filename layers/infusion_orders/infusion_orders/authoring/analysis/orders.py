"""An order for which a condition holds: asked for place by place, as the condition itself asks.

The search starts from an order that says nothing.  While the condition is unknown, a value is tried at a place that it
wants to know; as soon as it is false, no further value can help, because adding information never changes what is
settled.  What is found is filled up to a whole order, which for the same reason changes nothing.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count
from math import log2
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.analysis.samples import COMPLETE, Samples, TableSamples
from infusion_orders.facts.case import Case
from infusion_orders.facts.unknown import FaultyFact, Reason, Unknown
from infusion_orders.orders.reading import InvalidOrder, order_from
from infusion_orders.rules.expression import comparisons
from infusion_orders.rules.open_questions import residual

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.facts.case import Facts
    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.facts.unknown import Need
    from infusion_orders.reference.tables import ReferenceTables
    from infusion_orders.rules.expression import Expression

    Json = dict[str, Any]

MOST_ORDERS = 2000
"""For one condition: a few tenths of a second."""
MOST_ORDERS_IN_ALL = 200_000
"""For a rule set: half a minute."""
MOST_LINES = 2
DEEPER = 1.5
"""What a place that is filled is worth: an order that the condition has come far with is looked at first."""
ANOTHER_DAY = 6.0
"""What it costs to leave the usual day of service: nearly all rules hold on every day that they are in force."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was found, if anything, and how many orders were looked at; `whole`: all that the samples make."""

    order: Json | None
    looked_at: int
    whole: bool

    def __str__(self) -> str:
        """How far it went."""
        return f"{self.looked_at} orders" if self.whole else f"{self.looked_at} orders, and then given up"


@dataclass(frozen=True, slots=True)
class _Branch:
    """An order with a place to fill, and the values for it that were not tried yet, the likeliest first.

    `cost` grows with each value that is less likely: cheap combinations are looked at before dear ones.
    """

    cost: float
    document: Json
    left: Expression
    pointer: str
    values: tuple[Any, ...]
    tried: int
    sent: frozenset[str]

    def next_value(self) -> _Branch:
        """The same place, one value on."""
        step = log2(self.tried + 2) - log2(self.tried + 1)
        if self.pointer.endswith("service_from") and self.tried == 0:
            step += ANOTHER_DAY
        return replace(self, cost=self.cost + step, tried=self.tried + 1)


@dataclass(slots=True)
class OrderSearch:
    """Orders under one catalogue and one version's tables."""

    catalogue: Catalogue
    tables: ReferenceTables
    most_orders: int
    left_in_all: int = MOST_ORDERS_IN_ALL
    _of_tables: TableSamples = field(init=False)

    def __post_init__(self) -> None:
        """What the tables suggest is the same for every condition."""
        self._of_tables = TableSamples(self.tables.rows())

    def find(self, expression: Expression) -> Search:
        """A whole order on whose first line the condition holds."""
        samples = Samples(expression, self.catalogue, self._of_tables)
        looked_at = 0
        waiting: list[tuple[float, int, _Branch]] = []
        serial = count()
        for branch in self._starts(expression, samples):
            heappush(waiting, (branch.cost, next(serial), branch))
        while waiting and looked_at < self.most_orders and self.left_in_all > 0:
            self.left_in_all -= 1
            _, _, branch = heappop(waiting)
            if branch.tried + 1 < len(branch.values):
                later = branch.next_value()
                heappush(waiting, (later.cost, next(serial), later))
            looked_at += 1
            document = placed(branch.document, branch.pointer, branch.values[branch.tried])
            grown = self._grown(document, branch.left, branch.sent | {branch.pointer}, samples, branch.cost)
            if isinstance(grown, _Branch):
                heappush(waiting, (grown.cost, next(serial), grown))
            elif grown:
                return Search(self._filled_up(document, expression), looked_at, whole=True)
        return Search(None, looked_at, whole=not waiting)

    def _starts(self, expression: Expression, samples: Samples) -> Iterator[_Branch]:
        """Orders of one line and of more that say nothing, and those that say one thing which nobody would ask for."""
        for lines in range(1, MOST_LINES + 1):
            empty, cost = _empty(lines), float(lines - 1)
            grown = self._grown(empty, expression, frozenset(), samples, cost)
            if isinstance(grown, _Branch):
                yield grown
            for name in self._sources(expression):
                values = tuple(samples.at(name, empty, 0))
                pointer = self._pointer(name, 0)
                yield _Branch(cost + 1, empty, expression, pointer, values, 0, frozenset())

    def _sources(self, expression: Expression) -> dict[str, None]:
        """The asked facts that the condition hangs on."""
        sources: dict[str, None] = {}
        waiting = [name for leaf in comparisons(expression) for name in (leaf.fact, leaf.other) if name is not None]
        while waiting:
            fact = self.catalogue.facts[waiting.pop()]
            if fact.read is not None:
                sources[fact.name] = None
            waiting += fact.derived_from
        return sources

    def _grown(
        self, document: Json, expression: Expression, sent: frozenset[str], samples: Samples, cost: float
    ) -> _Branch | bool:
        """Whether the condition holds, or the next place to fill."""
        try:
            facts = self._first_line(document)
            left = residual(expression, facts)
        except (InvalidOrder, FaultyFact):
            return False
        if isinstance(left, bool):
            return left
        if any(need.reason is Reason.INVALID for need in self._needs(left, facts)):
            return False
        need = next(
            (need for need in self._needs(left, facts) if self._pointer(need.fact, need.line) not in sent), None
        )
        if need is None:
            return False
        values = tuple(samples.at(need.fact, document, need.line))
        return _Branch(cost - DEEPER, document, left, self._pointer(need.fact, need.line), values, 0, sent)

    def _needs(self, left: Expression, facts: Facts) -> Iterator[Need]:
        """The places that the condition wants to know, in the order in which it asks."""
        for leaf in comparisons(left):
            for name in (leaf.fact, leaf.other):
                value = None if name is None else facts[name]
                yield from value.needs if isinstance(value, Unknown) else ()

    def _pointer(self, name: str, line: int | None) -> str:
        return self.catalogue.facts[name].pointer.replace("{line}", str(line or 0))

    def _first_line(self, document: Json) -> Facts:
        return Case(self.catalogue, self.tables, order=order_from(document)).lines[0]

    def _filled_up(self, document: Json, expression: Expression) -> Json:
        """The order with every place filled, if the condition then still holds: a fact that fails could keep it."""
        whole: Json = {**_merged(document, COMPLETE), "lines": []}
        for line in document["lines"]:
            line = {"service_to": line.get("service_from", COMPLETE["lines"][0]["service_to"]), **line}
            whole["lines"].append(_merged(line, COMPLETE["lines"][0]))
        try:
            holds = residual(expression, self._first_line(whole)) is True
        except (InvalidOrder, FaultyFact):
            holds = False
        return whole if holds else document


def _empty(lines: int) -> Json:
    return {
        "order_id": COMPLETE["order_id"],
        "member": {"member_id": COMPLETE["member"]["member_id"]},
        "lines": [{"line_id": str(number + 1)} for number in range(lines)],
    }


def placed(document: Json, pointer: str, value: Any) -> Json:
    """A copy with the value at the JSON pointer; objects on the way are made."""
    changed: Json = copy.deepcopy(document)
    *way, last = pointer.removeprefix("/").split("/")
    parent: Any = changed
    for step in way:
        parent = parent[int(step)] if isinstance(parent, list) else parent.setdefault(step, {})
    parent[last] = value
    return changed


def _merged(own: Json, other: Json) -> Json:
    """What the first says, and what the second says where the first is silent; amounts and lists are of one piece."""
    merged = dict(other)
    for name, value in own.items():
        inner = other.get(name)
        parts = isinstance(value, dict) and isinstance(inner, dict) and "unit" not in inner
        merged[name] = _merged(value, inner) if parts and isinstance(inner, dict) else value
    return merged
