"""Decisions that are recorded once, found again by their key, and hold nothing that identifies a person."""

from __future__ import annotations

import gzip
import json
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws
from typer.testing import CliRunner

from infusion_orders.decisions import Decided, decide
from infusion_orders.store.client import WAITS, StoreUnavailable, dynamodb_client
from infusion_orders.store.decisions import (
    DecisionNotFound,
    DecisionStore,
    IdempotencyConflict,
    IdempotencyKey,
    Recorded,
    key_name,
)
from infusion_orders.store.kept_texts import LARGEST_READABLE
from infusion_orders_cli.embedded_table import CREDENTIALS, DECISIONS_TABLE, REGION, environment
from infusion_orders_cli.main import app
from infusion_orders_cli.template_tables import table_definitions
from tests.support.builders import an_order
from tests.support.default_rules import TODAY, default_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
MOMENT = datetime(2026, 11, 25, 12, tzinfo=UTC)
RETENTION_DAYS = 30
DECIDED = decide(an_order(), default_rules(), as_of=TODAY)
FIRST = "01JDHA0000000000000000000A"
SECOND = "01JDHA0000000000000000000B"
BODY = '{"decision_id": "first",  "outcome":"approve \u00e9"}'


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    with environment(CREDENTIALS), mock_aws():
        for definition in table_definitions(TEMPLATE):
            a_client().create_table(**definition)
        yield


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the store would have waited; it does not."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def a_client() -> Any:
    return dynamodb_client(region=REGION, endpoint_url=None)


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
    """The writes arrive, and their answers do not."""
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
def test_a_recorded_decision_is_read_as_it_was_given_out(key: str | None) -> None:
    assert record(key=key) == Recorded(BODY, replayed=False)
    assert read() == BODY


def test_a_decision_that_was_never_made_is_not_found() -> None:
    with pytest.raises(DecisionNotFound):
        read()


def test_another_partners_decision_is_not_found() -> None:
    record()

    with pytest.raises(DecisionNotFound):
        read(partner="client-2")


def test_an_idempotency_record_cannot_be_read_as_a_decision() -> None:
    record(key="order-4711")

    with pytest.raises(DecisionNotFound):
        read(decision_id=key_name("order-4711"))


def test_an_item_says_what_was_decided_under_what_and_until_when_it_is_kept() -> None:
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


def test_a_digest_of_the_order_is_kept_only_where_a_key_makes_it_needed() -> None:
    record()

    [decision] = items()
    assert "order_digest" not in decision


def test_nothing_that_identifies_the_member_is_stored() -> None:
    order = an_order({"/member/member_id": "MEMBER-CANARY-1", "/member/birth_date": "1961-07-13"})

    record(decided=decide(order, default_rules(), as_of=TODAY), key="MEMBER-CANARY-2")

    stored = repr(items())
    assert DECIDED.decision.ruleset.digest in stored
    for text in ("MEMBER-CANARY", "1961-07-13"):
        assert text not in stored


@pytest.mark.parametrize("key", ["1EG4-TE5-MK73", "Jane Doe 1961-07-13", "\u20ac", "x" * 255])
def test_a_key_is_stored_as_its_hash_alone(key: str) -> None:
    record(key=key)

    assert key not in repr(items())
    [stored] = items("KEY#")
    assert len(stored["SK"]["S"]) == len("KEY#") + 64


def noise(characters: int) -> str:
    """JSON that compresses to about half, as decisions never do so badly."""
    return '"' + "".join(random.Random(4711).choices("0123456789abcdef", k=characters)) + '"'


@pytest.mark.parametrize("key", [None, "order-4711"])
def test_a_decision_larger_than_an_item_is_stored_and_read_back(key: str | None) -> None:
    body = noise(600_000)
    decided = Decided(DECIDED.decision, noise(100_000).encode())

    assert record(key=key, body=body, decided=decided).body == body

    assert read() == body
    [item] = items("DECISION#")
    assert gzip.decompress(item["facts"]["B"]) == decided.facts
    assert sum(len(next(iter(value.values()))) for value in item.values()) < 400_000


