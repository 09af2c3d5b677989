"""The rule set of a process: looked at seldom, loaded once, kept while DynamoDB is away, but not forever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.store.activations import NoRuleSet
from infusion_orders.store.dynamodb import StoreUnavailable, dynamodb_client
from infusion_orders.store.rule_set_cache import MOST_PAST_VERSIONS, RuleSetCache
from infusion_orders.store.rule_set_table import DamagedRuleSet
from infusion_orders.store.versions import NoSuchVersion, RuleSetStore
from infusion_orders_cli.embedded_table import CREDENTIALS, REGION, RULES_TABLE, environment
from infusion_orders_cli.template_tables import table_definitions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.store.rule_set_cache import ActiveRuleSet

ROOT = Path(__file__).parents[2]
MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)
DEFAULT = load_directory(ROOT / "rules" / "home-infusion")
REFRESH = 30
MAX_STALE = 600


class Process:
    """A cache with a clock that is set by hand, a count of what it asks of DynamoDB, and a line that may be cut."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.calls: list[str] = []
        self.cut = False
        client = dynamodb_client(region=REGION, endpoint_url=None)
        client.meta.events.register("before-call.dynamodb", self._call)
        self.cache = RuleSetCache(
            RuleSetStore(client, RULES_TABLE, DEFAULT.name),
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
    with environment(CREDENTIALS), mock_aws():
        for definition in table_definitions(ROOT / "template.yaml"):
            dynamodb_client(region=REGION, endpoint_url=None).create_table(**definition)
        yield


def a_store() -> RuleSetStore:
    return RuleSetStore(dynamodb_client(region=REGION, endpoint_url=None), RULES_TABLE, DEFAULT.name)


def publish(rules: int = 1) -> int:
    document = RuleSetDocument(DEFAULT.name, DEFAULT.rules[:rules], {"vendors": DEFAULT.tables["vendors"]})
    return a_store().publish(document, by="ann", note="a note", at=MOMENT)


def activate(version: int) -> None:
    a_store().activations.activate(version, by="ann", why="a reason", at=MOMENT + timedelta(seconds=version))


def damage(version: int) -> None:
    client = dynamodb_client(region=REGION, endpoint_url=None)
    partition = f"RULESET#{DEFAULT.name}#{version:06d}"
    client.delete_item(TableName=RULES_TABLE, Key={"PK": {"S": partition}, "SK": {"S": "TABLE#vendors#000"}})


def a_warm_process() -> Process:
    activate(publish())
    process = Process()
    assert process.after(0).rule_set.version == 1
    return process


def test_a_cold_process_loads_what_is_active() -> None:
    activate(publish())

    active = Process().after(0)

    assert (active.rule_set.version, active.age_seconds) == (1, 0)


def test_nothing_is_decided_before_the_first_activation_and_decided_right_after_it() -> None:
    publish()
    process = Process()

    with pytest.raises(NoRuleSet):
        process.after(0)
    activate(1)

    assert process.after(0).rule_set.version == 1


def test_the_pointer_is_looked_at_once_in_a_refresh_interval_and_nothing_is_loaded_again() -> None:
    process = a_warm_process()

    first = process.after(REFRESH - 1)
    assert (process.calls, first.age_seconds) == ([], REFRESH - 1)
    second = process.after(1)
    assert (process.calls, second.age_seconds) == (["GetItem"], 0)
    third = process.after(REFRESH - 1)
    assert (process.calls, third.age_seconds) == ([], REFRESH - 1)
    assert first.rule_set is second.rule_set is third.rule_set


def test_a_new_version_decides_after_the_next_look_and_is_loaded_once() -> None:
    process = a_warm_process()
    activate(publish(rules=2))

    assert process.after(REFRESH - 1).rule_set.version == 1
    assert process.after(1).rule_set.version == 2
    assert "Query" in process.calls
    assert process.after(REFRESH).rule_set.version == 2
    assert process.calls == ["GetItem"]


def test_the_same_rules_published_again_decide_under_their_new_version() -> None:
    process = a_warm_process()
    activate(publish())

    assert process.after(REFRESH).rule_set.version == 2


def test_going_back_to_an_older_version_is_a_new_version_to_the_process() -> None:
    process = a_warm_process()
    activate(publish(rules=2))
    process.after(REFRESH)
    a_store().activations.activate(1, by="ann", why="back", at=MOMENT + timedelta(minutes=1))

    assert process.after(REFRESH).rule_set.version == 1


def test_while_dynamodb_is_away_the_last_good_version_decides_with_a_growing_age() -> None:
    process = a_warm_process()
    process.cut = True

    ages = [process.after(REFRESH).age_seconds for _ in range(3)]

    assert ages == [30, 60, 90]
    assert process.calls == ["GetItem"]
    process.after(REFRESH - 1)
    assert process.calls == []
    process.cut = False
    assert process.after(REFRESH).age_seconds == 0


def test_what_was_not_confirmed_for_too_long_decides_no_more_until_it_is_confirmed_again() -> None:
    process = a_warm_process()
    process.cut = True

    assert process.after(MAX_STALE).age_seconds == MAX_STALE
    with pytest.raises(NoRuleSet):
        process.after(1)
    process.cut = False

    assert process.after(REFRESH).age_seconds == 0


def test_a_cold_process_that_cannot_reach_dynamodb_decides_nothing() -> None:
    activate(publish())
    process = Process()
    process.cut = True

    with pytest.raises(NoRuleSet):
        process.after(0)
    process.cut = False

    assert process.after(0).rule_set.version == 1


def test_a_damaged_new_version_leaves_the_old_one_deciding_with_a_growing_age() -> None:
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


def test_a_cold_process_does_not_decide_by_a_damaged_version() -> None:
    activate(publish())
    damage(1)

    with pytest.raises(NoRuleSet):
        Process().after(0)


def test_a_version_replaced_with_its_header_after_it_was_activated_does_not_decide() -> None:
    process = a_warm_process()
    activate(publish(rules=2))
    client = dynamodb_client(region=REGION, endpoint_url=None)
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


def test_a_clock_that_is_set_back_looks_again_at_once() -> None:
    process = a_warm_process()
    activate(publish(rules=2))

    active = process.after(-500)

    assert (active.rule_set.version, active.age_seconds) == (2, 0)


def test_a_clock_that_is_set_back_while_dynamodb_is_away_gives_no_second_life() -> None:
    process = a_warm_process()
    process.cut = True

    assert process.after(-500).age_seconds == 0
    assert process.after(MAX_STALE).age_seconds == MAX_STALE
    with pytest.raises(NoRuleSet):
        process.after(1)


def test_a_past_version_is_loaded_once() -> None:
    process = a_warm_process()
    activate(publish(rules=2))
    process.after(REFRESH)
    process.calls.clear()

    assert [process.cache.version(1).version, process.cache.version(1).version] == [1, 1]
    assert process.calls.count("Query") == 1
    process.calls.clear()
    assert process.cache.version(2) is process.after(0).rule_set
    assert process.calls == []


def test_the_past_versions_asked_for_longest_ago_are_forgotten_first() -> None:
    process = a_warm_process()
    versions = [publish() for _ in range(MOST_PAST_VERSIONS + 1)]
    *kept, last = versions
    for version in kept:
        process.cache.version(version)
    process.cache.version(kept[0])
    process.cache.version(last)
    process.calls.clear()

    process.cache.version(kept[0])
    assert process.calls == []
    process.cache.version(kept[1])
    assert process.calls != []


def test_a_past_version_that_is_absent_damaged_or_out_of_reach_is_said_to_be_so() -> None:
    process = a_warm_process()
    damage(publish(rules=2))

    with pytest.raises(NoSuchVersion):
        process.cache.version(99)
    with pytest.raises(DamagedRuleSet):
        process.cache.version(2)
    process.cut = True
    with pytest.raises(StoreUnavailable):
        process.cache.version(3)
