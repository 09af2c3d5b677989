"""What a function opens once, when it starts, and uses for every request."""

from __future__ import annotations

import contextlib
import gc
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.store import dynamodb
from infusion_orders.store.activations import NoRuleSet
from infusion_orders.store.decisions import DecisionStore
from infusion_orders.store.dynamodb import time_limit
from infusion_orders.store.partners import PartnerStore
from infusion_orders.store.rule_set_cache import RuleSetCache
from infusion_orders.store.versions import RuleSetStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from infusion_orders.api.settings import Settings


START_SECONDS = 9
"""Lambda stops a start after 10 s and starts again, so the first order would wait for both."""


@dataclass(slots=True)
class Resources:
    """The settings, one DynamoDB client, and what is read and written through it."""

    settings: Settings
    client: DynamoDBClient
    rule_set_store: RuleSetStore
    rule_sets: RuleSetCache
    partners: PartnerStore
    decisions: DecisionStore

    def load_rules(self) -> None:
        """Load the active rules while the function starts, so that the first order does not wait for them.

        Without rules the function starts all the same: its requests look for them again.
        """
        with contextlib.suppress(NoRuleSet), time_limit(START_SECONDS):
            self.rule_sets.active()
        gc.freeze()  # what exists now lives as long as the process: the garbage collector need not look through it


def open_resources(settings: Settings) -> Resources:
    """Connect everything to the tables that the settings name; nothing is read yet."""
    client = dynamodb.dynamodb_client(region=settings.aws_region, endpoint_url=settings.aws_endpoint_url_dynamodb)
    rule_set_store = RuleSetStore(client, settings.rules_table, settings.rule_set)
    return Resources(
        settings,
        client,
        rule_set_store,
        RuleSetCache(
            rule_set_store,
            refresh_seconds=settings.rules_refresh_seconds,
            max_stale_seconds=settings.rules_max_stale_seconds,
            clock=time.time,
        ),
        PartnerStore(client, settings.rules_table, refresh_seconds=settings.partners_refresh_seconds, clock=time.time),
        DecisionStore(client, settings.decisions_table, retention_days=settings.decision_retention_days),
    )
