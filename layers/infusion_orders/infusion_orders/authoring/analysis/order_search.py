"""The search for an order that makes a condition true.

The search starts from an empty order.  While the condition is unknown, it fills in one of the places that the
condition asks for.  When the condition becomes false, this branch ends, because adding information never changes a
settled result.  The order that is found is then completed with ordinary values, which changes nothing either.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count
from math import log2
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.analysis.samples import COMPLETE, Samples, TableSamples
from infusion_orders.facts.case import Case
from infusion_orders.facts.unknown import FaultyFact, Reason, Unknown
from infusion_orders.orders.parsing import InvalidOrder, order_from_json
from infusion_orders.rules.evaluation import compile_expression, residual
from infusion_orders.rules.expression import comparisons

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infusion_orders.facts.case import Facts
    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.facts.unknown import Need
    from infusion_orders.reference.tables import ReferenceTables
    from infusion_orders.rules.evaluation import Test
    from infusion_orders.rules.expression import Expression

    Json = dict[str, Any]

MOST_ORDERS = 2000
"""The number of orders tried for one condition: a few tenths of a second."""
MOST_ORDERS_IN_ALL = 200_000
"""The number of orders tried for a whole rule set: half a minute."""
MOST_LINES = 2
DEEPER = 1.5
"""The bonus for each place that is filled in, so that orders nearer to a result are tried first."""
UNASKED = 6.0
"""The cost of a value that the condition does not ask for, because few conditions need one."""
ANOTHER_DAY = 6.0
"""The cost of leaving the usual day of service, because few rules depend on the day."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The order that was found, if any, and how many orders were tried.  `whole` means that none were left to try."""

    order: Json | None
    looked_at: int
    whole: bool

    def __str__(self) -> str:
        """Return how far the search went."""
        return f"{self.looked_at} orders tried" + ("" if self.whole else ", then stopped")


@dataclass(frozen=True, slots=True)
class _Branch:
    """An order with one place to fill in, the values for that place (likeliest first), and how many were tried.

    `cost` grows with every less likely value, and cheap branches are tried first.
    """

    cost: float
    document: Json
    left: Expression
    pointer: str
    values: tuple[Any, ...]
    tried: int
    sent: frozenset[str]

    def next_value(self) -> _Branch:
        """Return the branch that tries the next value at the same place."""
        step = log2(self.tried + 2) - log2(self.tried + 1)
        if self.pointer.endswith("service_from") and self.tried == 0:
            step += ANOTHER_DAY
        return replace(self, cost=self.cost + step, tried=self.tried + 1)


