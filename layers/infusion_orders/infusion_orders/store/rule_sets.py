"""Rule sets: immutable versions, each whole or absent.

A version's number is reserved by a header in the state `publishing`, which nobody loads; its parts are written; then
the header becomes `published` with the digest over the parts.  Whatever is interrupted before that leaves no version.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from infusion_orders.rules.document import RuleSetDocument, digest_of_parts
from infusion_orders.rules.language_fingerprint import LANGUAGE_FINGERPRINT
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders.store.activations import Activations
from infusion_orders.store.changes import Action, Change, record_of
from infusion_orders.store.client import ConditionFailed, StoreUnavailable, named_failures, write_together
from infusion_orders.store.headers import HEADER, VersionHeader, header_key, header_of
from infusion_orders.store.partition import NEW, DamagedRuleSet, Partition, as_written, moment
from infusion_orders.store.parts import RULES_TOGETHER, has_rules_together, items_of_parts, parts_of_items, write_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from infusion_orders.store.activations import ActivePointer

PUBLISHED = "published"
PUBLISHING = "publishing"
MOST_VERSIONS = 1000


class NoSuchVersion(Exception):
    """The version is not there, or was never published whole."""


@contextmanager
def _without_looking_for_garbage() -> Iterator[None]:
    """What a load makes stays, and is looked through again and again while it grows."""
    looked_for = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked_for:
            gc.enable()


class RuleSetStore:
    """The versions of one rule set, by its name; `activations` holds which of them decides."""

    def __init__(self, client: DynamoDBClient, table: str, name: str) -> None:
        self.name = name
        self._partition = Partition(client, table, name)
        self.activations = Activations(self._partition, self.header)

    def publish(self, document: RuleSetDocument, *, by: str, note: str, at: datetime, errors: int = 0) -> int:
        """Publishes the checked document as the next version, which decides nothing until it is activated.

        `errors` is what the analysis of its rules found.
        Raises StoreUnavailable; the version is then absent, unless the answer to the very last write was lost.
        """
        version = self._reserve(by, at)
        parts = document.parts()
        partition = self._partition
        write_all(partition.client, partition.table, items_of_parts(partition.of_version(version), parts))
        published: dict[str, Any] = {
            "state": {"S": PUBLISHED},
            "digest": {"S": digest_of_parts(document.name, parts)},
            "note": {"S": note},
            "rules": {"N": str(len(document.rules))},
            "tables": {"N": str(len(document.tables))},
            "checks": {"S": "failed" if errors else "passed"},
            "errors": {"N": str(errors)},
            "language": {"S": LANGUAGE_FINGERPRINT},
        }
        change = Change(Action.PUBLISHED, version, by, at, note)
        try:
            write_together(partition.client, [self._last_write(version, published), record_of(partition, change)])
        except (ConditionFailed, StoreUnavailable) as error:  # it may have arrived though its answer did not
            if not self._is_published(version, published["digest"]["S"]):
                raise StoreUnavailable(str(error)) from None
        return version

    def header(self, version: int) -> VersionHeader:
        """What is said of a published version.  Raises NoSuchVersion, DamagedRuleSet and StoreUnavailable."""
        item = self._partition.get(header_key(version))
        with as_written(f"the header of version {version}"):
            if item is None or item["state"]["S"] != PUBLISHED:
                raise NoSuchVersion(f"there is no published version {version}")
            return header_of(item)

    def headers(self, *, most: int = MOST_VERSIONS) -> tuple[VersionHeader, ...]:
        """The published versions, the latest first.  Raises DamagedRuleSet and StoreUnavailable."""
        items = self._partition.newest(HEADER, most=most)
        with as_written("the header of a version"):
            return tuple(header_of(item) for item in items if item["state"]["S"] == PUBLISHED)

    def document(self, version: int) -> RuleSetDocument:
        """The version as it was published, its readable rules compared with those that decide.

        Raises NoSuchVersion, DamagedRuleSet and StoreUnavailable.
        """
        digest = self.header(version).digest
        return self._verified(version, digest, self._items(version))

    def load(self, version: int, pointer: ActivePointer | None = None) -> RuleSet:
        """The version, ready to decide.  A pointer to it says what its header says, and saves reading that.

        Raises NoSuchVersion, DamagedRuleSet and StoreUnavailable.
        """
        said = self.header(version) if pointer is None else pointer
        with _without_looking_for_garbage():
            items = self._items(version, first=RULES_TOGETHER)
            if not has_rules_together(items):  # published by a release that did not pack them
                items = self._items(version)
            document = self._verified(version, said.digest, items)
            with as_written(f"version {version}, perhaps published for another release,"):
                return RuleSet.from_document(
                    document, version=version, digest=said.digest, compiled=said.language != LANGUAGE_FINGERPRINT
                )

    def _verified(self, version: int, digest: str, items: Sequence[dict[str, Any]]) -> RuleSetDocument:
        with as_written(f"a part of version {version}"):
            parts = parts_of_items(items)
        if digest_of_parts(self.name, parts) != digest:
            raise DamagedRuleSet(f"version {version} is not what was published: its digest differs")
        return RuleSetDocument.from_parts(self.name, parts)

    def _items(self, version: int, *, first: str = " ") -> list[dict[str, Any]]:
        """From a key on."""
        items: list[dict[str, Any]] = []
        with named_failures():
            pages = self._partition.client.get_paginator("query").paginate(
                TableName=self._partition.table,
                KeyConditionExpression="PK = :partition AND SK >= :first",
                ExpressionAttributeValues={
                    ":partition": {"S": self._partition.of_version(version)},
                    ":first": {"S": first},
                },
                ConsistentRead=True,
            )
            for page in pages:
                items += page["Items"]
        return items

    def _last_write(self, version: int, published: dict[str, Any]) -> TransactWriteItemTypeDef:
        """Fails when the version is not being published: perhaps an earlier attempt did this."""
        return {
            "Update": {
                "TableName": self._partition.table,
                "Key": self._partition.key(header_key(version)),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in published),
                "ConditionExpression": "#state = :reserved",
                "ExpressionAttributeNames": {f"#{name}": name for name in published},
                "ExpressionAttributeValues": {
                    ":reserved": {"S": PUBLISHING},
                    **{f":{name}": value for name, value in published.items()},
                },
            }
        }

    def _is_published(self, version: int, digest: str) -> bool:
        header = self._partition.get(header_key(version))
        return header is not None and header.get("digest", {}).get("S") == digest

    def _reserve(self, by: str, at: datetime) -> int:
        """The next free number; whoever comes second to a number takes the one after it."""
        latest = self._partition.newest(HEADER, most=1)
        version = int(latest[0]["version"]["N"]) + 1 if latest else 1
        while True:
            item: dict[str, Any] = {
                **self._partition.key(header_key(version)),
                "state": {"S": PUBLISHING},
                "version": {"N": str(version)},
                "by": {"S": by},
                "at": {"S": moment(at)},
            }
            try:
                with named_failures():
                    self._partition.client.put_item(TableName=self._partition.table, Item=item, ConditionExpression=NEW)
            except ConditionFailed:
                version += 1
            else:
                return version
