"""A client of the load test: one connection that stays open, the next request as soon as the last is answered."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import islice
from random import Random
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING

from benchmarks.load_server import BATCHES, Kind
from benchmarks.orders import orders as examples
from tests.fuzz.orders import document_of

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARES = {Kind.ORDER: 50, Kind.KEYED: 30, Kind.REPEATED: 5, Kind.BATCH: 3, Kind.KEYED_BATCH: 2, Kind.READ: 10}
"""Of the requests, in percent."""
BATCH_ORDERS = 10
POOL = 300
RANDOM_EVERY = 10
"""Of the pool every tenth order is one of the fuzz test's; the others are the example orders, varied."""
TIMEOUT_SECONDS = 30
PAUSE_SECONDS = 0.1
"""After a request that got no answer."""
SINGLE, BATCH = "/v1/orders/validate", "/v1/orders/validate-batch"
ALL_DECIDED = b'"problems":[]}'
_DECISION_ID = re.compile(rb'"decision_id":"(\w+)"')


@dataclass
class Tally:
    """By kind, how many answers took so many tenths of a millisecond; what went wrong, by status or by error."""

    tenths: dict[Kind, Counter[int]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    orders: int = 0

    def add(self, other: Tally) -> None:
        """Takes another client's tally in."""
        for kind, counts in other.tenths.items():
            self.tenths.setdefault(kind, Counter()).update(counts)
        self.statuses.update(other.statuses)
        self.errors.update(other.errors)
        self.orders += other.orders


@dataclass(frozen=True)
class Asked:
    """A request to send."""

    kind: Kind
    method: str
    path: str
    body: bytes | None = None
    key: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """As a partner sends them."""
        headers = {"Content-Type": "application/json"} if self.body is not None else {}
        return headers if self.key is None else {**headers, "Idempotency-Key": self.key}


class Traffic:
    """The requests of one client: what it sends is the same for the same seed, but for the decisions it reads again."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - no secret
        self._client = seed
        self._pool = pool(seed)
        self._kinds, self._weights = list(SHARES), list(SHARES.values())
        self._sent = 0
        self._keyed: Asked | None = None
        self.decision_id: str | None = None

    def next(self) -> Asked:
        """Another request; what needs an earlier one is a plain order while there was none."""
        self._sent += 1
        (kind,) = self._random.choices(self._kinds, self._weights)
        if kind in BATCHES:
            body = b'{"orders":[' + b",".join(self._random.choices(self._pool, k=BATCH_ORDERS)) + b"]}"
            return Asked(kind, "POST", BATCH, body, self._key() if kind is Kind.KEYED_BATCH else None)
        if kind is Kind.READ and self.decision_id is not None:
            return Asked(kind, "GET", f"/v1/decisions/{self.decision_id}")
        if kind is Kind.REPEATED and self._keyed is not None:
            return Asked(kind, "POST", SINGLE, self._keyed.body, self._keyed.key)
        if kind is Kind.KEYED:
            self._keyed = Asked(kind, "POST", SINGLE, self._random.choice(self._pool), self._key())
            return self._keyed
        return Asked(Kind.ORDER, "POST", SINGLE, self._random.choice(self._pool))

    def _key(self) -> str:
        return f"load-{self._client}-{self._sent}"


def pool(seed: int) -> Sequence[bytes]:
    """Bodies of valid orders, each with an id of its own."""
    bodies = []
    for number, document in enumerate(islice(examples(), POOL)):
        order = document_of(seed, number) if number % RANDOM_EVERY == 0 else document
        bodies.append(json.dumps({**order, "order_id": f"LOAD-{seed}-{number}"}, default=str).encode())
    return bodies


def drive(port: int, seed: int, begins: float, ends: float) -> Tally:
    """Sends until `ends`; counts what was sent after `begins` (both of the machine's monotonic clock)."""
    traffic, tally = Traffic(seed), Tally()
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    while (now := monotonic()) < ends:
        asked = traffic.next()
        counted = tally if now >= begins else Tally()
        send(connection, asked, traffic, counted)
    connection.close()
    return tally


def send(connection: HTTPConnection, asked: Asked, traffic: Traffic, tally: Tally) -> None:
    """One request and its answer."""
    started = perf_counter()
    try:
        connection.request(asked.method, asked.path, asked.body, asked.headers)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, HTTPException) as error:
        tally.errors[type(error).__name__] += 1
        connection.close()  # the next request opens it again
        sleep(PAUSE_SECONDS)
        return
    tally.tenths.setdefault(asked.kind, Counter())[round((perf_counter() - started) * 10_000)] += 1
    tally.statuses[answer.status] += 1
    wrong = complaint(asked, answer.status, body)
    if wrong is not None:
        tally.errors[wrong] += 1
        return
    if asked.kind is not Kind.READ:
        tally.orders += BATCH_ORDERS if asked.kind in BATCHES else 1
    found = _DECISION_ID.search(body)
    if found is not None:
        traffic.decision_id = found[1].decode()


def complaint(asked: Asked, status: int, body: bytes) -> str | None:
    """What is wrong with an answer: every order of the test is valid, so each of a batch must be decided."""
    if status != 200:
        return f"status {status}"
    if asked.kind in BATCHES and not body.endswith(ALL_DECIDED):
        return "a batch with problems"
    return None
