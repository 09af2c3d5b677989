"""Measure `infusion-orders validate` on files of orders: orders per second, and memory as files grow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.budgets import MEMORY, ORDERS_PER_CORE
from benchmarks.measuring import megabytes
from benchmarks.project import example_orders
from benchmarks.reporting import Report, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ORDERS = 40_000
DIFFERENT = 2_000
"""This many orders are made and then repeated."""
LOOK_EVERY_SECONDS = 0.1
COMMAND = (sys.executable, "-m", "infusion_orders_cli.main", "validate", "--json")
ABOUT = f"""
`infusion-orders validate --json` decides the example orders, of 1 to 4 lines each, from a file of {ORDERS:,} and from
one of a tenth as many. Rates come from the difference of the two runs: per core by the processor time of all
processes, per second by the clock. Memory is the most that one process held.
"""


@dataclass(frozen=True)
class Run:
    """What a run took: seconds by the clock, processor seconds, and peak megabytes of its largest process."""

    orders: int
    seconds: float
    processor_seconds: float
    megabytes: float

    def per_second(self, short: Run) -> float:
        """Return the orders per second by the clock, without the start-up that a shorter run has too."""
        return (self.orders - short.orders) / (self.seconds - short.seconds)

    def per_core(self, short: Run) -> float:
        """Return the orders per second of processor time, likewise."""
        return (self.orders - short.orders) / (self.processor_seconds - short.processor_seconds)


def report() -> Report:
    """Run with one process, then with one for each processor."""
    processors = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        files = {count: write_orders(Path(folder, f"{count}.ndjson"), count) for count in (ORDERS // 10, ORDERS)}
        runs = {
            workers: [run(file, count, workers) for count, file in files.items()]
            for workers in dict.fromkeys((1, processors))
        }
    per_core = {workers: long.per_core(short) for workers, (short, long) in runs.items()}
    short, long = runs[processors]
    minutes = 1e6 / long.per_second(short) / 60
    return Report(
        "A million orders from a file",
        ABOUT,
        tables=[table_of(runs)],
        noticed=[
            (
                f"a million orders from a file, {processors} processors",
                f"{minutes:.0f} minutes, {long.megabytes:.0f} MB a process",
            )
        ],
        budgets={
            ORDERS_PER_CORE: per_core[1],
            MEMORY: max(long.megabytes / short.megabytes for short, long in runs.values()),
        },
        ratios={"processor time of an order, all processors / one": per_core[1] / per_core[processors]},
    )


def write_orders(path: Path, count: int) -> Path:
    """Write a file of so many orders, one JSON document per line."""
    lines = [json.dumps(order) + "\n" for order in islice(example_orders(), min(count, DIFFERENT))]
    with path.open("w", encoding="utf-8") as file:
        for first in range(0, count, len(lines)):
            file.writelines(lines[: count - first])
    return path


def run(file: Path, count: int, workers: int) -> Run:
    """Run the command as a user does, with its answers sent to the null device."""
    before, started, most = os.times(), time.perf_counter(), 0.0
    process = subprocess.Popen([*COMMAND, "--workers", str(workers), str(file)], stdout=subprocess.DEVNULL)  # noqa: S603
    while process.poll() is None:
        most = max(most, *(megabytes(pid, "VmHWM") for pid in (process.pid, *children_of(process.pid))))
        time.sleep(LOOK_EVERY_SECONDS)
    seconds, after = time.perf_counter() - started, os.times()
    if process.returncode != 0:
        raise SystemExit(f"validate of {count} orders with {workers} workers failed.")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(count, seconds, used, most)


def children_of(process: int) -> list[int]:
    """Return the processes that it started and that still run; none where the system does not say."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()]
    return []


def table_of(runs: Mapping[int, Sequence[Run]]) -> Table:
    """Return a row for each number of processes."""
    rows = [
        (
            f"{workers} process{'es' if workers > 1 else ''}",
            f"{long.seconds:.0f}",
            f"{long.per_second(short):,.0f}",
            f"{long.per_core(short):,.0f}",
            f"{short.megabytes:.0f} and {long.megabytes:.0f}",
        )
        for workers, (short, long) in runs.items()
    ]
    columns = ("", "s", "orders a second", "per core", f"MB, {ORDERS // 10:,} and {ORDERS:,} orders")
    return Table(f"{ORDERS:,} orders", columns, rows)
