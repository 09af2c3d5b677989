"""The tables of template.yaml for tests, in moto or in DynamoDB Local, and helpers that fill them and change items."""

from __future__ import annotations

import gzip
import json
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws
from ulid import ULID

from infusion_orders.decisions import decide
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.store.decisions import DecisionStore
from infusion_orders.store.dynamodb import dynamodb_client
from infusion_orders.store.versions import RuleSetStore
from infusion_orders_cli.local.tables import (
    CREDENTIALS,
    DECISIONS_TABLE,
    REGION,
    RULES_TABLE,
    environment,
    table_definitions,
)
from scripts.dynamodb_engine import EngineMissing, dynamodb_local
from tests.support.orders import an_order
from tests.support.project import TEMPLATE
from tests.support.rules import TODAY, default_document, default_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders_cli.local.tables import LocalTables

MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
DEFAULT = default_document()
SMALL = RuleSetDocument(DEFAULT.name, DEFAULT.rules[:3], DEFAULT.tables)


@contextmanager
def mocked_tables() -> Iterator[None]:
    """Create the tables of the template, empty, in moto."""
    with environment(CREDENTIALS), mock_aws():
        create_tables(a_client())
        yield


@contextmanager
def dynamodb_local_or_skip() -> Iterator[str]:
    """Start an empty DynamoDB Local and yield its address; skip the tests, and say why, where it cannot run."""
    with ExitStack() as engine:
        try:
            address = engine.enter_context(dynamodb_local())
        except EngineMissing as missing:
            pytest.skip(str(missing))
        yield address


def create_tables(client: Any) -> None:
    for definition in table_definitions(TEMPLATE):
        client.create_table(**definition)


def a_client() -> Any:
    return dynamodb_client(region=REGION, endpoint_url=None)


def a_store(client: Any = None) -> RuleSetStore:
    return RuleSetStore(client or a_client(), RULES_TABLE, DEFAULT.name)


def publish(store: RuleSetStore, document: RuleSetDocument = SMALL) -> int:
    return store.publish(document, by="ann", note="a note", at=MOMENT)


def items() -> list[dict[str, Any]]:
    pages = a_client().get_paginator("scan").paginate(TableName=RULES_TABLE)
    return [item for page in pages for item in page["Items"]]


def items_of(version: int) -> list[dict[str, Any]]:
    return [item for item in items() if item["PK"]["S"].endswith(f"#{version:06d}")]


def put(item: dict[str, Any]) -> None:
    a_client().put_item(TableName=RULES_TABLE, Item=item)


def remove(item: dict[str, Any]) -> None:
    a_client().delete_item(TableName=RULES_TABLE, Key={name: item[name] for name in ("PK", "SK")})


def with_changed_rule(item: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Return the rule's item with other values in the rule."""
    rule = json.loads(item["rule"]["S"]) | values
    return item | {"rule": {"S": json.dumps(rule)}}


def packed_copy(version: int) -> dict[str, Any]:
    """Return the second copy of the rules that versions had before a rule was stored once."""
    rules = [item for item in items_of(version) if "rule" in item]
    lines = [item["SK"]["S"].removeprefix("RULE#") + " " + item["rule"]["S"] for item in rules]
    return {
        "PK": rules[0]["PK"],
        "SK": {"S": "RULES#000"},
        "packed": {"B": gzip.compress("\n".join(lines).encode(), mtime=0)},
        "chunks": {"N": "1"},
    }


def record_example(tables: LocalTables, partner: str, at: datetime, *, able: bool) -> str:
    """Decide the example order under the default rules and record it as the function would have done at that time."""
    decision_id = str(ULID.from_datetime(at))
    decided = decide(an_order({"/caregiver/able": able}), default_rules(), as_of=TODAY, decision_id=decision_id)
    body = decided.decision.model_dump_json(by_alias=True, exclude_none=True)
    DecisionStore(tables.client, DECISIONS_TABLE, retention_days=30).record(
        partner, decided, decision_id=decision_id, key=None, at=at, body=body
    )
    return decision_id
