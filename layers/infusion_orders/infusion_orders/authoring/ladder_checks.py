"""Checks of per diem ladders: each row states its measure and range, and no two rows of one day match the same value.

A ladder is the list of per diem codes of one therapy, from one value of a measure to the next.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING

from infusion_orders.authoring.table_cells import cell_problem
from infusion_orders.authoring.table_problems import TableProblem
from infusion_orders.reference.schema import ANY_MEASURE, END_OF_TIME, INFUSIONS, Column, as_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Row = Mapping[str, str]
    NumberedRow = tuple[int, Row]

_TABLE = "per_diem_ladders"
_HOURS = Column("equals", "decimal")
_FILLED: Mapping[str, tuple[str, ...]] = {
    ANY_MEASURE: (),
    "infusion": ("equals",),
    "interval_hours": ("equals",),
    "daily_volume_ml": ("above", "at_most"),
}


def rung_problems(number: int, row: Row) -> Iterator[TableProblem]:
    """Yield the problems of one row by itself."""
    filled = [column for column in ("equals", "above", "at_most") if row[column]]
    wanted = _FILLED[row["measure"]]
    for column in filled:
        if column not in wanted:
            yield TableProblem(_TABLE, number, column, f"must be empty for the measure {row['measure']}")
    if wanted and not any(column in filled for column in wanted):
        text = f"the measure {row['measure']} needs a value in {' or '.join(wanted)}"
        yield TableProblem(_TABLE, number, wanted[0], text)
    if row["measure"] == "infusion" and row["equals"] and row["equals"] not in INFUSIONS:
        yield TableProblem(_TABLE, number, "equals", f"must be one of: {', '.join(INFUSIONS)}")
    if row["measure"] == "interval_hours" and row["equals"] and cell_problem(_HOURS, row["equals"]):
        yield TableProblem(_TABLE, number, "equals", "must be a number of hours above 0")
    if row["above"] and row["at_most"] and Decimal(row["above"]) >= Decimal(row["at_most"]):
        yield TableProblem(_TABLE, number, "at_most", "must be greater than the value in `above`")


def ladder_problems(rows: Iterable[NumberedRow]) -> Iterator[TableProblem]:
    """Yield rows of one therapy and day that use different measures, or that match the same value."""
    by_therapy: dict[str, list[NumberedRow]] = {}
    for number, row in rows:
        by_therapy.setdefault(row["therapy"], []).append((number, row))
    for rungs in by_therapy.values():
        for (number, row), (later_number, later) in combinations(rungs, 2):
            if _share_a_day(row, later) and (problem := _clash(row, later)):
                yield TableProblem(_TABLE, later_number, "measure", problem.format(row=number))


def _clash(one: Row, other: Row) -> str | None:
    measures = {one["measure"], other["measure"]}
    if ANY_MEASURE in measures:
        return "row {row} is already the code for any value of this therapy" if len(measures) == 1 else None
    if len(measures) == 2:
        return "row {row} of the same therapy uses another measure; all rows of a therapy must use the same one"
    same = _ranges_meet(one, other) if measures == {"daily_volume_ml"} else _value(one) == _value(other)
    return "row {row} matches some of the same values; each value may match only one row" if same else None


def _value(row: Row) -> Decimal | str:
    return Decimal(row["equals"]) if row["measure"] == "interval_hours" else row["equals"]


def _ranges_meet(one: Row, other: Row) -> bool:
    """Return whether the ranges overlap.  `above` is exclusive, and `at_most` is inclusive."""
    above = max(as_decimal(row["above"]) or Decimal(-1) for row in (one, other))
    ends = [Decimal(row["at_most"]) for row in (one, other) if row["at_most"]]
    return not ends or above < min(ends)


def _share_a_day(one: Row, other: Row) -> bool:
    first = max(one["valid_from"], other["valid_from"])
    return first <= min(one["valid_to"] or END_OF_TIME, other["valid_to"] or END_OF_TIME)
