"""The shadow: each live order is also decided under a second version, after its answer is fixed and recorded.

Nothing here can change or fail the answer.  The result is noted for the log and the metrics; a fault is only counted.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from infusion_orders.api.observability import Shadowed
from infusion_orders.decisions import decide

if TYPE_CHECKING:
    from collections.abc import Callable

    from infusion_orders.api.observability import Notes
    from infusion_orders.decisions.decision import Decision
    from infusion_orders.orders.order import Order
    from infusion_orders.rules.rule_set import RuleSet
    from infusion_orders.store.rule_set_cache import RuleSetCache

LEAST_MILLISECONDS = 5_000
"""With less time left the shadow is skipped."""


def decide_in_shadow(
    order: Order,
    decision: Decision,
    rule_sets: RuleSetCache,
    notes: Notes,
    *,
    sample_percent: int,
    milliseconds_left: Callable[[], int],
) -> None:
    """Note what the shadow version would have answered.  Never raises."""
    failed = rule_sets.take_failed_shadow()
    if failed is not None:
        notes.shadowed.append(Shadowed(failed, failed=True))
    shadow = rule_sets.shadow()
    if shadow is None or milliseconds_left() < LEAST_MILLISECONDS:
        return
    try:
        notes.shadowed.append(_compared(order, decision, shadow, sample_percent))
    except Exception:  # a fault in the shadow must not affect the answer
        notes.shadowed.append(Shadowed(shadow.version, failed=True))


def _compared(order: Order, decision: Decision, shadow: RuleSet, sample_percent: int) -> Shadowed:
    from infusion_orders.decisions.replay import ARROW, flips_of  # only loaded where there is a shadow

    plain = decision.model_dump(mode="json", by_alias=True, exclude_none=True)
    shadow_decision = decide(order, shadow, as_of=decision.as_of).decision
    flips = flips_of(plain, shadow_decision)
    if not flips:
        return Shadowed(shadow.version)
    outcome = shadow_decision.outcome.value
    flip = f"{decision.outcome.value}{ARROW}{outcome}"
    if not _is_sampled(decision.decision_id or "", sample_percent):
        return Shadowed(shadow.version, flip)
    fields: dict[str, Any] = {
        "decision_id": decision.decision_id,
        "ruleset_version": decision.ruleset.version,
        "shadow_version": shadow.version,
        "outcome": decision.outcome.value,
        "shadow_outcome": outcome,
        "flips": sorted({ARROW.join(one.outcome if one.outcome[0] != one.outcome[1] else one.party) for one in flips}),
        "rules": sorted({rule for one in flips for rule in one.rules}),
    }
    return Shadowed(shadow.version, flip, fields=fields)


def _is_sampled(decision_id: str, percent: int) -> bool:
    """Whether the decision belongs to the sample: by the hash of its id, so every instance picks the same ones."""
    return hashlib.sha256(decision_id.encode()).digest()[0] * 100 < percent * 256
