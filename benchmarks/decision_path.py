"""How long one order of three lines takes, warm, in this process: the whole handler, and the parts of its path.

The handler is the real one, on events/validate-order.json and the default rule set.  It runs twice: on a fake
DynamoDB client that answers every write at once, which leaves our own time, and on a moto table, which is no measure
of DynamoDB.
Run it on an idle machine: `.venv/bin/python benchmarks/decision_path.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib.util
import json
import os
import statistics
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from infusion_orders.cli.embedded_table import embedded_tables
from infusion_orders.decisions import decide
from infusion_orders.orders.reading import read_order
from infusion_orders.rules.loading import load_directory
from infusion_orders.store import client as store_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

PROJECT = Path(__file__).parents[1]
EVENT = PROJECT / "events" / "validate-order.json"
BUDGET_MICROSECONDS = 1000
BUDGETED = "read, decide, render"
"""What the budget is for; the handler adds the caller, the record, logs and metrics."""


class FakeDynamoDBThatAnswersWritesAtOnce:
    """Reads go to the moto table (none happen once the function is warm); writes are dropped."""

    def __init__(self, client: Any) -> None:
        """Around a client that holds the rule set and the partner."""
        self._client = client

    def put_item(self, **_request: Any) -> dict[str, Any]:
        """As if it were stored."""
        return {}

    def transact_write_items(self, **_request: Any) -> dict[str, Any]:
        """As if it were stored."""
        return {}

    def __getattr__(self, name: str) -> Any:
        """Everything else is the real client's."""
        return getattr(self._client, name)


class WarmContext:
    """A Lambda context with time to spare."""

    aws_request_id = "benchmark"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """As at the start of an invocation."""
        return 20_000


@dataclass(frozen=True)
class Timing:
    """Microseconds a call: the median of the rounds' medians, and of their 95th percentiles."""

    name: str
    median: float
    p95: float


def timed(name: str, call: Callable[[], object], *, rounds: int, calls: int) -> Timing:
    """Each call on its own clock reading, after a warm-up of a fifth of a round."""
    for _ in range(max(calls // 5, 1)):
        call()
    medians, tails = [], []
    for _ in range(rounds):
        samples = []
        gc.collect()
        for _ in range(calls):
            started = perf_counter_ns()
            call()
            samples.append((perf_counter_ns() - started) / 1000)
        medians.append(statistics.median(samples))
        tails.append(statistics.quantiles(samples, n=20)[-1])
    return Timing(name, statistics.median(medians), statistics.median(tails))


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Log lines and metrics are written, but to nowhere."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def load_function(name: str, client: Any) -> ModuleType:
    """functions/validate_orders/app.py, as Lambda imports it, on this client."""
    original = store_client.dynamodb_client
    store_client.dynamodb_client = lambda **_settings: client
    os.environ["SERVICE_NAME"] = name
    try:
        spec = importlib.util.spec_from_file_location(name, PROJECT / "functions" / "validate_orders" / "app.py")
        if spec is None or spec.loader is None:
            raise FileNotFoundError(name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        store_client.dynamodb_client = original
    return module


def measure(rounds: int, calls: int) -> list[Timing]:
    """The handler on both clients, then the parts of what it does."""
    event: dict[str, Any] = json.loads(EVENT.read_text(encoding="utf-8"))
    body = event["body"].encode()
    document = load_directory(PROJECT / "rules" / "home-infusion")
    with embedded_tables(PROJECT / "template.yaml", document) as tables, silenced():
        os.environ.update({**tables.environment(), "RULES_REFRESH_SECONDS": "3600"})
        on_fake = load_function("on_fake_client", FakeDynamoDBThatAnswersWritesAtOnce(tables.client))
        on_moto = load_function("on_moto_table", tables.client)
        context = WarmContext()
        status = on_fake.handler(event, context)["statusCode"]
        if status != 200:
            raise SystemExit(f"The handler answered {status} to {EVENT.name}: there is nothing to time.")
        rule_set = on_fake.rule_sets.active().rule_set
        order = read_order(body)
        as_of = datetime.now(UTC).date()
        decision = decide(order, rule_set, as_of=as_of).decision
        several = {"rounds": rounds, "calls": calls}
        return [
            timed("handler, fake DynamoDB client", lambda: on_fake.handler(event, context), **several),
            timed(
                "handler, moto table", lambda: on_moto.handler(event, context), rounds=rounds, calls=calls // 10 or 1
            ),
            timed(
                BUDGETED,
                lambda: on_fake.rendered(decide(read_order(body), rule_set, as_of=as_of).decision),
                **several,
            ),
            timed("read the order", lambda: read_order(body), **several),
            timed("decide (facts, rules, receipt)", lambda: decide(order, rule_set, as_of=as_of), **several),
            timed("render the decision", lambda: on_fake.rendered(decision), **several),
        ]


def main() -> None:
    """Measure, then print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--rounds", type=int, default=7, help="rounds (default: 7)")
    parser.add_argument("--calls", type=int, default=300, help="calls a round (default: 300)")
    arguments = parser.parse_args()
    timings = measure(arguments.rounds, arguments.calls)
    if arguments.json:
        document = {"unit": "microseconds", "rounds": arguments.rounds, "timings": [asdict(one) for one in timings]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    table = Table(title=f"{EVENT.name}, microseconds a call, {arguments.rounds} rounds of {arguments.calls}")
    table.add_column("what")
    table.add_column("median", justify="right")
    table.add_column("95 %", justify="right")
    for one in timings:
        table.add_row(one.name, f"{one.median:.0f}", f"{one.p95:.0f}")
    console = Console()
    console.print(table)
    kept = next(one.median for one in timings if one.name == BUDGETED) < BUDGET_MICROSECONDS
    console.print(f"Budget: {BUDGETED}: median under {BUDGET_MICROSECONDS} us: {'kept' if kept else 'NOT kept'}.")


if __name__ == "__main__":
    main()
