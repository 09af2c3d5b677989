"""What an import does to a table: the new rows, and how they differ from the old ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infusion_orders.authoring.differences import ONE_DAY, with_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from infusion_orders.authoring.differences import Row, RowChange
    from infusion_orders.reference.schema import TableSchema

FORMULA_SIGNS = ("=", "+", "-", "@")
"""A spreadsheet treats a cell that begins with one of these as a formula; no file's text may put one into a table."""


class OptionRefused(Exception):
    """An option of the command does not fit the tables or the file; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person must look at and that the import left alone.  `kind` groups similar notices."""

    kind: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Imported:
    """One new table without its header, sorted; how many rows of the file were read, and dropped for which reason."""

    table: str
    rows: tuple[Row, ...]
    changes: tuple[RowChange, ...]
    read: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    def counts(self) -> dict[str, int]:
        """Count the changes of each kind."""
        kinds = [change.kind for change in self.changes]
        return {kind: kinds.count(kind) for kind in ("new", "ended", "changed", "removed")}


def day_before(day: date) -> str:
    """Return the day before in ISO 8601, as tables have it."""
    return (day - ONE_DAY).isoformat()


def in_order(schema: TableSchema, rows: Iterable[Row]) -> tuple[Row, ...]:
    """Sort rows by their key, and the periods of one key by their first day."""
    header = schema.header()
    places = [header.index(name) for name in (*schema.key, "valid_from")]
    return tuple(sorted(rows, key=lambda row: [row[place] for place in places]))


def from_day_on(
    schema: TableSchema,
    before: Iterable[Row],
    wanted: Iterable[Row],
    *,
    effective: date,
    covers: Callable[[Row], bool] = lambda _: True,
) -> tuple[Row, ...]:
    """Return the table in which, among the rows that the file `covers`, just the wanted rows hold from that day on.

    A wanted row that holds already continues without an end. A row that is no longer wanted ends on the day before.
    Rows that ended earlier stay.
    """
    header = schema.header()
    first, last = header.index("valid_from"), header.index("valid_to")
    day = effective.isoformat()
    by_content = {row[:first]: row for row in wanted}
    after: list[Row] = []
    continued: set[Row] = set()
    for row in in_order(schema, before):
        ended = row[last] and row[last] < day
        if ended or not covers(row):
            after.append(row)
        elif row[:first] in continued:
            continue
        elif row[:first] in by_content:
            continued.add(row[:first])
            after.append(with_cells(schema, row, valid_from=min(row[first], day), valid_to=""))
        elif row[first] < day:
            after.append(with_cells(schema, row, valid_to=day_before(effective)))
    after += [row for content, row in by_content.items() if content not in continued]
    return in_order(schema, after)