def test_a_large_decision_is_replayed_byte_for_byte() -> None:
    body = noise(100_000)
    record(key="order-4711", body=body)

    assert record(key="order-4711", decision_id=SECOND, body="{}") == Recorded(body, replayed=True)


@pytest.mark.parametrize("text", ["x" * LARGEST_READABLE, "\u00e9" * (LARGEST_READABLE // 2)])
def test_what_is_readable_is_bounded_in_bytes(text: str) -> None:
    record(body=text)
    record(body=text + "x", decision_id=SECOND)

    assert [next(iter(item["decision"])) for item in items("DECISION#")] == ["S", "B"]
    assert (read(FIRST), read(SECOND)) == (text, text + "x")


# --- the same key again


def test_the_same_order_with_the_same_key_gets_the_first_decision_byte_for_byte() -> None:
    record(key="order-4711")

    again = record(key="order-4711", decision_id=SECOND, at=MOMENT + timedelta(days=3), body='{"another": "body"}')

    assert again == Recorded(BODY, replayed=True)
    assert len(items()) == 2
    with pytest.raises(DecisionNotFound):
        read(SECOND)


def test_another_order_with_the_same_key_is_a_conflict_and_leaves_nothing() -> None:
    record(key="order-4711")

    with pytest.raises(IdempotencyConflict):
        record(key="order-4711", decision_id=SECOND, order_digest="sha256:two")

    assert len(items()) == 2
    assert read() == BODY


def test_a_key_belongs_to_one_partner() -> None:
    record(key="order-4711")

    other = record(key="order-4711", partner="client-2", decision_id=SECOND, order_digest="sha256:two", body="{}")

    assert other == Recorded("{}", replayed=False)


def test_without_a_key_the_same_order_is_decided_again() -> None:
    record()

    assert record(decision_id=SECOND).replayed is False
    assert len(items("DECISION#")) == 2


def test_a_key_is_free_again_after_its_retention_though_it_was_not_removed_yet() -> None:
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


# --- what is not certain


@pytest.mark.parametrize(("key", "operation"), [(None, "PutItem"), ("order-4711", "TransactWriteItems")])
def test_a_write_whose_answer_was_lost_is_uncertain_and_its_repetition_is_recognised(
    key: str | None, operation: str
) -> None:
    client = a_client()
    lose_answers(client, operation, how_many=1)

    with pytest.raises(StoreUnavailable, match=r"^ReadTimeoutError$"):
        record(client, key=key)

    assert record(client, key=key) == Recorded(BODY, replayed=False)
    assert len(items("DECISION#")) == 1


@pytest.mark.parametrize("lost", [1, 2])
def test_a_partner_who_repeats_after_a_lost_answer_gets_the_decision_that_arrived(lost: int) -> None:
    client = a_client()
    lose_answers(client, "TransactWriteItems", how_many=lost)
    for number in range(lost):
        with pytest.raises(StoreUnavailable):
            record(client, key=f"order-{number}", decision_id=f"{FIRST[:-1]}{number}")

    assert record(client, key="order-0", decision_id=SECOND, body="{}") == Recorded(BODY, replayed=True)


@pytest.mark.parametrize(("key", "operation"), [(None, "put_item"), ("order-4711", "transact_write_items")])
def test_a_write_that_the_client_repeats_by_itself_is_no_conflict(key: str | None, operation: str) -> None:
    client = a_client()
    write: Callable[..., Any] = getattr(client, operation)
    setattr(client, operation, lambda **parameters: (write(**parameters), write(**parameters)))

    assert record(client, key=key) == Recorded(BODY, replayed=False)


def test_an_id_that_another_order_has_is_never_given_out_for_this_one() -> None:
    record()

    with pytest.raises(StoreUnavailable, match=r"^RecordedDecisionNotFound$"):
        record(body="{}")
    assert read() == BODY


def test_a_key_whose_decision_is_gone_is_no_replay_of_nothing() -> None:
    record(key="order-4711")
    [item] = items("DECISION#")
    a_client().delete_item(TableName=DECISIONS_TABLE, Key={name: item[name] for name in ("PK", "SK")})

    with pytest.raises(StoreUnavailable, match=r"^RecordedDecisionNotFound$"):
        record(key="order-4711", decision_id=SECOND)


@pytest.mark.parametrize("reasons", [("TransactionConflict", "None"), ("None", "TransactionConflict")])
def test_a_record_that_merely_met_another_transaction_is_tried_again(
    reasons: tuple[str, str], pauses: list[float]
) -> None:
    client = a_client()
    refuse(client, "TransactWriteItems", cancelled_for(*reasons), how_many=2)

    assert record(client, key="order-4711") == Recorded(BODY, replayed=False)
    assert len(pauses) == 2


@pytest.mark.parametrize(
    "reasons", [("None", "ConditionalCheckFailed"), ("TransactionConflict", "ConditionalCheckFailed")]
)
def test_a_condition_that_failed_is_the_answer_whatever_else_was_met(
    reasons: tuple[str, str], pauses: list[float]
) -> None:
    record(key="order-4711")
    client = a_client()
    refuse(client, "TransactWriteItems", cancelled_for(*reasons), how_many=1)

    assert record(client, key="order-4711", decision_id=SECOND, body="{}") == Recorded(BODY, replayed=True)
    assert pauses == []


def test_a_transaction_still_in_progress_is_tried_again(pauses: list[float]) -> None:
    client = a_client()
    response = {"Error": {"Code": "TransactionInProgressException", "Message": ""}}
    refuse(client, "TransactWriteItems", response, how_many=1)

    assert record(client, key="order-4711") == Recorded(BODY, replayed=False)
    assert len(pauses) == 1


def test_a_record_that_meets_others_for_ever_is_given_up(pauses: list[float]) -> None:
    client = a_client()
    refuse(client, "TransactWriteItems", cancelled_for("None", "TransactionConflict"), how_many=100)

    with pytest.raises(StoreUnavailable, match=r"^TransactionConflict$"):
        record(client, key="order-4711")

    assert len(pauses) == len(WAITS)
    assert sum(pauses) < 1
    assert items() == []


def test_a_token_that_was_used_at_another_moment_finds_what_it_wrote() -> None:
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
def test_a_refusal_is_named_by_its_code_and_says_nothing_of_the_item(response: dict[str, Any], named: str) -> None:
    client = a_client()
    refuse(client, "TransactWriteItems", response, how_many=1)

    with pytest.raises(StoreUnavailable) as refused:
        record(client, key="order-4711")

    assert str(refused.value) == named
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert items() == []


@pytest.mark.parametrize("key", [None, "order-4711"])
def test_while_dynamodb_is_away_nothing_is_recorded_or_read(key: str | None) -> None:
    client = a_client()

    def fail(**_parameters: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb.invalid/1EG4-TE5-MK73")

    client.meta.events.register("before-call.dynamodb", fail)

    with pytest.raises(StoreUnavailable, match=r"^EndpointConnectionError$"):
        record(client, key=key)
    with pytest.raises(StoreUnavailable, match=r"^EndpointConnectionError$"):
        DecisionStore(client, DECISIONS_TABLE, retention_days=1).read("client-1", FIRST)


# --- erased


def everything() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = a_client().scan(TableName=DECISIONS_TABLE)["Items"]
    return found


def test_an_erased_decision_leaves_nothing_of_itself_and_all_of_the_others() -> None:
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


def test_the_command_erases_and_says_what_was_not_there() -> None:
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
