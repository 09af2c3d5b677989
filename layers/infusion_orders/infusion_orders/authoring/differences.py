"""The differences between two versions of a rule set: by rule, in the words of the rule, and by table row."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.wording import rule_in_words
from infusion_orders.reference.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infusion_orders.reference.schema import TableSchema
    from infusion_orders.rules.document import RuleSetDocument

    Row = tuple[str, ...]
    RowKey = tuple[tuple[str, ...], str]  # the cells of the table's key, and the first day (empty without a period)

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PartChange:
    """One part of a rule, as lines before and after.  A new part has no lines before, a removed one none after."""

    part: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleChange:
    """`kind` is `added`, `removed` or `changed`.  Only a changed rule has parts: those that differ.

    A changed rule without parts means the same but is written differently, for example with a number in quotes.
    """

    kind: str
    rule: str
    title: str
    parts: tuple[PartChange, ...] = ()


@dataclass(frozen=True, slots=True)
class RowChange:
    """`kind` is `new`, `ended`, `changed`, or `removed` for a row that the new version no longer has.

    `cells` holds column, old text and new text.  `since` is the first day of the change; it is empty when a row ends.
    """

    kind: str
    subject: str
    since: str
    cells: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """The rules that differ, sorted by id, and the tables that differ, by name."""

    rules: tuple[RuleChange, ...]
    tables: Mapping[str, tuple[RowChange, ...]]

    def __bool__(self) -> bool:
        """Return whether anything differs."""
        return bool(self.rules or self.tables)

    def plain(self) -> dict[str, Any]:
        """Return the differences as plain JSON."""
        tables = {name: [asdict(change) for change in changes] for name, changes in self.tables.items()}
        return {"rules": [asdict(change) for change in self.rules], "tables": tables}


def differences(before: RuleSetDocument, after: RuleSetDocument) -> Differences:
    """Compare two checked documents."""
    old = {str(rule["id"]): rule for rule in before.rules}
    new = {str(rule["id"]): rule for rule in after.rules}
    rules = (_rule_change(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys()))
    tables = {
        name: table_changes(schema, before.tables.get(name, ())[1:], after.tables.get(name, ())[1:])
        for name, schema in TABLES.items()
        if before.tables.get(name) != after.tables.get(name)
    }
    return Differences(
        tuple(change for change in rules if change is not None),
        {name: changes for name, changes in tables.items() if changes},
    )


def _rule_change(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> RuleChange | None:
    if old == new:
        return None
    if old is None or new is None:
        rule = old or new or {}
        return RuleChange(ADDED if old is None else REMOVED, name, str(rule.get("title", "")))
    before, after = rule_in_words(old), rule_in_words(new)
    parts = [
        PartChange(part, tuple(before.get(part, ())), tuple(after.get(part, ())))
        for part in dict.fromkeys((*before, *after))
        if before.get(part) != after.get(part)
    ]
    return RuleChange(CHANGED, name, str(new.get("title", "")), tuple(parts))


def with_cells(schema: TableSchema, row: Row, **cells: str) -> Row:
    """Return the row with the named columns replaced."""
    return tuple(cells.get(name, cell) for name, cell in zip(schema.header(), row, strict=True))


def table_changes(
    schema: TableSchema, before: Iterable[Iterable[str]], after: Iterable[Iterable[str]]
) -> tuple[RowChange, ...]:
    """Return the rows that are new, ended, changed or removed, in the order of the table's key.

    A row that ends and a row of the same key that begins on the next day are one change, from that day on.
    """
    old, new = _by_key_and_day(schema, before), _by_key_and_day(schema, after)
    added = {key: row for key, row in new.items() if key not in old}
    changes: list[RowChange] = []
    for key, row in old.items():
        later = new.get(key)
        if later is None:
            changes.append(_row_change(schema, "removed", key, row, None))
        elif later != row:
            next_key = _key_on_the_next_day(schema, key, later)
            following = added.pop(next_key, None) if next_key else None
            changes.append(_altered(schema, key, row, later, following))
    changes += [_row_change(schema, "new", key, None, row) for key, row in added.items()]
    return tuple(sorted(changes, key=lambda change: (change.subject, change.since, change.kind)))


def _by_key_and_day(schema: TableSchema, rows: Iterable[Iterable[str]]) -> dict[RowKey, Row]:
    header = schema.header()
    places = [header.index(name) for name in schema.key]
    first = None if schema.period is None else header.index(schema.period[0])
    by_key: dict[RowKey, Row] = {}
    for row in map(tuple, rows):
        by_key[tuple(row[place] for place in places), "" if first is None else row[first]] = row
    return by_key


def _key_on_the_next_day(schema: TableSchema, key: RowKey, row: Row) -> RowKey | None:
    last = "" if schema.period is None else row[schema.header().index(schema.period[1])]
    return (key[0], (date.fromisoformat(last) + ONE_DAY).isoformat()) if last else None


def _altered(schema: TableSchema, key: RowKey, row: Row, later: Row, following: Row | None) -> RowChange:
    if following is not None:
        return _row_change(schema, "changed", key, row, following, without="valid_from")
    last = "" if schema.period is None else later[schema.header().index(schema.period[1])]
    only_ended = bool(last) and with_cells(schema, row, valid_to=last) == later
    return _row_change(schema, "ended" if only_ended else "changed", key, row, later)


def _row_change(
    schema: TableSchema, kind: str, key: RowKey, old: Row | None, new: Row | None, without: str = ""
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
    return RowChange(kind, " ".join(part for part in key[0] if part), since, cells)
