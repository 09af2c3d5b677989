"""The examples of the OpenAPI document: an order of events/orders, and what the default rules answer to it."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.decisions import decide
from infusion_orders.orders.reading import read_order
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders_cli.checkout import DEFAULT_RULES

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = date(2026, 11, 23)
DECISION_ID = "01KAT7Q3V9M5R7T0ZJX2B8N4WC"


def example_order(root: Path) -> dict[str, Any]:
    """The complete example, as plain JSON."""
    order: dict[str, Any] = json.loads(_example(root))
    return order


def example_decision(root: Path) -> dict[str, Any]:
    """The answer to it under version 1 of the default rules, as of a day that does not change."""
    document = load_directory(root / DEFAULT_RULES)
    rule_set = RuleSet.from_document(document, version=1, digest=document.digest)
    order = read_order(_example(root))
    decision = decide(order, rule_set, as_of=AS_OF, decision_id=DECISION_ID, age_seconds=4).decision
    return decision.model_dump(mode="json", by_alias=True, exclude_none=True)


def _example(root: Path) -> bytes:
    return (root / "events" / "orders" / "remicade.json").read_bytes()
