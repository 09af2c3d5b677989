"""Recorded decisions.  The stored decision is also the idempotency record, written by one conditional transaction.

An item holds the decision as the partner received it, the coded facts that it rests on, and the attributes to find it
by.  It never holds an order, a name or a member id.  An idempotency key is stored as its hash only.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from infusion_orders.store.dynamodb import ConditionFailed, StoreUnavailable, translated_errors, write_transaction
from infusion_orders.store.rule_set_table import IF_NEW

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutTypeDef, TransactWriteItemTypeDef

    from infusion_orders.decisions import Decided

PARTNER_PREFIX = "PARTNER#"
DECISION_PREFIX = "DECISION#"
KEY_PREFIX = "KEY#"
IF_NEW_OR_EXPIRED = f"{IF_NEW} OR expires_at < :now"
"""DynamoDB removes expired items days later, and perhaps a decision before the record of its key."""
TOKEN_USED = "IdempotentParameterMismatchException"  # noqa: S105 - the name of an error
NOT_FOUND = "RecordedDecisionNotFound"
LARGEST_PLAIN_TEXT = 60_000
"""Bytes.  Longer texts are compressed: an item may have 400 KB in all."""
MOST_BYTES_PER_CHARACTER = 4


class IdempotencyConflict(Exception):
    """The key was used before with another order."""


class DecisionNotFound(Exception):
    """The partner has no such decision."""


class IdempotencyKey(NamedTuple):
    """The text that a partner sent to make repeated requests safe, and the digest of the order sent with it."""

    text: str
    order_digest: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """The JSON of a decision; `replayed` means that an earlier request with the same key recorded it."""

    body: str
    replayed: bool


class DecisionStore:
    """Decisions by partner and id; each expires `retention_days` after it was made."""

    def __init__(self, client: DynamoDBClient, table: str, *, retention_days: int) -> None:
        self._client = client
        self._table = table
        self._retention = timedelta(days=retention_days)

    def record(
        self,
        partner: str,
        decided: Decided,
        *,
        decision_id: str,
        key: IdempotencyKey | None,
        at: datetime,
        body: str,
    ) -> Recorded:
        """Record the decision, or return the one that an earlier request with the same key and order recorded.

        Raises IdempotencyConflict, and StoreUnavailable when it is not certain that the decision is recorded: then the
        partner must not receive it.  A repeated write succeeds if its first attempt did.
        """
        item = self._item(partner, decided, decision_id, at, body)
        if key is None:
            return self._put(item, body)
        item["order_digest"] = {"S": key.order_digest}
        try:
            self._put_with_key(item, _key(partner, hashed_key(key.text)), decision_id, at)
        except ConditionFailed:
            return self._recorded_before(partner, decision_id, key)
        return Recorded(body, replayed=False)

    def _put(self, item: dict[str, Any], body: str) -> Recorded:
        """If the id exists, an earlier attempt must have written this very decision; else StoreUnavailable."""
        try:
            with translated_errors():
                self._client.put_item(TableName=self._table, Item=item, ConditionExpression=IF_NEW)
        except ConditionFailed:
            stored = self._get({name: item[name] for name in ("PK", "SK")})
            if stored is None or text_from(stored["decision"]) != body:
                raise StoreUnavailable(NOT_FOUND) from None
        return Recorded(body, replayed=False)

    def read(self, partner: str, decision_id: str) -> str:
        """Return the decision as it was recorded.  Raises DecisionNotFound, also for another partner's decision."""
        item = self._get(_key(partner, f"{DECISION_PREFIX}{decision_id}"))
        if item is None:
            raise DecisionNotFound
        return text_from(item["decision"])

    def erase(self, partner: str, decision_id: str) -> bool:
        """Remove the decision, its facts and the record of its key together; False if there was neither.

        This reads all keys of the partner, so no request may wait for it.  After StoreUnavailable, run it again.
        """
        decision = _key(partner, f"{DECISION_PREFIX}{decision_id}")
        found = [] if self._get(decision) is None else [decision]
        with translated_errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="PK = :partner AND begins_with(SK, :key)",
                FilterExpression="decision_id = :decision",
                ExpressionAttributeValues={
                    ":partner": decision["PK"],
                    ":key": {"S": KEY_PREFIX},
                    ":decision": {"S": decision_id},
                },
                ProjectionExpression="PK, SK",
                ConsistentRead=True,
            )
            for page in pages:
                found += page["Items"]
        if found:
            deletions: list[TransactWriteItemTypeDef] = [
                {"Delete": {"TableName": self._table, "Key": key}} for key in found
            ]
            write_transaction(self._client, deletions)
        return bool(found)

    def _put_with_key(self, item: dict[str, Any], key: dict[str, Any], decision_id: str, at: datetime) -> None:
        named = {name: item[name] for name in ("order_digest", "expires_at", "decision_id")}
        decision: PutTypeDef = {"TableName": self._table, "Item": item, "ConditionExpression": IF_NEW}
        record: PutTypeDef = {
            "TableName": self._table,
            "Item": {**key, **named},
            "ConditionExpression": IF_NEW_OR_EXPIRED,
            "ExpressionAttributeValues": {":now": {"N": str(int(at.timestamp()))}},
        }
        try:
            write_transaction(self._client, [{"Put": decision}, {"Put": record}], token=decision_id)
        except StoreUnavailable as refused:
            if str(refused) != TOKEN_USED:
                raise
            raise ConditionFailed from None  # an earlier attempt wrote this decision with another time

    def _recorded_before(self, partner: str, decision_id: str, key: IdempotencyKey) -> Recorded:
        """Return the decision that the key already has; an earlier attempt may have recorded this very one."""
        record = self._get(_key(partner, hashed_key(key.text)))
        if record is None:
            raise StoreUnavailable(NOT_FOUND)
        if record["order_digest"]["S"] != key.order_digest:
            raise IdempotencyConflict
        first_id = record["decision_id"]["S"]
        item = self._get(_key(partner, f"{DECISION_PREFIX}{first_id}"))
        if item is None or item.get("order_digest", {}).get("S") != key.order_digest:
            raise StoreUnavailable(NOT_FOUND)
        return Recorded(text_from(item["decision"]), replayed=first_id != decision_id)

    def _get(self, key: dict[str, Any]) -> dict[str, Any] | None:
        with translated_errors():
            return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _item(self, partner: str, decided: Decided, decision_id: str, at: datetime, body: str) -> dict[str, Any]:
        decision = decided.decision
        return {
            **_key(partner, f"{DECISION_PREFIX}{decision_id}"),
            "decision": text_attribute(body),
            "decision_id": {"S": decision_id},
            "facts": text_attribute(decided.facts.decode()),
            "outcome": {"S": decision.outcome.value},
            "as_of": {"S": decision.as_of.isoformat()},
            "ruleset_version": {"N": str(decision.ruleset.version)},
            "ruleset_digest": {"S": decision.ruleset.digest},
            "recorded_at": {"S": at.isoformat()},
            "expires_at": {"N": str(int((at + self._retention).timestamp()))},
        }


def hashed_key(key: str) -> str:
    """Return the sort key for an idempotency key: its hash, because the key may hold personal data."""
    return f"{KEY_PREFIX}{hashlib.sha256(key.encode()).hexdigest()}"


def _key(partner: str, name: str) -> dict[str, Any]:
    return {"PK": {"S": f"{PARTNER_PREFIX}{partner}"}, "SK": {"S": name}}


def text_attribute(text: str) -> dict[str, Any]:
    """Return the attribute that stores the text: readable if it is short, else compressed."""
    if len(text) * MOST_BYTES_PER_CHARACTER <= LARGEST_PLAIN_TEXT:
        return {"S": text}
    encoded = text.encode()
    return {"S": text} if len(encoded) <= LARGEST_PLAIN_TEXT else {"B": gzip.compress(encoded, mtime=0)}


def text_from(attribute: Mapping[str, Any]) -> str:
    """Return the stored text; an export to S3 holds a compressed one in base64.

    Raises KeyError, ValueError or OSError.
    """
    if "S" in attribute:
        return str(attribute["S"])
    packed = attribute["B"]
    return gzip.decompress(base64.b64decode(packed, validate=True) if isinstance(packed, str) else packed).decode()
