"""What every function of the API reads: rule sets and partners, through one client."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from infusion_orders.store.dynamodb import dynamodb_client
from infusion_orders.store.partners import PartnerStore
from infusion_orders.store.rule_set_cache import RuleSetCache
from infusion_orders.store.versions import RuleSetStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from infusion_orders.api.settings import Settings


class Stores(NamedTuple):
    """One client, the versions in its table, the one that decides, and who may call."""

    client: DynamoDBClient
    rule_set_store: RuleSetStore
    rule_sets: RuleSetCache
    partners: PartnerStore


def stores_of(settings: Settings) -> Stores:
    """As the function's environment says; nothing is read yet."""
    client = dynamodb_client(region=settings.aws_region, endpoint_url=settings.aws_endpoint_url_dynamodb)
    rule_set_store = RuleSetStore(client, settings.rules_table, settings.rule_set)
    rule_sets = RuleSetCache(
        rule_set_store,
        refresh_seconds=settings.rules_refresh_seconds,
        max_stale_seconds=settings.rules_max_stale_seconds,
        clock=time.time,
    )
    partners = PartnerStore(
        client, settings.rules_table, refresh_seconds=settings.partners_refresh_seconds, clock=time.time
    )
    return Stores(client, rule_set_store, rule_sets, partners)
