"""A rules table in memory, a small rule set to publish there, and hands that change what is stored of it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto import mock_aws

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.store.client import dynamodb_client
from infusion_orders.store.rule_sets import RuleSetStore
from infusion_orders_cli.embedded_table import CREDENTIALS, REGION, RULES_TABLE, environment
from infusion_orders_cli.template_tables import table_definitions

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)
DEFAULT = load_directory(ROOT / "rules" / "home-infusion")
SMALL = RuleSetDocument(DEFAULT.name, DEFAULT.rules[:3], DEFAULT.tables)


@contextmanager
def mocked_tables() -> Iterator[None]:
    """The tables of the template, empty, as moto has them."""
    with environment(CREDENTIALS), mock_aws():
        for definition in table_definitions(ROOT / "template.yaml"):
            a_client().create_table(**definition)
        yield


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


def keep(item: dict[str, Any]) -> None:
    a_client().put_item(TableName=RULES_TABLE, Item=item)


def remove(item: dict[str, Any]) -> None:
    a_client().delete_item(TableName=RULES_TABLE, Key={name: item[name] for name in ("PK", "SK")})
