"""The client gives up before the function times out, and reads consistently where a decision depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.decisions import decide
from infusion_orders.store.decisions import DecisionStore, IdempotencyKey
from infusion_orders_cli.local.tables import DECISIONS_TABLE, read_template
from tests.support.orders import an_order
from tests.support.project import TEMPLATE
from tests.support.rules import TODAY, default_rules
from tests.support.tables import MOMENT, a_client, a_store, mocked_tables, publish

if TYPE_CHECKING:
    from collections.abc import Iterator

READS = ("GetItem", "Query")


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    with mocked_tables():
        yield


def consistency_of_reads(client: Any) -> list[bool]:
    """Return a list that fills while the client is used: for each read, whether it was consistent."""
    reads: list[bool] = []

    def note(params: dict[str, Any], model: Any, **_more: Any) -> None:
        if model.name in READS:
            reads.append(params.get("ConsistentRead", False))

    client.meta.events.register("provide-client-params.dynamodb", note)
    return reads


def test_call_to_a_missing_dynamodb_ends_before_the_function_timeout() -> None:
    config: Any = a_client().meta.config
    functions = [
        resource["Properties"]
        for resource in read_template(TEMPLATE)["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    attempts = config.retries["total_max_attempts"]

    longest = attempts * (config.connect_timeout + config.read_timeout)

    globally = read_template(TEMPLATE).get("Globals", {}).get("Function", {}).get("Timeout")
    assert functions
    assert attempts > 1
    assert all(longest < function.get("Timeout", globally) * 0.75 for function in functions)


def test_publishing_and_loading_use_consistent_reads() -> None:
    client = a_client()
    reads = consistency_of_reads(client)
    store = a_store(client)

    version = publish(store)
    store.activations.activate(version, by="ann", why="the first", at=MOMENT)
    store.load(version)

    assert len(reads) >= 4
    assert all(reads)


def test_reading_a_decision_uses_consistent_reads() -> None:
    client = a_client()
    reads = consistency_of_reads(client)
    store = DecisionStore(client, DECISIONS_TABLE, retention_days=30)
    decided = decide(an_order(), default_rules(), as_of=TODAY)

    for decision_id in ("01JDHA0000000000000000000A", "01JDHA0000000000000000000B"):
        store.record(
            "client-1",
            decided,
            decision_id=decision_id,
            key=IdempotencyKey("a key", "sha256:one"),
            at=MOMENT,
            body="{}",
        )
    store.read("client-1", "01JDHA0000000000000000000A")

    assert reads == [True, True, True]
