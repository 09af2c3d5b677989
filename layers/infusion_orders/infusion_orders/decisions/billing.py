"""The billing units of a line, shown as far as dose, code, frequency and dates tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.decisions.decision import Billing
from infusion_orders.facts.kleene import known_or_none
from infusion_orders.facts.units import plausible

if TYPE_CHECKING:
    from infusion_orders.facts.case import Facts


def billing(facts: Facts) -> Billing | None:
    """None for a line of which nothing can be computed: no dose, or a code that is not billed by the dose."""
    each, times = known_or_none(facts["line.units_each_time"]), known_or_none(facts["line.times_given"])
    if each is None:
        return None
    left_over = known_or_none(facts["line.units_left_over"]) if facts["line.single_dose_container"] is True else None
    return Billing(
        units_per_administration=plausible(each),
        administrations=plausible(times),
        units=plausible(None if times is None else each * times),
        waste_units=plausible(left_over),
    )
