"""The examples in the OpenAPI document: an order of events/orders, and what the default rules decide for it."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.decisions import decide
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders_cli.rule_sources import DEFAULT_RULES

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = date(2026, 11, 23)
DECISION_ID = "01KAT7Q3V9M5R7T0ZJX2B8N4WC"


def examples(root: Path) -> dict[str, Any]:
    """The examples by name, under version 1 of the default rules and as of a fixed day."""
    body = (root / "events" / "orders" / "remicade.json").read_bytes()
    order = json.loads(body)
    document = load_directory(root / DEFAULT_RULES)
    rule_set = RuleSet.from_document(document, version=1, digest=document.digest)
    decision = decide(parse_order(body), rule_set, as_of=AS_OF, decision_id=DECISION_ID, age_seconds=4).decision
    return {
        "order": {"summary": "Infliximab at home, every 8 weeks", "value": order},
        "batch": {"summary": "A batch of one", "value": {"orders": [order]}},
        "decision": {
            "summary": "Accepted",
            "value": decision.model_dump(mode="json", by_alias=True, exclude_none=True),
        },
    }
