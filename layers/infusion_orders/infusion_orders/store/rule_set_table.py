"""Where a rule set is stored in the rules table: its keys, reading by them, and the items of a version.

Each rule is one readable item, and that item is what decides.  Each reference table is compressed and cut into chunks.
"""

from __future__ import annotations

import gzip
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infusion_orders.rules.document import RULE_PREFIX, TABLE_PREFIX
from infusion_orders.store.dynamodb import translated_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

IF_NEW = "attribute_not_exists(PK)"
"""The condition of a write that must not replace an item."""
CHUNK_BYTES = 300_000
"""DynamoDB limits an item to 400 KB."""
UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, OSError, EOFError, zlib.error)
"""The errors of reading an item that is not as this package wrote it."""


class DamagedRuleSet(Exception):
    """A stored item is not what was published; the text says which one and why."""


@contextmanager
def damaged_if_unreadable(what: str) -> Iterator[None]:
    """Raise DamagedRuleSet, with the name of the item, when the block cannot read it."""
    try:
        yield
    except UNREADABLE as broken:
        raise DamagedRuleSet(f"{what} cannot be read: {type(broken).__name__}") from None


@dataclass(frozen=True, slots=True)
class RuleSetTable:
    """The items of one rule set.

    Headers, the pointer and the history share the rule set's partition; the parts of each version have their own.
    """

    client: DynamoDBClient
    table: str
    name: str

    def key(self, sort_key: str) -> dict[str, Any]:
        """Return the primary key of a header, the pointer, or a record of the history."""
        return {"PK": {"S": f"RULESET#{self.name}"}, "SK": {"S": sort_key}}

    def get(self, sort_key: str, *, consistent: bool = True) -> dict[str, Any] | None:
        """Read one item of the rule set's partition.  Raises StoreUnavailable."""
        with translated_errors():
            answer = self.client.get_item(TableName=self.table, Key=self.key(sort_key), ConsistentRead=consistent)
        return answer.get("Item")

    def put_if_new(self, sort_key: str, item: Mapping[str, Any]) -> TransactWriteItemTypeDef:
        """Return the write of a new item of the rule set's partition, for a transaction."""
        return {"Put": {"TableName": self.table, "Item": {**self.key(sort_key), **item}, "ConditionExpression": IF_NEW}}

    def latest(self, prefix: str, *, limit: int, until: str = "\uffff") -> list[dict[str, Any]]:
        """Read the last items whose sort keys have the prefix, the last one first.  Raises StoreUnavailable."""
        condition = "PK = :partition AND SK BETWEEN :first AND :last"
        keys = {":partition": self.key("")["PK"], ":first": {"S": prefix}, ":last": {"S": f"{prefix}{until}"}}
        return self._query(condition, keys, ScanIndexForward=False, PaginationConfig={"MaxItems": limit})

    def parts(self, version: int) -> dict[str, bytes]:
        """Read the parts of a version.  Raises DamagedRuleSet and StoreUnavailable."""
        items = self._query("PK = :partition", {":partition": {"S": self._partition_of(version)}})
        with damaged_if_unreadable(f"a part of version {version}"):
            return parts_of_items(items)

    def items(self, version: int, parts: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
        """Yield the items that store the parts of a version, in the order of their keys."""
        partition = {"S": self._partition_of(version)}
        for name, body in sorted(parts.items()):
            if name.startswith(RULE_PREFIX):
                yield {"PK": partition, "SK": {"S": name}, "rule": {"S": body.decode()}}
                continue
            packed = gzip.compress(body, mtime=0)
            starts = range(0, len(packed), CHUNK_BYTES)
            for number, start in enumerate(starts):
                yield {
                    "PK": partition,
                    "SK": {"S": f"{name}#{number:03d}"},
                    "rows": {"B": packed[start : start + CHUNK_BYTES]},
                    "chunks": {"N": str(len(starts))},
                }

    def _partition_of(self, version: int) -> str:
        return f"RULESET#{self.name}#{version:06d}"

    def _query(self, condition: str, values: Mapping[str, Any], **more: Any) -> list[dict[str, Any]]:
        with translated_errors():
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
                **more,
            )
            return [item for page in pages for item in page["Items"]]


def parts_of_items(items: Iterable[Mapping[str, Any]]) -> dict[str, bytes]:
    """Return the parts that the items of a version hold.

    Older versions also hold a packed copy of the rules under `RULES#`, which is ignored.
    Raises KeyError, ValueError, EOFError, OSError or zlib.error for a damaged item or a missing chunk.
    """
    parts: dict[str, bytes] = {}
    chunks: dict[str, dict[int, bytes]] = {}
    expected: dict[str, int] = {}
    for item in items:
        sort_key = item["SK"]["S"]
        if sort_key.startswith(RULE_PREFIX):
            parts[sort_key] = item["rule"]["S"].encode()
        elif sort_key.startswith(TABLE_PREFIX):
            table, number = sort_key.rsplit("#", 1)
            chunks.setdefault(table, {})[int(number)] = item["rows"]["B"]
            expected[table] = int(item["chunks"]["N"])
    for table, found in chunks.items():
        if sorted(found) != list(range(expected[table])):
            raise ValueError(f"{table} lacks a chunk")
        parts[table] = gzip.decompress(b"".join(found[number] for number in sorted(found)))
    return parts


def timestamp(at: datetime) -> str:
    """Return the time in UTC, always with microseconds, so that timestamps sort as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
