"""Versions that are whole or absent, and the pointer that one hand moves."""

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
from infusion_orders_cli.embedded_table import RULES_TABLE
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
    """How long the store would have waited; it does not."""
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


def test_what_was_published_is_loaded_with_the_digest_that_its_files_have() -> None:
    store = a_store()
    version = publish(store, DEFAULT)

    loaded = store.load(version)

    assert (loaded.name, loaded.version, loaded.digest) == (DEFAULT.name, 1, DEFAULT.digest)
    assert [compiled.rule.id for compiled in loaded.rules] == [rule["id"] for rule in DEFAULT.rules]
    assert loaded.tables.rows() == {name: [list(row) for row in rows] for name, rows in DEFAULT.tables.items()}


def test_versions_are_numbered_from_one_and_older_ones_stay_as_they_were() -> None:
    store = a_store()

    assert [publish(store), publish(store, DEFAULT), publish(store)] == [1, 2, 3]
    assert [store.load(version).digest for version in (1, 2, 3)] == [SMALL.digest, DEFAULT.digest, SMALL.digest]


def test_the_header_tells_a_person_what_was_published() -> None:
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


def test_a_publication_killed_before_any_of_its_writes_leaves_the_active_version_and_nothing_else(
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


def test_a_last_write_that_arrived_although_its_answer_did_not_is_a_publication() -> None:
    client = a_client()

    def lose_the_answer(**_parameters: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")

    client.meta.events.register("after-call.dynamodb.TransactWriteItems", lose_the_answer)

    assert a_store().load(publish(a_store(client))).digest == SMALL.digest


def test_a_last_write_that_is_repeated_by_the_client_is_a_publication() -> None:
    client = a_client()
    write = client.transact_write_items
    client.transact_write_items = lambda **parameters: (write(**parameters), write(**parameters))

    assert a_store().load(publish(a_store(client))).digest == SMALL.digest


def test_what_dynamodb_did_not_take_is_written_again(pauses: list[float]) -> None:
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


def test_a_table_that_takes_one_item_at_a_time_is_given_the_time(pauses: list[float]) -> None:
    client = a_client()
    batch_write_item = client.batch_write_item

    def take_one(RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803 - DynamoDB's name
        [(table, (first, *left))] = RequestItems.items()
        batch_write_item(RequestItems={table: [first]})
        return {"UnprocessedItems": {table: left} if left else {}}

    client.batch_write_item = take_one

    assert a_store().load(publish(a_store(client))).digest == SMALL.digest
    assert len(pauses) > REFUSALS_ALLOWED


def test_a_table_that_takes_nothing_any_more_is_given_up(pauses: list[float]) -> None:
    client = a_client()
    client.batch_write_item = lambda RequestItems: {"UnprocessedItems": RequestItems}  # noqa: N803 - DynamoDB's name

    with pytest.raises(StoreUnavailable, match=r"^UnprocessedItems$"):
        publish(a_store(client))

    assert len(pauses) == REFUSALS_ALLOWED
    assert sum(pauses) < 10
    with pytest.raises(NoSuchVersion):
        a_store().load(1)


def a_large_crosswalk() -> RuleSetDocument:
    """100,000 rows whose dates hardly compress."""
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


def test_a_crosswalk_of_100_000_rows_is_stored_in_chunks_that_dynamodb_takes() -> None:
    large = a_large_crosswalk()
    store = a_store()
    version = publish(store, large)

    chunks = [item for item in items_of(version) if item["SK"]["S"].startswith("TABLE#")]

    assert len(chunks) > 1
    assert max(len(chunk["rows"]["B"]) for chunk in chunks) < 390_000
    loaded = store.load(version)
    assert loaded.digest == large.digest
    assert len(loaded.tables.rows()["crosswalk"]) == 100_001


# --- the language of a version


def publish_one_that_does_not_compile(store: RuleSetStore) -> int:
    first = DEFAULT.rules[0] | {"invented": "by a later release"}
    return publish(store, RuleSetDocument(DEFAULT.name, (first,), DEFAULT.tables))


@pytest.mark.parametrize("language", [{"S": "of a later release"}, None])
def test_a_version_in_another_language_is_compiled_before_it_decides(language: dict[str, str] | None) -> None:
    """One that this release cannot compile is damage and not a crash."""
    client = a_client()
    store = a_store(client)
    version = publish_one_that_does_not_compile(store)
    [header] = [item for item in items() if item["SK"]["S"] == "VERSION#000001"]
    header.pop("language")
    client.put_item(TableName=RULES_TABLE, Item=header if language is None else header | {"language": language})

    with pytest.raises(DamagedRuleSet, match="cannot be read"):
        store.load(version)


def test_a_version_in_this_release_s_language_is_trusted_and_compiled_when_wanted() -> None:
    store = a_store()

    (rule,) = store.load(publish_one_that_does_not_compile(store)).rules

    with pytest.raises(ValueError, match="invented"):
        _ = rule.judge


def test_an_activation_says_of_a_version_what_its_header_says() -> None:
    store = a_store()
    version = publish(store)
    pointer = store.activations.activate(version, by="ben", why="begin", at=MOMENT)

    assert (pointer.digest, pointer.language) == (store.header(version).digest, LANGUAGE_FINGERPRINT)
    assert store.activations.pointer() == pointer


@pytest.mark.parametrize("version", [0, 2, 999_999])
def test_a_version_that_was_never_published_is_not_there(version: int) -> None:
    store = a_store()
    publish(store)

    with pytest.raises(NoSuchVersion, match=f"no published version {version}"):
        store.load(version)


# --- activating


def test_nothing_is_active_before_the_first_activation() -> None:
    store = a_store()
    publish(store)

    assert store.activations.pointer() is None
    with pytest.raises(NoRuleSet):
        store.activations.version_active_at(MOMENT)


def test_an_activation_says_what_decides_since_when_by_whom_and_instead_of_what() -> None:
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
    """Somebody else acts after the client's pointer was read and before it is written."""
    waiting = [happens]

    def act(**_parameters: Any) -> None:
        if waiting:
            waiting.pop()()

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", act)


@pytest.mark.parametrize("already_active", [False, True])
def test_an_activation_that_came_second_is_refused_and_told_who_was_first(already_active: bool) -> None:
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


def test_an_activation_that_merely_met_another_transaction_is_tried_again(pauses: list[float]) -> None:
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
def test_an_activation_that_dynamodb_keeps_cancelling_is_no_conflict(
    reason: str, pauses_expected: int, pauses: list[float]
) -> None:
    publish(a_store())
    client = a_client()
    client.meta.events.register(
        "before-call.dynamodb.TransactWriteItems", refusing("TransactWriteItems", cancelled_for(reason))
    )

    with pytest.raises(StoreUnavailable, match=f"^{reason}$"):
        a_store(client).activations.activate(1, by="ann", why="the first", at=MOMENT)

    assert a_store().activations.pointer() is None
    assert len(pauses) == pauses_expected


def test_the_second_clock_knows_what_was_active_at_each_moment() -> None:
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


def test_a_moment_is_the_same_in_every_time_zone() -> None:
    store = a_store()
    publish(store)
    store.activations.activate(1, by="ann", why="the first", at=datetime.fromisoformat("2026-01-01T04:00:00-08:00"))

    assert store.activations.version_active_at(MOMENT) == 1
    assert store.activations.version_active_at(datetime.fromisoformat("2026-01-01T13:00:00+01:00")) == 1
    with pytest.raises(NoRuleSet):
        store.activations.version_active_at(datetime.fromisoformat("2026-01-01T12:59:59+01:00"))


def test_a_hand_whose_clock_is_behind_still_activates_after_what_it_replaces() -> None:
    store = a_store()
    publish(store)
    publish(store)
    store.activations.activate(1, by="ann", why="the first", at=MOMENT)

    store.activations.activate(2, by="bob", why="a clock that is behind", at=MOMENT - timedelta(hours=1))

    assert store.activations.version_active_at(MOMENT) == 1
    assert store.activations.version_active_at(MOMENT + SECOND) == 2


def test_rule_sets_of_other_names_have_versions_and_a_pointer_of_their_own() -> None:
    other = RuleSetStore(a_client(), RULES_TABLE, "another")
    publish(a_store())
    a_store().activations.activate(1, by="ann", why="the first", at=MOMENT)

    assert other.activations.pointer() is None
    assert publish(other, RuleSetDocument("another", SMALL.rules, SMALL.tables)) == 1
    assert a_store().load(1).digest != other.load(1).digest


def test_a_store_that_does_not_answer_is_named_by_the_error_alone() -> None:
    client = a_client()
    client.meta.events.register(
        "before-call.dynamodb",
        refusing("GetItem", {"Error": {"Code": "AccessDeniedException", "Message": "arn:aws:iam::1:user/ann"}}),
    )

    with pytest.raises(StoreUnavailable, match=r"^AccessDeniedException$") as refused:
        a_store(client).activations.pointer()

    assert refused.value.__cause__ is None
