"""Reading recorded decisions for a replay: from the table, by partner and time, or from an export to S3.

They come in pages.  Each page comes with the position after it, from which a later run can continue.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.decisions.replay import RecordedDecision
from infusion_orders.store.decisions import DECISION_PREFIX, PARTNER_PREFIX, text_from
from infusion_orders.store.dynamodb import translated_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

PAGE_SIZE = 500
FIRST_SUFFIX, LAST_SUFFIX = "0" * 16, "Z" * 16
"""The smallest and the largest random part of a ULID."""
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class UnreadableExport(Exception):
    """A file that is not an export of decisions; the text says how many were read, and nothing of the content."""


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """Decisions in the order of their ids; `last` is the id after which the next page starts, None at the end."""

    decisions: tuple[RecordedDecision, ...]
    last: str | None


def read_page(
    client: DynamoDBClient,
    table: str,
    partner: str,
    *,
    since: datetime,
    until: datetime,
    after: str | None = None,
    limit: int | None = None,
) -> DecisionPage:
    """Read a partner's decisions from `since` to `until`, both included.  Raises StoreUnavailable."""
    key = {"PK": {"S": f"{PARTNER_PREFIX}{partner}"}}
    more: dict[str, Any] = {}
    if after is not None:
        more["ExclusiveStartKey"] = {**key, "SK": {"S": f"{DECISION_PREFIX}{after}"}}
    if limit is not None:
        more["Limit"] = limit
    with translated_errors():
        answer = client.query(
            TableName=table,
            KeyConditionExpression="PK = :partner AND SK BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":partner": key["PK"],
                ":first": {"S": f"{DECISION_PREFIX}{_id_prefix(since)}{FIRST_SUFFIX}"},
                ":last": {"S": f"{DECISION_PREFIX}{_id_prefix(until)}{LAST_SUFFIX}"},
            },
            ProjectionExpression="PK, decision_id, facts, decision",
            **more,
        )
    last = answer.get("LastEvaluatedKey", {}).get("SK", {}).get("S")
    decisions = tuple(map(recorded_decision, answer["Items"]))
    return DecisionPage(decisions, None if last is None else str(last).removeprefix(DECISION_PREFIX))


def recorded_decision(item: Mapping[str, Any]) -> RecordedDecision:
    """Return the decision that an item holds.  Raises KeyError, ValueError or OSError for any other item."""
    return RecordedDecision(
        decision_id=item["decision_id"]["S"],
        partner=item["PK"]["S"].removeprefix(PARTNER_PREFIX),
        facts=text_from(item["facts"]),
        decision=text_from(item["decision"]),
    )


def decisions_in_export(lines: Iterable[bytes]) -> Iterator[RecordedDecision]:
    """Yield the decisions among the items of a DynamoDB export, which has one `{"Item": {...}}` per line.

    Raises UnreadableExport, also when the lines are those of a damaged compressed file.
    """
    count = 0
    try:
        for line in lines:
            item = json.loads(line)["Item"] if line.strip() else None
            if item is not None and item["SK"]["S"].startswith(DECISION_PREFIX):
                yield recorded_decision(item)
                count += 1
    except (ValueError, KeyError, OSError, EOFError, TypeError) as problem:
        raise UnreadableExport(f"after {count} decisions: {type(problem).__name__}") from None


def _id_prefix(at: datetime) -> str:
    """Return the first ten characters of a ULID: its milliseconds in Crockford's base 32."""
    milliseconds = int(at.timestamp() * 1000)
    return "".join(_CROCKFORD[milliseconds >> 5 * place & 31] for place in range(9, -1, -1))


def recorded_at(decision_id: str) -> float:
    """Return the time in a decision's id, in seconds since 1970.  Raises ValueError."""
    milliseconds = 0
    for character in decision_id[:10]:
        milliseconds = milliseconds * 32 + _CROCKFORD.index(character)
    return milliseconds / 1000


@dataclass(frozen=True, slots=True)
class Position:
    """How far a source was read: the part (a partner or a file), and the last id or the number of decisions in it.

    `share` estimates which part of the whole was read, from 0 to 1.
    """

    part: int
    at: str | int | None
    share: float


@dataclass(frozen=True, slots=True)
class TableSource:
    """The decisions of some partners from `since` to `until`, read from the table."""

    client: DynamoDBClient
    table: str
    partners: tuple[str, ...]
    since: datetime
    until: datetime

    @property
    def name(self) -> dict[str, Any]:
        """Return the values that distinguish this source from another one."""
        days = [self.since.isoformat(), self.until.isoformat()]
        return {"table": self.table, "partners": list(self.partners), "days": days}

    def pages(self, position: Position | None) -> Iterator[tuple[tuple[RecordedDecision, ...], Position]]:
        """Yield the pages after the position, or all of them.  Raises StoreUnavailable."""
        first = 0 if position is None else position.part
        after = None if position is None or position.at is None else str(position.at)
        for part in range(first, len(self.partners)):
            while True:
                page = read_page(
                    self.client,
                    self.table,
                    self.partners[part],
                    since=self.since,
                    until=self.until,
                    after=after,
                    limit=PAGE_SIZE,
                )
                after = page.last
                yield page.decisions, self._position(part, after)
                if after is None:
                    break

    def _position(self, part: int, last: str | None) -> Position:
        if last is None:
            return Position(part + 1, None, (part + 1) / len(self.partners))
        length = (self.until - self.since).total_seconds() or 1.0
        within = (recorded_at(last) - self.since.timestamp()) / length
        return Position(part, last, (part + within) / len(self.partners))