@dataclass(slots=True)
class OrderSearch:
    """Searches for orders under one catalogue and the tables of one version."""

    catalogue: Catalogue
    tables: ReferenceTables
    most_orders: int
    left_in_all: int = MOST_ORDERS_IN_ALL
    _of_tables: TableSamples = field(init=False)

    def __post_init__(self) -> None:
        """Collect the values that the tables suggest, which are the same for every condition."""
        self._of_tables = TableSamples(self.tables.rows())

    def find(self, expression: Expression) -> SearchResult:
        """Find a whole order for whose first line the condition is true."""
        samples = Samples(expression, self.catalogue, self._of_tables)
        holds = compile_expression(expression)
        looked_at = 0
        waiting: list[tuple[float, int, _Branch]] = []
        serial = count()
        for branch in self._starts(expression, holds, samples):
            heappush(waiting, (branch.cost, next(serial), branch))
        while waiting and looked_at < self.most_orders and self.left_in_all > 0:
            self.left_in_all -= 1
            _, _, branch = heappop(waiting)
            if branch.tried + 1 < len(branch.values):
                later = branch.next_value()
                heappush(waiting, (later.cost, next(serial), later))
            looked_at += 1
            document = placed(branch.document, branch.pointer, branch.values[branch.tried])
            grown = self._grown(document, branch.left, holds, branch.sent | {branch.pointer}, samples, branch.cost)
            if isinstance(grown, _Branch):
                heappush(waiting, (grown.cost, next(serial), grown))
            elif grown:
                return SearchResult(self._filled_up(document, expression), looked_at, whole=True)
        return SearchResult(None, looked_at, whole=not waiting)

    def _starts(self, expression: Expression, holds: Test, samples: Samples) -> Iterator[_Branch]:
        """Yield empty orders of one or more lines, and orders with one value that the condition does not ask for."""
        for lines in range(1, MOST_LINES + 1):
            empty, cost = _empty(lines), float(lines - 1)
            grown = self._grown(empty, expression, holds, frozenset(), samples, cost)
            if isinstance(grown, _Branch):
                yield grown
            for name in self._sources(expression):
                values = tuple(samples.at(name, empty, 0))
                pointer = self._pointer(name, 0)
                yield _Branch(cost + UNASKED, empty, expression, pointer, values, 0, frozenset())

    def _sources(self, expression: Expression) -> dict[str, None]:
        """Return the stated facts that the condition depends on, directly or through derived facts."""
        named = [name for leaf in comparisons(expression) for name in (leaf.fact, leaf.other) if name is not None]
        return dict.fromkeys(source.name for name in reversed(named) for source in self.catalogue.sources(name))

    def _grown(
        self, document: Json, left: Expression, holds: Test, sent: frozenset[str], samples: Samples, cost: float
    ) -> _Branch | bool:
        """Return whether the condition is true, or the next place to fill in if it is still unknown.

        `holds` is the compiled condition; it settles most orders without the slower walk of `residual`.
        """
        try:
            case = self._case(document)
            facts = case.lines[0]
            truth = holds(facts)
            if truth is not None:
                return truth
            left = residual(left, facts)
        except (InvalidOrder, FaultyFact):
            return False
        if isinstance(left, bool):
            return left
        needs = list(self._needs(left, facts))
        if any(need.reason is Reason.INVALID for need in needs):
            return False
        for need in needs:
            pointer = self._pointer(need.fact, need.line)
            if pointer not in sent:
                values = tuple(samples.at(need.fact, document, need.line))
                return _Branch(cost - DEEPER, document, left, pointer, values, 0, sent)
        return False

    def _needs(self, left: Expression, facts: Facts) -> Iterator[Need]:
        """Yield the places that the condition asks for, in the order in which it names them."""
        for leaf in comparisons(left):
            for name in (leaf.fact, leaf.other):
                value = None if name is None else facts[name]
                yield from value.needs if isinstance(value, Unknown) else ()

    def _pointer(self, name: str, line: int | None) -> str:
        return self.catalogue.facts[name].pointer.replace("{line}", str(line or 0))

    def _case(self, document: Json) -> Case:
        return Case(self.catalogue, self.tables, order=order_from_json(document))

    def _filled_up(self, document: Json, expression: Expression) -> Json:
        """Return the order with every place filled in, if the condition is then still true, else the order as it is."""
        whole: Json = {**_merged(document, COMPLETE), "lines": []}
        for line in document["lines"]:
            line = {"service_to": line.get("service_from", COMPLETE["lines"][0]["service_to"]), **line}
            whole["lines"].append(_merged(line, COMPLETE["lines"][0]))
        try:
            case = self._case(whole)
            holds = residual(expression, case.lines[0]) is True
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
    """Return the document with the value at the JSON pointer, creating the objects on the way.

    Only the objects on the way are copied, because the search makes many orders that differ in one place.
    """
    changed: Json = _placed(document, pointer.removeprefix("/").split("/"), value)
    return changed


def _placed(part: Any, way: Sequence[str], value: Any) -> Any:
    if not way:
        return value
    step, rest = way[0], way[1:]
    if isinstance(part, list):
        index = int(step)
        return [*part[:index], _placed(part[index], rest, value), *part[index + 1 :]]
    return {**part, step: _placed(part.get(step, {}), rest, value)}


def _merged(own: Json, other: Json) -> Json:
    """Return the first document completed from the second.  Amounts and lists are kept or taken as a whole."""
    merged = dict(other)
    for name, value in own.items():
        inner = other.get(name)
        parts = isinstance(value, dict) and isinstance(inner, dict) and "unit" not in inner
        merged[name] = _merged(value, inner) if parts and isinstance(inner, dict) else value
    return merged
