"""The versions of a rule set: immutable, and stored either completely or not at all.

Publishing reserves a number with a header in the state `publishing`, which no reader loads.  It writes the parts, and
then sets the header to `published` with the digest of the parts.  An interrupted publication leaves no version.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.release_0_1 import catalogue_of
from infusion_orders.rules.document import RuleSetDocument, digest_of_parts
from infusion_orders.rules.language_fingerprint import LANGUAGE_FINGERPRINT
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders.store.activations import Activations, Change, ChangeKind, audit_write
from infusion_orders.store.dynamodb import (
    ConditionFailed,
    StoreUnavailable,
    translated_errors,
    write_in_batches,
    write_transaction,
)
from infusion_orders.store.rule_set_table import (
    IF_NEW,
    DamagedRuleSet,
    RuleSetTable,
    damaged_if_unreadable,
    timestamp,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from infusion_orders.store.activations import ActivePointer

HEADER_PREFIX = "VERSION#"
PUBLISHED = "published"
PUBLISHING = "publishing"
MOST_VERSIONS = 1000


class NoSuchVersion(Exception):
    """The version does not exist, or its publication never finished."""


@dataclass(frozen=True, slots=True)
class VersionHeader:
    """The description of a published version; `errors` counts what its checks found.

    `language` is the rule language of the release that checked it; release 0.1 did not record it.
    """

    version: int
    digest: str
    by: str
    at: datetime
    note: str
    rules: int
    tables: int
    errors: int
    language: str | None


class RuleSetStore:
    """The versions of the rule set with this name; `activations` records which of them is active."""

    def __init__(self, client: DynamoDBClient, table: str, name: str) -> None:
        self.name = name
        self._table = RuleSetTable(client, table, name)
        self.activations = Activations(self._table, self.header)

    def publish(self, document: RuleSetDocument, *, by: str, note: str, at: datetime, errors: int = 0) -> int:
        """Publish the checked document as the next version, which is not active yet, and return its number.

        `errors` is the number of errors that the checks found.
        Raises StoreUnavailable; the version is then absent, unless only the answer to the last write was lost.
        """
        version = self._reserve(by, at)
        table = self._table
        parts = document.parts()
        write_in_batches(table.client, table.table, table.items(version, parts))
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
        change = Change(ChangeKind.PUBLISHED, version, by, at, note)
        try:
            write_transaction(table.client, [self._header_update(version, published), audit_write(table, change)])
        except (
            ConditionFailed,
            StoreUnavailable,
        ) as error:  # perhaps only the answer was lost
            if not self._is_published(version, published["digest"]["S"]):
                raise StoreUnavailable(str(error)) from None
        return version

    def header(self, version: int) -> VersionHeader:
        """Read the header of a published version.  Raises NoSuchVersion, DamagedRuleSet and StoreUnavailable."""
        item = self._table.get(_header_key(version))
        with damaged_if_unreadable(f"the header of version {version}"):
            if item is None or item["state"]["S"] != PUBLISHED:
                raise NoSuchVersion(f"there is no published version {version}")
            return _header_from(item)

    def headers(self, *, limit: int = MOST_VERSIONS) -> tuple[VersionHeader, ...]:
        """Read the headers of the published versions, the latest first.  Raises DamagedRuleSet and StoreUnavailable."""
        items = self._table.latest(HEADER_PREFIX, limit=limit)
        with damaged_if_unreadable("the header of a version"):
            return tuple(_header_from(item) for item in items if item["state"]["S"] == PUBLISHED)

    def document(self, version: int) -> RuleSetDocument:
        """Read a version and verify its digest.  Raises NoSuchVersion, DamagedRuleSet and StoreUnavailable."""
        return self._verified(version, self.header(version).digest)

    def load(self, version: int, pointer: ActivePointer | None = None) -> RuleSet:
        """Read a version and make it ready to decide; a pointer to it saves reading its header.

        Raises NoSuchVersion, DamagedRuleSet and StoreUnavailable.
        """
        header = self.header(version) if pointer is None else pointer
        with _garbage_collection_paused():
            document = self._verified(version, header.digest)
            with damaged_if_unreadable(f"version {version}, perhaps published for another release,"):
                return RuleSet.from_document(
                    document,
                    version=version,
                    digest=header.digest,
                    catalogue=catalogue_of(header.language),
                    compiled=header.language != LANGUAGE_FINGERPRINT,
                )

    def _verified(self, version: int, digest: str) -> RuleSetDocument:
        parts = self._table.parts(version)
        if digest_of_parts(self.name, parts) != digest:
            raise DamagedRuleSet(f"version {version} is not what was published: its digest differs")
        return RuleSetDocument.from_parts(self.name, parts)

    def _header_update(self, version: int, published: Mapping[str, Any]) -> TransactWriteItemTypeDef:
        """Return the last write of a publication; it fails if an earlier attempt already succeeded."""
        return {
            "Update": {
                "TableName": self._table.table,
                "Key": self._table.key(_header_key(version)),
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
        header = self._table.get(_header_key(version))
        return header is not None and header.get("digest", {}).get("S") == digest

    def _reserve(self, by: str, at: datetime) -> int:
        """Reserve the next free number; if somebody else took it at the same time, reserve the one after it."""
        latest = self._table.latest(HEADER_PREFIX, limit=1)
        version = int(latest[0]["version"]["N"]) + 1 if latest else 1
        while True:
            item: dict[str, Any] = {
                **self._table.key(_header_key(version)),
                "state": {"S": PUBLISHING},
                "version": {"N": str(version)},
                "by": {"S": by},
                "at": {"S": timestamp(at)},
            }
            try:
                with translated_errors():
                    self._table.client.put_item(TableName=self._table.table, Item=item, ConditionExpression=IF_NEW)
            except ConditionFailed:
                version += 1
            else:
                return version


def _header_key(version: int) -> str:
    return f"{HEADER_PREFIX}{version:06d}"


def _header_from(item: Mapping[str, Any]) -> VersionHeader:
    """Release 0.1 recorded no `language`, and no `errors` because it published only rules without errors."""
    return VersionHeader(
        version=int(item["version"]["N"]),
        digest=item["digest"]["S"],
        by=item["by"]["S"],
        at=datetime.fromisoformat(item["at"]["S"]),
        note=item["note"]["S"],
        rules=int(item["rules"]["N"]),
        tables=int(item["tables"]["N"]),
        errors=int(item["errors"]["N"]) if "errors" in item else 0,
        language=item["language"]["S"] if "language" in item else None,
    )


@contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """A load creates many objects that stay; the collector would search them again and again while they grow."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
