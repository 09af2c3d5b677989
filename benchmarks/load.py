"""Orders a second, response times, errors, memory and cost of the local API under load, on this machine alone.

DynamoDB Local holds the tables; each server is a process with the real handler (benchmarks/load_server.py) and each
client another (benchmarks/load_clients.py); a client sends its next request when the last one is answered.  Engine,
servers and clients share the machine's processors: the figures are a floor, and no measure of AWS.
Run it on an idle machine: `make load`, or `.venv/bin/python -m benchmarks.load --seconds 60`.  It ends with 1 when an
answer was wrong or memory grew.  It needs Java, npm and Linux.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess  # fixed commands, no shell
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks.load_clients import Tally, drive
from benchmarks.load_cost import cost_of_million, growth_percent, percentile
from benchmarks.load_server import Kind, Sums
from infusion_orders.authoring.rule_files import load_directory
from infusion_orders_cli.embedded_table import CREDENTIALS, environment, local_tables
from infusion_orders_cli.template_tables import read_template
from infusion_orders_cli.terminal import progress_bar
from scripts.dynamodb_engine import EngineMissing, dynamodb_local

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from multiprocessing.pool import AsyncResult

PROJECT = Path(__file__).parents[1]
TEMPLATE = PROJECT / "template.yaml"
SAMPLE_SECONDS = 10
WARM_UP_SECONDS = 15
"""Before anything counts: clients make their orders, servers load their rules."""
MOST_GROWTH_PERCENT = 5.0
"""Of the median memory of the second half over that of the first."""
WRONG = 1


@dataclass
class Server:
    """A server's process, and what was seen of it: kilobytes of memory, and orders so far, one a sample."""

    process: subprocess.Popen[str]
    port: int
    memory: list[int] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)

    def ask(self, what: str) -> Sums:
        """`begin` or `tell`."""
        said, answered = self.process.stdin, self.process.stdout
        assert said is not None  # noqa: S101 - both are pipes
        assert answered is not None  # noqa: S101
        said.write(f"{what}\n")
        said.flush()
        line = answered.readline()
        if not line:
            raise SystemExit("A server ended: what it said stands above.")
        return Sums.read(line)

    def sample(self) -> Sums:
        """Takes down memory and orders."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        self.memory.append(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")))
        sums = self.ask("tell")
        self.orders.append(sums.orders())
        return sums

    @property
    def growth(self) -> float:
        """In percent, between the medians of the halves; the sample in the middle is in both."""
        half = len(self.memory) // 2
        first, second = self.memory[: half + 1], self.memory[half:]
        return growth_percent(statistics.median(first), statistics.median(second))


@dataclass(frozen=True)
class Result:
    """What a run gave; `sums` is what the servers counted, `tally` what the clients did.

    `others_percent` is what other programs had of the machine's processors: near 0 where it was idle.
    """

    seconds: int
    tally: Tally
    sums: Sums
    servers: Sequence[Server]
    memory_megabytes: int
    others_percent: float

    @property
    def orders_a_second(self) -> float:
        """Decided, or found decided, and answered."""
        return self.tally.orders / self.seconds

    @property
    def growth(self) -> float:
        """Of the server that grew most."""
        return max(server.growth for server in self.servers)

    @property
    def good(self) -> bool:
        """Whether all was answered as it must be, and memory stayed flat."""
        return bool(self.tally.orders) and not self.tally.errors and self.growth <= MOST_GROWTH_PERCENT

    def windows(self) -> list[float]:
        """Orders a second between samples, of all servers together."""
        whole = [sum(at) for at in zip(*(server.orders for server in self.servers), strict=True)]
        return [(after - before) / SAMPLE_SECONDS for before, after in pairwise(whole)]

    def costs(self) -> dict[Kind, dict[str, float]]:
        """Of a million orders, by the kind of request that they come in."""
        return {
            kind: cost_of_million(
                self.sums.used[kind],
                memory_megabytes=self.memory_megabytes,
                orders_a_second=self.orders_a_second,
            )
            for kind in Kind
            if kind in self.sums.used and self.sums.used[kind].orders
        }


@contextmanager
def running_server(variables: Mapping[str, str]) -> Iterator[Server]:
    """A process with this environment, listening."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load_server"],
        cwd=PROJECT,
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        port = process.stdout.readline().strip()
        if not port:
            raise SystemExit("A server did not start: what it said stands above.")
        yield Server(process, int(port))
    finally:
        process.terminate()
        process.wait()


