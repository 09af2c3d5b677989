"""Drive the validate function for minutes: orders per second, times, errors, memory, and what a million orders cost.

DynamoDB Local holds the tables.  Each process runs the real handler on API Gateway events, one after the other, as one
Lambda environment does.  Functions and engine share this machine's processors, so the figures are a floor and say
nothing about AWS.  It ends with 1 if an answer was wrong or memory grew.  It needs Java, npm and Linux.

Example:
  python -m benchmarks.load --seconds 60
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time

from rich.console import Console
from rich.progress import track

from benchmarks.load_cost import MONTHS, cost_of_million, storage_of_million
from benchmarks.load_function import Kind, Tally, drive
from benchmarks.measuring import percentile
from benchmarks.project import TEMPLATE, default_rules, running_dynamodb
from benchmarks.reporting import Report, Table, milliseconds, not_run, show
from infusion_orders_cli.local.tables import read_template
from scripts.dynamodb_engine import EngineMissing

WARM_UP_SECONDS = 15
"""Nothing counts before this: processes load their rules and fill their caches."""
REPORT_SECONDS = 60
FUNCTIONS = 2
MOST_GROWTH_PERCENT = 5.0
"""Between the median memory of the first and of the second half."""
TITLE = "The function under load, and what a million orders cost"
ABOUT = f"""
{FUNCTIONS} processes run the real handler on API Gateway events and DynamoDB Local for {REPORT_SECONDS} s, all on one
machine; `make load` does it for ten minutes. Dollars are list prices on demand, arm64, without the free tier, for what
requests used here: units by the items' sizes, bytes stored and logged, milliseconds with DynamoDB Local in them.
"""


def run(seconds: int) -> Tally:
    """Run the whole test.  Raises EngineMissing."""
    with running_dynamodb(default_rules()), multiprocessing.get_context("spawn").Pool(FUNCTIONS) as pool:
        begins = time.monotonic() + WARM_UP_SECONDS
        driven = [pool.apply_async(drive, (seed, begins, begins + seconds)) for seed in range(FUNCTIONS)]
        for _ in track(range(WARM_UP_SECONDS + seconds), "load", console=Console(stderr=True), transient=True):
            time.sleep(1)
        tally = Tally()
        for one in driven:
            tally.add(one.get())
        return tally


def is_good(tally: Tally) -> bool:
    """Return whether all answers were right and memory stayed flat."""
    return not tally.errors and tally.growth_percent <= MOST_GROWTH_PERCENT


def report() -> Report:
    """Run for a minute."""
    try:
        tally = run(REPORT_SECONDS)
    except EngineMissing as missing:
        return not_run(TITLE, missing)
    if not is_good(tally):
        raise SystemExit(f"The load test failed: {dict(tally.errors)}, memory {tally.growth_percent:+.1f} %.")
    order = tally.used[Kind.ORDER]
    first_month = sum(cost_of_million(order, memory_megabytes()).values()) + storage_of_million(order)
    noticed = [
        ("a million orders through the API, first month", f"{first_month:.2f} dollars"),
        ("keeping their decisions for seven years", f"{storage_of_million(order, months=MONTHS):.0f} dollars"),
    ]
    return Report(TITLE, ABOUT, tables=[table_of(tally, REPORT_SECONDS)], noticed=noticed)


def memory_megabytes() -> int:
    """Return the memory of a function as the template sets it."""
    return int(read_template(TEMPLATE)["Globals"]["Function"]["MemorySize"])


def table_of(tally: Tally, seconds: int) -> Table:
    """Return times, use and dollars by kind of request."""
    rows = []
    for kind, times in tally.seconds.items():
        used = tally.used[kind]
        storage = storage_of_million(used)
        rows.append(
            (
                kind.value,
                f"{len(times):,}",
                *(milliseconds(percentile(times, percent)) for percent in (50, 99)),
                f"{used.write_units / used.orders:.1f}",
                f"{used.stored_bytes / used.orders:,.0f}",
                f"{sum(cost_of_million(used, memory_megabytes()).values()) + storage:.2f}",
                f"{storage * MONTHS:.0f}",
            )
        )
    orders = sum(used.orders for kind, used in tally.used.items() if kind is not Kind.READ)
    costs = cost_of_million(tally.used[Kind.ORDER], memory_megabytes())
    costs["storage and backup"] = storage_of_million(tally.used[Kind.ORDER])
    note = (
        f"{orders / seconds:.0f} orders a second, {tally.errors.total() or 'no'} wrong answers, memory "
        f"{tally.growth_percent:+.1f} % between the halves of the run.\n"
        f"The dollars of *{Kind.ORDER}*: {', '.join(f'{what} {dollars:.2f}' for what, dollars in costs.items())}."
    )
    columns = (
        "",
        "requests",
        "ms, p50",
        "p99",
        "write units",
        "bytes",
        "dollars a million, first month",
        "7 years stored",
    )
    return Table("The handler's requests", columns, rows, note)


def main() -> int:
    """Run and print; return 1 if an answer was wrong or memory grew."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=600, help="how long (default: 600)")
    options = parser.parse_args()
    if options.seconds < 1:
        parser.error("--seconds is at least 1")
    try:
        tally = run(options.seconds)
    except EngineMissing as missing:
        raise SystemExit(str(missing)) from None
    screen = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    if all(tally.seconds.values()):
        show(table_of(tally, options.seconds), screen)
    screen.print(f"wrong answers: {dict(tally.errors) or 'none'}")
    screen.print(f"memory: {tally.growth_percent:+.1f} % (at most {MOST_GROWTH_PERCENT:.0f} %)")
    return 0 if is_good(tally) else 1


if __name__ == "__main__":
    raise SystemExit(main())
