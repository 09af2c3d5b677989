"""What an import would change, for a person who approves it and for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from infusion_orders_cli.terminal import escaped, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from rich.console import RenderableType
    from rich.table import Table

    from infusion_orders.authoring.differences import RowChange
    from infusion_orders_cli.codes.changes import Imported, Notice

MOST_LINES = 40
"""How many changes of each kind a person is shown; JSON has all of them."""
LONGEST_CELL = 60
COLOURS = {"new": "green", "ended": "red", "changed": "yellow", "removed": "red"}


def as_json(imported: Imported, *, effective: date, draft: str | None) -> dict[str, Any]:
    """Return the whole difference; `cells` are pairs of old and new text by column."""
    return {
        "table": imported.table,
        "effective": effective,
        "read": imported.read,
        "counts": imported.counts(),
        "changes": [
            {
                "kind": change.kind,
                "subject": change.subject,
                "since": change.since or None,
                "cells": {column: [old, new] for column, old, new in change.cells},
            }
            for change in imported.changes
        ],
        "dropped": imported.dropped,
        "notices": imported.notices,
        "draft": draft,
    }


def as_tables(imported: Imported) -> Iterator[RenderableType]:
    """Yield the changes, then what a person must look at, then the counts."""
    if imported.changes:
        yield _changes_table(imported)
    if imported.notices:
        yield _notices_table(imported.notices)
    counts = ", ".join(f"{number} {kind}" for kind, number in imported.counts().items())
    yield f"[bold]{imported.table}[/], {imported.read} rows read: {counts}; {len(imported.rows)} rows afterwards"
    if imported.dropped:
        yield "Left out: " + ", ".join(f"{number} {what}" for what, number in imported.dropped.items())


def _changes_table(imported: Imported) -> Table:
    table = table_of(("", imported.table, "from", "what changes"))
    shown: Counter[str] = Counter()
    for change in imported.changes:
        shown[change.kind] += 1
        if shown[change.kind] <= MOST_LINES:
            kind = f"[{COLOURS[change.kind]}]{change.kind}[/]"
            table.add_row(kind, change.subject, change.since, escaped(cells_in_words(change)))
    for name, number in shown.items():
        if number > MOST_LINES:
            table.add_row(f"[{COLOURS[name]}]{name}[/]", "", "", _more(number))
    return table


def _notices_table(notices: tuple[Notice, ...]) -> Table:
    """Show the same notice about many codes once."""
    subjects: dict[tuple[str, str], list[str]] = {}
    for notice in notices:
        subjects.setdefault((notice.kind, notice.text), []).append(notice.subject)
    table = table_of(("to be looked at", "", "codes"))
    for (kind, text), codes in subjects.items():
        more = f" and {_more(len(codes))}" if len(codes) > MOST_LINES else ""
        table.add_row(kind, escaped(text), " ".join(codes[:MOST_LINES]) + more)
    return table


def _more(number: int) -> str:
    return f"{number - MOST_LINES} more: --json lists them all"


def cells_in_words(change: RowChange) -> str:
    """Return the cells of a new row, or the old and new text of each changed column."""
    if change.kind == "new":
        return ", ".join(_short(new) for _, _, new in change.cells if new)
    return "; ".join(f"{column}: {_short(old)} -> {_short(new)}" for column, old, new in change.cells)


def _short(cell: str) -> str:
    return (cell[: LONGEST_CELL - 3] + "...") if len(cell) > LONGEST_CELL else cell or "(empty)"