def run(seconds: int, processes: int, clients: int) -> Result:
    """The whole test.  Raises EngineMissing."""
    began, others_before = time.monotonic(), seconds_of_others()
    document = load_directory(PROJECT / "rules" / "home-infusion")
    with ExitStack() as running:
        address = running.enter_context(dynamodb_local())
        running.enter_context(environment(CREDENTIALS))
        variables = local_tables(TEMPLATE, document, endpoint_url=address).environment(address)
        servers = [running.enter_context(running_server(variables)) for _ in range(processes)]
        workers = running.enter_context(multiprocessing.get_context("spawn").Pool(clients))
        begins = time.monotonic() + WARM_UP_SECONDS
        ends = begins + seconds
        driven = [
            workers.apply_async(drive, (servers[number % processes].port, number, begins, ends))
            for number in range(clients)
        ]
        sums = watch(servers, driven, begins, seconds)
        tally = Tally()
        for one in driven:
            tally.add(one.get())
    others = (seconds_of_others() - others_before) / (time.monotonic() - began) / (os.cpu_count() or 1) * 100
    return Result(seconds, tally, sums, servers, memory_of_function(), others)


def watch(servers: Sequence[Server], driven: Sequence[AsyncResult[Tally]], begins: float, seconds: int) -> Sums:
    """Samples the servers while they are driven; ends early where a client failed."""
    time.sleep(max(0.0, begins - time.monotonic()))
    for server in servers:
        server.ask("begin")
    sums = Sums()
    with progress_bar("running", "seconds") as progress:
        for second in range(seconds + 1):
            time.sleep(max(0.0, begins + second - time.monotonic()))
            if any(one.ready() and not one.successful() for one in driven):
                break
            if second % SAMPLE_SECONDS == 0:
                sums = Sums()
                for server in servers:
                    sums.add(server.sample())
            progress(second, seconds)
    return sums


def seconds_of_others() -> float:
    """Of processors since the machine started, without this process and those that it started and saw end."""
    user, nice, system, _idle, _waiting, *interrupts = Path("/proc/stat").read_text(encoding="ascii").split()[1:9]
    ticks = sum(map(int, (user, nice, system, *interrupts)))
    return ticks / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def memory_of_function() -> int:
    """Megabytes, as the template gives them to the function that decides."""
    return int(read_template(TEMPLATE)["Globals"]["Function"]["MemorySize"])


def times_table(result: Result) -> Table:
    """What clients waited and handlers took."""
    table = Table(title="milliseconds a request, by its kind", box=None, header_style="bold", pad_edge=False)
    table.add_column("kind")
    for heading in ("requests", "p50", "p99", "most", "handler p50", "handler p99", "handler mean"):
        table.add_column(heading, justify="right")
    rows: list[tuple[str, Counter[int], Counter[int]]] = [
        ("all", sum(result.tally.tenths.values(), Counter()), sum(result.sums.tenths.values(), Counter()))
    ]
    rows += [(kind, result.tally.tenths[kind], result.sums.tenths[kind]) for kind in Kind if kind in result.sums.tenths]
    for name, waited, took in rows:
        table.add_row(
            name,
            f"{waited.total():,}",
            *(f"{percentile(waited, share) / 10:.1f}" for share in (0.5, 0.99, 1)),
            *(f"{percentile(took, share) / 10:.1f}" for share in (0.5, 0.99)),
            f"{sum(value * count for value, count in took.items()) / took.total() / 10:.1f}",
        )
    return table


