"""One process of the load test: the validate function, one event after the other, and what each one used."""

from __future__ import annotations

import io
import json
import math
import re
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

from benchmarks.load_cost import ITEM_OVERHEAD_BYTES, Used, item_bytes, read_units, write_units
from benchmarks.measuring import megabytes
from benchmarks.project import WarmContext, dynamodb_calls, event, example_orders, load_handler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.project import Handler

BATCH_ORDERS = 10
POOL = 300
"""Different orders of each process."""
SAMPLE_SECONDS = 5
KEY_HEADER = "Idempotency-Key"
DECISION_ID = re.compile(r'"decision_id":"(\w+)"')


class Kind(StrEnum):
    """A kind of request."""

    ORDER = "one order"
    KEYED = "with a key"
    BATCH = "in a batch of ten"
    READ = "a decision read again"


SHARES = {Kind.ORDER: 55, Kind.KEYED: 30, Kind.BATCH: 5, Kind.READ: 10}
"""Percent of the requests."""


@dataclass
class Tally:
    """The result of a run: use and seconds by kind, wrong answers, and memory growth in percent."""

    used: dict[Kind, Used] = field(default_factory=lambda: {kind: Used() for kind in Kind})
    seconds: dict[Kind, list[float]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    errors: Counter[str] = field(default_factory=Counter)
    growth_percent: float = 0.0

    def add(self, other: Tally) -> None:
        """Add what another process saw; the larger growth counts."""
        for kind in Kind:
            self.used[kind].add(other.used[kind])
            self.seconds[kind] += other.seconds[kind]
        self.errors += other.errors
        self.growth_percent = max(self.growth_percent, other.growth_percent)


class Meter:
    """Counts what the current request uses: DynamoDB's units, bytes stored and bytes logged."""

    def __init__(self) -> None:
        self.current = Used()

    def call(self, operation: str, parameters: dict[str, Any], send: Callable[[], Any]) -> Any:
        """Send one DynamoDB call and count it by the sizes of its items."""
        answer = send()
        if operation in ("GetItem", "Query"):
            found = [answer["Item"]] if "Item" in answer else answer.get("Items", [])
            consistent = bool(parameters.get("ConsistentRead"))
            self.current.read_units += read_units(sum(map(item_bytes, found)), consistent=consistent)
            return answer
        transaction = operation == "TransactWriteItems"
        puts = [write["Put"] for write in parameters["TransactItems"]] if transaction else [parameters]
        for put in puts:
            size = item_bytes(put["Item"])
            self.current.write_units += write_units(size, in_transaction=transaction)
            self.current.stored_bytes += size + ITEM_OVERHEAD_BYTES
        return answer


class CountedOutput(io.TextIOBase):
    """Standard output of the function: it counts the bytes of log lines and metrics and drops them."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def write(self, text: str) -> int:
        """Count the text; log lines are ASCII, so a character is a byte."""
        self._meter.current.log_bytes += len(text)
        return len(text)


def drive(seed: int, begins: float, ends: float) -> Tally:
    """Send events to the function until `ends`; count from `begins` on (both on the monotonic clock)."""
    meter, tally = Meter(), Tally()
    sys.stdout = CountedOutput(meter)
    handler = load_handler()
    traffic = Traffic(seed)
    samples: list[float] = []
    with dynamodb_calls(meter.call):
        while (now := time.monotonic()) < ends:
            kind, request = traffic.next()
            send(handler, kind, request, meter, traffic, tally if now >= begins else Tally())
            if now >= begins + len(samples) * SAMPLE_SECONDS:
                samples.append(megabytes())
    tally.growth_percent = growth_percent(samples)
    return tally


def growth_percent(samples: Sequence[float]) -> float:
    """Return how much the median of the second half exceeds that of the first; the middle sample is in both."""
    half = len(samples) // 2
    return (statistics.median(samples[half:]) / statistics.median(samples[: half + 1]) - 1) * 100


def send(handler: Handler, kind: Kind, request: dict[str, Any], meter: Meter, traffic: Traffic, tally: Tally) -> None:
    """Send one event to the function and count its answer."""
    orders = BATCH_ORDERS if kind is Kind.BATCH else 1
    meter.current = Used(requests=1, orders=orders)
    started = time.perf_counter()
    answer = handler(request, WarmContext())
    seconds = time.perf_counter() - started
    meter.current.billed_ms = math.ceil(seconds * 1000)
    wrong = complaint(kind, answer)
    if wrong is not None:
        tally.errors[wrong] += 1
        return
    tally.used[kind].add(meter.current)
    tally.seconds[kind].append(seconds)
    found = DECISION_ID.search(answer["body"])
    traffic.decision_id = found[1] if found is not None else traffic.decision_id


def complaint(kind: Kind, answer: Mapping[str, Any]) -> str | None:
    """Return what is wrong with an answer: all orders are valid, so each must be decided."""
    if answer["statusCode"] != 200:
        return f"status {answer['statusCode']}"
    if kind is Kind.BATCH and json.loads(answer["body"])["problems"]:
        return "a batch with problems"
    return None


class Traffic:
    """The events of one process: the same for the same seed, except for the decisions that it reads again."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - not a secret
        self._seed = seed
        self._pool = [
            order | {"order_id": f"LOAD-{seed}-{number}"} for number, order in enumerate(islice(example_orders(), POOL))
        ]
        self._keys = 0
        self.decision_id: str | None = None

    def next(self) -> tuple[Kind, dict[str, Any]]:
        """Return the next event; until there is a decision to read, it is an order instead."""
        (kind,) = self._random.choices(list(SHARES), list(SHARES.values()))
        order = self._random.choice(self._pool)
        if kind is Kind.BATCH:
            return kind, self._post("validate-batch", {"orders": self._random.choices(self._pool, k=BATCH_ORDERS)})
        if kind is Kind.KEYED:
            self._keys += 1
            return kind, self._post("validate-order", order, key=f"load-{self._seed}-{self._keys}")
        if kind is Kind.READ and self.decision_id is not None:
            path = {"path": f"/v1/decisions/{self.decision_id}", "pathParameters": {"decision_id": self.decision_id}}
            return kind, event("get-decision") | path
        return Kind.ORDER, self._post("validate-order", order)

    @staticmethod
    def _post(name: str, body: Any, key: str | None = None) -> dict[str, Any]:
        request = event(name) | {"body": json.dumps(body)}
        if key is not None:
            request["headers"] = {**request["headers"], KEY_HEADER: key}
            request["multiValueHeaders"] = {**request["multiValueHeaders"], KEY_HEADER: [key]}
        return request
