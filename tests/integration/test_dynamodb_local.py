"""What only a real engine shows: simultaneous writers, conflicting transactions, repeated tokens."""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from threading import Barrier, get_ident
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import pytest
from botocore.exceptions import ReadTimeoutError

from infusion_orders.decisions import decide
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.store.activations import ActivationConflict, ActivePointer, ChangeKind
from infusion_orders.store.decisions import DecisionStore, IdempotencyConflict, IdempotencyKey, Recorded
from infusion_orders.store.dynamodb import StoreUnavailable, dynamodb_client
from infusion_orders.store.partners import Partner, PartnerStore
from infusion_orders.store.rule_set_cache import RuleSetCache
from infusion_orders.store.versions import NoSuchVersion, RuleSetStore
from infusion_orders_cli.local.tables import (
    CREDENTIALS,
    DECISIONS_TABLE,
    REGION,
    RULES_TABLE,
    environment,
    table_definitions,
)
from tests.support.orders import an_order
from tests.support.rules import TODAY, default_document, default_rules
from tests.support.tables import dynamodb_local_or_skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.dynamodb_local

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
MOMENT = datetime(2026, 11, 25, 12, tzinfo=UTC)
DEFAULT = default_document()
SERIES = ""
DECIDED = decide(an_order(), default_rules(), as_of=TODAY)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with dynamodb_local_or_skip() as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[DynamoDBClient]:
    """A client of DynamoDB Local with the tables of template.yaml, empty."""
    with environment(CREDENTIALS):
        client = dynamodb_client(region=REGION, endpoint_url=address)
        for definition in table_definitions(ROOT / "template.yaml"):
            client.create_table(**definition)
        yield client
        for name in client.list_tables()["TableNames"]:
            client.delete_table(TableName=name)


@pytest.fixture(autouse=True)
def series(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use decision ids of no other test, because the engine remembers transaction tokens longer than tables."""
    monkeypatch.setattr(sys.modules[__name__], "SERIES", uuid4().hex[:20])


def a_document(rules: int = 1) -> RuleSetDocument:
    return RuleSetDocument(DEFAULT.name, DEFAULT.rules[:rules], {"vendors": DEFAULT.tables["vendors"]})


def rule_sets(client: DynamoDBClient) -> RuleSetStore:
    return RuleSetStore(client, RULES_TABLE, DEFAULT.name)


def at_once(tasks: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Start all tasks together, each in its own thread, and return what each returned or raised."""
    start = Barrier(len(tasks))

    def run(task: Callable[[], T]) -> T | Exception:
        start.wait()
        try:
            return task()
        except Exception as problem:
            return problem

    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(run, tasks))