def memory_table(result: Result) -> Table:
    """Of each server, in megabytes."""
    table = Table(title="memory of the servers, megabytes", box=None, header_style="bold", pad_edge=False)
    table.add_column("server")
    for heading in ("orders", "at start", "at half", "at end", "half to end", "between medians of halves"):
        table.add_column(heading, justify="right")
    for number, server in enumerate(result.servers, start=1):
        start, half, end = server.memory[0], server.memory[len(server.memory) // 2], server.memory[-1]
        table.add_row(
            str(number),
            f"{server.orders[-1]:,}",
            *(f"{kilobytes / 1024:.1f}" for kilobytes in (start, half, end)),
            f"{growth_percent(half, end):+.1f} %",
            f"{server.growth:+.1f} %",
        )
    return table


def use_table(result: Result) -> Table:
    """Of one order: units and bytes."""
    table = Table(title="one order uses", box=None, header_style="bold", pad_edge=False)
    table.add_column("it comes as")
    for heading in ("billed ms", "processor ms", "write units", "read units", "bytes stored", "bytes logged"):
        table.add_column(heading, justify="right")
    for kind in result.costs():
        used = result.sums.used[kind]
        each = (used.billed_ms, used.processor_ms, used.write_units, used.read_units, used.stored_bytes, used.log_bytes)
        table.add_row(kind, *(f"{value / used.orders:,.{1 if place < 4 else 0}f}" for place, value in enumerate(each)))
    return table


def cost_table(result: Result) -> Table:
    """Of a million."""
    costs = result.costs()
    title = f"US dollars for a million orders, {result.memory_megabytes} MB, arm64"
    table = Table(title=title, box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    for kind in costs:
        table.add_column(kind, justify="right")
    for name in next(iter(costs.values()), {}):
        table.add_row(name, *(f"{of_kind[name]:.2f}" for of_kind in costs.values()))
    table.add_row("all of it", *(f"{sum(of_kind.values()):.2f}" for of_kind in costs.values()), style="bold")
    return table


def shown(screen: Console, result: Result) -> None:
    """Tables, then the verdict."""
    windows = result.windows()
    spread = f", {min(windows):.0f} to {max(windows):.0f} in the samples between" if windows else ""
    statuses = ", ".join(f"{count:,} of {status}" for status, count in sorted(result.tally.statuses.items()))
    errors = ", ".join(f"{count:,} of {what}" for what, count in sorted(result.tally.errors.items()))
    for table in (times_table(result), memory_table(result), use_table(result), cost_table(result)):
        screen.print(table)
        screen.print()
    screen.print(f"{os.cpu_count()} processors, of which other programs had {result.others_percent:.0f} %")
    screen.print(f"{result.orders_a_second:.1f} orders a second for {result.seconds} s{spread}")
    screen.print(f"answers: {statuses or 'none'}; errors: {errors or 'none'}")
    flat = "flat" if result.growth <= MOST_GROWTH_PERCENT else "NOT flat"
    screen.print(f"memory: {flat}, {result.growth:+.1f} % (budget {MOST_GROWTH_PERCENT:.0f} %)")


def document_of(result: Result) -> dict[str, Any]:
    """All of it as plain JSON."""
    every: Counter[int] = sum(result.tally.tenths.values(), Counter())
    return {
        "processors": os.cpu_count(),
        "others_percent": round(result.others_percent, 1),
        "seconds": result.seconds,
        "orders": result.tally.orders,
        "orders_a_second": round(result.orders_a_second, 2),
        "orders_a_second_by_sample": result.windows(),
        "milliseconds": {str(share): percentile(every, share) / 10 for share in (0.5, 0.99, 1)},
        "statuses": result.tally.statuses,
        "errors": result.tally.errors,
        "memory_kilobytes": [server.memory for server in result.servers],
        "memory_growth_percent": round(result.growth, 2),
        "used": json.loads(result.sums.written())["used"],
        "dollars_for_a_million_orders": result.costs(),
        "good": result.good,
    }


def main() -> None:
    """Run, then print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--seconds", type=int, default=600, help="how long (default: 600)")
    parser.add_argument("--processes", type=int, default=2, help="servers (default: 2)")
    parser.add_argument("--clients", type=int, default=4, help="connections, each a process (default: 4)")
    options = parser.parse_args()
    if min(options.seconds, options.processes, options.clients) < 1:
        parser.error("--seconds, --processes and --clients are at least 1")
    try:
        result = run(options.seconds, options.processes, options.clients)
    except EngineMissing as missing:
        raise SystemExit(str(missing)) from None
    if options.json:
        sys.stdout.write(json.dumps(document_of(result), indent=2) + "\n")
    else:
        shown(Console(width=None if sys.stdout.isatty() else 140, highlight=False), result)
    sys.exit(0 if result.good else WRONG)


if __name__ == "__main__":
    main()
