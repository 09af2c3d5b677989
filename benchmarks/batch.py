"""Many orders: a batch of 50 beside 50 single ones, and `infusion-orders validate` over files of two sizes.

The batch runs in the real handler, on a fake DynamoDB client that answers every write at once.  `validate` runs as a
process of its own, once with one worker and once with one for each processor, on a file of BATCH_ORDERS orders
(default: 100,000) and on one of a tenth as many: what a further order costs is what the two differ by, start-up left
out.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.decision_path import (
    EVENT,
    FakeDynamoDBThatAnswersWritesAtOnce,
    WarmContext,
    load_function,
    silenced,
)
from benchmarks.measuring import ROUNDS, side_by_side
from benchmarks.orders import PROJECT, orders
from benchmarks.reporting import Budget, Report, Table
from infusion_orders.api.batch import MOST_ORDERS
from infusion_orders.api.live_decisions import decision_json
from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.decisions import decide
from infusion_orders.facts.case import Case
from infusion_orders.orders.parsing import parse_json, parse_order
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders_cli.local.tables import embedded_tables
from infusion_orders_cli.workers import processors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.measuring import Times

MOST_MILLISECONDS_OVER = 2.0
ORDERS_A_SECOND_A_CORE = 5_000
MOST_GROWTH = 1.1
"""Of memory, at ten times the orders."""
DIFFERENT = 2_000
"""So many orders are made, and written again and again: a file of a million is soon there."""
OF_THE_MIX = 400
LOOK_EVERY_SECONDS = 0.1

BATCH, CORE = "validate-batch of 50", "50 times read, decide, render"
SINGLE = "50 times the handler on one"


@dataclass(frozen=True)
class Run:
    """One `validate`: seconds of the clock, of all its processes' time, and the most megabytes of each kind of them."""

    orders: int
    workers: int
    seconds: float
    processor_seconds: float
    parent_megabytes: float
    worker_megabytes: float


@dataclass(frozen=True)
class Pair:
    """A short and a long run with as many workers."""

    short: Run
    long: Run

    @property
    def orders(self) -> int:
        """Those that the long run has more."""
        return self.long.orders - self.short.orders

    @property
    def processor_seconds(self) -> float:
        """Of one further order."""
        return (self.long.processor_seconds - self.short.processor_seconds) / self.orders

    @property
    def a_second(self) -> float:
        """Further orders by the clock."""
        return self.orders / (self.long.seconds - self.short.seconds)

    @property
    def a_second_a_core(self) -> float:
        """Further orders by the processor time of all processes."""
        return 1 / self.processor_seconds

    @property
    def growth(self) -> float:
        """Memory of parent and workers, the long run's over the short one's."""
        return max(
            self.long.parent_megabytes / self.short.parent_megabytes,
            self.long.worker_megabytes / self.short.worker_megabytes if self.short.worker_megabytes else 1.0,
        )


