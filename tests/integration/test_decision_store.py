"""Decisions are recorded once, found by id and by key, and hold nothing that identifies a person."""

from __future__ import annotations

import gzip
import json
import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from typer.testing import CliRunner

from infusion_orders.decisions import Decided, decide
from infusion_orders.store.decisions import (
    LARGEST_PLAIN_TEXT,
    DecisionNotFound,
    DecisionStore,
    IdempotencyConflict,
    IdempotencyKey,
    Recorded,
    hashed_key,
)
from infusion_orders.store.dynamodb import TRANSACTION_RETRY_SECONDS, StoreUnavailable
from infusion_orders_cli.local.tables import DECISIONS_TABLE
from infusion_orders_cli.main import app
from tests.support.orders import an_order
from tests.support.rules import TODAY, default_rules
from tests.support.tables import a_client, mocked_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOMENT = datetime(2026, 11, 25, 12, tzinfo=UTC)
RETENTION_DAYS = 30
DECIDED = decide(an_order(), default_rules(), as_of=TODAY)
FIRST = "01JDHA0000000000000000000A"
SECOND = "01JDHA0000000000000000000B"
BODY = '{"decision_id": "first",  "outcome":"approve \u00e9"}'


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


def record(
    client: Any = None,
    *,
    partner: str = "client-1",
    decided: Decided = DECIDED,
    decision_id: str = FIRST,
    order_digest: str = "sha256:one",
    key: str | None = None,
    at: datetime = MOMENT,
    body: str = BODY,
) -> Recorded:
    store = DecisionStore(client or a_client(), DECISIONS_TABLE, retention_days=RETENTION_DAYS)
    own_key = None if key is None else IdempotencyKey(key, order_digest)
    return store.record(partner, decided, decision_id=decision_id, key=own_key, at=at, body=body)


def read(decision_id: str = FIRST, partner: str = "client-1") -> str:
    return DecisionStore(a_client(), DECISIONS_TABLE, retention_days=RETENTION_DAYS).read(partner, decision_id)


