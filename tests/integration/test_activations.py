"""The pointer: activation, rollback and shadow, what they refuse, and the record of every change."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

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
from infusion_orders.store.dynamodb import StoreUnavailable
from infusion_orders.store.versions import NoSuchVersion
from infusion_orders_cli.local.tables import RULES_TABLE
from tests.support.rules import default_document
from tests.support.tables import MOMENT, a_client, a_store, mocked_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.store.activations import ActivePointer
    from infusion_orders.store.versions import RuleSetStore

MINUTE = timedelta(minutes=1)


@pytest.fixture
def store() -> Iterator[RuleSetStore]:
    """A store with versions 1 to 3, published by ann; version 3 has two errors."""
    with mocked_tables():
        rule_sets = a_store()
        small = RuleSetDocument("home-infusion", default_document().rules[:2], {})
        for errors in (0, 0, 2):
            rule_sets.publish(small, by="ann", note="a note", at=MOMENT - MINUTE, errors=errors)
        yield rule_sets


def activated(store: RuleSetStore, version: int, *, minute: int = 0, **more: Any) -> ActivePointer:
    return store.activations.activate(version, **{"by": "bob", "why": "time", "at": MOMENT + minute * MINUTE, **more})


def pointer(store: RuleSetStore) -> tuple[int, int | None, int | None]:
    """Return the active version, the previous one, and the shadow."""
    found = store.activations.pointer(consistent=True)
    assert found is not None
    return found.version, found.previous, found.shadow


def history(store: RuleSetStore) -> list[tuple[str, int, str, str]]:
    return [(change.action.value, change.version, change.by, change.why) for change in store.activations.history()]


# --- activation


def test_version_with_errors_is_not_activated(store: RuleSetStore) -> None:
    with pytest.raises(ChecksNotPassed, match="version 3 has 2 errors"):
        activated(store, 3)
    assert store.activations.pointer() is None


def test_forced_activation_is_recorded_as_forced(store: RuleSetStore) -> None:
    activated(store, 3, forced=True, why="the vendor's contract ends today")

    assert pointer(store) == (3, None, None)
    [change, *_] = store.activations.history()
    assert (change.forced, change.why) == (True, "the vendor's contract ends today")


def test_force_without_errors_is_not_recorded(store: RuleSetStore) -> None:
    activated(store, 1, forced=True)
    assert not store.activations.history()[0].forced


def test_four_eyes_refuse_the_person_who_published(store: RuleSetStore) -> None:
    with pytest.raises(SamePerson, match="ann published version 1: another person must activate it"):
        activated(store, 1, by="ann", four_eyes=True)
    assert store.activations.pointer() is None

    activated(store, 1, by="bob", four_eyes=True)
    assert pointer(store) == (1, None, None)


def test_force_does_not_override_four_eyes(store: RuleSetStore) -> None:
    with pytest.raises(SamePerson):
        activated(store, 3, by="ann", four_eyes=True, forced=True)


@pytest.mark.parametrize("expected", [0, 2])
def test_wrong_expected_version_is_a_conflict(store: RuleSetStore, expected: int) -> None:
    activated(store, 1)
    with pytest.raises(ActivationConflict, match=r"^bob activated version 1 at 2026-01-01T12:00:00"):
        activated(store, 2, minute=1, expected=expected)
    assert activated(store, 2, minute=1, expected=1).version == 2


def test_expected_version_is_zero_before_the_first_activation(store: RuleSetStore) -> None:
    with pytest.raises(ActivationConflict):
        activated(store, 1, expected=1)
    assert activated(store, 1, expected=0).version == 1


# --- rollback


def test_rollback_activates_the_previous_version_and_a_second_undoes_it(store: RuleSetStore) -> None:
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


def test_rollback_to_a_forced_version_needs_no_force(store: RuleSetStore) -> None:
    activated(store, 3, forced=True)
    activated(store, 1, minute=1)
    assert store.activations.roll_back(by="eve", why="back", at=MOMENT + 2 * MINUTE).version == 3


def test_rollback_without_a_previous_version_is_refused(store: RuleSetStore) -> None:
    for _ in range(2):
        with pytest.raises(NothingToDo, match="nothing to roll back to"):
            store.activations.roll_back(by="eve", why="back", at=MOMENT)
        activated(store, 1)


# --- shadow


def shadow(store: RuleSetStore, version: int | None, *, minute: int = 5) -> ActivePointer:
    return store.activations.set_shadow(version, by="eve", why="to see", at=MOMENT + minute * MINUTE)


def test_shadow_is_set_and_ended_without_changing_the_active_version(store: RuleSetStore) -> None:
    activated(store, 1)

    shadow(store, 3)
    assert pointer(store) == (1, None, 3)
    shadow(store, None, minute=6)
    assert pointer(store) == (1, None, None)

    assert history(store)[:2] == [("shadow ended", 3, "eve", "to see"), ("shadowed", 3, "eve", "to see")]
    assert store.activations.version_active_at(MOMENT + 9 * MINUTE) == 1


def test_activating_the_shadow_ends_it_and_keeps_another_shadow(store: RuleSetStore) -> None:
    activated(store, 1)
    shadow(store, 2)
    assert activated(store, 2, minute=6).shadow is None

    shadow(store, 3)
    assert activated(store, 1, minute=7).shadow == 3


@pytest.mark.parametrize(
    ("version", "problem"),
    [(1, "version 1 is active already"), (None, "there is no shadow version")],
)
def test_shadow_that_changes_nothing_is_refused(store: RuleSetStore, version: int | None, problem: str) -> None:
    activated(store, 1)
    with pytest.raises(NothingToDo, match=problem):
        shadow(store, version)


def test_shadow_needs_an_active_version_and_a_published_one(store: RuleSetStore) -> None:
    with pytest.raises(NoRuleSet):
        shadow(store, 1)
    activated(store, 1)
    with pytest.raises(NoSuchVersion):
        shadow(store, 4)


def test_activation_at_the_same_time_as_a_shadow_is_a_conflict(store: RuleSetStore) -> None:
    activated(store, 1)
    client = a_client()
    waiting = [partial(shadow, store, 3)]

    def act(**_parameters: Any) -> None:
        if waiting:
            waiting.pop()()

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", act)

    with pytest.raises(ActivationConflict, match="with version 3 as its shadow"):
        activated(a_store(client), 2, minute=6)
    assert pointer(store) == (1, None, 3)


def test_pointer_of_release_0_1_is_read_and_changed(store: RuleSetStore) -> None:
    activated(store, 1)
    client = a_client()
    for name, fields in (("ACTIVE", ("revision", "shadow", "language")), ("VERSION#000002", ("errors", "language"))):
        key = {"PK": {"S": "RULESET#home-infusion"}, "SK": {"S": name}}
        item = client.get_item(TableName=RULES_TABLE, Key=key)["Item"]
        older = {field: value for field, value in item.items() if field not in fields}
        client.put_item(TableName=RULES_TABLE, Item=older)
    found = store.activations.pointer()
    assert found is not None
    assert (found.version, found.shadow, found.revision, found.language) == (1, None, 0, None)
    assert (store.header(2).errors, store.header(2).language) == (0, None)

    assert activated(store, 2, minute=1).revision == 1
    with pytest.raises(ActivationConflict):
        store.activations._write(found, found, Change(ChangeKind.ACTIVATED, 1, "eve", MOMENT, "late"))


# --- history


def test_history_lists_every_change_latest_first(store: RuleSetStore) -> None:
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


def test_headers_list_published_versions_latest_first(store: RuleSetStore) -> None:
    assert [(header.version, header.errors, header.by) for header in store.headers()] == [
        (3, 2, "ann"),
        (2, 0, "ann"),
        (1, 0, "ann"),
    ]
    assert store.header(3) == store.headers()[0]


def test_document_is_read_as_it_was_published(store: RuleSetStore) -> None:
    document = store.document(1)
    assert document.digest == store.header(1).digest
    assert [rule["id"] for rule in document.rules] == [rule["id"] for rule in default_document().rules[:2]]


def test_refused_write_changes_neither_pointer_nor_history(store: RuleSetStore) -> None:
    activated(store, 1)
    before = pointer(store), history(store)
    client = a_client()

    def refuse(**_parameters: Any) -> None:
        raise StoreUnavailable("down")

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", refuse)
    broken = a_store(client)
    for move in (
        partial(activated, broken, 2, minute=1),
        partial(shadow, broken, 2),
        partial(broken.publish, default_document(), by="ann", note="a note", at=MOMENT),
    ):
        with pytest.raises(StoreUnavailable):
            move()
    assert (pointer(store), history(store)) == before
    assert [header.version for header in store.headers()] == [3, 2, 1]