def report() -> Report:
    """Of the batch, then of the files."""
    times = batch_times()
    count = int(os.environ.get("BATCH_ORDERS", "100000"))
    yardstick = json_seconds()
    with tempfile.TemporaryDirectory() as folder:
        files = {size: write_orders(Path(folder, f"{size}.ndjson"), size) for size in (count // 10, count)}
        pairs = {
            workers: Pair(*(run(file, size, workers) for size, file in files.items()))
            for workers in dict.fromkeys((1, processors()))
        }
    over = times[BATCH].longer_than(times[CORE]) * 1000
    every = pairs[processors()]
    return Report(
        "batch",
        "Many orders",
        ABOUT.format(
            count=f"{count:,}",
            tenth=f"{count // 10:,}",
            second=ORDERS_A_SECOND_A_CORE,
            left=1e6 / ORDERS_A_SECOND_A_CORE,
        ),
        tables=(batch_table(times), file_table(pairs), steps_table(steps_of_an_order())),
        budgets=(
            Budget("a batch of 50 beyond 50 times one order's core", over, MOST_MILLISECONDS_OVER, "ms"),
            *(
                Budget(
                    f"processor time of an order, {workers} workers",
                    pair.processor_seconds * 1e6,
                    1e6 / ORDERS_A_SECOND_A_CORE,
                    "us",
                )
                for workers, pair in pairs.items()
            ),
            Budget("memory at ten times the orders, over memory before", every.growth, MOST_GROWTH),
        ),
        ratios={
            "batch: 50 orders in the handler / 50 times the core": times[BATCH].ratio_to(times[CORE]),
            "batch: validate of an order / json.loads and dumps of its line": every.processor_seconds / yardstick,
            "batch: validate of an order, all workers / one worker": every.processor_seconds
            / pairs[1].processor_seconds,
        },
    )


ABOUT = """
A batch of 50 is `events/validate-order.json` 50 times, in the real handler, on a fake DynamoDB client that answers
every write at once; its budget is 2 ms beyond 50 times reading, deciding and rendering that order.

`infusion-orders validate --json` answers the example orders, varied (1 to 4 lines each), from a file of {count} and
from one of {tenth}. An order's processor time is what the two runs differ by, of all processes together, for each
further order: start-up is left out. Orders a second by the clock count on a machine that does nothing else.

{second:,} orders a second on a core would leave {left:.0f} us for an order. The last table shows what becomes of them:
reading an order's JSON and holding it to the contract, and writing the answer, is work of native code already.
"""


def batch_times() -> Mapping[str, Times]:
    """The handler on a batch, on 50 single orders, and the core alone, side by side."""
    event: dict[str, Any] = json.loads(EVENT.read_text("utf-8"))
    one: str = event["body"]
    batch: dict[str, Any] = json.loads((PROJECT / "events" / "validate-batch.json").read_text("utf-8"))
    batch["body"] = json.dumps({"orders": [json.loads(one)] * MOST_ORDERS})
    document = load_directory(PROJECT / "rules" / "home-infusion")
    with embedded_tables(PROJECT / "template.yaml", document) as tables, silenced():
        os.environ.update({**tables.environment(), "RULES_REFRESH_SECONDS": "3600"})
        function = load_function("batch", FakeDynamoDBThatAnswersWritesAtOnce(tables.client))
        context, body, as_of = WarmContext(), one.encode(), datetime.now(UTC).date()
        rule_set = function.resources.rule_sets.active().rule_set
        answer = json.loads(function.handler(batch, context)["body"])
        if len(answer["decisions"]) != MOST_ORDERS:
            raise SystemExit("The batch was not decided: there is nothing to time.")

        def core() -> None:
            for _ in range(MOST_ORDERS):
                decision_json(decide(parse_order(body), rule_set, as_of=as_of).decision)

        def singles() -> None:
            for _ in range(MOST_ORDERS):
                function.handler(event, context)

        return side_by_side(
            {CORE: core, BATCH: lambda: function.handler(batch, context), SINGLE: singles}, least_seconds=0.2
        )


def steps_of_an_order() -> Mapping[str, Times]:
    """Seconds of an order of the mix, up to each step."""
    document = load_directory(PROJECT / "rules" / "home-infusion")
    rule_set = RuleSet.from_document(document, version=1, digest=document.digest)
    bodies = [json.dumps(order).encode() for order in islice(orders(), OF_THE_MIX)]
    day = datetime.now(UTC).date()

    def up_to(step: Callable[[bytes], object]) -> Callable[[], None]:
        def call() -> None:
            for body in bodies:
                step(body)

        return call

    def facts_as_sent(body: bytes) -> None:
        Case(rule_set.catalogue, rule_set.tables, order=parse_order(body))

    steps: dict[str, Callable[[bytes], object]] = {
        "JSON read": parse_json,
        "and held to the contract": parse_order,
        "and its facts as sent": facts_as_sent,
        "and decided": lambda body: decide(parse_order(body), rule_set, as_of=day),
        "and written": lambda body: decide(parse_order(body), rule_set, as_of=day).decision.model_dump_json(),
    }
    times = side_by_side({name: up_to(step) for name, step in steps.items()}, least_seconds=0.2)
    return {name: one.each(len(bodies)) for name, one in times.items()}


def steps_table(steps: Mapping[str, Times]) -> Table:
    """Each step with all before it."""
    rows = [
        (name, f"{one.median * 1e6:.0f}", f"{one.spread[0] * 1e6:.0f} to {one.spread[1] * 1e6:.0f}")
        for name, one in steps.items()
    ]
    return Table("An order of the mix, step by step", ("up to", "us", "fastest and slowest round"), rows)


def json_seconds() -> float:
    """Processor time to read and write the JSON of one order of the mix: what each of its bytes costs at the least."""
    lines = [json.dumps(order) for order in islice(orders(), DIFFERENT)]
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for line in lines:
            json.dumps(json.loads(line))
        rounds.append((time.process_time() - started) / len(lines))
    return statistics.median(rounds)


def write_orders(path: Path, count: int) -> Path:
    """NDJSON of so many."""
    lines = [json.dumps(order) + "\n" for order in islice(orders(), min(count, DIFFERENT))]
    with path.open("w", encoding="utf-8") as file:
        for first in range(0, count, len(lines)):
            file.writelines(lines[: count - first])
    return path


def run(file: Path, count: int, workers: int) -> Run:
    """The command as a user runs it, its answers to nowhere."""
    command = [sys.executable, "-m", "infusion_orders_cli.main", "validate", "--json", "--workers", str(workers)]
    started = time.perf_counter()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, nowhere, 1)]
    process = os.posix_spawn(sys.executable, [*command, str(file)], os.environ, file_actions=actions)
    most = {True: 0.0, False: 0.0}
    while True:
        ended, status, usage = os.wait4(process, os.WNOHANG)
        if ended:
            break
        for pid in [process, *children_of(process)]:
            most[pid == process] = max(most[pid == process], megabytes_of(pid))
        time.sleep(LOOK_EVERY_SECONDS)
    os.close(nowhere)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"validate of {count} orders with {workers} workers failed: there is nothing to tell.")
    seconds = time.perf_counter() - started
    return Run(count, workers, seconds, usage.ru_utime + usage.ru_stime, most[True], most[False])


