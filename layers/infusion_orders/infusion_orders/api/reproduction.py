"""The rule set for a decision that is asked for again: by its version, or by the second clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from infusion_orders.api.requests import NothingThere
from infusion_orders.store.activations import NoRuleSet

if TYPE_CHECKING:
    from infusion_orders.api.requests import Asked
    from infusion_orders.rules.rule_set import RuleSet
    from infusion_orders.store.rule_set_cache import RuleSetCache
    from infusion_orders.store.versions import RuleSetStore


def rule_set_asked_for(asked: Asked, store: RuleSetStore, rule_sets: RuleSetCache, *, now: datetime) -> RuleSet:
    """The version given, else the one that was active at the end of the day `as_of` (UTC), or is now if that is today.

    Raises NothingThere if no version was active then; whatever the store raises for a version it does not have.
    """
    if asked.ruleset_version is not None:
        return rule_sets.version(asked.ruleset_version)
    day = asked.as_of or now.date()
    end_of_day = datetime.combine(day, time.min, UTC) + timedelta(days=1, microseconds=-1)
    try:
        version = store.activations.version_active_at(min(now, end_of_day))
    except NoRuleSet:
        raise NothingThere(f"No rule set was active on {day.isoformat()}.") from None
    return rule_sets.version(version)
