"""Decisions for live requests: made under the active rules, recorded, and compared with the shadow; or reproduced."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import TYPE_CHECKING

from ulid import ULID

from infusion_orders.api.errors import NotFound
from infusion_orders.api.shadow import decide_in_shadow
from infusion_orders.decisions import decide
from infusion_orders.store.activations import NoRuleSet

if TYPE_CHECKING:
    from infusion_orders.api.requests import DecisionQuery, Request
    from infusion_orders.api.resources import Resources
    from infusion_orders.decisions import Decided
    from infusion_orders.decisions.decision import Decision
    from infusion_orders.orders.order import Order
    from infusion_orders.rules.rule_set import RuleSet
    from infusion_orders.store.decisions import IdempotencyKey, Recorded
    from infusion_orders.store.partners import Partner


@dataclass(frozen=True, slots=True)
class LiveDecision:
    """A decision that is not recorded yet, so it must not be sent; `seconds` is how long it took."""

    order: Order
    decision_id: str
    decided: Decided
    body: str
    seconds: float


def decide_now(order: Order, request: Request, resources: Resources, *, explain_all: bool = False) -> LiveDecision:
    """Decide an order under the active rules, as of today (UTC).  Raises NoRuleSet."""
    started = time.perf_counter()
    active = resources.rule_sets.active()
    decision_id = str(ULID.from_datetime(request.notes.at))
    decided = decide(
        order,
        active.rule_set,
        as_of=request.notes.at.date(),
        explain_all=explain_all,
        decision_id=decision_id,
        age_seconds=active.age_seconds,
    )
    body = decision_json(decided.decision)
    return LiveDecision(order, decision_id, decided, body, time.perf_counter() - started)


def record_decision(
    live: LiveDecision, partner: Partner, key: IdempotencyKey | None, request: Request, resources: Resources
) -> Recorded:
    """Record the decision, or find the one that the same key and order already have; then try the shadow version.

    Raises IdempotencyConflict and StoreUnavailable.
    """
    started = time.perf_counter()
    recorded = resources.decisions.record(
        partner.client_id,
        live.decided,
        decision_id=live.decision_id,
        key=key,
        at=request.notes.at,
        body=live.body,
    )
    if recorded.replayed:
        request.notes.note(replayed=True)
        return recorded
    decision = live.decided.decision
    request.notes.decided(decision, duration_ms=(live.seconds + time.perf_counter() - started) * 1000)
    decide_in_shadow(
        live.order,
        decision,
        resources.rule_sets,
        request.notes,
        sample_percent=resources.settings.shadow_sample_percent,
        milliseconds_left=request.milliseconds_left,
    )
    return recorded


def reproduce_decision(order: Order, query: DecisionQuery, request: Request, resources: Resources) -> str:
    """Decide an order again under past rules: same receipt, no decision id, nothing recorded.

    Raises NotFound, and what the store raises for a version that it does not have.
    """
    now = request.notes.at
    rule_set = requested_rule_set(query, resources, now=now)
    decision = decide(order, rule_set, as_of=query.as_of or now.date(), explain_all=query.explain_all).decision
    request.notes.note(reproduced=True, outcome=str(decision.outcome), ruleset_version=rule_set.version)
    return decision_json(decision)


def requested_rule_set(query: DecisionQuery, resources: Resources, *, now: datetime) -> RuleSet:
    """The requested version, else the version that was active at the end of the day `as_of` (UTC).

    Raises NotFound if no version was active then; what the store raises for a version that it does not have.
    """
    if query.ruleset_version is not None:
        return resources.rule_sets.version(query.ruleset_version)
    day = query.as_of or now.date()
    end_of_day = datetime.combine(day, time_of_day.min, UTC) + timedelta(days=1, microseconds=-1)
    try:
        version = resources.rule_set_store.activations.version_active_at(min(now, end_of_day))
    except NoRuleSet:
        raise NotFound(f"No rule set was active on {day.isoformat()}.") from None
    return resources.rule_sets.version(version)


def decision_json(decision: Decision) -> str:
    """The JSON that is recorded and sent: rendered once, so that the two are the same bytes."""
    return decision.model_dump_json(by_alias=True, exclude_none=True)
