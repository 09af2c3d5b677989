"""A version's parts as items: a rule readable as it stands, a table compressed and in chunks."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING, Any

from infusion_orders.rules.document import TABLE_PREFIX
from infusion_orders.store.client import StoreUnavailable, named_failures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

CHUNK_BYTES = 300_000
"""Well under the 400 KB that an item may have."""
BATCH = 25
ATTEMPTS = 6


def items_of_parts(partition: str, parts: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    """The items of one version, in the order of their keys."""
    for name, body in sorted(parts.items()):
        if not name.startswith(TABLE_PREFIX):
            yield {"PK": {"S": partition}, "SK": {"S": name}, "rule": {"S": body.decode()}}
            continue
        packed = gzip.compress(body, mtime=0)
        chunks = range(0, len(packed), CHUNK_BYTES)
        for number, start in enumerate(chunks):
            yield {
                "PK": {"S": partition},
                "SK": {"S": f"{name}#{number:03d}"},
                "rows": {"B": packed[start : start + CHUNK_BYTES]},
                "chunks": {"N": str(len(chunks))},
            }


def parts_of_items(items: Iterable[Mapping[str, Any]]) -> dict[str, bytes]:
    """Raises KeyError, ValueError, EOFError or OSError for items that are none of a version, or not all."""
    parts: dict[str, bytes] = {}
    packed: dict[str, dict[int, bytes]] = {}
    wanted: dict[str, int] = {}
    for item in items:
        name = str(item["SK"]["S"])
        if name.startswith(TABLE_PREFIX):
            table, number = name.rsplit("#", 1)
            packed.setdefault(table, {})[int(number)] = item["rows"]["B"]
            wanted[table] = int(item["chunks"]["N"])
        else:
            parts[name] = str(item["rule"]["S"]).encode()
    for table, chunks in packed.items():
        if sorted(chunks) != list(range(wanted[table])):
            raise ValueError(f"{table} lacks a chunk")
        parts[table] = gzip.decompress(b"".join(chunks[number] for number in sorted(chunks)))
    return parts


def write_all(client: DynamoDBClient, table: str, items: Iterable[dict[str, Any]]) -> None:
    """Writes in batches, and again what DynamoDB did not take.  Raises StoreUnavailable when it keeps refusing."""
    waiting = [{"PutRequest": {"Item": item}} for item in items]
    refused = 0
    while waiting:
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        with named_failures():
            answer = client.batch_write_item(RequestItems={table: batch})  # type: ignore[dict-item]
        left: list[Any] = list(answer.get("UnprocessedItems", {}).get(table, []))
        refused = refused + 1 if len(left) == len(batch) else 0
        if refused > ATTEMPTS:
            raise StoreUnavailable("UnprocessedItems")
        if left:
            time.sleep(0.05 * 2**refused)
        waiting = left + waiting
