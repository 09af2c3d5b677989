"""What a benchmark found, in one form for the screen, the page and the kept ratios."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.budgets import BUDGETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from benchmarks.budgets import Budget

BUDGET_COLUMNS = ("budget", "found", "limit", "")


@dataclass(frozen=True)
class Table:
    """The first column holds text and the others figures; the note goes below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Report:
    """The findings of one benchmark.

    `about` says in Markdown what was measured and how.  `noticed` are figures for the page's first table.  `ratios`
    compare ours with something else in the same run, so lower is better: `make bench-check` watches them.
    """

    title: str
    about: str
    tables: Sequence[Table] = ()
    noticed: Sequence[tuple[str, str]] = ()
    budgets: Mapping[Budget, float] = field(default_factory=dict)
    ratios: Mapping[str, float] = field(default_factory=dict)


def not_run(title: str, reason: object) -> Report:
    """Return the report of a benchmark that cannot run on this machine."""
    return Report(title, f"NOT RUN: {reason}.")


def budget_rows(reports: Sequence[Report]) -> list[tuple[str, str, str, str]]:
    """Return all budgets with what the reports found."""
    found = {budget: value for report in reports for budget, value in report.budgets.items()}
    return [budget.row(found.get(budget)) for budget in BUDGETS]


def show(table: Table, screen: Console) -> None:
    """Print a table on the screen."""
    from rich.table import Table as Grid

    grid = Grid(title=table.title, caption=table.note or None, title_justify="left", caption_justify="left")
    for number, column in enumerate(table.columns):
        grid.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in table.rows:
        grid.add_row(*row)
    screen.print(grid)


def page(introduction: str, reports: Sequence[Report]) -> str:
    """Return docs/performance.md: what a user notices and the budgets, then a section for each report."""
    noticed = [row for report in reports for row in report.noticed]
    parts = [
        introduction.strip(),
        "## What a user notices",
        markdown(("", "measured"), noticed),
        "## Budgets",
        markdown(BUDGET_COLUMNS, budget_rows(reports)),
    ]
    for report in reports:
        parts += [f"## {report.title}", report.about.strip()]
        for table in report.tables:
            parts += [markdown((table.title, *table.columns[1:]), table.rows), *([table.note] if table.note else [])]
    return "\n\n".join(parts) + "\n"


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the columns after the first are figures."""
    lines = ["| " + " | ".join(columns) + " |", "|---" + "|--:" * (len(columns) - 1) + "|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def microseconds(seconds: float) -> str:
    """Return seconds as microseconds with three significant digits."""
    return _figure(seconds * 1e6)


def milliseconds(seconds: float) -> str:
    """Return seconds as milliseconds with three significant digits."""
    return _figure(seconds * 1e3)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
