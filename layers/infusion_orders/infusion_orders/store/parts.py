"""A version's parts as items: each rule readable as it stands, all rules together, and tables, compressed in chunks.

A load reads the rules that are together: in ten thousand items of their own they take twenty times as long.
"""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING, Any

from infusion_orders.rules.document import RULE_PREFIX, TABLE_PREFIX
from infusion_orders.store.client import StoreUnavailable, named_failures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

CHUNK_BYTES = 300_000
"""Well under the 400 KB that an item may have."""
RULES_TOGETHER = "RULES"
"""Their keys come after those of single rules and before those of tables."""
PACKED, ROWS = "packed", "rows"
BATCH = 25
ATTEMPTS = 6


def items_of_parts(partition: str, parts: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    """The items of one version, in the order of their keys."""
    rules = {name: body for name, body in sorted(parts.items()) if name.startswith(RULE_PREFIX)}
    for name, body in rules.items():
        yield {"PK": {"S": partition}, "SK": {"S": name}, "rule": {"S": body.decode()}}
    yield from _chunks(partition, RULES_TOGETHER, PACKED, _packed(rules))
    for name, body in sorted(parts.items()):
        if name.startswith(TABLE_PREFIX):
            yield from _chunks(partition, name, ROWS, body)


def _chunks(partition: str, name: str, attribute: str, body: bytes) -> Iterator[dict[str, Any]]:
    packed = gzip.compress(body, mtime=0)
    starts = range(0, len(packed), CHUNK_BYTES)
    for number, start in enumerate(starts):
        yield {
            "PK": {"S": partition},
            "SK": {"S": f"{name}#{number:03d}"},
            attribute: {"B": packed[start : start + CHUNK_BYTES]},
            "chunks": {"N": str(len(starts))},
        }


def _packed(rules: Mapping[str, bytes]) -> bytes:
    """A line for each: its id, a space, and its canonical JSON, which has no line breaks."""
    return b"\n".join(name.removeprefix(RULE_PREFIX).encode() + b" " + body for name, body in rules.items())


def _unpacked(lines: bytes) -> dict[str, bytes]:
    parted = (line.partition(b" ") for line in lines.split(b"\n") if line)
    return {RULE_PREFIX + name.decode(): body for name, _, body in parted}


def has_rules_together(items: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the items are of a version that a release published which packs rules."""
    return any(PACKED in item for item in items)


def parts_of_items(items: Iterable[Mapping[str, Any]]) -> dict[str, bytes]:
    """The parts of a version, from all of its items or from those beside the readable rules.

    Raises KeyError, ValueError, EOFError or OSError for items that are none of a version, or not all, and for readable
    rules that are not the packed ones.
    """
    readable: dict[str, bytes] = {}
    packed: dict[str, dict[int, bytes]] = {}
    wanted: dict[str, int] = {}
    for item in items:
        name = str(item["SK"]["S"])
        if name.startswith(RULE_PREFIX):
            readable[name] = str(item["rule"]["S"]).encode()
        else:
            whole, number = name.rsplit("#", 1)
            packed.setdefault(whole, {})[int(number)] = item[PACKED if whole == RULES_TOGETHER else ROWS]["B"]
            wanted[whole] = int(item["chunks"]["N"])
    bodies: dict[str, bytes] = {}
    for whole, chunks in packed.items():
        if sorted(chunks) != list(range(wanted[whole])):
            raise ValueError(f"{whole} lacks a chunk")
        bodies[whole] = gzip.decompress(b"".join(chunks[number] for number in sorted(chunks)))
    if RULES_TOGETHER not in bodies:
        return readable | bodies
    rules = _unpacked(bodies.pop(RULES_TOGETHER))
    if readable and readable != rules:
        raise ValueError("the readable rules are not those that decide")
    return rules | bodies


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
