"""All benchmarks, or some by name, in one run: tables on the screen, or the page of the documentation with its plots.

Examples:
  python -m benchmarks decision_path peers
  python -m benchmarks --json > ratios.json
  python -m benchmarks --page            writes docs/performance.md and docs/performance/*.svg
  python -m benchmarks --check           compares the ratios with benchmarks/ratios.json
  python -m benchmarks --keep-ratios     writes benchmarks/ratios.json
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.reporting import BUDGET_COLUMNS, as_markdown, draw, grid, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.reporting import Report

PROJECT = Path(__file__).parents[1]
BENCHMARKS = ("peers", "decision_path", "scale", "loading", "startup", "batch", "replay")
RATIOS = PROJECT / "benchmarks" / "ratios.json"
PAGE = PROJECT / "docs" / "performance.md"
PLOTS = PROJECT / "docs" / "performance"
TOLERANCE = 1.25
"""How much worse a ratio may be than the one that is kept."""


def measured(names: Sequence[str], console: Console) -> list[Report]:
    """Each benchmark's report, one after the other."""
    reports = []
    for number, name in enumerate(names, start=1):
        console.print(f"[dim]{number} of {len(names)}: {name} ...[/]")
        reports.append(importlib.import_module(f"benchmarks.{name}").report())
    return reports


def compared(found: Mapping[str, float], kept: Mapping[str, float]) -> list[tuple[str, str, str, str]]:
    """A row for each ratio that both have: its name, what it was, what it is, and whether that is worse or better."""
    rows = []
    for name in sorted(found.keys() & kept.keys()):
        change = found[name] / kept[name]
        verdict = "WORSE" if change > TOLERANCE else "better" if change < 1 / TOLERANCE else "as it was"
        rows.append((name, f"{kept[name]:.3g}", f"{found[name]:.3g}", verdict))
    return rows


def ratios_of(reports: Sequence[Report]) -> dict[str, float]:
    """All ratios, each under its benchmark's name and its own."""
    return {f"{report.name}: {name}": value for report in reports for name, value in report.ratios.items()}


def write_page(reports: Sequence[Report]) -> None:
    """docs/performance.md and its plots, whole: it is of one run."""
    machine = f"CPython {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors"
    head = (PROJECT / "benchmarks" / "page.md").read_text(encoding="utf-8").replace("{machine}", machine)
    sections = [head, budgets_of(reports), *(as_markdown(report, PLOTS.name) for report in reports)]
    PAGE.write_text("\n".join(sections), encoding="utf-8")
    for report in reports:
        for plot in report.plots:
            draw(plot, PLOTS)


def budgets_of(reports: Sequence[Report]) -> str:
    """All of them in one section, to be seen first."""
    rows = [one.told() for report in reports for one in report.budgets]
    return f"## Budgets\n\n{grid(BUDGET_COLUMNS, rows)}\n"


def main() -> int:
    """0, or 1 where a ratio is worse than the one that is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print the reports as JSON")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md and its plots")
    parser.add_argument("--check", action="store_true", help="compare the ratios with those that are kept")
    parser.add_argument("--keep-ratios", action="store_true", help="keep the ratios of this run")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if options.page and options.names:
        parser.error("the page is of one run of all benchmarks: leave the names out")
    progress, screen = Console(stderr=True), Console()
    reports = measured(options.names or BENCHMARKS, progress)
    if options.json:
        sys.stdout.write(json.dumps([report.plain() for report in reports], indent=2) + "\n")
    else:
        for report in reports:
            show(report, screen)
    if options.page:
        write_page(reports)
    if options.keep_ratios:
        keep(ratios_of(reports))
    return 0 if not options.check or is_as_kept(ratios_of(reports), progress) else 1


def kept_ratios() -> dict[str, float]:
    """None before the first run that keeps them."""
    kept: dict[str, float] = json.loads(RATIOS.read_text(encoding="utf-8")) if RATIOS.exists() else {}
    return kept


def keep(found: Mapping[str, float]) -> None:
    """Those of benchmarks that did not run stay."""
    ratios = kept_ratios() | {name: float(f"{value:.4g}") for name, value in found.items()}
    RATIOS.write_text(json.dumps(ratios, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def is_as_kept(found: Mapping[str, float], console: Console) -> bool:
    """Shows the comparison; false where a ratio is worse, and where there is nothing to compare."""
    rows = compared(found, kept_ratios())
    table = Table("ratio", "kept", "found", "", title=f"Ratios, ours over theirs: worse beyond {TOLERANCE} times")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    return bool(rows) and not any(row[-1] == "WORSE" for row in rows)


if __name__ == "__main__":
    raise SystemExit(main())
