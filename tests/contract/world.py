"""A world for contract tests: tables with the default rule set active, partners, and the function loaded on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.conftest import create_tables

from infusion_orders.rules.loading import load_directory
from infusion_orders.store.partners import Partner, PartnerStore
from infusion_orders.store.rule_sets import RuleSetStore
from tests.contract.partner_system import PARTNER, PROJECT, PartnerSystem, environment, load_function

if TYPE_CHECKING:
    from types import ModuleType

    from infusion_orders.rules.document import RuleSetDocument

VARIABLES = {
    "RULES_TABLE": "rules",
    "DECISIONS_TABLE": "decisions",
    "AWS_REGION": "us-west-2",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL_DYNAMODB": "",
}
EVERYTHING = frozenset({"medicare_advantage", "medi_cal", "commercial_hmo", "commercial_ppo", "commercial_epo"})
PARTNERS = (
    Partner(PARTNER, "Local partner", "active", EVERYTHING),
    Partner("another-partner", "Another partner", "active", EVERYTHING),
    Partner("commercial-partner", "Commercial only", "active", frozenset({"commercial_hmo"})),
    Partner("suspended-partner", "Suspended partner", "suspended", EVERYTHING),
)
ACTIVATED = datetime(2024, 7, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """The loaded function, the partner who calls it, and a look at what was recorded."""

    function: ModuleType
    partner: PartnerSystem

    def items(self) -> list[dict[str, Any]]:
        """Everything that DynamoDB holds about decisions, as it is stored."""
        items: list[dict[str, Any]] = []
        for page in self.function.client.get_paginator("scan").paginate(TableName=VARIABLES["DECISIONS_TABLE"]):
            items.extend(page["Items"])
        return items

    def count_decisions(self) -> int:
        """How many decisions are recorded; idempotency records are not counted."""
        return sum(item["SK"]["S"].startswith("DECISION#") for item in self.items())


@cache
def default_rules() -> RuleSetDocument:
    """The rule set of rules/home-infusion."""
    return load_directory(PROJECT / "rules" / "home-infusion")


def build_world(*, published: bool = True) -> World:
    """Inside of moto: tables, partners and, if published, version 1 of the default rules, active since 2024-07-01."""
    with environment(VARIABLES):
        import boto3

        client = boto3.client("dynamodb", region_name=VARIABLES["AWS_REGION"])
        create_tables(client, rules=VARIABLES["RULES_TABLE"], decisions=VARIABLES["DECISIONS_TABLE"])
        partners = PartnerStore(client, VARIABLES["RULES_TABLE"], refresh_seconds=60, clock=lambda: 0.0)
        for partner in PARTNERS:
            partners.put(partner)
        if published:
            rule_sets = RuleSetStore(client, VARIABLES["RULES_TABLE"], "home-infusion")
            version = rule_sets.publish(default_rules(), by="tests", note="the default rules", at=ACTIVATED)
            rule_sets.activate(version, by="tests", why="the default rules", at=ACTIVATED)
    function = load_function("validate_orders", VARIABLES)
    return World(function, PartnerSystem(function))
