"""The gaps in dated tables: days without a row, between two rows of the same key."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from infusion_orders.authoring.analysis.order_search import placed
from infusion_orders.authoring.analysis.report import AnalysisFinding, FindingKind
from infusion_orders.authoring.analysis.samples import COMPLETE
from infusion_orders.reference.schema import ANY, END_OF_TIME, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from infusion_orders.authoring.analysis.order_search import Json
    from infusion_orders.reference.schema import TableSchema

    Rows = Sequence[Sequence[str]]
    Period = tuple[str, str, int]  # first day, last day, row number

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
POINTERS: Mapping[str, Mapping[str, str]] = {
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
"""The place in an order that states each column of a table's key."""


def gap_findings(tables: Mapping[str, Rows]) -> Iterator[AnalysisFinding]:
    """Yield every gap between two rows of the same key, with an order dated on the first day of the gap."""
    for name, schema in TABLES.items():
        if schema.period is None:
            continue
        for cells, periods in _periods(schema, tables.get(name, ())).items():
            key = dict(zip(schema.key, cells, strict=True))
            for (_, ends, row), (begins, _, next_row) in pairwise(sorted(periods)):
                first, last = _day_after(ends), _day_before(begins)
                if first <= last:
                    where = (f"tables/{name}.csv rows {row} and {next_row}",)
                    named = ", ".join(f"{column} {cell}" for column, cell in key.items() if cell)
                    problem = f"no row covers {named} from {first} to {last}; add a row or extend one of these"
                    yield AnalysisFinding(FindingKind.TABLE_GAP, where, problem, _order_on(schema, key, first))


def _periods(schema: TableSchema, rows: Rows) -> dict[tuple[str, ...], list[Period]]:
    """Return the first day, last day and row number of each key's rows; an open end is the end of time."""
    header = schema.header()
    key = [header.index(column) for column in schema.key]
    first, last = (header.index(column) for column in schema.period or ())
    periods: dict[tuple[str, ...], list[Period]] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) == len(header) and _DAY.fullmatch(row[first]) and _DAY.fullmatch(row[last] or END_OF_TIME):
            of_key = periods.setdefault(tuple(row[position] for position in key), [])
            of_key.append((row[first], row[last] or END_OF_TIME, number))
    return periods


def _day_after(day: str) -> str:
    return day if day == END_OF_TIME else (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _order_on(schema: TableSchema, key: Mapping[str, str], day: str) -> Json:
    """Return a whole order that looks up the key on that day."""
    order: Json = COMPLETE
    for column, pointer in POINTERS.get(schema.name, {}).items():
        if key.get(column, ANY) != ANY:
            order = placed(order, pointer, key[column])
    for pointer in ("/lines/0/service_from", "/lines/0/service_to"):
        order = placed(order, pointer, day)
    return order
