"""What the load test counts: by kind of request, across processes, and when memory counts as flat."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest.mock import Mock

import pytest

from benchmarks.load import Server
from benchmarks.load_clients import Asked, complaint
from benchmarks.load_cost import Used
from benchmarks.load_server import Kind, Meter, MeteredOutput, Sums, kind_of

SINGLE, BATCH = "/v1/orders/validate", "/v1/orders/validate-batch"
KEY = {"Idempotency-Key": "one"}
ITEM = {"PK": {"S": "x" * 2000}}


def event(path: str = SINGLE, headers: dict[str, str] | None = None, method: str = "POST") -> dict[str, Any]:
    return {"httpMethod": method, "path": path, "headers": headers or {}}


def answer(body: str = "{}", headers: dict[str, list[str]] | None = None) -> dict[str, Any]:
    return {"body": body, "multiValueHeaders": headers or {}}


@pytest.mark.parametrize(
    ("asked", "answered", "kind"),
    [
        (event(), answer(), Kind.ORDER),
        (event(headers=KEY), answer(), Kind.KEYED),
        (event(headers=KEY), answer(headers={"Idempotent-Replayed": ["true"]}), Kind.REPEATED),
        (event(BATCH), answer(), Kind.BATCH),
        (event(BATCH, KEY), answer(), Kind.KEYED_BATCH),
        (event("/v1/decisions/1", method="GET"), answer(), Kind.READ),
    ],
)
def test_a_request_is_of_one_kind(asked: dict[str, Any], answered: dict[str, Any], kind: Kind) -> None:
    assert kind_of(asked, answered) is kind


def test_a_request_is_measured_by_what_its_handler_writes_and_logs() -> None:
    meter = Meter()
    output = MeteredOutput(meter)
    line = '{"message":"answered","duration_ms":2.01}'

    def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
        meter._put({"Item": ITEM})
        meter._transaction({"TransactItems": [{"Put": {"Item": ITEM}}]})
        meter._asked({"ConsistentRead": False})
        meter._found({"Items": [ITEM, ITEM, ITEM]})
        output.write(line)
        return answer('{"decisions":[{"index":0,"decision":{}},{"index":2,"decision":{}}],"problems":[]}')

    meter.metered(handler)(event(BATCH), None)

    used = meter.sums.used[Kind.BATCH]
    assert (used.requests, used.orders, used.duration_ms, used.billed_ms) == (1, 2, 2.01, 3)
    assert (used.write_units, used.read_units) == (2 + 4, 1)
    assert (used.stored_bytes, used.log_bytes) == (2 * (2002 + 100), len(line))


def test_a_refused_write_is_paid_for_and_not_stored() -> None:
    meter = Meter()

    def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
        meter._transaction({"TransactItems": [{"Put": {"Item": ITEM}}]})
        return answer(headers={"Idempotent-Replayed": ["true"]})

    meter.metered(handler)(event(headers=KEY), None)

    used = meter.sums.used[Kind.REPEATED]
    assert (used.write_units, used.stored_bytes) == (4, 0)


def test_sums_of_two_processes_are_added_after_they_were_sent() -> None:
    one, other = Sums(), Sums()
    one.count(Kind.ORDER, Used(requests=1, orders=1, duration_ms=1.26))
    other.count(Kind.ORDER, Used(requests=1, orders=1, duration_ms=2.0))
    other.count(Kind.READ, Used(requests=1, orders=1))

    one.add(Sums.read(other.written()))

    assert one.tenths == {Kind.ORDER: Counter({13: 1, 20: 1}), Kind.READ: Counter({0: 1})}
    assert one.orders() == 2


@pytest.mark.parametrize(
    ("memory", "growth"),
    [([100, 100, 100, 100], 0.0), ([100, 100, 100, 110, 110], 10.0), ([90, 100, 100, 500, 100], 0.0), ([100], 0.0)],
)
def test_memory_grows_when_the_second_half_has_more_than_the_first(memory: list[int], growth: float) -> None:
    assert Server(Mock(), 0, memory=memory).growth == pytest.approx(growth)


@pytest.mark.parametrize(
    ("kind", "status", "body", "wrong"),
    [
        (Kind.ORDER, 200, b"{}", None),
        (Kind.ORDER, 503, b"{}", "status 503"),
        (Kind.BATCH, 200, b'{"decisions":[],"problems":[]}', None),
        (Kind.BATCH, 200, b'{"decisions":[],"problems":[{"index":0}]}', "a batch with problems"),
    ],
)
def test_an_answer_is_wrong_unless_every_order_was_decided(
    kind: Kind, status: int, body: bytes, wrong: str | None
) -> None:
    assert complaint(Asked(kind, "POST", SINGLE), status, body) == wrong
