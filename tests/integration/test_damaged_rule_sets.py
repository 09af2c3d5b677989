"""What is stored of a version and is not what was published: it never decides, and it is told."""

from __future__ import annotations

import gc
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.store import parts as parts_module
from infusion_orders.store.partition import DamagedRuleSet
from tests.support.packed_rules import KEY as PACKED_KEY
from tests.support.packed_rules import repacked, with_another_rule, with_no_json, without_first_rule
from tests.support.stored_rule_sets import SMALL, a_store, items_of, keep, mocked_tables, publish, remove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infusion_orders.store.rule_sets import RuleSetStore


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    with mocked_tables():
        yield


def a_changed_rule(found: list[dict[str, Any]]) -> None:
    [rule, *_more] = [item for item in found if "rule" in item]
    changed = json.loads(rule["rule"]["S"]) | {"title": "Something else"}
    keep(rule | {"rule": {"S": json.dumps(changed)}})


def a_changed_table(found: list[dict[str, Any]]) -> None:
    [chunk] = [item for item in found if item["SK"]["S"] == "TABLE#counties#000"]
    rows = gzip.decompress(chunk["rows"]["B"]).replace(b"Alameda", b"Almeda")
    keep(chunk | {"rows": {"B": gzip.compress(rows)}})


def a_missing_rule(found: list[dict[str, Any]]) -> None:
    remove(next(item for item in found if "rule" in item))


def a_missing_table(found: list[dict[str, Any]]) -> None:
    remove(next(item for item in found if item["SK"]["S"] == "TABLE#vendors#000"))


def an_additional_rule(found: list[dict[str, Any]]) -> None:
    rule = next(item for item in found if "rule" in item)
    keep(rule | {"SK": {"S": "RULE#of-nobody"}})


def a_changed_packed_rule(found: list[dict[str, Any]]) -> None:
    keep(repacked(packed_of(found), lambda lines: lines.replace(b'"title":"', b'"title":"Not ', 1)))


def a_missing_packed_rule(found: list[dict[str, Any]]) -> None:
    keep(repacked(packed_of(found), without_first_rule))


def an_additional_packed_rule(found: list[dict[str, Any]]) -> None:
    keep(repacked(packed_of(found), with_another_rule))


def a_packed_rule_that_is_no_json(found: list[dict[str, Any]]) -> None:
    keep(repacked(packed_of(found), with_no_json))


def packed_rules_that_are_not_gzip(found: list[dict[str, Any]]) -> None:
    keep(packed_of(found) | {"packed": {"B": b"not gzip at all"}})


def packed_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    [item] = [item for item in found if item["SK"]["S"] == PACKED_KEY]
    return item


def bytes_that_are_not_gzip(found: list[dict[str, Any]]) -> None:
    chunk = next(item for item in found if "rows" in item)
    keep(chunk | {"rows": {"B": b"not gzip at all"}})


def a_compressed_table_cut_short(found: list[dict[str, Any]]) -> None:
    chunk = next(item for item in found if "rows" in item)
    keep(chunk | {"rows": {"B": chunk["rows"]["B"][:-20]}})


def noise_inside_a_compressed_table(found: list[dict[str, Any]]) -> None:
    chunk = next(item for item in found if "rows" in item)
    packed = chunk["rows"]["B"]
    keep(chunk | {"rows": {"B": packed[:10] + b"\xff" * 20 + packed[30:]}})


def an_item_without_its_content(found: list[dict[str, Any]]) -> None:
    rule = next(item for item in found if "rule" in item)
    keep({name: rule[name] for name in ("PK", "SK")})


def a_table_name_without_a_chunk_number(found: list[dict[str, Any]]) -> None:
    chunk = next(item for item in found if "rows" in item)
    keep(chunk | {"SK": {"S": "TABLE#counties"}})


READABLE_DAMAGE = (a_changed_rule, a_missing_rule, an_additional_rule, an_item_without_its_content)


@pytest.mark.parametrize(
    "damage",
    [
        a_changed_packed_rule,
        a_missing_packed_rule,
        an_additional_packed_rule,
        a_packed_rule_that_is_no_json,
        packed_rules_that_are_not_gzip,
        a_changed_table,
        a_missing_table,
        bytes_that_are_not_gzip,
        a_compressed_table_cut_short,
        noise_inside_a_compressed_table,
        a_table_name_without_a_chunk_number,
    ],
)
def test_a_damaged_version_is_never_loaded(damage: Callable[[list[dict[str, Any]]], None]) -> None:
    store = a_store()
    version = publish(store)
    damage(items_of(version))

    for read in (store.load, store.document):
        with pytest.raises(DamagedRuleSet, match=rf"version {version}"):
            read(version)


@pytest.mark.parametrize("damage", READABLE_DAMAGE)
def test_readable_rules_that_are_not_those_that_decide_are_told_where_a_version_is_read_whole(
    damage: Callable[[list[dict[str, Any]]], None],
) -> None:
    store = a_store()
    version = publish(store)
    damage(items_of(version))

    assert store.load(version).digest == SMALL.digest
    with pytest.raises(DamagedRuleSet, match=rf"version {version}"):
        store.document(version)


@pytest.mark.parametrize("looked_for", [True, False])
def test_a_load_leaves_the_collection_of_garbage_as_it_was(looked_for: bool) -> None:
    store = a_store()
    version = publish(store)
    damaged = publish(store)
    a_packed_rule_that_is_no_json(items_of(damaged))
    if not looked_for:
        gc.disable()
    try:
        store.load(version)
        assert gc.isenabled() is looked_for
        with pytest.raises(DamagedRuleSet):
            store.load(damaged)
        assert gc.isenabled() is looked_for
    finally:
        gc.enable()


def published_without_packed_rules(store: RuleSetStore) -> int:
    """As earlier releases did."""
    version = publish(store)
    remove(packed_of(items_of(version)))
    return version


def test_a_version_without_packed_rules_is_loaded_from_the_readable_ones() -> None:
    store = a_store()
    version = published_without_packed_rules(store)

    assert store.load(version).digest == store.document(version).digest == SMALL.digest
    assert [rule.id for rule in store.load(version).rules] == [rule["id"] for rule in SMALL.rules]


@pytest.mark.parametrize("damage", READABLE_DAMAGE)
def test_a_damaged_version_without_packed_rules_is_never_loaded(
    damage: Callable[[list[dict[str, Any]]], None],
) -> None:
    store = a_store()
    version = published_without_packed_rules(store)
    damage(items_of(version))

    with pytest.raises(DamagedRuleSet, match=rf"version {version}"):
        store.load(version)


@pytest.mark.parametrize("part", ["TABLE#codes#", "RULES#"])
@pytest.mark.parametrize("lost", [0, 1, -1])
def test_what_lacks_a_chunk_is_never_loaded(lost: int, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "CHUNK_BYTES", 200)
    store = a_store()
    version = publish(store)
    chunks = [item for item in items_of(version) if item["SK"]["S"].startswith(part)]
    assert len(chunks) > 3
    remove(chunks[lost])

    with pytest.raises(DamagedRuleSet, match="cannot be read: ValueError"):
        store.load(version)
