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
from infusion_orders_cli.template_tables import read_template
from scripts.dynamodb_engine import EngineMissing

WARM_UP_SECONDS = 15
"""Nothing counts before this: processes load their rules and fill their caches."""
REPORT_SECONDS = 60
FUNCTIONS = 2
MOST_GROWTH_PERCENT = 5.0
"""Between the median memory of the first and of the second half."""
TITLE = "The function under load, and what a million orders cost"
ABOUT = f"""
{FUNCTIONS} processes run the real handler on API Gateway events and DynamoDB Local for {REPORT_SECONDS} s, all on this
machine's processors; `make load` does the same for ten minutes. Dollars are list prices, on demand, arm64, without the
free tier, for what the requests used here: write and read units by the items' sizes, bytes stored and logged, and
milliseconds of the handler, in which DynamoDB Local is slower than DynamoDB.
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
    return Report(TITLE, ABOUT, tables=[times_table(tally, REPORT_SECONDS), cost_table(tally)], noticed=noticed)


def memory_megabytes() -> int:
    """Return the memory of a function as the template sets it."""
    return int(read_template(TEMPLATE)["Globals"]["Function"]["MemorySize"])


def times_table(tally: Tally, seconds: int) -> Table:
    """Return the handler's times, and what an order used, by kind of request."""
    rows = []
    for kind, times in tally.seconds.items():
        used = tally.used[kind]
        units = (used.write_units / used.orders, used.read_units / used.orders)
        sizes = (used.stored_bytes / used.orders, used.log_bytes / used.orders)
        rows.append(
            (
                kind.value,
                f"{len(times):,}",
                *(milliseconds(percentile(times, percent)) for percent in (50, 99)),
                *(f"{value:.1f}" for value in units),
                *(f"{value:,.0f}" for value in sizes),
            )
        )
    orders = sum(used.orders for kind, used in tally.used.items() if kind is not Kind.READ)
    columns = ("", "requests", "ms, p50", "p99", "write units", "read units", "bytes stored", "logged")
    note = (
        f"{orders / seconds:.0f} orders a second, no wrong answer; memory {tally.growth_percent:+.1f} % between the "
        "halves of the run. Units and bytes are per order."
    )
    return Table("A request", columns, rows, note)


def cost_table(tally: Tally) -> Table:
    """Return the dollars for a million orders by how they arrive."""
    costs = [cost_of_million(used, memory_megabytes()) for used in tally.used.values()]
    month = [storage_of_million(used) for used in tally.used.values()]
    years = [storage_of_million(used, months=MONTHS) for used in tally.used.values()]
    rows = [(name, *(f"{cost[name]:.2f}" for cost in costs)) for name in costs[0]]
    rows += [
        ("a month stored and backed up", *(f"{dollars:.2f}" for dollars in month)),
        ("together, first month", *(f"{sum(cost.values()) + own:.2f}" for cost, own in zip(costs, month, strict=True))),
        ("seven years stored and backed up", *(f"{dollars:.0f}" for dollars in years)),
    ]
    return Table("Dollars for a million", ("", *(kind.value for kind in tally.used)), rows)


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
        show(times_table(tally, options.seconds), screen)
        show(cost_table(tally), screen)
    screen.print(f"wrong answers: {dict(tally.errors) or 'none'}")
    screen.print(f"memory: {tally.growth_percent:+.1f} % (at most {MOST_GROWTH_PERCENT:.0f} %)")
    return 0 if is_good(tally) else 1


if __name__ == "__main__":
    raise SystemExit(main())