def items(prefix: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = a_client().scan(TableName=DECISIONS_TABLE)["Items"]
    return [item for item in found if item["SK"]["S"].startswith(prefix)]


def lose_answers(client: Any, operation: str, *, how_many: int) -> None:
    """Let the writes succeed but lose their answers."""
    left = [None] * how_many

    def lose(**_parameters: Any) -> None:
        if left:
            left.pop()
            raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")

    client.meta.events.register(f"after-call.dynamodb.{operation}", lose)


def refuse(client: Any, operation: str, response: dict[str, Any], *, how_many: int) -> None:
    left = [None] * how_many

    def fail(**_parameters: Any) -> None:
        if left:
            left.pop()
            raise ClientError(response, operation)  # type: ignore[arg-type]

    client.meta.events.register(f"before-call.dynamodb.{operation}", fail)


def cancelled_for(*reasons: str) -> dict[str, Any]:
    return {
        "Error": {"Code": "TransactionCanceledException", "Message": "cancelled: member 1EG4-TE5-MK73"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }


# --- recording and reading


@pytest.mark.parametrize("key", [None, "order-4711"])
def test_recorded_decision_is_read_as_it_was_sent(key: str | None) -> None:
    assert record(key=key) == Recorded(BODY, replayed=False)
    assert read() == BODY


def test_unknown_decision_is_not_found() -> None:
    with pytest.raises(DecisionNotFound):
        read()


def test_decision_of_another_partner_is_not_found() -> None:
    record()

    with pytest.raises(DecisionNotFound):
        read(partner="client-2")


def test_idempotency_record_is_not_readable_as_a_decision() -> None:
    record(key="order-4711")

    with pytest.raises(DecisionNotFound):
        read(decision_id=hashed_key("order-4711"))


def test_item_holds_outcome_version_and_expiry() -> None:
    record(key="order-4711")

    [decision], [key] = items("DECISION#"), items("KEY#")

    expires = str(int((MOMENT + timedelta(days=RETENTION_DAYS)).timestamp()))
    assert set(decision) == {
        "PK",
        "SK",
        "decision",
        "decision_id",
        "order_digest",
        "facts",
        "outcome",
        "as_of",
        "ruleset_version",
        "ruleset_digest",
        "recorded_at",
        "expires_at",
    }
    assert decision["facts"] == {"S": DECIDED.facts.decode()}
    assert decision["outcome"] == {"S": DECIDED.decision.outcome.value}
    assert decision["ruleset_version"] == {"N": "1"}
    assert decision["ruleset_digest"] == {"S": default_rules().digest}
    assert decision["as_of"] == {"S": "2026-11-25"}
    assert decision["expires_at"] == key["expires_at"] == {"N": expires}
    assert set(key) == {"PK", "SK", "order_digest", "decision_id", "expires_at"}
    assert key["decision_id"] == {"S": FIRST}


def test_order_digest_is_stored_only_with_a_key() -> None:
    record()

    [decision] = items()
    assert "order_digest" not in decision


def test_item_holds_nothing_that_identifies_the_member() -> None:
    order = an_order({"/member/member_id": "MEMBER-CANARY-1", "/member/birth_date": "1961-07-13"})

    record(decided=decide(order, default_rules(), as_of=TODAY), key="MEMBER-CANARY-2")

    stored = repr(items())
    assert DECIDED.decision.ruleset.digest in stored
    for text in ("MEMBER-CANARY", "1961-07-13"):
        assert text not in stored


@pytest.mark.parametrize("key", ["1EG4-TE5-MK73", "Jane Doe 1961-07-13", "\u20ac", "x" * 255])
def test_idempotency_key_is_stored_only_as_its_hash(key: str) -> None:
    record(key=key)

    assert key not in repr(items())
    [stored] = items("KEY#")
    assert len(stored["SK"]["S"]) == len("KEY#") + 64


def noise(characters: int) -> str:
    """Return JSON that compresses to only about half; real decisions compress better."""
    return '"' + "".join(random.Random(4711).choices("0123456789abcdef", k=characters)) + '"'


@pytest.mark.parametrize("key", [None, "order-4711"])
def test_decision_larger_than_an_item_is_compressed_and_read(key: str | None) -> None:
    body = noise(600_000)
    decided = Decided(DECIDED.decision, noise(100_000).encode())

    assert record(key=key, body=body, decided=decided).body == body

    assert read() == body
    [item] = items("DECISION#")
    assert gzip.decompress(item["facts"]["B"]) == decided.facts
    assert sum(len(next(iter(value.values()))) for value in item.values()) < 400_000


def test_large_decision_is_replayed_byte_for_byte() -> None:
    body = noise(100_000)
    record(key="order-4711", body=body)

    assert record(key="order-4711", decision_id=SECOND, body="{}") == Recorded(body, replayed=True)


@pytest.mark.parametrize("text", ["x" * LARGEST_PLAIN_TEXT, "\u00e9" * (LARGEST_PLAIN_TEXT // 2)])
def test_plain_text_is_limited_in_bytes(text: str) -> None:
    record(body=text)
    record(body=text + "x", decision_id=SECOND)

    assert [next(iter(item["decision"])) for item in items("DECISION#")] == ["S", "B"]
    assert (read(FIRST), read(SECOND)) == (text, text + "x")


# --- repeated keys


def test_same_order_with_same_key_returns_the_first_decision() -> None:
    record(key="order-4711")

    again = record(key="order-4711", decision_id=SECOND, at=MOMENT + timedelta(days=3), body='{"another": "body"}')

    assert again == Recorded(BODY, replayed=True)
    assert len(items()) == 2
    with pytest.raises(DecisionNotFound):
        read(SECOND)


def test_other_order_with_same_key_is_a_conflict_and_records_nothing() -> None:
    record(key="order-4711")

    with pytest.raises(IdempotencyConflict):
        record(key="order-4711", decision_id=SECOND, order_digest="sha256:two")

    assert len(items()) == 2
    assert read() == BODY


def test_key_belongs_to_one_partner() -> None:
    record(key="order-4711")

    other = record(key="order-4711", partner="client-2", decision_id=SECOND, order_digest="sha256:two", body="{}")

    assert other == Recorded("{}", replayed=False)


def test_order_without_key_is_recorded_again() -> None:
    record()

    assert record(decision_id=SECOND).replayed is False
    assert len(items("DECISION#")) == 2


def test_expired_key_is_free_before_dynamodb_removes_it() -> None:
    record(key="order-4711")
    kept = timedelta(days=RETENTION_DAYS)

    assert record(key="order-4711", decision_id=SECOND, at=MOMENT + kept, body="{}").replayed is True
    later = record(
        key="order-4711",
        decision_id=SECOND,
        at=MOMENT + kept + timedelta(seconds=1),
        order_digest="sha256:two",
        body="{}",
    )

    assert later == Recorded("{}", replayed=False)


# --- faults


@pytest.mark.parametrize(("key", "operation"), [(None, "PutItem"), ("order-4711", "TransactWriteItems")])
def test_write_with_lost_answer_raises_and_its_repetition_succeeds(key: str | None, operation: str) -> None:
    client = a_client()
    lose_answers(client, operation, how_many=1)

    with pytest.raises(StoreUnavailable, match=r"^ReadTimeoutError$"):
        record(client, key=key)

    assert record(client, key=key) == Recorded(BODY, replayed=False)
    assert len(items("DECISION#")) == 1


@pytest.mark.parametrize("lost", [1, 2])
def test_repeated_request_after_a_lost_answer_gets_the_recorded_decision(lost: int) -> None:
    client = a_client()
    lose_answers(client, "TransactWriteItems", how_many=lost)
    for number in range(lost):
        with pytest.raises(StoreUnavailable):
            record(client, key=f"order-{number}", decision_id=f"{FIRST[:-1]}{number}")

    assert record(client, key="order-0", decision_id=SECOND, body="{}") == Recorded(BODY, replayed=True)


@pytest.mark.parametrize(("key", "operation"), [(None, "put_item"), ("order-4711", "transact_write_items")])
def test_write_repeated_by_the_client_is_not_a_conflict(key: str | None, operation: str) -> None:
    client = a_client()
    write: Callable[..., Any] = getattr(client, operation)
    setattr(client, operation, lambda **parameters: (write(**parameters), write(**parameters)))

    assert record(client, key=key) == Recorded(BODY, replayed=False)


def test_id_of_another_order_is_never_returned() -> None:
    record()

    with pytest.raises(StoreUnavailable, match=r"^RecordedDecisionNotFound$"):
        record(body="{}")
    assert read() == BODY


def test_key_without_its_decision_raises() -> None:
    record(key="order-4711")
    [item] = items("DECISION#")
    a_client().delete_item(TableName=DECISIONS_TABLE, Key={name: item[name] for name in ("PK", "SK")})

    with pytest.raises(StoreUnavailable, match=r"^RecordedDecisionNotFound$"):
        record(key="order-4711", decision_id=SECOND)


@pytest.mark.parametrize("reasons", [("TransactionConflict", "None"), ("None", "TransactionConflict")])
def test_transaction_conflict_is_retried(reasons: tuple[str, str], pauses: list[float]) -> None:
    client = a_client()
    refuse(client, "TransactWriteItems", cancelled_for(*reasons), how_many=2)

    assert record(client, key="order-4711") == Recorded(BODY, replayed=False)
    assert len(pauses) == 2


@pytest.mark.parametrize(
    "reasons", [("None", "ConditionalCheckFailed"), ("TransactionConflict", "ConditionalCheckFailed")]
)
def test_failed_condition_wins_over_a_transaction_conflict(reasons: tuple[str, str], pauses: list[float]) -> None:
    record(key="order-4711")
    client = a_client()
    refuse(client, "TransactWriteItems", cancelled_for(*reasons), how_many=1)

    assert record(client, key="order-4711", decision_id=SECOND, body="{}") == Recorded(BODY, replayed=True)
    assert pauses == []


def test_transaction_in_progress_is_retried(pauses: list[float]) -> None:
    client = a_client()
    response = {"Error": {"Code": "TransactionInProgressException", "Message": ""}}
    refuse(client, "TransactWriteItems", response, how_many=1)

    assert record(client, key="order-4711") == Recorded(BODY, replayed=False)
    assert len(pauses) == 1


def test_endless_transaction_conflicts_raise(pauses: list[float]) -> None:
    client = a_client()
    refuse(client, "TransactWriteItems", cancelled_for("None", "TransactionConflict"), how_many=100)

    with pytest.raises(StoreUnavailable, match=r"^TransactionConflict$"):
        record(client, key="order-4711")

    assert len(pauses) == len(TRANSACTION_RETRY_SECONDS)
    assert sum(pauses) < 1
    assert items() == []


def test_token_used_at_another_time_finds_its_decision() -> None:
    client = a_client()
    record(key="order-4711")
    response = {"Error": {"Code": "IdempotentParameterMismatchException", "Message": ""}}
    refuse(client, "TransactWriteItems", response, how_many=1)

    assert record(client, key="order-4711", at=MOMENT + timedelta(seconds=1)) == Recorded(BODY, replayed=False)


@pytest.mark.parametrize(
    ("response", "named"),
    [
        (cancelled_for("None", "ThrottlingError"), "ThrottlingError"),
        (cancelled_for(), "TransactionCanceledException"),
        ({"Error": {"Code": "ValidationException", "Message": "member 1EG4-TE5-MK73"}}, "ValidationException"),
        ({}, "unknown"),
    ],
)
def test_refusal_is_named_by_its_code_without_the_item(response: dict[str, Any], named: str) -> None:
    client = a_client()
    refuse(client, "TransactWriteItems", response, how_many=1)

    with pytest.raises(StoreUnavailable) as refused:
        record(client, key="order-4711")

    assert str(refused.value) == named
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert items() == []


@pytest.mark.parametrize("key", [None, "order-4711"])
def test_unreachable_dynamodb_raises_on_record_and_read(key: str | None) -> None:
    client = a_client()

    def fail(**_parameters: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb.invalid/1EG4-TE5-MK73")

    client.meta.events.register("before-call.dynamodb", fail)

    with pytest.raises(StoreUnavailable, match=r"^EndpointConnectionError$"):
        record(client, key=key)
    with pytest.raises(StoreUnavailable, match=r"^EndpointConnectionError$"):
        DecisionStore(client, DECISIONS_TABLE, retention_days=1).read("client-1", FIRST)


# --- erasing


def everything() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = a_client().scan(TableName=DECISIONS_TABLE)["Items"]
    return found


def test_erase_removes_one_decision_completely() -> None:
    record(key="its-key")
    erased = everything()
    record(decision_id=SECOND, key="another-key")
    record(partner="client-2", key="its-key")
    store = DecisionStore(a_client(), DECISIONS_TABLE, retention_days=RETENTION_DAYS)
    assert len(everything()) == 6

    assert store.erase("client-1", FIRST) is True

    assert len(everything()) == 4
    assert not [item for item in everything() if item in erased]
    with pytest.raises(DecisionNotFound):
        store.read("client-1", FIRST)
    assert store.read("client-1", SECOND) == BODY
    assert store.read("client-2", FIRST) == BODY
    assert store.erase("client-1", FIRST) is False


def test_erase_command_reports_unknown_ids() -> None:
    record(key="its-key")
    command = ["decisions", "erase", FIRST, SECOND, "--partner", "client-1", "--table", DECISIONS_TABLE]

    asked = CliRunner().invoke(app, command, input="n\n")
    assert asked.exit_code == 1
    assert len(everything()) == 2
    done = CliRunner().invoke(app, [*command, "--yes", "--json"])

    assert done.exit_code == 1
    assert json.loads(done.stdout) == {"partner": "client-1", "erased": {FIRST: True, SECOND: False}}
    assert everything() == []
    again = CliRunner().invoke(app, [*command, "--yes"])
    assert again.exit_code == 1
