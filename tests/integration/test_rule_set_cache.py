"""The rule sets of a process: refreshed rarely, loaded once, and kept for a limited time while DynamoDB fails."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.store.activations import NoRuleSet
from infusion_orders.store.dynamodb import StoreUnavailable
from infusion_orders.store.rule_set_cache import MOST_PAST_VERSIONS, RuleSetCache
from infusion_orders.store.rule_set_table import DamagedRuleSet
from infusion_orders.store.versions import NoSuchVersion
from infusion_orders_cli.local.tables import RULES_TABLE
from tests.support.tables import DEFAULT, MOMENT, a_client, a_store, mocked_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.store.rule_set_cache import ActiveRuleSet

REFRESH = 30
MAX_STALE = 600


class Process:
    """A cache with a clock set by the test; it lists its calls of DynamoDB, and `cut` makes them fail."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.calls: list[str] = []
        self.cut = False
        client = a_client()
        client.meta.events.register("before-call.dynamodb", self._call)
        self.cache = RuleSetCache(
            a_store(client),
            refresh_seconds=REFRESH,
            max_stale_seconds=MAX_STALE,
            clock=lambda: self.now,
        )

    def after(self, seconds: float) -> ActiveRuleSet:
        self.now += seconds
        self.calls.clear()
        return self.cache.active()

    def _call(self, model: Any, **_parameters: Any) -> None:
        self.calls.append(model.name)
        if self.cut:
            raise EndpointConnectionError(endpoint_url="https://dynamodb.invalid")


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    with mocked_tables():
        yield


def publish(rules: int = 1) -> int:
    document = RuleSetDocument(DEFAULT.name, DEFAULT.rules[:rules], {"vendors": DEFAULT.tables["vendors"]})
    return a_store().publish(document, by="ann", note="a note", at=MOMENT)


def activate(version: int) -> None:
    a_store().activations.activate(version, by="ann", why="a reason", at=MOMENT + timedelta(seconds=version))


def damage(version: int) -> None:
    client = a_client()
    partition = f"RULESET#{DEFAULT.name}#{version:06d}"
    client.delete_item(TableName=RULES_TABLE, Key={"PK": {"S": partition}, "SK": {"S": "TABLE#vendors#000"}})


def a_warm_process() -> Process:
    activate(publish())
    process = Process()
    assert process.after(0).rule_set.version == 1
    return process


def test_cold_process_loads_the_active_version() -> None:
    activate(publish())

    active = Process().after(0)

    assert (active.rule_set.version, active.age_seconds) == (1, 0)


def test_cold_process_has_no_rule_set_before_the_first_activation() -> None:
    publish()
    process = Process()

    with pytest.raises(NoRuleSet):
        process.after(0)
    activate(1)

    assert process.after(0).rule_set.version == 1


def test_pointer_is_read_once_in_a_refresh_interval() -> None:
    process = a_warm_process()

    first = process.after(REFRESH - 1)
    assert (process.calls, first.age_seconds) == ([], REFRESH - 1)
    second = process.after(1)
    assert (process.calls, second.age_seconds) == (["GetItem"], 0)
    third = process.after(REFRESH - 1)
    assert (process.calls, third.age_seconds) == ([], REFRESH - 1)
    assert first.rule_set is second.rule_set is third.rule_set


def test_new_version_is_loaded_once_at_the_next_refresh() -> None:
    process = a_warm_process()
    activate(publish(rules=2))

    assert process.after(REFRESH - 1).rule_set.version == 1
    assert process.after(1).rule_set.version == 2
    assert "Query" in process.calls
    assert process.after(REFRESH).rule_set.version == 2
    assert process.calls == ["GetItem"]


def test_same_rules_published_again_have_the_new_version() -> None:
    process = a_warm_process()
    activate(publish())

    assert process.after(REFRESH).rule_set.version == 2


def test_rolled_back_version_is_loaded() -> None:
    process = a_warm_process()
    activate(publish(rules=2))
    process.after(REFRESH)
    a_store().activations.activate(1, by="ann", why="back", at=MOMENT + timedelta(minutes=1))

    assert process.after(REFRESH).rule_set.version == 1


def test_last_good_version_ages_while_dynamodb_fails() -> None:
    process = a_warm_process()
    process.cut = True

    ages = [process.after(REFRESH).age_seconds for _ in range(3)]

    assert ages == [30, 60, 90]
    assert process.calls == ["GetItem"]
    process.after(REFRESH - 1)
    assert process.calls == []
    process.cut = False
    assert process.after(REFRESH).age_seconds == 0


