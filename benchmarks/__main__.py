"""Run the benchmarks, all or some, and show their tables; or write the page of the documentation.

Examples:
  python -m benchmarks latency peers     run two of them
  python -m benchmarks --page            run all; write docs/performance.md and benchmarks/ratios.json
  python -m benchmarks --check           compare the ratios with benchmarks/ratios.json
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

from benchmarks.budgets import NOT_RUN
from benchmarks.reporting import BUDGET_COLUMNS, Table, budget_rows, page, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.reporting import Report

PROJECT = Path(__file__).parents[1]
BENCHMARKS = {
    "latency": "one order and the handler, 1 minute",
    "cold_start": "the built function next to a stock handler, 1 minute",
    "throughput": "files of orders, 2 minutes",
    "load": "the function under load, and its cost, 2 minutes",
    "peers": "next to other rule engines, 1 minute",
    "scale": "more rules and lines, 2 minutes",
}
RATIOS = PROJECT / "benchmarks" / "ratios.json"
PAGE = PROJECT / "docs" / "performance.md"
TOLERANCE = 1.25
"""A ratio may be this many times the kept one."""
INTRODUCTION = """
# Performance

One run of `make bench` wrote this page: {machine}; load of the machine at the start: {load:.1f}.
Ratios are ours over what they compare with, timed in the same rounds: lower is better, and about the same on any
machine, unlike the times. `make bench ONLY="latency peers"` shows some benchmarks on the screen. Before a release run
`make bench-check` on an idle machine: it fails if a ratio is more than 25 % worse than in `benchmarks/ratios.json`.
"""


def main() -> int:
    """Return 1 if a ratio is worse than the kept one."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    listed = "; ".join(f"{name}: {what}" for name, what in BENCHMARKS.items())
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{listed} (default: all)")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md and benchmarks/ratios.json")
    parser.add_argument("--check", action="store_true", help="compare the ratios with the kept ones")
    options = parser.parse_args()
    if unknown := set(options.names) - BENCHMARKS.keys():
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if options.page and options.names:
        parser.error("the page shows one run of all benchmarks: leave the names out")
    machine = f"CPython {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors"
    introduction = INTRODUCTION.format(machine=machine, load=os.getloadavg()[0])
    progress = Console(stderr=True, highlight=False)
    screen = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    reports = run(options.names or list(BENCHMARKS), progress)
    for report in reports.values():
        screen.rule(report.title)
        screen.print(report.about.strip(), style="dim")
        for table in report.tables:
            show(table, screen)
    measured = [row for row in budget_rows(list(reports.values())) if row[-1] != NOT_RUN]
    show(Table("Budgets", BUDGET_COLUMNS, measured), screen)
    if options.page:
        PAGE.write_text(page(introduction, list(reports.values())), encoding="utf-8")
        keep(ratios_of(reports))
    return 0 if not options.check or compare(ratios_of(reports), screen) else 1


def run(names: Sequence[str], progress: Console) -> dict[str, Report]:
    """Run the benchmarks one after the other and return their reports by name."""
    reports = {}
    for number, name in enumerate(names, start=1):
        progress.print(f"[dim]{number} of {len(names)}: {name} ({BENCHMARKS[name]}) ...[/]")
        reports[name] = importlib.import_module(f"benchmarks.{name}").report()
    return reports


def ratios_of(reports: Mapping[str, Report]) -> dict[str, float]:
    """Return all ratios, each under its benchmark's name and its own."""
    return {f"{name}: {ratio}": value for name, report in reports.items() for ratio, value in report.ratios.items()}


def keep(found: Mapping[str, float]) -> None:
    """Write the ratios of a run of all benchmarks."""
    ratios = {name: float(f"{value:.4g}") for name, value in found.items()}
    RATIOS.write_text(json.dumps(ratios, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def compare(found: Mapping[str, float], screen: Console) -> bool:
    """Show the comparison; return whether there is something to compare and nothing is worse."""
    kept: dict[str, float] = json.loads(RATIOS.read_text(encoding="utf-8"))
    rows = [
        (name, f"{kept[name]:.3g}", f"{found[name]:.3g}", "WORSE" if found[name] / kept[name] > TOLERANCE else "")
        for name in sorted(found.keys() & kept.keys())
    ]
    show(Table(f"Ratios: worse beyond {TOLERANCE} times", ("ratio", "kept", "found", ""), rows), screen)
    return bool(rows) and not any(row[-1] == "WORSE" for row in rows)


if __name__ == "__main__":
    raise SystemExit(main())
