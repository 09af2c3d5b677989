"""Partner profiles: who may call the API, and for which lines of business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.store.dynamodb import translated_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

PROFILE = "PROFILE"
MOST_CACHED = 1000


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner: `client_id` comes from the caller's verified claims, `status` is `active` or `suspended`."""

    client_id: str
    name: str
    status: str
    lines_of_business: frozenset[str]


class PartnerStore:
    """Partner profiles by client id; each is read at most once in `refresh_seconds`."""

    def __init__(
        self, client: DynamoDBClient, table: str, *, refresh_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._table = table
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._read: dict[str, tuple[float, Partner]] = {}

    def get(self, client_id: str) -> Partner | None:
        """Return the partner, or None if it is not registered.  Raises StoreUnavailable."""
        read_at, partner = self._read.get(client_id, (float("-inf"), None))
        if partner is not None and 0 <= self._clock() - read_at < self._refresh_seconds:
            return partner
        with translated_errors():
            answer = self._client.get_item(TableName=self._table, Key=_key(client_id))
        item = answer.get("Item")
        if item is None:
            self._read.pop(client_id, None)
            return None
        lines = frozenset(line for line in item["lines_of_business"].get("SS", ()))
        partner = Partner(client_id, item["name"]["S"], item["status"]["S"], lines)
        if len(self._read) >= MOST_CACHED:
            self._read.clear()
        self._read[client_id] = (self._clock(), partner)
        return partner

    def client_ids(self) -> tuple[str, ...]:
        """Return the sorted ids of all registered partners.  Raises StoreUnavailable.

        This scans the table, so no request may wait for it.
        """
        found: list[str] = []
        with translated_errors():
            pages = self._client.get_paginator("scan").paginate(
                TableName=self._table,
                FilterExpression="SK = :profile AND begins_with(PK, :partner)",
                ExpressionAttributeValues={":profile": {"S": PROFILE}, ":partner": {"S": "PARTNER#"}},
                ProjectionExpression="PK",
            )
            for page in pages:
                found += [str(item["PK"]["S"]).removeprefix("PARTNER#") for item in page["Items"]]
        return tuple(sorted(found))

    def put(self, partner: Partner) -> None:
        """Add the partner, or replace its profile.  Raises StoreUnavailable."""
        item = {
            **_key(partner.client_id),
            "name": {"S": partner.name},
            "status": {"S": partner.status},
            "lines_of_business": {"SS": sorted(partner.lines_of_business)},
        }
        if not partner.lines_of_business:
            item["lines_of_business"] = {"NULL": True}
        with translated_errors():
            self._client.put_item(TableName=self._table, Item=item)  # type: ignore[arg-type]
        self._read.pop(partner.client_id, None)


def _key(client_id: str) -> dict[str, dict[str, str]]:
    return {"PK": {"S": f"PARTNER#{client_id}"}, "SK": {"S": PROFILE}}