def children_of(process: int) -> list[int]:
    """Those that run now; none where the system does not tell."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()]
    return []


def megabytes_of(process: int) -> float:
    """What it holds now, shared pages included; 0 where the system does not tell."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


def batch_table(times: Mapping[str, Times]) -> Table:
    """Milliseconds of each, and what it is of the core."""
    rows = [
        (
            name,
            f"{one.median * 1000:.2f}",
            f"{one.spread[0] * 1000:.2f} to {one.spread[1] * 1000:.2f}",
            f"{one.ratio_to(times[CORE]):.3f}",
        )
        for name, one in times.items()
    ]
    return Table("50 orders in one batch", ("what", "ms, median", "ms, fastest and slowest round", "of the core"), rows)


def file_table(pairs: Mapping[int, Pair]) -> Table:
    """What each run took, and what a further order takes."""
    rows = [
        (
            f"{one.orders:,} orders, {workers} workers",
            f"{one.seconds:.1f}",
            f"{one.processor_seconds:.1f}",
            f"{one.parent_megabytes:.0f}",
            f"{one.worker_megabytes:.0f}" if one.worker_megabytes else "-",
            f"{pair.a_second:,.0f}",
            f"{pair.a_second_a_core:,.0f}",
        )
        for workers, pair in pairs.items()
        for one in (pair.short, pair.long)
    ]
    columns = (
        "validate",
        "s",
        "processor s",
        "MB, parent",
        "MB, a worker",
        "further orders/s",
        "further orders/s a core",
    )
    return Table("Files of orders", columns, rows, note="MB are the most that a process held, shared pages included.")
