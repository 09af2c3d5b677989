"""Decisions that are recorded in a table before a test reads or replays them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ulid import ULID

from infusion_orders.decisions import decide
from infusion_orders.store.decisions import DecisionStore
from infusion_orders_cli.embedded_table import DECISIONS_TABLE
from tests.support.orders import an_order
from tests.support.rules import TODAY, default_rules

if TYPE_CHECKING:
    from infusion_orders_cli.embedded_table import LocalTables

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def record_example(tables: LocalTables, partner: str, at: datetime, *, able: bool) -> str:
    """Decide the example order under the default rules and record it as the function would have done at that time."""
    decision_id = str(ULID.from_datetime(at))
    decided = decide(an_order({"/caregiver/able": able}), default_rules(), as_of=TODAY, decision_id=decision_id)
    body = decided.decision.model_dump_json(by_alias=True, exclude_none=True)
    DecisionStore(tables.client, DECISIONS_TABLE, retention_days=30).record(
        partner, decided, decision_id=decision_id, key=None, at=at, body=body
    )
    return decision_id
