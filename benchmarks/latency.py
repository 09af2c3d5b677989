"""Measure one warm order: the core alone, the whole handler, its DynamoDB calls, and where its time goes."""

from __future__ import annotations

import gc
import json
import signal
from collections import Counter
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.budgets import HANDLER_OVER_ORDER, ONE_ORDER, READS_PER_ORDER, WRITES_PER_ORDER
from benchmarks.measuring import percentile, rotated
from benchmarks.project import (
    AS_OF,
    WarmContext,
    default_rules,
    dynamodb_calls,
    event,
    load_handler,
    order_body,
    ready,
    running_dynamodb,
    silenced,
)
from benchmarks.reporting import Report, Table, microseconds, milliseconds, not_run
from infusion_orders.decisions import decide
from infusion_orders.orders.parsing import parse_order
from scripts.dynamodb_engine import EngineMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from infusion_orders.rules.rule_set import RuleSet

TITLE = "One order, and where its time goes"
CALLS = 3000
CALLS_ON_ENGINE = 500
CALLS_BEFORE = 300
"""Calls that are not counted: they fill caches and let the interpreter specialize its code."""
PROFILE_SECONDS = 10
SAMPLE_SECONDS = 0.001
SMALL_SHARE = 0.04
WRITES = frozenset({"PutItem", "UpdateItem", "BatchWriteItem", "TransactWriteItems"})
ORDER, HANDLER, JSON = "parsed, decided, rendered", "the whole handler, without DynamoDB", "json.loads and json.dumps"
ON_ENGINE, IN_CLIENT = "the whole handler on DynamoDB Local", "of which inside the DynamoDB client"
PARTS = {
    "orders": "parse and validate the order",
    "reference": "look up codes, vendors, counties",
    "facts": "derive facts, and record them",
    "rules": "select candidate rules and judge them",
    "decisions": "findings, questions, billing, receipt",
    "store": "the decision's item",
    "api": "routes, caller, problems, log line",
    "functions": "the handler itself",
    "Powertools": "logger, metrics",
}
ABOUT = f"""
An API Gateway event with an order of three lines (`events/validate-order.json`), under the default rules. {CALLS:,}
calls of each contender take turns. The handler is the real one, with its logger and metrics. DynamoDB is left out:
writes are answered in place of botocore's client call, so neither botocore nor a network is timed. The lines with
DynamoDB Local have both. Only the first order after `RULES_REFRESH_SECONDS` reads the pointer to the active rules.
A profiler that interrupts the handler at calls finds the shares, to a few percent; pydantic and Python's libraries
count for their callers.
"""


def report() -> Report:
    """Measure on DynamoDB Local, which holds the rules and the partner."""
    try:
        with running_dynamodb(default_rules()), silenced():
            return measured(ready(default_rules()))
    except EngineMissing as missing:
        return not_run(TITLE, missing)


def measured(rule_set: RuleSet) -> Report:
    """Measure in the environment of a running function."""
    handler, request, body, context = load_handler(), event("validate-order"), order_body(), WarmContext()
    status = handler(request, context)["statusCode"]
    if status != 200:
        raise SystemExit(f"The handler answered {status}, so there is nothing to time.")

    def answer() -> object:
        return handler(request, context)

    with dynamodb_calls(answer_writes):
        seconds = in_turn(
            {ORDER: lambda: core(body, rule_set), HANDLER: answer, JSON: lambda: json.dumps(json.loads(body))}
        )
        parts = profile(answer)
        reads, writes = count_calls(answer)
    seconds |= on_engine(answer)
    order, whole, plain_json = (percentile(seconds[name], 50) for name in (ORDER, HANDLER, JSON))
    rows = [
        (name, *(milliseconds(percentile(found, percent)) for percent in (50, 95, 99)))
        for name, found in seconds.items()
        if name != JSON
    ]
    return Report(
        TITLE,
        ABOUT,
        tables=[Table("Milliseconds per order", ("", "p50", "p95", "p99"), rows), parts_table(parts, whole)],
        noticed=[
            ("an order of 3 lines, parsed, decided and rendered", f"p50 {milliseconds(order)} ms"),
            ("the whole handler, without DynamoDB", f"p50 {milliseconds(whole)} ms"),
        ],
        budgets={
            ONE_ORDER: order * 1e3,
            HANDLER_OVER_ORDER: whole / order,
            READS_PER_ORDER: reads,
            WRITES_PER_ORDER: writes,
        },
        ratios={f"{ORDER} / {JSON}": order / plain_json, f"{HANDLER} / {JSON}": whole / plain_json},
    )


