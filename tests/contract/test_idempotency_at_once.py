"""One idempotency key in 200 simultaneous requests to 20 instances of the function."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders_cli.local.tables import CREDENTIALS, DECISIONS_TABLE, environment, local_tables
from tests.support.orders import an_order_document
from tests.support.partner import PartnerSystem, load_function
from tests.support.project import TEMPLATE
from tests.support.rules import default_document
from tests.support.tables import dynamodb_local_or_skip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infusion_orders_cli.local.tables import LocalTables
    from tests.support.partner import Answer

pytestmark = pytest.mark.dynamodb_local

INSTANCES = 20
REQUESTS = 200


@pytest.fixture(scope="module")
def tables() -> Iterator[LocalTables]:
    with dynamodb_local_or_skip() as address, environment(CREDENTIALS):
        yield local_tables(TEMPLATE, default_document(), endpoint_url=address)


@pytest.fixture(scope="module")
def instances(tables: LocalTables) -> list[PartnerSystem]:
    """The instances of the function; as in Lambda, each answers one request at a time."""
    variables = tables.environment(tables.client.meta.endpoint_url)
    return [PartnerSystem(load_function("validate_orders", variables)) for _ in range(INSTANCES)]


def at_once(instances: Sequence[PartnerSystem], orders: Sequence[Any], key: str) -> list[Answer]:
    """Distribute the orders among the instances, which all start at the same moment."""
    start = Barrier(INSTANCES)

    def send(number: int) -> list[Answer]:
        start.wait()
        return [
            instances[number].validate(order, headers={"Idempotency-Key": key}) for order in orders[number::INSTANCES]
        ]

    with ThreadPoolExecutor(INSTANCES) as threads:
        answers = list(threads.map(send, range(INSTANCES)))
    return [answers[place % INSTANCES][place // INSTANCES] for place in range(len(orders))]


def recorded(tables: LocalTables, prefix: str) -> int:
    pages = tables.client.get_paginator("scan").paginate(TableName=DECISIONS_TABLE)
    return sum(item["SK"]["S"].startswith(prefix) for page in pages for item in page["Items"])


def test_equal_requests_get_one_decision(tables: LocalTables, instances: list[PartnerSystem]) -> None:
    before = recorded(tables, "DECISION#"), recorded(tables, "KEY#")

    answers = at_once(instances, [an_order_document()] * REQUESTS, "equal")

    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert (recorded(tables, "DECISION#"), recorded(tables, "KEY#")) == (before[0] + 1, before[1] + 1)


def test_one_of_several_different_requests_is_decided_and_the_others_conflict(
    tables: LocalTables, instances: list[PartnerSystem]
) -> None:
    before = recorded(tables, "DECISION#")
    orders = [an_order_document() | {"order_id": f"order-{number % 4}"} for number in range(REQUESTS)]

    answers = at_once(instances, orders, "unequal")

    assert Counter(answer.status for answer in answers) == {200: REQUESTS // 4, 409: REQUESTS * 3 // 4}
    assert {answer.problem for answer in answers if answer.status == 409} == {"idempotency-conflict"}
    (decision,) = {answer.text for answer in answers if answer.status == 200}
    decided = {order["order_id"] for order, answer in zip(orders, answers, strict=True) if answer.status == 200}
    assert len(decided) == 1
    assert f'"order_id":"{decided.pop()}"' in decision
    assert recorded(tables, "DECISION#") == before + 1
