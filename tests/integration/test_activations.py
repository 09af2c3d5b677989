"""Moving the pointer: what it refuses, the way back, the shadow, and the record of every change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.store.activations import (
    ActivationConflict,
    Change,
    ChangeKind,
    ChecksNotPassed,
    NoRuleSet,
    NothingToDo,
    SamePerson,
)
from infusion_orders.store.dynamodb import StoreUnavailable, dynamodb_client
from infusion_orders.store.versions import NoSuchVersion, RuleSetStore
from infusion_orders_cli.embedded_table import CREDENTIALS, REGION, RULES_TABLE, environment
from infusion_orders_cli.template_tables import table_definitions
from tests.support.rules import FOLDER, default_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.store.activations import ActivePointer

MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store() -> Iterator[RuleSetStore]:
    """Versions 1 to 3 by ann, of which the third has two errors."""
    with environment(CREDENTIALS), mock_aws():
        client = dynamodb_client(region=REGION, endpoint_url=None)
        for definition in table_definitions(FOLDER.parents[1] / "template.yaml"):
            client.create_table(**definition)
        rule_sets = RuleSetStore(client, RULES_TABLE, "home-infusion")
        small = RuleSetDocument("home-infusion", default_document().rules[:2], {})
        for errors in (0, 0, 2):
            rule_sets.publish(small, by="ann", note="a note", at=MOMENT - MINUTE, errors=errors)
        yield rule_sets


def activated(store: RuleSetStore, version: int, *, minute: int = 0, **more: Any) -> ActivePointer:
    return store.activations.activate(version, **{"by": "bob", "why": "time", "at": MOMENT + minute * MINUTE, **more})


def pointer(store: RuleSetStore) -> tuple[int, int | None, int | None]:
    """What decides, what did before, and the shadow."""
    found = store.activations.pointer(consistent=True)
    assert found is not None
    return found.version, found.previous, found.shadow


def history(store: RuleSetStore) -> list[tuple[str, int, str, str]]:
    return [(change.action.value, change.version, change.by, change.why) for change in store.activations.history()]


# --- activating


def test_a_version_whose_checks_found_errors_is_refused(store: RuleSetStore) -> None:
    with pytest.raises(ChecksNotPassed, match="version 3 has 2 errors"):
        activated(store, 3)
    assert store.activations.pointer() is None


def test_by_force_it_decides_and_the_record_says_that_it_was_forced_and_why(store: RuleSetStore) -> None:
    activated(store, 3, forced=True, why="the vendor's contract ends today")

    assert pointer(store) == (3, None, None)
    [change, *_] = store.activations.history()
    assert (change.forced, change.why) == (True, "the vendor's contract ends today")


def test_force_that_was_not_needed_is_not_recorded_as_such(store: RuleSetStore) -> None:
    activated(store, 1, forced=True)
    assert not store.activations.history()[0].forced


def test_four_eyes_want_another_person_than_the_one_who_published(store: RuleSetStore) -> None:
    with pytest.raises(SamePerson, match="ann published version 1: another person must activate it"):
        activated(store, 1, by="ann", four_eyes=True)
    assert store.activations.pointer() is None

    activated(store, 1, by="bob", four_eyes=True)
    assert pointer(store) == (1, None, None)


def test_force_does_not_replace_the_second_pair_of_eyes(store: RuleSetStore) -> None:
    with pytest.raises(SamePerson):
        activated(store, 3, by="ann", four_eyes=True, forced=True)


@pytest.mark.parametrize("expected", [0, 2])
def test_who_expects_another_version_to_be_active_is_told_which_one_is(store: RuleSetStore, expected: int) -> None:
    activated(store, 1)
    with pytest.raises(ActivationConflict, match=r"^bob activated version 1 at 2026-01-01T12:00:00"):
        activated(store, 2, minute=1, expected=expected)
    assert activated(store, 2, minute=1, expected=1).version == 2


def test_nothing_is_expected_before_the_first_activation(store: RuleSetStore) -> None:
    with pytest.raises(ActivationConflict):
        activated(store, 1, expected=1)
    assert activated(store, 1, expected=0).version == 1


# --- going back


def test_a_roll_back_activates_what_decided_before_and_a_second_one_undoes_it(store: RuleSetStore) -> None:
    activated(store, 1)
    activated(store, 2, minute=1)

    store.activations.roll_back(by="eve", why="flips", at=MOMENT + 2 * MINUTE)
    assert pointer(store) == (1, 2, None)
    store.activations.roll_back(by="eve", why="the flips were right", at=MOMENT + 3 * MINUTE)
    assert pointer(store) == (2, 1, None)

    assert history(store)[:2] == [
        ("rolled back", 2, "eve", "the flips were right"),
        ("rolled back", 1, "eve", "flips"),
    ]
    assert [store.activations.version_active_at(MOMENT + minute * MINUTE) for minute in range(4)] == [1, 2, 1, 2]


def test_a_forced_version_can_be_gone_back_to(store: RuleSetStore) -> None:
    activated(store, 3, forced=True)
    activated(store, 1, minute=1)
    assert store.activations.roll_back(by="eve", why="back", at=MOMENT + 2 * MINUTE).version == 3


def test_without_an_earlier_version_there_is_nothing_to_go_back_to(store: RuleSetStore) -> None:
    for _ in range(2):
        with pytest.raises(NothingToDo, match="nothing to roll back to"):
            store.activations.roll_back(by="eve", why="back", at=MOMENT)
        activated(store, 1)


# --- the shadow


def shadow(store: RuleSetStore, version: int | None, *, minute: int = 5) -> ActivePointer:
    return store.activations.set_shadow(version, by="eve", why="to see", at=MOMENT + minute * MINUTE)


def test_a_shadow_is_set_and_ended_while_the_same_version_decides(store: RuleSetStore) -> None:
    activated(store, 1)

    shadow(store, 3)
    assert pointer(store) == (1, None, 3)
    shadow(store, None, minute=6)
    assert pointer(store) == (1, None, None)

    assert history(store)[:2] == [("shadow ended", 3, "eve", "to see"), ("shadowed", 3, "eve", "to see")]
    assert store.activations.version_active_at(MOMENT + 9 * MINUTE) == 1


def test_a_shadow_that_is_activated_leaves_the_shadow_and_another_one_stays(store: RuleSetStore) -> None:
    activated(store, 1)
    shadow(store, 2)
    assert activated(store, 2, minute=6).shadow is None

    shadow(store, 3)
    assert activated(store, 1, minute=7).shadow == 3


@pytest.mark.parametrize(
    ("version", "problem"),
    [(1, "version 1 is active already"), (None, "there is no shadow version")],
)
def test_a_shadow_that_changes_nothing_is_refused(store: RuleSetStore, version: int | None, problem: str) -> None:
    activated(store, 1)
    with pytest.raises(NothingToDo, match=problem):
        shadow(store, version)


def test_there_is_no_shadow_of_nothing_and_none_by_a_version_that_is_not_there(store: RuleSetStore) -> None:
    with pytest.raises(NoRuleSet):
        shadow(store, 1)
    activated(store, 1)
    with pytest.raises(NoSuchVersion):
        shadow(store, 4)


def test_an_activation_that_meets_a_new_shadow_does_not_undo_it(store: RuleSetStore) -> None:
    activated(store, 1)
    client = dynamodb_client(region=REGION, endpoint_url=None)
    waiting = [partial(shadow, store, 3)]

    def act(**_parameters: Any) -> None:
        if waiting:
            waiting.pop()()

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", act)

    with pytest.raises(ActivationConflict, match="with version 3 as its shadow"):
        activated(RuleSetStore(client, RULES_TABLE, "home-infusion"), 2, minute=6)
    assert pointer(store) == (1, None, 3)


def test_what_an_earlier_release_left_is_read_and_moved_on_from(store: RuleSetStore) -> None:
    activated(store, 1)
    client = dynamodb_client(region=REGION, endpoint_url=None)
    for name, fields in (("ACTIVE", ("revision", "shadow")), ("VERSION#000002", ("errors",))):
        key = {"PK": {"S": "RULESET#home-infusion"}, "SK": {"S": name}}
        item = client.get_item(TableName=RULES_TABLE, Key=key)["Item"]
        kept = {field: value for field, value in item.items() if field not in fields}
        client.put_item(TableName=RULES_TABLE, Item=kept)
    found = store.activations.pointer()
    assert found is not None
    assert (found.version, found.shadow, found.revision) == (1, None, 0)
    assert store.header(2).errors == 0

    assert activated(store, 2, minute=1).revision == 1
    with pytest.raises(ActivationConflict):
        store.activations._write(found, found, Change(ChangeKind.ACTIVATED, 1, "eve", MOMENT, "late"))


# --- what is kept


def test_every_change_is_recorded_with_who_when_what_and_why_the_latest_first(store: RuleSetStore) -> None:
    activated(store, 1, why="the first")
    activated(store, 2, minute=1, by="eve", why="the second")

    changes = store.activations.history()

    assert changes[:2] == (
        Change(ChangeKind.ACTIVATED, 2, "eve", MOMENT + MINUTE, "the second", previous=1),
        Change(ChangeKind.ACTIVATED, 1, "bob", MOMENT, "the first"),
    )
    published = {change for change in changes if change.action is ChangeKind.PUBLISHED}
    assert published == {
        Change(ChangeKind.PUBLISHED, version, "ann", MOMENT - MINUTE, "a note") for version in (1, 2, 3)
    }
    assert len(changes) == 5
    assert len(store.activations.history(limit=2)) == 2


def test_headers_list_the_published_versions_the_latest_first(store: RuleSetStore) -> None:
    assert [(header.version, header.errors, header.by) for header in store.headers()] == [
        (3, 2, "ann"),
        (2, 0, "ann"),
        (1, 0, "ann"),
    ]
    assert store.header(3) == store.headers()[0]


def test_a_document_is_read_back_as_it_was_published(store: RuleSetStore) -> None:
    document = store.document(1)
    assert document.digest == store.header(1).digest
    assert [rule["id"] for rule in document.rules] == [rule["id"] for rule in default_document().rules[:2]]


def test_a_move_that_dynamodb_does_not_take_leaves_pointer_and_history_as_they_were(store: RuleSetStore) -> None:
    activated(store, 1)
    before = pointer(store), history(store)
    client = dynamodb_client(region=REGION, endpoint_url=None)

    def refuse(**_parameters: Any) -> None:
        raise StoreUnavailable("down")

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", refuse)
    broken = RuleSetStore(client, RULES_TABLE, "home-infusion")
    for move in (
        partial(activated, broken, 2, minute=1),
        partial(shadow, broken, 2),
        partial(broken.publish, default_document(), by="ann", note="a note", at=MOMENT),
    ):
        with pytest.raises(StoreUnavailable):
            move()
    assert (pointer(store), history(store)) == before
    assert [header.version for header in store.headers()] == [3, 2, 1]
