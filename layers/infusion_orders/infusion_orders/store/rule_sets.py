"""Rule sets: immutable versions, and the pointer that says which one decides.

A version's number is reserved by a header in the state `publishing`, which nobody loads; its parts are written; then
the header becomes `published` with the digest over the parts.  Whatever is interrupted before that leaves no version.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from infusion_orders.rules.document import RuleSetDocument, digest_of_parts
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders.store.client import ConditionFailed, StoreUnavailable, named_failures, put_together
from infusion_orders.store.parts import items_of_parts, parts_of_items, write_all

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutTypeDef

ACTIVE = "ACTIVE"
PUBLISHED = "published"
PUBLISHING = "publishing"
NEW = "attribute_not_exists(PK)"
UNREADABLE = (KeyError, ValueError, OSError, EOFError, zlib.error)


class NoRuleSet(Exception):
    """No version is active, or none that is recent enough can be read."""

    retry_after_seconds = 5


class NoSuchVersion(Exception):
    """The version is not there, or was never published whole."""


class DamagedRuleSet(Exception):
    """What is stored is not what was published; the text says what is wrong."""


class ActivationConflict(Exception):
    """Somebody else activated a version in the meantime; the text says who, which and when."""


@dataclass(frozen=True, slots=True)
class ActivePointer:
    """Which version decides, since when and by whose hand."""

    version: int
    digest: str
    since: datetime
    by: str
    previous: int | None


class RuleSetStore:
    """The versions of one rule set, by its name."""

    def __init__(self, client: DynamoDBClient, table: str, name: str) -> None:
        self.name = name
        self._client = client
        self._table = table

    def publish(self, document: RuleSetDocument, *, by: str, note: str, at: datetime) -> int:
        """Publishes the checked document as the next version, which decides nothing until it is activated.

        Raises StoreUnavailable; the version is then absent, unless the answer to the very last write was lost.
        """
        version = self._reserve(by, at)
        parts = document.parts()
        write_all(self._client, self._table, items_of_parts(self._partition_of(version), parts))
        published: dict[str, Any] = {
            "state": {"S": PUBLISHED},
            "digest": {"S": digest_of_parts(document.name, parts)},
            "note": {"S": note},
            "rules": {"N": str(len(document.rules))},
            "tables": {"N": str(len(document.tables))},
            "checks": {"S": "passed"},
        }
        try:
            self._finish(version, published)
        except (ConditionFailed, StoreUnavailable) as error:  # it may have arrived though its answer did not
            if not self._is_published(version, published["digest"]["S"]):
                raise StoreUnavailable(str(error)) from None
        return version

    def activate(self, version: int, *, by: str, why: str, at: datetime) -> None:
        """Makes the version decide, and records that it does.

        Raises NoSuchVersion, ActivationConflict when another activation came first, and StoreUnavailable.
        """
        header = self._published_header(version)
        before = self.pointer(consistent=True)
        if before is not None:  # moments of activations never run backwards, whatever the clocks do
            at = max(at, before.since + timedelta(microseconds=1))
        pointer: dict[str, Any] = {
            **self._key(ACTIVE),
            "version": {"N": str(version)},
            "digest": header["digest"],
            "since": {"S": _moment(at)},
            "by": {"S": by},
            "why": {"S": why},
            "previous": {"NULL": True} if before is None else {"N": str(before.version)},
        }
        move: PutTypeDef = {"TableName": self._table, "Item": pointer, "ConditionExpression": NEW}
        if before is not None:
            move |= {
                "ConditionExpression": "#version = :version AND #since = :since",
                "ExpressionAttributeNames": {"#version": "version", "#since": "since"},
                "ExpressionAttributeValues": {
                    ":version": {"N": str(before.version)},
                    ":since": {"S": _moment(before.since)},
                },
            }
        history: PutTypeDef = {
            "TableName": self._table,
            "Item": {**pointer, "SK": {"S": f"ACTIVATED#{_moment(at)}"}},
            "ConditionExpression": NEW,
        }
        try:
            put_together(self._client, [move, history])
        except ConditionFailed:
            raise ActivationConflict(self._who_was_first()) from None

    def pointer(self, *, consistent: bool = False) -> ActivePointer | None:
        """Which version decides; None before the first activation.  Raises StoreUnavailable."""
        item = self._get(ACTIVE, consistent=consistent)
        if item is None:
            return None
        previous = item["previous"].get("N")
        return ActivePointer(
            version=int(item["version"]["N"]),
            digest=item["digest"]["S"],
            since=datetime.fromisoformat(item["since"]["S"]),
            by=item["by"]["S"],
            previous=None if previous is None else int(previous),
        )

    def version_active_at(self, moment: datetime) -> int:
        """The second clock.  Raises NoRuleSet when nothing was active yet, and StoreUnavailable."""
        with named_failures():
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="PK = :partition AND SK BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":partition": {"S": self._partition},
                    ":first": {"S": "ACTIVATED#"},
                    ":last": {"S": f"ACTIVATED#{_moment(moment)}"},
                },
                ScanIndexForward=False,
                Limit=1,
            )
        if not answer["Items"]:
            raise NoRuleSet
        return int(answer["Items"][0]["version"]["N"])

    def load(self, version: int) -> RuleSet:
        """The version, ready to decide.  Raises NoSuchVersion, DamagedRuleSet and StoreUnavailable."""
        header = self._published_header(version)
        items: list[dict[str, Any]] = []
        with named_failures():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="PK = :partition",
                ExpressionAttributeValues={":partition": {"S": self._partition_of(version)}},
                ConsistentRead=True,
            )
            for page in pages:
                items += page["Items"]
        return self._verified(version, header["digest"]["S"], items)

    def _verified(self, version: int, digest: str, items: list[dict[str, Any]]) -> RuleSet:
        try:
            parts = parts_of_items(items)
        except UNREADABLE as broken:
            raise DamagedRuleSet(f"version {version} has a part that cannot be read: {type(broken).__name__}") from None
        if digest_of_parts(self.name, parts) != digest:
            raise DamagedRuleSet(f"version {version} is not what was published: its digest differs")
        document = RuleSetDocument.from_parts(self.name, parts)
        try:
            return RuleSet.from_document(document, version=version, digest=digest)
        except (ValueError, LookupError, TypeError, AttributeError) as unusable:  # written for another release
            raise DamagedRuleSet(f"version {version} cannot be compiled: {type(unusable).__name__}") from None

    def _finish(self, version: int, published: dict[str, Any]) -> None:
        """Raises ConditionFailed when the version is not being published: perhaps an earlier attempt did this."""
        with named_failures():
            self._client.update_item(
                TableName=self._table,
                Key=self._key(_header(version)),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in published),
                ConditionExpression="#state = :reserved",
                ExpressionAttributeNames={f"#{name}": name for name in published},
                ExpressionAttributeValues={
                    ":reserved": {"S": PUBLISHING},
                    **{f":{name}": value for name, value in published.items()},
                },
            )

    def _is_published(self, version: int, digest: str) -> bool:
        header = self._get(_header(version), consistent=True)
        return header is not None and header.get("digest", {}).get("S") == digest

    def _published_header(self, version: int) -> dict[str, Any]:
        header = self._get(_header(version), consistent=True)
        if header is None or header["state"]["S"] != PUBLISHED:
            raise NoSuchVersion(f"there is no published version {version}")
        return header

    def _reserve(self, by: str, at: datetime) -> int:
        """The next free number; whoever comes second to a number takes the one after it."""
        version = self._latest() + 1
        while True:
            item: dict[str, Any] = {
                **self._key(_header(version)),
                "state": {"S": PUBLISHING},
                "version": {"N": str(version)},
                "by": {"S": by},
                "at": {"S": _moment(at)},
            }
            try:
                with named_failures():
                    self._client.put_item(TableName=self._table, Item=item, ConditionExpression=NEW)
            except ConditionFailed:
                version += 1
            else:
                return version

    def _latest(self) -> int:
        with named_failures():
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="PK = :partition AND begins_with(SK, :header)",
                ExpressionAttributeValues={":partition": {"S": self._partition}, ":header": {"S": "VERSION#"}},
                ScanIndexForward=False,
                ConsistentRead=True,
                Limit=1,
            )
        return int(answer["Items"][0]["version"]["N"]) if answer["Items"] else 0

    def _who_was_first(self) -> str:
        winner = self.pointer(consistent=True)
        if winner is None:
            return "another activation came first"
        return f"{winner.by} activated version {winner.version} at {_moment(winner.since)}"

    @property
    def _partition(self) -> str:
        return f"RULESET#{self.name}"

    def _partition_of(self, version: int) -> str:
        return f"{self._partition}#{version:06d}"

    def _key(self, name: str) -> dict[str, Any]:
        return {"PK": {"S": self._partition}, "SK": {"S": name}}

    def _get(self, name: str, *, consistent: bool) -> dict[str, Any] | None:
        with named_failures():
            answer = self._client.get_item(TableName=self._table, Key=self._key(name), ConsistentRead=consistent)
        return answer.get("Item")


def _header(version: int) -> str:
    return f"VERSION#{version:06d}"


def _moment(at: datetime) -> str:
    """UTC with microseconds always, so that moments sort as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
