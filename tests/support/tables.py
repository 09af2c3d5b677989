"""DynamoDB tables for tests: empty ones in memory as template.yaml declares them, and their client."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from moto import mock_aws
from ulid import ULID

from infusion_orders.decisions import decide
from infusion_orders.store.client import dynamodb_client
from infusion_orders.store.decisions import DecisionStore
from infusion_orders_cli.embedded_table import CREDENTIALS, DECISIONS_TABLE, REGION, environment
from infusion_orders_cli.template_tables import table_definitions
from tests.support.orders import an_order
from tests.support.rules import FOLDER, TODAY, default_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from infusion_orders_cli.embedded_table import LocalTables

PROJECT = FOLDER.parents[1]
TEMPLATE = PROJECT / "template.yaml"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@contextmanager
def empty_tables() -> Iterator[DynamoDBClient]:
    """Create the template's tables in memory; requests do not leave the process. Yield a client of them."""
    with environment(CREDENTIALS), mock_aws():
        client = a_client()
        for definition in _definitions():
            client.create_table(**definition)
        yield client


def a_client(endpoint_url: str | None = None) -> DynamoDBClient:
    """Return a client with the settings of the store."""
    return dynamodb_client(region=REGION, endpoint_url=endpoint_url)


def items_in(client: Any, table: str) -> list[dict[str, Any]]:
    """Return all items of the table, as they are stored."""
    return [item for page in client.get_paginator("scan").paginate(TableName=table) for item in page["Items"]]


def record_example(tables: LocalTables, partner: str, at: datetime, *, able: bool) -> str:
    """Decide the example order under the default rules and record it as the function would have done at that time."""
    decision_id = str(ULID.from_datetime(at))
    decided = decide(an_order({"/caregiver/able": able}), default_rules(), as_of=TODAY, decision_id=decision_id)
    body = decided.decision.model_dump_json(by_alias=True, exclude_none=True)
    DecisionStore(tables.client, DECISIONS_TABLE, retention_days=30).record(
        partner, decided, decision_id=decision_id, key=None, at=at, body=body
    )
    return decision_id


@cache
def _definitions() -> tuple[dict[str, Any], ...]:
    return tuple(table_definitions(TEMPLATE))
