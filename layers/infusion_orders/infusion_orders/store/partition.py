"""Where one rule set lies in the rules table: its keys, and reading by them."""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infusion_orders.store.client import named_failures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

NEW = "attribute_not_exists(PK)"
UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, OSError, EOFError, zlib.error)
"""What reading an item raises that is not as it was written."""


class DamagedRuleSet(Exception):
    """What is stored is not what was published; the text says what is wrong."""


@contextmanager
def as_written(what: str) -> Iterator[None]:
    """Raises DamagedRuleSet for what cannot be read inside of the block."""
    try:
        yield
    except UNREADABLE as broken:
        raise DamagedRuleSet(f"{what} cannot be read: {type(broken).__name__}") from None


@dataclass(frozen=True, slots=True)
class Partition:
    """Headers, the pointer and the history lie under the rule set's own key, each version's parts under one apiece."""

    client: DynamoDBClient
    table: str
    name: str

    @property
    def own(self) -> str:
        """The partition key of everything but parts."""
        return f"RULESET#{self.name}"

    def of_version(self, version: int) -> str:
        """The partition key of a version's parts."""
        return f"{self.own}#{version:06d}"

    def key(self, name: str) -> dict[str, Any]:
        """The primary key of a header, the pointer, or a record of the history."""
        return {"PK": {"S": self.own}, "SK": {"S": name}}

    def get(self, name: str, *, consistent: bool = True) -> dict[str, Any] | None:
        """Raises StoreUnavailable."""
        with named_failures():
            answer = self.client.get_item(TableName=self.table, Key=self.key(name), ConsistentRead=consistent)
        return answer.get("Item")

    def newest(self, prefix: str, *, most: int, up_to: str | None = None) -> list[dict[str, Any]]:
        """Items under the prefix, the last in the order of their keys first.  Raises StoreUnavailable."""
        last = f"{prefix}{up_to}" if up_to is not None else f"{prefix}\uffff"
        found: list[dict[str, Any]] = []
        with named_failures():
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                KeyConditionExpression="PK = :partition AND SK BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":partition": {"S": self.own},
                    ":first": {"S": prefix},
                    ":last": {"S": last},
                },
                ScanIndexForward=False,
                ConsistentRead=True,
                PaginationConfig={"MaxItems": most},
            )
            for page in pages:
                found += page["Items"]
        return found


def moment(at: datetime) -> str:
    """UTC with microseconds always, so that moments sort as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