def test_stale_version_is_refused_until_it_is_confirmed_again() -> None:
    process = a_warm_process()
    process.cut = True

    assert process.after(MAX_STALE).age_seconds == MAX_STALE
    with pytest.raises(NoRuleSet):
        process.after(1)
    process.cut = False

    assert process.after(REFRESH).age_seconds == 0


def test_cold_process_without_dynamodb_has_no_rule_set() -> None:
    activate(publish())
    process = Process()
    process.cut = True

    with pytest.raises(NoRuleSet):
        process.after(0)
    process.cut = False

    assert process.after(0).rule_set.version == 1


def test_damaged_new_version_leaves_the_old_one_active() -> None:
    process = a_warm_process()
    activate(publish(rules=2))
    damage(2)

    active = process.after(REFRESH)

    assert (active.rule_set.version, active.age_seconds) == (1, REFRESH)
    process.after(MAX_STALE - REFRESH)
    with pytest.raises(NoRuleSet):
        process.after(1)
    a_store().activations.activate(1, by="ann", why="back", at=MOMENT + timedelta(minutes=1))
    assert process.after(REFRESH).rule_set.version == 1


def test_cold_process_with_a_damaged_version_has_no_rule_set() -> None:
    activate(publish())
    damage(1)

    with pytest.raises(NoRuleSet):
        Process().after(0)


def test_version_replaced_after_its_activation_is_refused() -> None:
    process = a_warm_process()
    activate(publish(rules=2))
    client = a_client()
    for item in client.scan(TableName=RULES_TABLE)["Items"]:
        if item["PK"]["S"].endswith("#000001"):
            other = item["PK"]["S"].replace("#000001", "#000002")
            client.put_item(TableName=RULES_TABLE, Item=item | {"PK": {"S": other}})
    rule = f"RULE#{DEFAULT.rules[1]['id']}"
    partition = f"RULESET#{DEFAULT.name}#000002"
    client.delete_item(TableName=RULES_TABLE, Key={"PK": {"S": partition}, "SK": {"S": rule}})
    client.update_item(
        TableName=RULES_TABLE,
        Key={"PK": {"S": f"RULESET#{DEFAULT.name}"}, "SK": {"S": "VERSION#000002"}},
        UpdateExpression="SET digest = :digest",
        ExpressionAttributeValues={":digest": {"S": process.after(0).rule_set.digest}},
    )
    assert a_store().load(2).digest == a_store().load(1).digest

    assert process.after(REFRESH).rule_set.version == 1


def test_clock_set_back_refreshes_at_once() -> None:
    process = a_warm_process()
    activate(publish(rules=2))

    active = process.after(-500)

    assert (active.rule_set.version, active.age_seconds) == (2, 0)


def test_clock_set_back_does_not_extend_a_stale_version() -> None:
    process = a_warm_process()
    process.cut = True

    assert process.after(-500).age_seconds == 0
    assert process.after(MAX_STALE).age_seconds == MAX_STALE
    with pytest.raises(NoRuleSet):
        process.after(1)


def test_past_version_is_loaded_once() -> None:
    process = a_warm_process()
    activate(publish(rules=2))
    process.after(REFRESH)
    process.calls.clear()

    assert [process.cache.version(1).version, process.cache.version(1).version] == [1, 1]
    assert process.calls.count("Query") == 1
    process.calls.clear()
    assert process.cache.version(2) is process.after(0).rule_set
    assert process.calls == []


def test_least_recently_used_past_version_is_dropped() -> None:
    process = a_warm_process()
    versions = [publish() for _ in range(MOST_PAST_VERSIONS + 1)]
    *earlier, last = versions
    for version in earlier:
        process.cache.version(version)
    process.cache.version(earlier[0])
    process.cache.version(last)
    process.calls.clear()

    process.cache.version(earlier[0])
    assert process.calls == []
    process.cache.version(earlier[1])
    assert process.calls != []


def test_past_version_that_cannot_be_loaded_raises() -> None:
    process = a_warm_process()
    damage(publish(rules=2))

    with pytest.raises(NoSuchVersion):
        process.cache.version(99)
    with pytest.raises(DamagedRuleSet):
        process.cache.version(2)
    process.cut = True
    with pytest.raises(StoreUnavailable):
        process.cache.version(3)
