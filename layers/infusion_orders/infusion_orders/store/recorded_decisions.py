"""Recorded decisions by partner and time, a page at a time, and from the lines of an export to S3.

With each page goes a mark: whoever kept it can go on behind that page.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.decisions.replay import RecordedDecision
from infusion_orders.store.client import named_failures
from infusion_orders.store.kept_texts import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

PARTNER = "PARTNER#"
DECISION = "DECISION#"
PAGE = 500
FIRST, LAST = "0" * 16, "Z" * 16
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Page:
    """Some decisions in the order of their ids; `last` is the id to go on after, None where there are no more."""

    decisions: tuple[RecordedDecision, ...]
    last: str | None


def page_of(
    client: DynamoDBClient,
    table: str,
    partner: str,
    *,
    since: datetime,
    until: datetime,
    after: str | None = None,
    most: int | None = None,
) -> Page:
    """A partner's decisions of the milliseconds from `since` to `until`, both included.  Raises StoreUnavailable."""
    key = {"PK": {"S": f"{PARTNER}{partner}"}}
    more: dict[str, Any] = {} if after is None else {"ExclusiveStartKey": {**key, "SK": {"S": f"{DECISION}{after}"}}}
    if most is not None:
        more["Limit"] = most
    with named_failures():
        answer = client.query(
            TableName=table,
            KeyConditionExpression="PK = :partner AND SK BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":partner": key["PK"],
                ":first": {"S": f"{DECISION}{_moment_of_id(since)}{FIRST}"},
                ":last": {"S": f"{DECISION}{_moment_of_id(until)}{LAST}"},
            },
            ProjectionExpression="PK, decision_id, facts, decision",
            **more,
        )
    last = answer.get("LastEvaluatedKey", {}).get("SK", {}).get("S")
    decisions = tuple(map(recorded_decision, answer["Items"]))
    return Page(decisions, None if last is None else str(last).removeprefix(DECISION))


def recorded_decision(item: Mapping[str, Any]) -> RecordedDecision:
    """From an item's typed attributes.  Raises KeyError, ValueError or OSError for any other item."""
    return RecordedDecision(
        decision_id=item["decision_id"]["S"],
        partner=item["PK"]["S"].removeprefix(PARTNER),
        facts=text_of(item["facts"]),
        decision=text_of(item["decision"]),
    )


def decisions_of_export(lines: Iterable[bytes]) -> Iterator[RecordedDecision]:
    """The decisions among the items of DynamoDB's export in its own JSON: one `{"Item": {...}}` a line.

    Raises ValueError, KeyError or OSError for a line that is none.
    """
    for line in lines:
        if line.strip():
            item = json.loads(line)["Item"]
            if item["SK"]["S"].startswith(DECISION):
                yield recorded_decision(item)


def _moment_of_id(at: datetime) -> str:
    """The first ten characters of a ULID: its milliseconds, in Crockford's base 32."""
    milliseconds = int(at.timestamp() * 1000)
    return "".join(_CROCKFORD[milliseconds >> 5 * place & 31] for place in range(9, -1, -1))


def moment_of(decision_id: str) -> float:
    """Seconds since 1970, from a decision's id.  Raises ValueError."""
    milliseconds = 0
    for character in decision_id[:10]:
        milliseconds = milliseconds * 32 + _CROCKFORD.index(character)
    return milliseconds / 1000


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a source was read: the part (a partner, a file), and the last id or the number of decisions in it.

    `share` is about how much of the whole lies behind the mark.
    """

    part: int
    at: str | int | None
    share: float


@dataclass(frozen=True, slots=True)
class TableSource:
    """The decisions of some partners from one moment to another."""

    client: DynamoDBClient
    table: str
    partners: tuple[str, ...]
    since: datetime
    until: datetime

    @property
    def name(self) -> dict[str, Any]:
        """What tells this source from another one."""
        days = [self.since.isoformat(), self.until.isoformat()]
        return {"table": self.table, "partners": list(self.partners), "days": days}

    def pages(self, mark: Mark | None) -> Iterator[tuple[tuple[RecordedDecision, ...], Mark]]:
        """From the mark on, or from the beginning.  Raises StoreUnavailable."""
        first, after = (0, None) if mark is None else (mark.part, None if mark.at is None else str(mark.at))
        for part in range(first, len(self.partners)):
            while True:
                page = page_of(
                    self.client,
                    self.table,
                    self.partners[part],
                    since=self.since,
                    until=self.until,
                    after=after,
                    most=PAGE,
                )
                after = page.last
                yield page.decisions, self._mark(part, after)
                if after is None:
                    break

    def _mark(self, part: int, last: str | None) -> Mark:
        if last is None:
            return Mark(part + 1, None, (part + 1) / len(self.partners))
        length = (self.until - self.since).total_seconds() or 1.0
        within = (moment_of(last) - self.since.timestamp()) / length
        return Mark(part, last, (part + within) / len(self.partners))
