"""The billing units of a line, shown as far as dose, code, frequency and dates tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.decisions.decision import Billing
from infusion_orders.facts.derivation import known
from infusion_orders.facts.units import sane, times_given, units_each_time, waste_of

if TYPE_CHECKING:
    from infusion_orders.facts.case import Facts


def billing(facts: Facts) -> Billing | None:
    """None for a line of which nothing can be computed: no dose, or a code that is not billed by the dose."""
    each, times = known(units_each_time(facts)), known(times_given(facts))
    if each is None:
        return None
    from_single_dose_vials = facts["line.single_dose_container"] is True
    return Billing(
        units_per_administration=sane(each),
        administrations=sane(times),
        units=sane(None if times is None else each * times),
        waste_units=sane(known(waste_of(facts)) if from_single_dose_vials else None),
    )