def core(body: bytes, rule_set: RuleSet) -> str:
    """Parse, decide and render; record nothing."""
    decision = decide(parse_order(body), rule_set, as_of=AS_OF).decision
    return decision.model_dump_json(by_alias=True, exclude_none=True)


def answer_writes(operation: str, _parameters: dict[str, Any], send: Callable[[], Any]) -> Any:
    """Answer a write at once, as if it had been stored; send a read."""
    return {} if operation in WRITES else send()


def in_turn(contenders: Mapping[str, Callable[[], object]], calls: int = CALLS) -> dict[str, list[float]]:
    """Return the seconds of each call.  The contenders take turns, so a busy moment slows all of them."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    gc.collect()
    gc.freeze()
    for number in range(-CALLS_BEFORE, calls):
        for name in rotated(names, number):
            started = perf_counter()
            contenders[name]()
            seconds = perf_counter() - started
            if number >= 0:
                found[name].append(seconds)
    gc.unfreeze()
    return found


def count_calls(answer: Callable[[], object], orders: int = 100) -> tuple[float, float]:
    """Return the DynamoDB reads and writes of one warm order."""
    operations: Counter[str] = Counter()

    def count(operation: str, parameters: dict[str, Any], send: Callable[[], Any]) -> Any:
        operations[operation] += 1
        return answer_writes(operation, parameters, send)

    with dynamodb_calls(count):
        for _ in range(orders):
            answer()
    writes = sum(count for operation, count in operations.items() if operation in WRITES)
    return (operations.total() - writes) / orders, writes / orders


def on_engine(answer: Callable[[], object]) -> dict[str, list[float]]:
    """Return the seconds of the handler while DynamoDB Local answers, and of its client calls alone."""
    in_client: list[float] = []

    def timed(_operation: str, _parameters: dict[str, Any], send: Callable[[], Any]) -> Any:
        started = perf_counter()
        answered = send()
        in_client.append(perf_counter() - started)
        return answered

    with dynamodb_calls(timed):
        found = in_turn({ON_ENGINE: answer}, CALLS_ON_ENGINE)
    return found | {IN_CLIENT: in_client[-CALLS_ON_ENGINE:]}


def profile(call: Callable[[], object]) -> Counter[str]:
    """Return how many samples of the running call fell into each part of the code."""
    samples: Counter[str] = Counter()

    def take(_signal: int, frame: FrameType | None) -> None:
        while frame is not None:
            part = part_of(frame.f_code.co_filename)
            if part is not None:
                samples[part] += 1
                return
            frame = frame.f_back

    before = signal.signal(signal.SIGPROF, take)
    signal.setitimer(signal.ITIMER_PROF, SAMPLE_SECONDS, SAMPLE_SECONDS)
    end = perf_counter() + PROFILE_SECONDS
    try:
        while perf_counter() < end:
            call()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return samples


@cache
def part_of(file: str) -> str | None:
    """Return the folder of the package that a file belongs to; None for Python's own and other libraries."""
    path = Path(file)
    if "aws_lambda_powertools" in path.parts:
        return "Powertools"
    if "functions" in path.parts:
        return "functions"
    inside = path.parts[path.parts.index("layers") + 3 :] if "layers" in path.parts else ()
    return inside[0] if len(inside) > 1 else None


def parts_table(samples: Counter[str], whole: float) -> Table:
    """Return the handler's time by part, the largest first, and the small ones together."""
    shares = {part: count / samples.total() for part, count in samples.most_common()}
    rows = [
        (f"`{part}`: {PARTS.get(part, '')}", f"{share:.0%}", microseconds(whole * share))
        for part, share in shares.items()
        if share >= SMALL_SHARE
    ]
    small = {part: share for part, share in shares.items() if share < SMALL_SHARE}
    others, share = ", ".join(f"`{part}`" for part in small), sum(small.values())
    rows.append((others, f"{share:.0%}", microseconds(whole * share)))
    return Table("Where the handler's time goes", ("part", "share", "us"), rows)
