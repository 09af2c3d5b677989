"""Days of which a table says nothing, or two things, though it speaks of the days before and after.

Rows that overlap, or that end before they begin, are no version at all: `codes/checking.py` refuses them.  They are
looked for here too, because an order shows better than a row number what they would do.
"""

from __future__ import annotations

import copy
import re
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from infusion_orders.authoring.analysis.findings import Finding, Kind
from infusion_orders.authoring.analysis.orders import placed
from infusion_orders.authoring.analysis.samples import COMPLETE
from infusion_orders.reference.schema import ANY, TABLES
from infusion_orders.reference.values import END_OF_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from infusion_orders.authoring.analysis.orders import Json
    from infusion_orders.reference.schema import TableSchema

    Rows = Sequence[Sequence[str]]
    Period = tuple[str, str, int]  # first day, last day, row number

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PLACES: Mapping[str, Mapping[str, str]] = {
    "codes": {"code": "/lines/0/hcpcs"},
    "crosswalk": {"code": "/lines/0/hcpcs"},
    "code_pairs": {"code": "/lines/0/hcpcs"},
    "per_diem_ladders": {"code": "/lines/0/hcpcs"},
    "ndc_crosswalk": {"ndc": "/lines/0/ndc", "code": "/lines/0/hcpcs"},
    "therapies": {"therapy": "/lines/0/therapy"},
    "vendors": {
        "vendor": "/infusion_provider/vendor",
        "therapy": "/lines/0/therapy",
        "line_of_business": "/member/line_of_business",
    },
    "dofr_grid": {
        "medical_group": "/member/medical_group/id",
        "line_of_business": "/member/line_of_business",
        "risk_arrangement": "/member/medical_group/risk_arrangement",
    },
    "counties": {"county": "/member/county"},
    "diagnoses": {"category": "/diagnoses/0/code"},
}
"""Where an order says what a table's key holds."""


def table_findings(tables: Mapping[str, Rows]) -> Iterator[Finding]:
    """Every gap, overlap and reversed period of every dated table, with an order dated on its first day.

    Rows that have not the table's columns are left out: they are told elsewhere.
    """
    for name, schema in TABLES.items():
        if schema.period is not None:
            yield from _of_table(schema, tables.get(name, ()))


def _of_table(schema: TableSchema, rows: Rows) -> Iterator[Finding]:
    for cells, periods in _periods(schema, rows).items():
        key = dict(zip(schema.key, cells, strict=True))
        named = ", ".join(f"{column} {cell}" for column, cell in key.items() if cell)
        for begins, ends, number in periods:
            if ends < begins:
                where = (f"tables/{schema.name}.csv row {number}",)
                problem = f"ends before it begins: it holds on no day, not even on {begins}, of {named}"
                yield Finding(Kind.TABLE_REVERSED, where, problem, _order_on(schema, key, begins))
        for one, other in pairwise(sorted(period for period in periods if period[0] <= period[1])):
            yield from _between(schema, key, named, one, other)


def _between(schema: TableSchema, key: Mapping[str, str], named: str, one: Period, other: Period) -> Iterator[Finding]:
    where = (f"tables/{schema.name}.csv rows {one[2]} and {other[2]}",)
    if other[0] <= one[1]:
        problem = f"both hold on {other[0]} of {named}: which of them counts would be an accident"
        yield Finding(Kind.TABLE_OVERLAP, where, problem, _order_on(schema, key, other[0]))
        return
    first, last = _next_day(one[1]), _next_day(other[0], -1)
    if first <= last:
        yield Finding(
            Kind.TABLE_GAP, where, f"say nothing of {named} from {first} to {last}", _order_on(schema, key, first)
        )


def _periods(schema: TableSchema, rows: Rows) -> dict[tuple[str, ...], list[Period]]:
    """First and last day and row number of each key's rows; an open end is the end of time."""
    header = schema.header()
    key = [header.index(column) for column in schema.key]
    first, last = (header.index(column) for column in schema.period or ())
    periods: dict[tuple[str, ...], list[Period]] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) == len(header) and _DAY.fullmatch(row[first]) and _DAY.fullmatch(row[last] or END_OF_TIME):
            of_key = periods.setdefault(tuple(row[position] for position in key), [])
            of_key.append((row[first], row[last] or END_OF_TIME, number))
    return periods


def _next_day(day: str, step: int = 1) -> str:
    return day if day == END_OF_TIME else (date.fromisoformat(day) + timedelta(days=step)).isoformat()


def _order_on(schema: TableSchema, key: Mapping[str, str], day: str) -> Json:
    """A whole order that asks the table for the key on that day."""
    order: Json = copy.deepcopy(COMPLETE)
    for column, pointer in PLACES.get(schema.name, {}).items():
        if key.get(column, ANY) != ANY:
            order = placed(order, pointer, key[column])
    for pointer in ("/lines/0/service_from", "/lines/0/service_to"):
        order = placed(order, pointer, day)
    return order
