"""How the rows of a reference table differ from those before, by the table's own key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infusion_orders.reference.schema import TableSchema

    Row = tuple[str, ...]

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RowChange:
    """`kind`: `new`, `ended`, `changed`, or `removed` for a row that would have begun later and is gone.

    `cells`: column, old and new text; `since`: the first day on which it is so, empty where a row ends.
    """

    kind: str
    subject: str
    since: str
    cells: tuple[tuple[str, str, str], ...]


def with_cells(schema: TableSchema, row: Row, **cells: str) -> Row:
    """The row with some cells replaced, by their columns' names."""
    return tuple(cells.get(name, cell) for name, cell in zip(schema.header(), row, strict=True))


def table_changes(schema: TableSchema, before: Iterable[Row], after: Iterable[Row]) -> tuple[RowChange, ...]:
    """What is new, ended, changed and removed, in the order of the table's key.

    A row that ends and one of the same key that begins the next day are one change, from that day on.
    """
    old, new = _by_key_and_day(schema, before), _by_key_and_day(schema, after)
    added = {identity: row for identity, row in new.items() if identity not in old}
    changes: list[RowChange] = []
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
    first = None if schema.period is None else header.index(schema.period[0])
    return {(tuple([row[place] for place in places]), "" if first is None else row[first]): row for row in rows}


def _following(schema: TableSchema, identity: _Identity, row: Row) -> _Identity | None:
    last = "" if schema.period is None else row[schema.header().index(schema.period[1])]
    return (identity[0], (date.fromisoformat(last) + ONE_DAY).isoformat()) if last else None


def _altered(schema: TableSchema, identity: _Identity, row: Row, later: Row, following: Row | None) -> RowChange:
    if following is not None:
        return _change(schema, "changed", identity, row, following, without="valid_from")
    last = "" if schema.period is None else later[schema.header().index(schema.period[1])]
    only_ended = bool(last) and with_cells(schema, row, valid_to=last) == later
    return _change(schema, "ended" if only_ended else "changed", identity, row, later)


def _change(
    schema: TableSchema,
    kind: str,
    identity: _Identity,
    old: Row | None,
    new: Row | None,
    without: str = "",
) -> RowChange:
    header = schema.header()
    blank = ("",) * len(header)
    cells = tuple(
        (name, one, other)
        for name, one, other in zip(header, old or blank, new or blank, strict=True)
        if one != other and name != without
    )
    dated = schema.period is not None and new is not None and kind != "ended"
    since = new[header.index("valid_from")] if dated and new is not None else ""
    return RowChange(kind, " ".join(part for part in identity[0] if part), since, cells)
