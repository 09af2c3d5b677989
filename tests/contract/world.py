"""A world for contract tests: tables with the default rule set active, partners, and the function loaded on them."""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from moto import mock_aws

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.orders.vocabularies import LineOfBusiness
from infusion_orders.store.client import dynamodb_client
from infusion_orders.store.partners import Partner, PartnerStore
from infusion_orders.store.rule_sets import RuleSetStore
from infusion_orders_cli.embedded_table import (
    CREDENTIALS,
    DECISIONS_TABLE,
    LOCAL_PARTNER,
    REGION,
    RULES_TABLE,
    LocalTables,
    embedded_tables,
    environment,
)
from infusion_orders_cli.template_tables import table_definitions
from tests.contract.partner_system import PROJECT, PartnerSystem, load_function

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from infusion_orders.rules.document import RuleSetDocument

TEMPLATE = PROJECT / "template.yaml"
EVERYTHING = frozenset(map(str, LineOfBusiness))
OTHER_PARTNERS = (
    Partner("another-partner", "Another partner", "active", EVERYTHING),
    Partner("commercial-partner", "Commercial only", "active", frozenset({"commercial_hmo"})),
    Partner("suspended-partner", "Suspended partner", "suspended", EVERYTHING),
)


@dataclass(frozen=True)
class World:
    """The loaded function, the local partner who calls it, rule authors on theirs, and a look at what was recorded."""

    function: ModuleType
    partner: PartnerSystem
    rules: PartnerSystem

    def items(self) -> list[dict[str, Any]]:
        """Everything that DynamoDB holds about decisions, as it is stored, but with what is compressed read out."""
        items: list[dict[str, Any]] = []
        for page in self.function.client.get_paginator("scan").paginate(TableName=DECISIONS_TABLE):
            items.extend({name: _readable(value) for name, value in item.items()} for item in page["Items"])
        return items

    def count_decisions(self) -> int:
        """How many decisions are recorded; idempotency records are not counted."""
        return sum(item["SK"]["S"].startswith("DECISION#") for item in self.items())


@cache
def default_rules() -> RuleSetDocument:
    """The rule set of rules/home-infusion."""
    return load_directory(PROJECT / "rules" / "home-infusion")


@contextmanager
def decided_world() -> Iterator[World]:
    """Version 1 of the default rules is active since the manual's page was published, and four partners are known."""
    with embedded_tables(TEMPLATE, default_rules()) as tables:
        partners = PartnerStore(tables.client, RULES_TABLE, refresh_seconds=60, clock=lambda: 0.0)
        for partner in OTHER_PARTNERS:
            partners.put(partner)
        yield loaded(tables)


@contextmanager
def world_without_rules() -> Iterator[World]:
    """The tables and a partner, and no rule set."""
    with environment(CREDENTIALS), mock_aws():
        client = dynamodb_client(region=REGION, endpoint_url=None)
        for definition in table_definitions(TEMPLATE):
            client.create_table(**definition)
        partners = PartnerStore(client, RULES_TABLE, refresh_seconds=60, clock=lambda: 0.0)
        partners.put(Partner(LOCAL_PARTNER, "Local partner", "active", EVERYTHING))
        yield loaded(LocalTables(client, RuleSetStore(client, RULES_TABLE, "home-infusion"), 0))


def _readable(value: dict[str, Any]) -> dict[str, Any]:
    return {"S": gzip.decompress(value["B"]).decode()} if "B" in value else value


def loaded(tables: LocalTables) -> World:
    """The function on these tables, and the local partner."""
    function = load_function("validate_orders", tables.environment())
    manage_rules = load_function("manage_rules", tables.environment())
    return World(function, PartnerSystem(function), PartnerSystem(manage_rules))
