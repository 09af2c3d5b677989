"""The billing units of a line, shown as far as dose, code, frequency and dates tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.decisions.decision import Billing
from infusion_orders.facts.derivation import known
from infusion_orders.facts.units import (
    code_on_date,
    dose_given,
    sane,
    times_given,
    units_each,
    waste_each,
)

if TYPE_CHECKING:
    from infusion_orders.facts.case import Facts


def billing(facts: Facts) -> Billing | None:
    """None for a line of which nothing can be computed: no dose, or a code that is not billed by the dose."""
    dose, code, times = known(dose_given(facts)), known(code_on_date(facts)), known(times_given(facts))
    each = None if dose is None or code is None else units_each(dose, code)
    if each is None:
        return None
    vial, single = known(facts["line.vial_size"]), known(facts["line.single_dose_container"])
    waste = waste_each(dose, vial, code) if vial is not None and single is True else None
    return Billing(
        units_per_administration=sane(each),
        administrations=sane(times),
        units=sane(None if times is None else each * times),
        waste_units=sane(None if times is None or waste is None else waste * times),
    )
