"""Recorded decisions.  A decision is its own idempotency record: one conditional write, no second mechanism.

An item holds the decision as it was given out, the coded facts that it rests on, and what to find it by; never an
order, a name or a member's id.  The idempotency key is the partner's text, so only its hash becomes a key here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from infusion_orders.store.client import ConditionFailed, StoreUnavailable, named_failures, write_together
from infusion_orders.store.kept_texts import kept, text_of

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutTypeDef, TransactWriteItemTypeDef

    from infusion_orders.decisions import Decided

NEW = "attribute_not_exists(PK)"
NEW_OR_EXPIRED = f"{NEW} OR expires_at < :now"
"""DynamoDB removes what expired days later, and a decision perhaps before the record of its key."""
TOKEN_USED = "IdempotentParameterMismatchException"  # noqa: S105 - the name of an error
KEY = "KEY#"
NOT_FOUND = "RecordedDecisionNotFound"


class IdempotencyConflict(Exception):
    """The key was used before, for another order."""


class DecisionNotFound(Exception):
    """The partner has no such decision."""


class IdempotencyKey(NamedTuple):
    """A partner's text that makes repeating a request safe, and the digest of the order that came with it."""

    text: str
    order_digest: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """The decision's JSON as it was given out, the first time (`replayed`) or now."""

    body: str
    replayed: bool


class DecisionStore:
    """Decisions by partner and id; they expire `retention_days` after they were made."""

    def __init__(self, client: DynamoDBClient, table: str, *, retention_days: int) -> None:
        self._client = client
        self._table = table
        self._kept_for = timedelta(days=retention_days)

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
        """Records the decision, or finds the one that the same key and order already have.

        Raises IdempotencyConflict, and StoreUnavailable when it is not certain that the decision is recorded: then it
        must not be given out.  A repeated write whose first attempt arrived is recognised and not an error.
        """
        item = self._item(partner, decided, decision_id, at, body)
        if key is None:
            return self._put(item, body)
        item["order_digest"] = {"S": key.order_digest}
        try:
            self._put_with_key(item, _key(partner, key_name(key.text)), decision_id, at)
        except ConditionFailed:
            return self._found(partner, decision_id, key)
        return Recorded(body, replayed=False)

    def _put(self, item: dict[str, Any], body: str) -> Recorded:
        """An id that is taken is this decision's, from an attempt whose answer was lost, or nobody gets it."""
        try:
            with named_failures():
                self._client.put_item(TableName=self._table, Item=item, ConditionExpression=NEW)
        except ConditionFailed:
            there = self._get({name: item[name] for name in ("PK", "SK")})
            if there is None or text_of(there["decision"]) != body:
                raise StoreUnavailable(NOT_FOUND) from None
        return Recorded(body, replayed=False)

    def read(self, partner: str, decision_id: str) -> str:
        """The decision as it was given out.  Raises DecisionNotFound, for another partner's too."""
        item = self._get(_key(partner, f"DECISION#{decision_id}"))
        if item is None:
            raise DecisionNotFound
        return text_of(item["decision"])

    def erase(self, partner: str, decision_id: str) -> bool:
        """Removes the decision, its facts and the record of its key together; False where there was neither.

        Reads all keys of the partner, so it is for a person's hand.  Raises StoreUnavailable: then run it again.
        """
        decision = _key(partner, f"DECISION#{decision_id}")
        found = [] if self._get(decision) is None else [decision]
        with named_failures():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="PK = :partner AND begins_with(SK, :key)",
                FilterExpression="decision_id = :decision",
                ExpressionAttributeValues={
                    ":partner": decision["PK"],
                    ":key": {"S": KEY},
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
            write_together(self._client, deletions)
        return bool(found)

    def _put_with_key(self, item: dict[str, Any], key: dict[str, Any], decision_id: str, at: datetime) -> None:
        named = {name: item[name] for name in ("order_digest", "expires_at", "decision_id")}
        decision: PutTypeDef = {"TableName": self._table, "Item": item, "ConditionExpression": NEW}
        record: PutTypeDef = {
            "TableName": self._table,
            "Item": {**key, **named},
            "ConditionExpression": NEW_OR_EXPIRED,
            "ExpressionAttributeValues": {":now": {"N": str(int(at.timestamp()))}},
        }
        try:
            write_together(self._client, [{"Put": decision}, {"Put": record}], token=decision_id)
        except StoreUnavailable as refused:
            if str(refused) != TOKEN_USED:
                raise
            raise ConditionFailed from None  # this decision was written before, at another moment

    def _found(self, partner: str, decision_id: str, key: IdempotencyKey) -> Recorded:
        """What stands where the write was refused: the key's decision, or this very one from an earlier attempt."""
        record = self._get(_key(partner, key_name(key.text)))
        if record is None:
            raise StoreUnavailable(NOT_FOUND)
        if record["order_digest"]["S"] != key.order_digest:
            raise IdempotencyConflict
        first_id = record["decision_id"]["S"]
        item = self._get(_key(partner, f"DECISION#{first_id}"))
        if item is None or item.get("order_digest", {}).get("S") != key.order_digest:
            raise StoreUnavailable(NOT_FOUND)
        return Recorded(text_of(item["decision"]), replayed=first_id != decision_id)

    def _get(self, key: dict[str, Any]) -> dict[str, Any] | None:
        with named_failures():
            return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _item(self, partner: str, decided: Decided, decision_id: str, at: datetime, body: str) -> dict[str, Any]:
        decision = decided.decision
        return {
            **_key(partner, f"DECISION#{decision_id}"),
            "decision": kept(body),
            "decision_id": {"S": decision_id},
            "facts": kept(decided.facts.decode()),
            "outcome": {"S": decision.outcome.value},
            "as_of": {"S": decision.as_of.isoformat()},
            "ruleset_version": {"N": str(decision.ruleset.version)},
            "ruleset_digest": {"S": decision.ruleset.digest},
            "recorded_at": {"S": at.isoformat()},
            "expires_at": {"N": str(int((at + self._kept_for).timestamp()))},
        }


def key_name(key: str) -> str:
    """The sort key of an idempotency key: its hash, because a partner may have put anything into it."""
    return f"{KEY}{hashlib.sha256(key.encode()).hexdigest()}"


def _key(partner: str, name: str) -> dict[str, Any]:
    return {"PK": {"S": f"PARTNER#{partner}"}, "SK": {"S": name}}
