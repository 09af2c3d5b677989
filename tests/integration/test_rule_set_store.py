"""Versions are stored completely or not at all, and the pointer changes only by conditional writes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.rules.language_fingerprint import LANGUAGE_FINGERPRINT
from infusion_orders.store import dynamodb
from infusion_orders.store.activations import ActivationConflict, NoRuleSet
from infusion_orders.store.dynamodb import BATCH_SIZE, REFUSALS_ALLOWED, TRANSACTION_RETRY_SECONDS, StoreUnavailable
from infusion_orders.store.rule_set_table import DamagedRuleSet
from infusion_orders.store.versions import NoSuchVersion, RuleSetStore
from infusion_orders_cli.local.tables import RULES_TABLE
from tests.support.tables import (
    DEFAULT,
    MOMENT,
    SMALL,
    a_client,
    a_store,
    items,
    items_of,
    mocked_tables,
    publish,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECOND = timedelta(seconds=1)
WRITES = {"PutItem", "BatchWriteItem", "TransactWriteItems"}


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    with mocked_tables():
        yield


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect the seconds that the store would have slept; it does not sleep."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def refusing(operation: str, response: dict[str, Any]) -> Callable[..., None]:
    def refuse(**_parameters: Any) -> None:
        raise ClientError(response, operation)  # type: ignore[arg-type]

    return refuse


def cancelled_for(reason: str) -> dict[str, Any]:
    return {
        "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
        "CancellationReasons": [{"Code": "None"}, {"Code": reason}],
    }


# --- publishing and loading


def test_published_version_is_loaded_with_the_digest_of_its_files() -> None:
    store = a_store()
    version = publish(store, DEFAULT)

    loaded = store.load(version)

    assert (loaded.name, loaded.version, loaded.digest) == (DEFAULT.name, 1, DEFAULT.digest)
    assert [compiled.id for compiled in loaded.rules] == [rule["id"] for rule in DEFAULT.rules]
    assert loaded.tables.rows() == {name: [list(row) for row in rows] for name, rows in DEFAULT.tables.items()}


def test_versions_are_numbered_and_never_change() -> None:
    store = a_store()

    assert [publish(store), publish(store, DEFAULT), publish(store)] == [1, 2, 3]
    assert [store.load(version).digest for version in (1, 2, 3)] == [SMALL.digest, DEFAULT.digest, SMALL.digest]


def test_header_describes_the_version() -> None:
    publish(a_store())

    [header] = [item for item in items() if item["SK"]["S"] == "VERSION#000001"]

    assert {name: next(iter(value.values())) for name, value in header.items() if name not in ("PK", "SK")} == {
        "state": "published",
        "version": "1",
        "by": "ann",
        "at": "2026-01-01T12:00:00.000000+00:00",
        "note": "a note",
        "digest": SMALL.digest,
        "rules": "3",
        "tables": str(len(SMALL.tables)),
        "checks": "passed",
        "errors": "0",
        "language": LANGUAGE_FINGERPRINT,
    }


def writes_of_one_publication() -> list[str]:
    client = a_client()
    calls: list[str] = []
    client.meta.events.register("before-call.dynamodb", lambda model, **_more: calls.append(model.name))
    publish(a_store(client))
    return [call for call in calls if call in WRITES]


def test_publication_interrupted_at_any_write_leaves_no_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dynamodb, "BATCH_SIZE", 2)
    writes = writes_of_one_publication()
    store = a_store()
    store.activations.activate(1, by="ann", why="the first", at=MOMENT)
    assert len(writes) > 5

    for allowed in range(len(writes)):
        client = a_client()
        left = [None] * allowed

        def die(model: Any, left: list[None] = left, **_parameters: Any) -> None:
            if model.name in WRITES:
                if not left:
                    raise EndpointConnectionError(endpoint_url="https://dynamodb.invalid")
                left.pop()

        client.meta.events.register("before-call.dynamodb", die)
        with pytest.raises(StoreUnavailable, match=r"^EndpointConnectionError$"):
            publish(a_store(client), DEFAULT)

        pointer = store.activations.pointer()
        assert pointer is not None
        assert pointer.version == 1
        assert store.load(1).digest == SMALL.digest
        for reserved in range(2, allowed + 3):
            with pytest.raises(NoSuchVersion):
                store.load(reserved)
            with pytest.raises(NoSuchVersion):
                store.activations.activate(reserved, by="ann", why="a slip", at=MOMENT + SECOND)

    assert {change.version for change in store.activations.history()} == {1}
    assert [header.version for header in store.headers()] == [1]
    assert store.load(publish(store, DEFAULT)).digest == DEFAULT.digest


def test_publication_with_lost_last_answer_succeeds() -> None:
    client = a_client()

    def lose_the_answer(**_parameters: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")

    client.meta.events.register("after-call.dynamodb.TransactWriteItems", lose_the_answer)

    assert a_store().load(publish(a_store(client))).digest == SMALL.digest


def test_publication_with_repeated_last_write_succeeds() -> None:
    client = a_client()
    write = client.transact_write_items
    client.transact_write_items = lambda **parameters: (write(**parameters), write(**parameters))

    assert a_store().load(publish(a_store(client))).digest == SMALL.digest


def test_unprocessed_items_are_written_again(pauses: list[float]) -> None:
    client = a_client()
    batch_write_item = client.batch_write_item
    refusals = iter((0, 1, 3, BATCH_SIZE, BATCH_SIZE))

    def take_some(RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803 - DynamoDB's name
        [(table, requests)] = RequestItems.items()
        refused = min(next(refusals, 0), len(requests))
        taken, left = requests[refused:], requests[:refused]
        if taken:
            batch_write_item(RequestItems={table: taken})
        return {"UnprocessedItems": {table: left} if left else {}}

    client.batch_write_item = take_some

    assert a_store().load(publish(a_store(client), DEFAULT)).digest == DEFAULT.digest
    assert len(pauses) == 4


def test_table_that_accepts_one_item_at_a_time_gets_all_of_them(pauses: list[float]) -> None:
    client = a_client()
    batch_write_item = client.batch_write_item

    def take_one(RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803 - DynamoDB's name
        [(table, (first, *left))] = RequestItems.items()
        batch_write_item(RequestItems={table: [first]})
        return {"UnprocessedItems": {table: left} if left else {}}

    client.batch_write_item = take_one

    assert a_store().load(publish(a_store(client))).digest == SMALL.digest
    assert len(pauses) > REFUSALS_ALLOWED


def test_table_that_accepts_nothing_raises(pauses: list[float]) -> None:
    client = a_client()
    client.batch_write_item = lambda RequestItems: {"UnprocessedItems": RequestItems}  # noqa: N803 - DynamoDB's name

    with pytest.raises(StoreUnavailable, match=r"^UnprocessedItems$"):
        publish(a_store(client))

    assert len(pauses) == REFUSALS_ALLOWED
    assert sum(pauses) < 10
    with pytest.raises(NoSuchVersion):
        a_store().load(1)


def a_large_crosswalk() -> RuleSetDocument:
    """Return a crosswalk of 100,000 rows whose dates hardly compress."""
    header, *_rows = DEFAULT.tables["crosswalk"]
    first = datetime(1900, 1, 1, tzinfo=UTC)
    days = ((number * 7919 * 7919) % 45_000 for number in range(100_000))
    rows = [
        [
            f"J{number:05d}",
            "",
            f"category_{(number * 48271) % 65_537}",
            f"{first + timedelta(day):%Y-%m-%d}",
            "",
            "manual",
        ]
        for number, day in enumerate(days)
    ]
    return RuleSetDocument(DEFAULT.name, DEFAULT.rules[:1], {"crosswalk": [list(header), *rows]})


def test_crosswalk_of_100_000_rows_fits_into_chunks() -> None:
    large = a_large_crosswalk()
    store = a_store()
    version = publish(store, large)

    chunks = [item for item in items_of(version) if item["SK"]["S"].startswith("TABLE#")]

    assert len(chunks) > 1
    assert max(len(chunk["rows"]["B"]) for chunk in chunks) < 390_000
    loaded = store.load(version)
    assert loaded.digest == large.digest
    assert len(loaded.tables.rows()["crosswalk"]) == 100_001


# --- the language fingerprint


def publish_one_that_does_not_compile(store: RuleSetStore) -> int:
    first = DEFAULT.rules[0] | {"invented": "by a later release"}
    return publish(store, RuleSetDocument(DEFAULT.name, (first,), DEFAULT.tables))


@pytest.mark.parametrize("language", [{"S": "of a later release"}, None])
def test_version_in_another_language_is_compiled_when_loaded(language: dict[str, str] | None) -> None:
    """A version that this release cannot compile counts as damaged."""
    client = a_client()
    store = a_store(client)
    version = publish_one_that_does_not_compile(store)
    [header] = [item for item in items() if item["SK"]["S"] == "VERSION#000001"]
    header.pop("language")
    client.put_item(TableName=RULES_TABLE, Item=header if language is None else header | {"language": language})

    with pytest.raises(DamagedRuleSet, match="cannot be read"):
        store.load(version)


def test_version_in_this_language_is_compiled_on_first_use() -> None:
    store = a_store()

    (rule,) = store.load(publish_one_that_does_not_compile(store)).rules

    with pytest.raises(ValueError, match="invented"):
        _ = rule.judge


def test_pointer_repeats_digest_and_language_of_the_header() -> None:
    store = a_store()
    version = publish(store)
    pointer = store.activations.activate(version, by="ben", why="begin", at=MOMENT)

    assert (pointer.digest, pointer.language) == (store.header(version).digest, LANGUAGE_FINGERPRINT)
    assert store.activations.pointer() == pointer


@pytest.mark.parametrize("version", [0, 2, 999_999])
def test_unpublished_version_does_not_exist(version: int) -> None:
    store = a_store()
    publish(store)

    with pytest.raises(NoSuchVersion, match=f"no published version {version}"):
        store.load(version)


# --- activation


def test_no_version_is_active_before_the_first_activation() -> None:
    store = a_store()
    publish(store)

    assert store.activations.pointer() is None
    with pytest.raises(NoRuleSet):
        store.activations.version_active_at(MOMENT)


def test_pointer_says_who_activated_which_version_when() -> None:
    store = a_store()
    publish(store)
    publish(store, DEFAULT)
    store.activations.activate(1, by="ann", why="the first", at=MOMENT)
    store.activations.activate(2, by="bob", why="the second", at=MOMENT + SECOND)

    pointer = store.activations.pointer(consistent=True)

    assert pointer is not None
    assert (pointer.version, pointer.digest, pointer.since) == (2, DEFAULT.digest, MOMENT + SECOND)
    assert (pointer.by, pointer.previous) == ("bob", 1)


def between_reading_and_writing(client: Any, happens: Callable[[], Any]) -> None:
    """Call `happens` after the client has read the pointer and before it writes."""
    waiting = [happens]

    def act(**_parameters: Any) -> None:
        if waiting:
            waiting.pop()()

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", act)


@pytest.mark.parametrize("already_active", [False, True])
def test_second_of_two_activations_is_a_conflict(already_active: bool) -> None:
    for _ in range(3):
        publish(a_store())
    if already_active:
        a_store().activations.activate(1, by="ann", why="the first", at=MOMENT)
    client = a_client()
    between_reading_and_writing(
        client, lambda: a_store().activations.activate(2, by="bob", why="quicker", at=MOMENT + SECOND)
    )

    with pytest.raises(ActivationConflict, match=r"^bob activated version 2 at 2026-01-01T12:00:01\.000000\+00:00$"):
        a_store(client).activations.activate(3, by="eve", why="slower", at=MOMENT + 2 * SECOND)

    pointer = a_store().activations.pointer()
    assert pointer is not None
    assert pointer.version == 2
    assert a_store().activations.version_active_at(MOMENT + 3 * SECOND) == 2


def test_activation_that_meets_a_transaction_is_retried(pauses: list[float]) -> None:
    publish(a_store())
    client = a_client()
    between_reading_and_writing(client, refusing("TransactWriteItems", cancelled_for("TransactionConflict")))

    a_store(client).activations.activate(1, by="ann", why="the first", at=MOMENT)

    assert a_store().activations.version_active_at(MOMENT) == 1
    assert len(pauses) == 1


@pytest.mark.parametrize(
    ("reason", "pauses_expected"),
    [("TransactionConflict", len(TRANSACTION_RETRY_SECONDS)), ("ThrottlingError", 0)],
)
def test_activation_that_is_always_cancelled_raises(reason: str, pauses_expected: int, pauses: list[float]) -> None:
    publish(a_store())
    client = a_client()
    client.meta.events.register(
        "before-call.dynamodb.TransactWriteItems", refusing("TransactWriteItems", cancelled_for(reason))
    )

    with pytest.raises(StoreUnavailable, match=f"^{reason}$"):
        a_store(client).activations.activate(1, by="ann", why="the first", at=MOMENT)

    assert a_store().activations.pointer() is None
    assert len(pauses) == pauses_expected


def test_version_active_at_follows_the_activations() -> None:
    store = a_store()
    for _ in range(3):
        publish(store)
    store.activations.activate(1, by="ann", why="the first", at=MOMENT)
    store.activations.activate(3, by="ann", why="the third", at=MOMENT + SECOND)
    store.activations.activate(2, by="ann", why="back to the second", at=MOMENT + 2 * SECOND)
    instant = timedelta(microseconds=1)

    with pytest.raises(NoRuleSet):
        store.activations.version_active_at(MOMENT - instant)
    assert store.activations.version_active_at(MOMENT) == 1
    assert store.activations.version_active_at(MOMENT + SECOND - instant) == 1
    assert store.activations.version_active_at(MOMENT + SECOND) == 3
    assert store.activations.version_active_at(MOMENT + 2 * SECOND - instant) == 3
    assert store.activations.version_active_at(MOMENT + 2 * SECOND) == 2
    assert store.activations.version_active_at(MOMENT + timedelta(days=10_000)) == 2


def test_version_active_at_accepts_any_time_zone() -> None:
    store = a_store()
    publish(store)
    store.activations.activate(1, by="ann", why="the first", at=datetime.fromisoformat("2026-01-01T04:00:00-08:00"))

    assert store.activations.version_active_at(MOMENT) == 1
    assert store.activations.version_active_at(datetime.fromisoformat("2026-01-01T13:00:00+01:00")) == 1
    with pytest.raises(NoRuleSet):
        store.activations.version_active_at(datetime.fromisoformat("2026-01-01T12:59:59+01:00"))


def test_activation_with_a_late_clock_is_still_the_latest() -> None:
    store = a_store()
    publish(store)
    publish(store)
    store.activations.activate(1, by="ann", why="the first", at=MOMENT)

    store.activations.activate(2, by="bob", why="a clock that is behind", at=MOMENT - timedelta(hours=1))

    assert store.activations.version_active_at(MOMENT) == 1
    assert store.activations.version_active_at(MOMENT + SECOND) == 2


def test_rule_sets_of_different_names_are_independent() -> None:
    other = RuleSetStore(a_client(), RULES_TABLE, "another")
    publish(a_store())
    a_store().activations.activate(1, by="ann", why="the first", at=MOMENT)

    assert other.activations.pointer() is None
    assert publish(other, RuleSetDocument("another", SMALL.rules, SMALL.tables)) == 1
    assert a_store().load(1).digest != other.load(1).digest


def test_store_failure_is_named_by_its_error() -> None:
    client = a_client()
    client.meta.events.register(
        "before-call.dynamodb",
        refusing("GetItem", {"Error": {"Code": "AccessDeniedException", "Message": "arn:aws:iam::1:user/ann"}}),
    )

    with pytest.raises(StoreUnavailable, match=r"^AccessDeniedException$") as refused:
        a_store(client).activations.pointer()

    assert refused.value.__cause__ is None
