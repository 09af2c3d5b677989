"""What an import does to a table: the rows afterwards, and how they differ from those before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from infusion_orders.codes.schema import TableSchema

    Row = tuple[str, ...]

FORMULA_SIGNS = ("=", "+", "-", "@")
"""A cell that begins with one of these is a formula to a spreadsheet: no file's text may put one into a table."""

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person must look at; the import has done nothing about it.  `kind` groups notices of the same sort."""

    kind: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """`kind`: `new`, `ended`, `changed`, or `removed` for a row that would have begun later and is gone.

    `cells`: column, old and new text; `since`: the first day on which it is so, empty where a row ends.
    """

    kind: str
    subject: str
    since: str
    cells: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """One table afterwards, without its header, in order; how many rows of the file were dropped, and why."""

    table: str
    rows: tuple[Row, ...]
    changes: tuple[Change, ...]
    read: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many changes there are of each kind."""
        kinds = [change.kind for change in self.changes]
        return {kind: kinds.count(kind) for kind in ("new", "ended", "changed", "removed")}


def day_before(day: date) -> str:
    """In ISO 8601, as tables have it."""
    return (day - ONE_DAY).isoformat()


def in_order(schema: TableSchema, rows: Iterable[Row]) -> tuple[Row, ...]:
    """By key, and the periods of one key by their first day."""
    header = schema.header()
    places = [header.index(name) for name in (*schema.key, "valid_from")]
    return tuple(sorted(rows, key=lambda row: [row[place] for place in places]))


def with_cells(schema: TableSchema, row: Row, **cells: str) -> Row:
    """The row with some cells replaced, by their columns' names."""
    return tuple(cells.get(name, cell) for name, cell in zip(schema.header(), row, strict=True))


def from_day_on(
    schema: TableSchema,
    before: Iterable[Row],
    wanted: Iterable[Row],
    *,
    effective: date,
    covers: Callable[[Row], bool] = lambda _: True,
) -> tuple[Row, ...]:
    """The table in which the wanted rows hold from that day on, and none else that the file `covers`.

    What holds already goes on, without an end; what is no longer wanted ends on the day before; what ended earlier
    stays.
    """
    header = schema.header()
    first, last = header.index("valid_from"), header.index("valid_to")
    day = effective.isoformat()
    by_content = {row[:first]: row for row in wanted}
    after: list[Row] = []
    standing: set[Row] = set()
    for row in in_order(schema, before):
        ended = row[last] and row[last] < day
        if ended or not covers(row):
            after.append(row)
        elif row[:first] in standing:
            continue
        elif row[:first] in by_content:
            standing.add(row[:first])
            after.append(with_cells(schema, row, valid_from=min(row[first], day), valid_to=""))
        elif row[first] < day:
            after.append(with_cells(schema, row, valid_to=day_before(effective)))
    after += [row for content, row in by_content.items() if content not in standing]
    return in_order(schema, after)


def table_changes(schema: TableSchema, before: Iterable[Row], after: Iterable[Row]) -> tuple[Change, ...]:
    """What is new, ended, changed and removed, in the order of the table's key.

    A row that ends and one of the same key that begins the next day are one change, from that day on.
    """
    old, new = _by_key_and_day(schema, before), _by_key_and_day(schema, after)
    added = {identity: row for identity, row in new.items() if identity not in old}
    changes: list[Change] = []
    for identity, row in old.items():
        later = new.get(identity)
        if later is None:
            changes.append(_change(schema, "removed", identity, row, None))
        elif later != row:
            next_day = _following(schema, identity, later)
            following = added.pop(next_day, None) if next_day else None
            changes.append(_altered(schema, identity, row, later, following))
    changes += [_change(schema, "new", identity, None, row) for identity, row in added.items()]
    return tuple(sorted(changes, key=lambda change: (change.subject, change.since, change.kind)))


_Identity = tuple[tuple[str, ...], str]


def _by_key_and_day(schema: TableSchema, rows: Iterable[Row]) -> dict[_Identity, Row]:
    header = schema.header()
    places = [header.index(name) for name in schema.key]
    first = header.index("valid_from")
    return {(tuple([row[place] for place in places]), row[first]): row for row in rows}


def _following(schema: TableSchema, identity: _Identity, row: Row) -> _Identity | None:
    last = row[schema.header().index("valid_to")]
    return (identity[0], (date.fromisoformat(last) + ONE_DAY).isoformat()) if last else None


def _altered(schema: TableSchema, identity: _Identity, row: Row, later: Row, following: Row | None) -> Change:
    if following is not None:
        return _change(schema, "changed", identity, row, following, without="valid_from")
    last = later[schema.header().index("valid_to")]
    only_ended = bool(last) and with_cells(schema, row, valid_to=last) == later
    return _change(schema, "ended" if only_ended else "changed", identity, row, later)


def _change(
    schema: TableSchema,
    kind: str,
    identity: _Identity,
    old: Row | None,
    new: Row | None,
    without: str = "",
) -> Change:
    header = schema.header()
    blank = ("",) * len(header)
    cells = tuple(
        (name, one, other)
        for name, one, other in zip(header, old or blank, new or blank, strict=True)
        if one != other and name != without
    )
    since = "" if new is None or kind == "ended" else new[header.index("valid_from")]
    return Change(kind, " ".join(part for part in identity[0] if part), since, cells)
