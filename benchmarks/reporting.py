"""What a benchmark found, in one form: tables and plots for people, ratios for `make bench-check`, budgets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console


@dataclass(frozen=True)
class Table:
    """The first column is text, the others are figures; a note stands below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Budget:
    """What `found` may be `at_most`, in one unit (`x` for a ratio)."""

    what: str
    found: float
    at_most: float
    unit: str = "x"

    @property
    def kept(self) -> bool:
        """Whether it holds."""
        return self.found <= self.at_most

    def told(self) -> tuple[str, str, str, str]:
        """As a row."""
        return (
            self.what,
            f"{self.found:.3g} {self.unit}",
            f"{self.at_most:.3g} {self.unit}",
            "kept" if self.kept else "NOT KEPT",
        )


@dataclass(frozen=True)
class Plot:
    """Lines over sizes on logarithmic axes; `file` is its name without a folder, such as `rules.svg`."""

    file: str
    title: str
    x: str
    y: str
    series: Mapping[str, Sequence[tuple[float, float]]]


@dataclass(frozen=True)
class Report:
    """`about` says in Markdown what was measured and how.

    `ratios` are ours over what it is compared with, lower is better: what `make bench-check` holds from release to
    release.
    """

    name: str
    title: str
    about: str
    tables: Sequence[Table] = ()
    plots: Sequence[Plot] = ()
    budgets: Sequence[Budget] = ()
    ratios: Mapping[str, float] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """For machines."""
        return {**asdict(self), "budgets": [{**asdict(one), "kept": one.kept} for one in self.budgets]}


BUDGET_COLUMNS = ("budget", "found", "at most", "")


def show(report: Report, console: Console) -> None:
    """On a screen."""
    from rich.table import Table as Grid

    console.rule(report.title)
    shown = [(table.title, table.columns, table.rows, table.note) for table in report.tables]
    if report.budgets:
        shown.append(("Budgets", BUDGET_COLUMNS, [one.told() for one in report.budgets], ""))
    for title, columns, rows, note in shown:
        grid = Grid(title=title, caption=note or None, title_justify="left", caption_justify="left")
        for number, column in enumerate(columns):
            grid.add_column(column, justify="right" if number else "left", overflow="fold")
        for row in rows:
            grid.add_row(*row)
        console.print(grid)


def as_markdown(report: Report, plots_folder: str) -> str:
    """A section of a document."""
    parts = [f"## {report.title}", report.about.strip()]
    for table in report.tables:
        parts.append(f"**{table.title}**\n\n" + grid(table.columns, table.rows))
        if table.note:
            parts.append(table.note)
    parts += [f"![{plot.title}]({plots_folder}/{plot.file})" for plot in report.plots]
    if report.budgets:
        parts.append(grid(BUDGET_COLUMNS, [one.told() for one in report.budgets]))
    return "\n\n".join(parts) + "\n"


def grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; the columns behind the first are figures."""
    lines = ["| " + " | ".join(columns) + " |", "|---" + "|--:" * (len(columns) - 1) + "|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def draw(plot: Plot, folder: Path) -> None:
    """As SVG, the same bytes for the same figures."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "infusion-orders"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, points in plot.series.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set(title=plot.title, xlabel=plot.x, ylabel=plot.y, xscale="log", yscale="log")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / plot.file, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
