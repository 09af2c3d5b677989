"""What an import would change, for a person who approves it and for machines."""

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
"""Lines of each kind of change that a person is shown; JSON has all of them."""

LONGEST_CELL = 60
COLOURS = {"new": "green", "ended": "red", "changed": "yellow", "removed": "red"}


def as_json(imported: Imported, *, effective: date, draft: str | None) -> dict[str, Any]:
    """The whole diff; `cells` are pairs of old and new text by column."""
    return {
        "table": imported.table,
        "effective": effective.isoformat(),
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
        "dropped": dict(imported.dropped),
        "notices": [
            {"kind": notice.kind, "subject": notice.subject, "text": notice.text} for notice in imported.notices
        ],
        "draft": draft,
    }


def as_tables(imported: Imported) -> Iterator[RenderableType]:
    """The changes, then what a person must look at, then the counts."""
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
            colour = COLOURS[change.kind]
            table.add_row(f"[{colour}]{change.kind}[/]", change.subject, change.since, escaped(cells_in_words(change)))
    for kind, number in shown.items():
        if number > MOST_LINES:
            table.add_row(f"[{COLOURS[kind]}]{kind}[/]", "", "", f"{number - MOST_LINES} more: --json has them all")
    return table


def _notices_table(notices: tuple[Notice, ...]) -> Table:
    """What is the same of many codes is said once."""
    subjects: dict[tuple[str, str], list[str]] = {}
    for notice in notices:
        subjects.setdefault((notice.kind, notice.text), []).append(notice.subject)
    table = table_of(("to be looked at", "", "codes"))
    for (kind, text), codes in subjects.items():
        more = f" and {len(codes) - MOST_LINES} more: --json has them all" if len(codes) > MOST_LINES else ""
        table.add_row(kind, escaped(text), " ".join(codes[:MOST_LINES]) + more)
    return table


def cells_in_words(change: RowChange) -> str:
    """A new row's cells; of another one what they were and are, by column."""
    if change.kind == "new":
        return ", ".join(_short(new) for _, _, new in change.cells if new)
    return "; ".join(f"{column}: {_short(old)} -> {_short(new)}" for column, old, new in change.cells)


def _short(cell: str) -> str:
    return (cell[: LONGEST_CELL - 3] + "...") if len(cell) > LONGEST_CELL else cell or "(empty)"
