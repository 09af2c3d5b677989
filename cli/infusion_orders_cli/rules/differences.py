"""The differences between two versions, for people."""

from __future__ import annotations

from difflib import ndiff
from typing import TYPE_CHECKING

from rich.text import Text

from infusion_orders_cli.codes.report import COLOURS, cells_in_words
from infusion_orders_cli.terminal import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.authoring.differences import Differences, PartChange, RuleChange

MARKS = {"- ": "red", "+ ": "green"}
KINDS = {"added": "green", "removed": "red", "changed": "yellow"}
MOST_ROWS = 40


def differences_report(found: Differences) -> Iterator[Text]:
    """Yield the lines of the report, rules first, then tables."""
    if not found:
        yield Text("No difference.")
    for rule in found.rules:
        yield from _rule(rule)
    for table, changes in found.tables.items():
        yield Text(f"table {table}", style="bold")
        for change in changes[:MOST_ROWS]:
            since = f" from {change.since}" if change.since else ""
            yield Text.assemble(
                "  ", (change.kind, COLOURS[change.kind]), f" {change.subject}{since}: {plain(cells_in_words(change))}"
            )
        if len(changes) > MOST_ROWS:
            yield Text(f"  {len(changes) - MOST_ROWS} more; --json lists them all")


def _rule(change: RuleChange) -> Iterator[Text]:
    yield Text.assemble((change.kind, KINDS[change.kind]), (f" {change.rule}", "bold"), f"  {plain(change.title)}")
    if change.kind == "changed" and not change.parts:
        yield Text("  only the notation changes")
    for part in change.parts:
        yield from _part(part)


def _part(part: PartChange) -> Iterator[Text]:
    """A part of one line becomes `before -> after`; a longer one shows what goes and what comes."""
    if len(part.before) <= 1 and len(part.after) <= 1:
        before, after = (lines[0] if lines else "none" for lines in (part.before, part.after))
        yield Text(f"  {part.part}: {plain(before)} -> {plain(after)}")
        return
    yield Text(f"  {part.part}:")
    for line in ndiff(part.before, part.after):
        if not line.startswith("?"):
            yield Text(f"    {plain(line)}", style=MARKS.get(line[:2], ""))