def items(client: DynamoDBClient, prefix: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("scan").paginate(TableName=DECISIONS_TABLE)
    return [item for page in pages for item in page["Items"] if item["SK"]["S"].startswith(prefix)]


def record(
    client: DynamoDBClient,
    number: int,
    *,
    key: str | None = "order-4711",
    order_digest: str = "sha256:one",
    **changes: Any,
) -> Recorded:
    """Record the attempt with this number; its id and body are its own unless `changes` replaces them."""
    return DecisionStore(client, DECISIONS_TABLE, retention_days=30).record(
        "client-1",
        DECIDED,
        **{
            "decision_id": f"{SERIES}{number:06d}",
            "key": None if key is None else IdempotencyKey(key, order_digest),
            "at": MOMENT,
            "body": f'{{"attempt": {number}}}',
            **changes,
        },
    )


# --- rule sets


def test_default_rules_are_published_activated_loaded_and_cached(client: DynamoDBClient) -> None:
    store = rule_sets(client)
    version = store.publish(DEFAULT, by="ann", note="the default", at=MOMENT)
    store.activations.activate(version, by="ann", why="the first", at=MOMENT)
    cache = RuleSetCache(store, refresh_seconds=30, max_stale_seconds=600, clock=lambda: 0.0)

    active = cache.active()

    assert (active.rule_set.version, active.rule_set.digest, active.age_seconds) == (1, DEFAULT.digest, 0)
    assert cache.version(1) is active.rule_set
    assert store.activations.version_active_at(MOMENT) == 1
    assert decide(an_order(), active.rule_set, as_of=TODAY).decision == DECIDED.decision
    with pytest.raises(NoSuchVersion):
        store.load(2)


def test_large_crosswalk_is_stored_in_chunks(client: DynamoDBClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infusion_orders.store.rule_set_table.CHUNK_BYTES", 100)
    store = rule_sets(client)

    version = store.publish(DEFAULT, by="ann", note="in many chunks", at=MOMENT)

    assert store.load(version).digest == DEFAULT.digest


def all_writing_at_once(client: DynamoDBClient, writers: int) -> Callable[..., None]:
    """Delay the first transaction of each thread until all threads are about to write."""
    all_have_read = Barrier(writers, timeout=20)
    arrived: set[int] = set()

    def wait(**_parameters: Any) -> None:
        if get_ident() not in arrived:
            arrived.add(get_ident())
            all_have_read.wait()

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", wait)
    return wait


@pytest.mark.parametrize(("races", "writers"), [(200, 2), (5, 20)])
def test_one_of_many_simultaneous_activations_succeeds(client: DynamoDBClient, races: int, writers: int) -> None:
    store = rule_sets(client)
    for rules in (1, 2):
        store.publish(a_document(rules), by="ann", note="a note", at=MOMENT)

    before: ActivePointer | None = None
    for race in range(races):
        at = MOMENT + timedelta(seconds=race)
        wait = all_writing_at_once(client, writers)
        results = at_once(
            [
                partial(activate, store, 1 + writer % 2, f"writer-{writer}", at + timedelta(microseconds=writer))
                for writer in range(writers)
            ]
        )
        client.meta.events.unregister("before-call.dynamodb.TransactWriteItems", wait)

        [winner] = [writer for writer, result in enumerate(results) if isinstance(result, ActivePointer)]
        refusals = [result for result in results if not isinstance(result, ActivePointer)]
        assert {type(refusal) for refusal in refusals} == {ActivationConflict}
        [message] = {str(refusal) for refusal in refusals}
        assert message.startswith(f"writer-{winner} activated version {1 + winner % 2} at ")
        pointer = store.activations.pointer(consistent=True)
        assert pointer is not None
        assert pointer == results[winner]
        assert pointer.previous == (None if before is None else before.version)
        before = pointer
    history = [change for change in store.activations.history(limit=2 * races) if change.action is ChangeKind.ACTIVATED]
    assert len(history) == races
    assert before is not None
    assert store.activations.version_active_at(before.since) == before.version


def activate(store: RuleSetStore, version: int, by: str, at: datetime) -> ActivePointer:
    return store.activations.activate(version, by=by, why="a race", at=at)


def test_crowded_activations_leave_a_history_without_gaps(
    client: DynamoDBClient,
) -> None:
    store = rule_sets(client)
    for rules in range(1, 4):
        store.publish(a_document(rules), by="ann", note="a note", at=MOMENT)

    at_once([partial(activate, store, 1 + writer % 3, "a writer", MOMENT) for writer in range(20)])

    answer = client.query(
        TableName=RULES_TABLE,
        KeyConditionExpression="PK = :partition AND begins_with(SK, :activated)",
        ExpressionAttributeValues={
            ":partition": {"S": f"RULESET#{DEFAULT.name}"},
            ":activated": {"S": "ACTIVATED#"},
        },
    )
    history = [(item["previous"].get("N"), item["version"]["N"]) for item in answer["Items"]]
    assert history
    assert [previous for previous, _version in history] == [None, *[version for _previous, version in history[:-1]]]
    pointer = store.activations.pointer(consistent=True)
    assert pointer is not None
    assert str(pointer.version) == history[-1][1]


def test_simultaneous_publications_get_separate_versions(client: DynamoDBClient) -> None:
    store = rule_sets(client)
    documents = [a_document(rules) for rules in range(1, 11)]

    versions = at_once(
        [partial(store.publish, document, by="a writer", note="a race", at=MOMENT) for document in documents]
    )

    assert sorted(map(repr, versions)) == sorted(map(repr, range(1, 11)))
    for document, version in zip(documents, versions, strict=True):
        assert isinstance(version, int)
        assert store.load(version).digest == document.digest


# --- decisions


def test_fifty_requests_with_one_key_record_one_decision(client: DynamoDBClient) -> None:
    results = at_once([partial(record, client, number) for number in range(50)])

    assert {type(result) for result in results} == {Recorded}
    given = [result for result in results if isinstance(result, Recorded)]
    assert len({recorded.body for recorded in given}) == 1
    assert [recorded.replayed for recorded in given].count(False) == 1
    [decision] = items(client, "DECISION#")
    assert decision["decision"]["S"] == given[0].body
    assert len(items(client, "KEY#")) == 1


def test_first_of_different_orders_with_one_key_wins(
    client: DynamoDBClient,
) -> None:
    orders = [f"sha256:{number % 4}" for number in range(40)]

    results = at_once([partial(record, client, number, order_digest=order) for number, order in enumerate(orders)])

    [decision] = items(client, "DECISION#")
    for order, result in zip(orders, results, strict=True):
        if order == decision["order_digest"]["S"]:
            assert isinstance(result, Recorded)
            assert result.body == decision["decision"]["S"]
        else:
            assert isinstance(result, IdempotencyConflict)
    assert Counter(type(result) for result in results) == {Recorded: 10, IdempotencyConflict: 30}


@pytest.mark.parametrize("later", [0, 1])
def test_transaction_with_lost_answer_is_recognised_when_repeated(client: DynamoDBClient, later: int) -> None:
    lost: list[None] = []

    def lose_the_first_answer(**_parameters: Any) -> None:
        if not lost:
            lost.append(None)
            raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")

    client.meta.events.register("after-call.dynamodb.TransactWriteItems", lose_the_first_answer)
    with pytest.raises(StoreUnavailable):
        record(client, 1)

    assert record(client, 1, at=MOMENT + timedelta(seconds=later)) == Recorded('{"attempt": 1}', replayed=False)
    assert record(client, 2) == Recorded('{"attempt": 1}', replayed=True)
    assert len(items(client, "DECISION#")) == 1


def test_key_is_free_after_its_retention(client: DynamoDBClient) -> None:
    record(client, 1)

    later = record(client, 2, at=MOMENT + timedelta(days=31), order_digest="sha256:two")

    assert later == Recorded('{"attempt": 2}', replayed=False)


@pytest.mark.parametrize("key", [None, "order-4711"])
def test_decision_of_600_kilobytes_is_recorded(client: DynamoDBClient, key: str | None) -> None:
    body = '"' + "".join(Random(4711).choices("0123456789abcdef", k=600_000)) + '"'

    record(client, 1, body=body, key=key)

    assert record(client, 1, body=body, key=key) == Recorded(body, replayed=False)


def test_decision_too_large_for_an_item_raises(client: DynamoDBClient) -> None:
    body = "".join(Random(4711).choices([chr(number) for number in range(33, 127)], k=600_000))

    with pytest.raises(StoreUnavailable, match=r"^Validation"):
        record(client, 1, body=body)

    assert items(client, "") == []


# --- partners


@pytest.mark.parametrize("lines", [frozenset(), frozenset({"medi_cal", "commercial_hmo"})])
def test_partner_is_read_as_it_was_put(client: DynamoDBClient, lines: frozenset[str]) -> None:
    partner = Partner("client-1", "Valley Infusion", "active", lines)
    partners = PartnerStore(client, RULES_TABLE, refresh_seconds=60, clock=lambda: 0.0)

    partners.put(partner)

    assert partners.get("client-1") == partner
    assert partners.get("client-2") is None
