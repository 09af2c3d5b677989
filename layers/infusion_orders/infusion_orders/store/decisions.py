"""Recorded decisions.  A decision is its own idempotency record: one conditional write, no second mechanism.

An item holds the decision as it was given out, the coded facts that it rests on, and what to find it by; never an
order, a name or a member's id.  The idempotency key is the partner's text, so only its hash becomes a key here.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infusion_orders.store.client import (
    CONDITION_FAILED,
    StoreUnavailable,
    condition_failed,
    error_code,
    named_failures,
)

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from infusion_orders.decisions import Decided

NEW = "attribute_not_exists(PK)"
LARGEST_READABLE = 60_000
"""Characters of a text that is kept readable; an item holds 400 KB in all, and larger texts are compressed."""


class IdempotencyConflict(Exception):
    """The key was used before, for another order."""


class DecisionNotFound(Exception):
    """The partner has no such decision."""


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
        order_digest: str,
        key: str | None,
        at: datetime,
        body: str,
    ) -> Recorded:
        """Records the decision, or finds the one that the same key and order already have.

        Raises IdempotencyConflict, and StoreUnavailable when it is not certain that the decision is recorded: then it
        must not be given out.  A repeated write whose first attempt arrived is recognised and not an error.
        """
        item = self._item(partner, decided, decision_id, order_digest, at, body)
        for pause in (0.05, 0.1, 0.2, None):
            try:
                self._put(item, None if key is None else _key(partner, key_name(key)), decision_id)
            except ClientError as error:
                if condition_failed(error):
                    return self._found(partner, decision_id, order_digest, key)
                if pause is None:
                    raise StoreUnavailable(error_code(error)) from None
                time.sleep(pause)  # others write under the same key: soon one of them has
            else:
                break
        return Recorded(body, replayed=False)

    def read(self, partner: str, decision_id: str) -> str:
        """The decision as it was given out.  Raises DecisionNotFound, for another partner's too."""
        item = self._get(_key(partner, f"DECISION#{decision_id}"))
        if item is None:
            raise DecisionNotFound
        return _body(item)

    def _put(self, item: dict[str, Any], key: dict[str, Any] | None, decision_id: str) -> None:
        """Raises ClientError for a condition that failed, and for a transaction that was cancelled."""
        with named_failures():
            if key is None:
                self._client.put_item(TableName=self._table, Item=item, ConditionExpression=NEW)
                return
            named = {name: item[name] for name in ("order_digest", "expires_at", "decision_id")}
            self._client.transact_write_items(
                ClientRequestToken=decision_id,
                TransactItems=[
                    {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": NEW}},
                    {"Put": {"TableName": self._table, "Item": {**key, **named}, "ConditionExpression": NEW}},
                ],
            )

    def _found(self, partner: str, decision_id: str, order_digest: str, key: str | None) -> Recorded:
        """What stands where the write was refused: the key's decision, or this very one from an earlier attempt."""
        first_id = decision_id
        if key is not None:
            record = self._get(_key(partner, key_name(key)))
            if record is None:
                raise StoreUnavailable(CONDITION_FAILED)
            if record["order_digest"]["S"] != order_digest:
                raise IdempotencyConflict
            first_id = record["decision_id"]["S"]
        item = self._get(_key(partner, f"DECISION#{first_id}"))
        if item is None or item["order_digest"]["S"] != order_digest:
            raise StoreUnavailable(CONDITION_FAILED)
        return Recorded(_body(item), replayed=first_id != decision_id)

    def _get(self, key: dict[str, Any]) -> dict[str, Any] | None:
        with named_failures():
            return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _item(
        self, partner: str, decided: Decided, decision_id: str, order_digest: str, at: datetime, body: str
    ) -> dict[str, Any]:
        decision = decided.decision
        return {
            **_key(partner, f"DECISION#{decision_id}"),
            "decision": _kept(body),
            "decision_id": {"S": decision_id},
            "order_digest": {"S": order_digest},
            "facts": _kept(decided.facts.decode()),
            "outcome": {"S": decision.outcome.value},
            "as_of": {"S": decision.as_of.isoformat()},
            "ruleset_version": {"N": str(decision.ruleset.version)},
            "ruleset_digest": {"S": decision.ruleset.digest},
            "recorded_at": {"S": at.isoformat()},
            "expires_at": {"N": str(int((at + self._kept_for).timestamp()))},
        }


def key_name(key: str) -> str:
    """The sort key of an idempotency key: its hash, because a partner may have put anything into it."""
    return f"KEY#{hashlib.sha256(key.encode()).hexdigest()}"


def _key(partner: str, name: str) -> dict[str, Any]:
    return {"PK": {"S": f"PARTNER#{partner}"}, "SK": {"S": name}}


def _kept(text: str) -> dict[str, Any]:
    """Readable as it stands while it is small, compressed when it is not."""
    return {"S": text} if len(text) <= LARGEST_READABLE else {"B": gzip.compress(text.encode(), mtime=0)}


def _body(item: dict[str, Any]) -> str:
    kept = item["decision"]
    return str(kept["S"]) if "S" in kept else gzip.decompress(kept["B"]).decode()
