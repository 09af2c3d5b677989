"""DynamoDB's own engine behind a connection that fails on purpose: what the partner gets, and what is recorded.

Whatever fails, a decision is never wrong, recorded twice or sent unrecorded, and the answer comes before the function's
timeout.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.store.dynamodb import LAST_ATTEMPT_SECONDS, StoreUnavailable, dynamodb_client
from infusion_orders.store.partners import PartnerStore
from infusion_orders.store.rule_set_table import DamagedRuleSet
from infusion_orders.store.versions import NoSuchVersion, RuleSetStore
from infusion_orders_cli.local.tables import (
    CREDENTIALS,
    DECISIONS_TABLE,
    REGION,
    RULES_TABLE,
    environment,
    local_tables,
)
from tests.support.faults import (
    ANY,
    Fault,
    FaultyConnection,
    faulty_connection,
    lost_answer,
    no_answer,
    refused,
    reset,
    slow,
    small_pages,
    takes_a_half,
)
from tests.support.orders import an_order_document
from tests.support.partner import OTHER_PARTNERS, LambdaContext, PartnerSystem, load_function
from tests.support.project import TEMPLATE
from tests.support.rules import SETTING, changed_document, default_document
from tests.support.tables import dynamodb_local_or_skip, with_changed_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from infusion_orders_cli.local.tables import LocalTables
    from tests.support.faults import Exchange, Meeting
    from tests.support.partner import Answer

pytestmark = pytest.mark.dynamodb_local

TIME_OUT_SECONDS = 20
"""The timeout of the validating function in the template."""
NOBODY_ABLE = an_order_document({"/caregiver/able": False})
"""An order that version 1 rejects and version 2 reviews."""


@dataclass
class Faulty:
    """A loaded function, its tables, and the faulty connection between them; `direct` bypasses the connection."""

    function: ModuleType
    connection: FaultyConnection
    direct: LocalTables

    @property
    def partner(self) -> PartnerSystem:
        return PartnerSystem(self.function)

    def meets(self, operation: str, meet: Meeting, times: int | None = None) -> None:
        self.connection.faults.append(Fault(operation, meet) if times is None else Fault(operation, meet, times))

    def look_again(self) -> None:
        """Make the next order check which version is active."""
        self.function.resources.rule_sets.expire()

    def recorded(self, prefix: str = "DECISION#") -> list[dict[str, Any]]:
        pages = self.direct.client.get_paginator("scan").paginate(TableName=DECISIONS_TABLE)
        return [item for page in pages for item in page["Items"] if item["SK"]["S"].startswith(prefix)]


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with dynamodb_local_or_skip() as address:
        yield address


@pytest.fixture
def faulty(engine: str) -> Iterator[Faulty]:
    """Version 1 is active and loaded, version 2 is published, and the local partner is registered."""
    with environment(CREDENTIALS), faulty_connection(engine) as connection, ExitStack() as ended:
        ended.callback(remove_tables, engine)
        tables = local_tables(TEMPLATE, default_document(), endpoint_url=engine)
        second = changed_document({"/otherwise/effect": "review"})
        tables.rule_sets.publish(second, by="ann", note="a review", at=datetime.now(UTC))
        partners = PartnerStore(tables.client, RULES_TABLE, refresh_seconds=60, clock=lambda: 0.0)
        for partner in OTHER_PARTNERS:
            partners.put(partner)
        function = load_function("validate_orders", tables.environment(connection.address))
        ended.callback(forget, function)
        built = Faulty(function, connection, tables)
        assert built.partner.validate(NOBODY_ABLE).json["outcome"] == "rejected"
        yield built


def forget(function: ModuleType) -> None:
    """Close the connections of a function."""
    function.resources.client.close()


def remove_tables(engine: str) -> None:
    client = dynamodb_client(region=REGION, endpoint_url=engine)
    for name in client.list_tables()["TableNames"]:
        client.delete_table(TableName=name)


def timed(send: Callable[[], Answer]) -> Answer:
    started = time.monotonic()
    answer = send()
    assert time.monotonic() - started < TIME_OUT_SECONDS
    return answer


def assert_refused(answer: Answer, problem: str = "internal") -> None:
    assert (answer.status, answer.problem) == (503, problem)
    assert int(answer.headers["Retry-After"]) > 0
    assert "decision_id" not in answer.text
    assert "CANARY" not in answer.text
    assert "Traceback" not in answer.text


def assert_decided(faulty: Faulty, answer: Answer, *, version: int = 1) -> None:
    """Assert that the answer is right and recorded as it was sent."""
    outcome = {1: "rejected", 2: "needs_review"}[version]
    assert answer.status == 200, answer.text
    assert (answer.json["ruleset"]["version"], answer.json["outcome"]) == (version, outcome)
    kept = [
        item["decision"]["S"] for item in faulty.recorded() if item["decision_id"]["S"] == answer.json["decision_id"]
    ]
    assert kept == [answer.text]


EVERY_ATTEMPT: dict[str, Meeting] = {
    "no answer": no_answer,
    "throttled": refused(400, "ProvisionedThroughputExceededException"),
    "throttled otherwise": refused(400, "ThrottlingException"),
    "request limit": refused(400, "RequestLimitExceeded"),
    "a fault of the engine": refused(500, "InternalServerError"),
    "unavailable": refused(503, "ServiceUnavailable"),
    "a connection that breaks": reset,
    "clock skew": refused(400, "InvalidSignatureException"),
    "no right to the key": refused(400, "AccessDeniedException"),
    "no table": refused(400, "ResourceNotFoundException"),
}


@pytest.mark.parametrize("key", [None, "a-key"])
@pytest.mark.parametrize("fault", EVERY_ATTEMPT)
def test_fault_on_every_attempt_returns_503_and_records_nothing(faulty: Faulty, fault: str, key: str | None) -> None:
    before = faulty.recorded("")
    faulty.meets(ANY, EVERY_ATTEMPT[fault])

    refusal = timed(lambda: faulty.partner.validate(NOBODY_ABLE, headers={"Idempotency-Key": key}))

    assert_refused(refusal)
    assert faulty.recorded("") == before
    faulty.connection.mend()
    assert_decided(faulty, faulty.partner.validate(NOBODY_ABLE, headers={"Idempotency-Key": key}))
    assert len(faulty.recorded()) == 2


ONE_ATTEMPT: dict[str, Meeting] = {
    **EVERY_ATTEMPT,
    "a lost answer": lost_answer,
    "an answer that takes its time": slow(1),
}
FINAL = {"clock skew", "no right to the key", "no table"}
"""Faults that are not retried, because the same request would fail again."""


@pytest.mark.parametrize("key", [None, "a-key"])
@pytest.mark.parametrize("fault", sorted(set(ONE_ATTEMPT) - FINAL))
def test_fault_on_one_attempt_is_retried(faulty: Faulty, fault: str, key: str | None) -> None:
    faulty.meets("PutItem", ONE_ATTEMPT[fault], times=1)
    faulty.meets("TransactWriteItems", ONE_ATTEMPT[fault], times=1)

    answer = timed(lambda: faulty.partner.validate(NOBODY_ABLE, headers={"Idempotency-Key": key}))

    assert_decided(faulty, answer)
    assert len(faulty.recorded()) == 2
    assert len(faulty.recorded("KEY#")) == (key is not None)


@pytest.mark.parametrize("fault", ["no answer", "throttled", "a fault of the engine", "a connection that breaks"])
@pytest.mark.parametrize("operation", ["GetItem", "Query"])
def test_last_good_version_decides_while_the_new_one_is_unreadable(faulty: Faulty, fault: str, operation: str) -> None:
    """The fault hits the pointer (GetItem) or the parts of the version (Query)."""
    activate(faulty, 2)
    faulty.function.resources.rule_sets._confirmed_at -= 40
    faulty.meets(operation, EVERY_ATTEMPT[fault])

    answer = timed(lambda: faulty.partner.validate(NOBODY_ABLE))

    assert_decided(faulty, answer, version=1)
    assert answer.json["ruleset"]["age_seconds"] >= 40
    faulty.connection.mend()
    faulty.look_again()
    assert_decided(faulty, faulty.partner.validate(NOBODY_ABLE), version=2)


def activate(faulty: Faulty, version: int) -> None:
    faulty.direct.rule_sets.activations.activate(version, by="bob", why="it is time", at=datetime.now(UTC))
    faulty.look_again()


def slow_small_pages(exchange: Exchange) -> None:
    time.sleep(1.8)
    small_pages(exchange)


def test_slow_rules_refresh_leaves_time_to_record(faulty: Faulty) -> None:
    """Every attempt takes nearly as long as the client waits, and earlier reads still leave time for the write."""
    activate(faulty, 2)
    faulty.function.resources.partners._read.clear()
    faulty.meets("Query", slow_small_pages)
    faulty.meets(ANY, slow(1.8))

    assert_decided(faulty, timed(lambda: faulty.partner.validate(NOBODY_ABLE)), version=1)


def test_no_attempt_starts_that_could_outlast_the_function(faulty: Faulty) -> None:
    left = LambdaContext(milliseconds=int(1000 * (LAST_ATTEMPT_SECONDS - 1)))
    asked = len(faulty.connection.asked)

    assert_refused(PartnerSystem(faulty.function, left).validate(NOBODY_ABLE))
    assert faulty.connection.asked[asked:] == []


def test_rules_are_the_same_when_read_in_many_pages(faulty: Faulty) -> None:
    activate(faulty, 2)
    faulty.meets("Query", small_pages)

    assert_decided(faulty, faulty.partner.validate(NOBODY_ABLE), version=2)
    assert faulty.connection.asked.count("Query") > len(default_document().rules) / 10


def parts(faulty: Faulty, prefix: str) -> list[dict[str, Any]]:
    answer = faulty.direct.client.query(
        TableName=RULES_TABLE,
        KeyConditionExpression="PK = :partition AND begins_with(SK, :prefix)",
        ExpressionAttributeValues={":partition": {"S": "RULESET#home-infusion#000002"}, ":prefix": {"S": prefix}},
    )
    return list(answer["Items"])


def put(faulty: Faulty, item: dict[str, Any]) -> None:
    faulty.direct.client.put_item(TableName=RULES_TABLE, Item=item)


def remove(faulty: Faulty, items: list[dict[str, Any]]) -> None:
    assert items
    for item in items:
        faulty.direct.client.delete_item(TableName=RULES_TABLE, Key={name: item[name] for name in ("PK", "SK")})


def own_item(faulty: Faulty, name: str) -> dict[str, Any]:
    key = {"PK": {"S": "RULESET#home-infusion"}, "SK": {"S": name}}
    item: dict[str, Any] = faulty.direct.client.get_item(TableName=RULES_TABLE, Key=key)["Item"]
    return item


def setting_rule(faulty: Faulty) -> dict[str, Any]:
    (item,) = parts(faulty, f"RULE#{SETTING}")
    return item


def truncate_a_rule(faulty: Faulty) -> None:
    item = setting_rule(faulty)
    put(faulty, item | {"rule": {"S": item["rule"]["S"][:-10]}})


def truncate_a_table(faulty: Faulty) -> None:
    item = parts(faulty, "TABLE#crosswalk")[0]
    put(faulty, item | {"rows": {"B": item["rows"]["B"][:-20]}})


def lose_a_chunk(faulty: Faulty) -> None:
    item = parts(faulty, "TABLE#crosswalk")[-1]
    put(faulty, item | {"chunks": {"N": str(int(item["chunks"]["N"]) + 1)}})


DAMAGE: dict[str, Callable[[Faulty], None]] = {
    "a rule says something else": lambda faulty: put(faulty, with_changed_rule(setting_rule(faulty), title="Changed")),
    "a rule is no JSON": truncate_a_rule,
    "a rule is not there": lambda faulty: remove(faulty, [setting_rule(faulty)]),
    "a rule more": lambda faulty: put(faulty, setting_rule(faulty) | {"SK": {"S": "RULE#zzz.added"}}),
    "rules are not there": lambda faulty: remove(faulty, parts(faulty, "RULE#")),
    "a table is not there": lambda faulty: remove(faulty, parts(faulty, "TABLE#vendors")),
    "a table is cut off": truncate_a_table,
    "a chunk is not there": lose_a_chunk,
    "nothing of it is there": lambda faulty: remove(faulty, parts(faulty, "RULE") + parts(faulty, "TABLE#")),
    "another digest in the pointer": lambda faulty: put(
        faulty, own_item(faulty, "ACTIVE") | {"digest": {"S": "sha256:0"}}
    ),
    "a pointer of another form": lambda faulty: put(
        faulty, {name: own_item(faulty, "ACTIVE")[name] for name in ("PK", "SK", "digest")}
    ),
    "a pointer to a version that is not there": lambda faulty: put(
        faulty, own_item(faulty, "ACTIVE") | {"version": {"N": "7"}}
    ),
    "a pointer to no number": lambda faulty: put(faulty, own_item(faulty, "ACTIVE") | {"version": {"S": "two"}}),
    "no pointer": lambda faulty: remove(faulty, [own_item(faulty, "ACTIVE")]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_last_good_version_decides_while_the_new_one_is_damaged(faulty: Faulty, damage: str) -> None:
    activate(faulty, 2)
    DAMAGE[damage](faulty)
    faulty.function.resources.rule_sets._confirmed_at -= 40

    answer = faulty.partner.validate(NOBODY_ABLE)

    assert_decided(faulty, answer, version=1)
    assert answer.json["ruleset"]["age_seconds"] >= 40


HEADER_DAMAGE: dict[str, Callable[[Faulty], None]] = {
    "another digest in the header": lambda faulty: put(
        faulty, own_item(faulty, "VERSION#000002") | {"digest": {"S": "sha256:0"}}
    ),
    "a header of another form": lambda faulty: put(
        faulty, {name: own_item(faulty, "VERSION#000002")[name] for name in ("PK", "SK", "state")}
    ),
    "no header": lambda faulty: remove(faulty, [own_item(faulty, "VERSION#000002")]),
}


@pytest.mark.parametrize("damage", HEADER_DAMAGE)
def test_pointer_decides_what_is_active_whatever_the_header_says(faulty: Faulty, damage: str) -> None:
    activate(faulty, 2)
    HEADER_DAMAGE[damage](faulty)

    assert_decided(faulty, faulty.partner.validate(NOBODY_ABLE), version=2)


def test_unreadable_pointer_is_removed_and_set_again(faulty: Faulty) -> None:
    """The action in the table for operators helps."""
    DAMAGE["a pointer of another form"](faulty)
    with pytest.raises(DamagedRuleSet):
        activate(faulty, 2)

    DAMAGE["no pointer"](faulty)
    activate(faulty, 2)

    assert_decided(faulty, faulty.partner.validate(NOBODY_ABLE), version=2)


@pytest.mark.parametrize("damage", DAMAGE)
def test_function_decides_nothing_if_it_starts_on_a_damaged_version(faulty: Faulty, damage: str) -> None:
    activate(faulty, 2)
    DAMAGE[damage](faulty)
    started = PartnerSystem(load_function("validate_orders", faulty.direct.environment(faulty.connection.address)))

    assert_refused(started.validate(NOBODY_ABLE), "no-ruleset")
    assert len(faulty.recorded()) == 1


def test_stale_rules_decide_nothing(faulty: Faulty) -> None:
    faulty.function.resources.rule_sets._confirmed_at -= 3601
    faulty.look_again()
    faulty.meets("GetItem", reset)

    assert_refused(faulty.partner.validate(NOBODY_ABLE), "no-ruleset")
    assert len(faulty.recorded()) == 1


@pytest.mark.parametrize("fault", EVERY_ATTEMPT)
def test_function_without_rules_at_its_start_reads_them_later(faulty: Faulty, fault: str) -> None:
    faulty.meets(ANY, EVERY_ATTEMPT[fault])
    started = time.monotonic()
    function = load_function("validate_orders", faulty.direct.environment(faulty.connection.address))
    assert time.monotonic() - started < 10  # Lambda's limit for a start

    assert_refused(timed(lambda: PartnerSystem(function).validate(NOBODY_ABLE)))
    faulty.connection.mend()
    assert_decided(faulty, PartnerSystem(function).validate(NOBODY_ABLE))


@pytest.mark.parametrize("fault", ["throttled", "a fault of the engine", "a connection that breaks", "clock skew"])
def test_partner_is_not_refused_when_the_look_up_fails(faulty: Faulty, fault: str) -> None:
    """The answer is 503 and not 403, because an unreadable profile says nothing about the partner."""
    faulty.function.resources.partners._read.clear()
    faulty.meets("GetItem", EVERY_ATTEMPT[fault])

    assert_refused(faulty.partner.validate(NOBODY_ABLE))


@pytest.mark.parametrize("fault", ["throttled", "a fault of the engine", "a connection that breaks", "no answer"])
def test_unreadable_decision_returns_503_and_not_404(faulty: Faulty, fault: str) -> None:
    (item,) = faulty.recorded()
    faulty.meets("GetItem", EVERY_ATTEMPT[fault])

    assert_refused(timed(lambda: faulty.partner.decision(item["decision_id"]["S"])))


def test_unrecorded_order_of_a_batch_does_not_affect_the_others(faulty: Faulty) -> None:
    seen: list[None] = []

    def second_order(exchange: Any) -> None:
        seen.append(None)
        if len(seen) == 2:
            refused(400, "AccessDeniedException")(exchange)
        else:
            exchange.answer(*exchange.pass_on(exchange.body))

    faulty.meets("PutItem", second_order)

    answer = faulty.partner.validate_batch([NOBODY_ABLE] * 3).json

    assert [entry["index"] for entry in answer["decisions"]] == [0, 2]
    assert [(entry["index"], entry["problem"]["status"]) for entry in answer["problems"]] == [(1, 503)]
    assert len(faulty.recorded()) == 3


def a_store(faulty: Faulty) -> RuleSetStore:
    return RuleSetStore(faulty.function.resources.client, RULES_TABLE, "home-infusion")


def test_version_is_published_whole_when_half_of_a_write_is_refused(faulty: Faulty) -> None:
    faulty.meets("BatchWriteItem", takes_a_half, times=4)
    document = changed_document({"/otherwise/effect": "warn"})

    version = a_store(faulty).publish(document, by="ann", note="halves", at=datetime.now(UTC))

    assert faulty.direct.rule_sets.load(version).digest == document.digest


@pytest.mark.parametrize("operation", ["BatchWriteItem", "TransactWriteItems"])
@pytest.mark.parametrize("fault", ["throttled", "a fault of the engine", "a connection that breaks"])
def test_version_that_cannot_be_written_is_absent(faulty: Faulty, operation: str, fault: str) -> None:
    faulty.meets(operation, EVERY_ATTEMPT[fault])

    with pytest.raises(StoreUnavailable):
        a_store(faulty).publish(default_document(), by="ann", note="broken", at=datetime.now(UTC))

    assert [header.version for header in faulty.direct.rule_sets.headers()] == [2, 1]
    with pytest.raises(NoSuchVersion):
        faulty.direct.rule_sets.load(3)
