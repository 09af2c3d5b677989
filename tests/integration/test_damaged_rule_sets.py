"""A version whose stored items are not what was published is never loaded, and the error names the version."""

from __future__ import annotations

import gc
import gzip
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.store import rule_set_table
from infusion_orders.store.rule_set_table import DamagedRuleSet
from tests.support.tables import (
    SMALL,
    a_store,
    items_of,
    mocked_tables,
    packed_copy,
    publish,
    put,
    remove,
    with_changed_rule,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    with mocked_tables():
        yield


def first(found: list[dict[str, Any]], attribute: str) -> dict[str, Any]:
    return next(item for item in found if attribute in item)


def a_changed_rule(found: list[dict[str, Any]]) -> None:
    put(with_changed_rule(first(found, "rule"), title="Something else"))


def a_missing_rule(found: list[dict[str, Any]]) -> None:
    remove(first(found, "rule"))


def an_additional_rule(found: list[dict[str, Any]]) -> None:
    put(first(found, "rule") | {"SK": {"S": "RULE#zzz.added"}})


def a_rule_without_its_text(found: list[dict[str, Any]]) -> None:
    rule = first(found, "rule")
    put({name: rule[name] for name in ("PK", "SK")})


def a_rule_that_is_not_json(found: list[dict[str, Any]]) -> None:
    rule = first(found, "rule")
    put(rule | {"rule": {"S": rule["rule"]["S"][:-10]}})


def a_changed_table(found: list[dict[str, Any]]) -> None:
    [chunk] = [item for item in found if item["SK"]["S"] == "TABLE#counties#000"]
    rows = gzip.decompress(chunk["rows"]["B"]).replace(b"Alameda", b"Almeda")
    put(chunk | {"rows": {"B": gzip.compress(rows)}})


def a_missing_table(found: list[dict[str, Any]]) -> None:
    remove(next(item for item in found if item["SK"]["S"] == "TABLE#vendors#000"))


def a_table_that_is_not_gzip(found: list[dict[str, Any]]) -> None:
    put(first(found, "rows") | {"rows": {"B": b"not gzip at all"}})


def a_table_cut_short(found: list[dict[str, Any]]) -> None:
    chunk = first(found, "rows")
    put(chunk | {"rows": {"B": chunk["rows"]["B"][:-20]}})


def a_table_with_noise_inside(found: list[dict[str, Any]]) -> None:
    chunk = first(found, "rows")
    packed = chunk["rows"]["B"]
    put(chunk | {"rows": {"B": packed[:10] + b"\xff" * 20 + packed[30:]}})


def a_table_without_a_chunk_number(found: list[dict[str, Any]]) -> None:
    put(first(found, "rows") | {"SK": {"S": "TABLE#counties"}})


@pytest.mark.parametrize(
    "damage",
    [
        a_changed_rule,
        a_missing_rule,
        an_additional_rule,
        a_rule_without_its_text,
        a_rule_that_is_not_json,
        a_changed_table,
        a_missing_table,
        a_table_that_is_not_gzip,
        a_table_cut_short,
        a_table_with_noise_inside,
        a_table_without_a_chunk_number,
    ],
)
def test_damaged_version_is_never_loaded(damage: Callable[[list[dict[str, Any]]], None]) -> None:
    store = a_store()
    version = publish(store)
    damage(items_of(version))

    for read in (store.load, store.document):
        with pytest.raises(DamagedRuleSet, match=rf"version {version}"):
            read(version)


@pytest.mark.parametrize("lost", [0, 1, -1])
def test_version_without_a_chunk_of_a_table_is_never_loaded(lost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_set_table, "CHUNK_BYTES", 200)
    store = a_store()
    version = publish(store)
    chunks = [item for item in items_of(version) if item["SK"]["S"].startswith("TABLE#codes#")]
    assert len(chunks) > 3
    remove(chunks[lost])

    with pytest.raises(DamagedRuleSet, match="cannot be read: ValueError"):
        store.load(version)


@pytest.mark.parametrize("damage", [a_changed_rule, a_missing_rule])
def test_packed_copy_does_not_replace_a_damaged_rule(damage: Callable[[list[dict[str, Any]]], None]) -> None:
    store = a_store()
    version = publish(store)
    put(packed_copy(version))
    damage(items_of(version))

    with pytest.raises(DamagedRuleSet, match=rf"version {version}"):
        store.load(version)


def test_packed_copy_of_an_older_version_is_ignored_even_if_damaged() -> None:
    store = a_store()
    version = publish(store)
    for copy in (packed_copy(version), packed_copy(version) | {"packed": {"B": b"not gzip at all"}}):
        put(copy)

        assert store.load(version).digest == store.document(version).digest == SMALL.digest
        assert [rule.id for rule in store.load(version).rules] == [rule["id"] for rule in SMALL.rules]


@pytest.mark.parametrize("enabled", [True, False])
def test_load_leaves_garbage_collection_as_it_was(enabled: bool) -> None:
    store = a_store()
    version = publish(store)
    damaged = publish(store)
    a_rule_that_is_not_json(items_of(damaged))
    if not enabled:
        gc.disable()
    try:
        store.load(version)
        assert gc.isenabled() is enabled
        with pytest.raises(DamagedRuleSet):
            store.load(damaged)
        assert gc.isenabled() is enabled
    finally:
        gc.enable()
