"""What is discarded from single-dose vials: reported with JW on a line of its own, or JZ where it is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.facts.fact import Kind, internal_fact, line_fact
from infusion_orders.facts.line_pairs import has_modifier, other_lines_of_the_code, overlap, same
from infusion_orders.facts.units import (
    AS_COMPUTED,
    DIFFERS,
    NO_WASTE_MODIFIER,
    NOT_COMPUTABLE,
    NOT_COMPUTED,
    WASTE_MODIFIER,
    counted,
    is_billed_by_dose,
)
from infusion_orders.facts.unknown import Truth, Unknown, every, known_or_none, negated, some, unknown_of
from infusion_orders.orders.doses import Quantity, waste_units

if TYPE_CHECKING:
    from infusion_orders.facts.case import Facts

NO_DRUG_LINE = "no_drug_line"


@internal_fact(
    "line.units_left_over",
    uses=(
        "line.code_on_date",
        "line.dose_given",
        "line.times_given",
        "line.vial_size",
        "line.single_dose_container",
    ),
)
def units_left_over(facts: Facts) -> int | Unknown | None:
    """Units left over in the line's vials over all administrations; None when they cannot be computed.

    What is left in a container for several doses is not waste.
    """
    code, dose, times = facts["line.code_on_date"], facts["line.dose_given"], facts["line.times_given"]
    vial, single = facts["line.vial_size"], facts["line.single_dose_container"]
    if code is None or (not isinstance(code, Unknown) and not is_billed_by_dose(code)):
        return None
    if single is False:
        return 0
    unknown = unknown_of(code, dose, times, vial, single)
    if unknown is not None:
        return unknown
    each = waste_units(dose, vial, Quantity(code.unit_quantity, code.unit))
    return None if each is None or times is None else each * times


_PAIR_OF_LINES = ("line.hcpcs", "line.modifiers", "line.date_of_service", "line.last_date_of_service")
"""What decides whether a line reports the waste of another one."""


@line_fact(
    "line.waste_check",
    Kind.CODE,
    domain=(AS_COMPUTED, DIFFERS, NO_DRUG_LINE, NOT_COMPUTED),
    uses=(*_PAIR_OF_LINES, "line.units_left_over", "line.units"),
)
def waste_check(facts: Facts) -> str | Unknown:
    """For a line with JW or JZ: how it compares with the units that dose and vials leave over."""
    waste, none = has_modifier(facts, WASTE_MODIFIER), has_modifier(facts, NO_WASTE_MODIFIER)
    if isinstance(waste, Unknown) or isinstance(none, Unknown):
        left = facts["line.units_left_over"]
        return unknown_of(waste, none, _discarded(facts), left, facts["line.units"]) or NOT_COMPUTED
    if waste == none:
        return NOT_COMPUTED
    if none:
        left = facts["line.units_left_over"]
        if isinstance(left, Unknown):
            return left
        return NOT_COMPUTED if left is None else DIFFERS if left else AS_COMPUTED
    discarded, units = _discarded(facts), facts["line.units"]
    if discarded in (NO_DRUG_LINE, NOT_COMPUTED):
        return str(discarded)
    return unknown_of(discarded, units) or (AS_COMPUTED if discarded == units else DIFFERS)


def _discarded(facts: Facts) -> int | str | Unknown:
    """Return the units that the drug lines of a waste line leave over; `no_drug_line` when it has none."""
    belongs = [(line, _reports_waste_of(facts, line)) for line in other_lines_of_the_code(facts)]
    unknown = unknown_of(*(truth for _, truth in belongs))
    if unknown is not None:
        left_over = (line["line.units_left_over"] for line, truth in belongs if truth is not False)
        return unknown_of(unknown, *left_over) or unknown
    left = [line["line.units_left_over"] for line, truth in belongs if truth is True]
    if not left:
        return NO_DRUG_LINE
    if None in left:
        return NOT_COMPUTED
    return unknown_of(*left) or sum(left)


def _reports_waste_of(waste: Facts, line: Facts) -> Truth:
    """Return whether the other line is a drug line whose waste this line reports."""
    together = overlap(waste, line)
    not_waste = negated(has_modifier(line, WASTE_MODIFIER))
    return together and every((same("line.hcpcs", waste, line), not_waste, together))


@line_fact("line.waste_is_reported", Kind.BOOLEAN, uses=(*_PAIR_OF_LINES, "line.units_left_over"))
def waste_is_reported(facts: Facts) -> Truth:
    """For a drug from single-dose vials: a JW line reports what is left over, or JZ says that nothing is.

    True where it cannot be computed.
    """
    left = facts["line.units_left_over"]
    waste = has_modifier(facts, WASTE_MODIFIER)
    if left is None or waste is True:
        return True
    reported = some(_is_waste_line_of(line, facts) for line in other_lines_of_the_code(facts))
    none = has_modifier(facts, NO_WASTE_MODIFIER)
    unknown = unknown_of(left, waste)
    if unknown is not None:
        return unknown_of(unknown, reported, none) or unknown
    return reported if left else none


def _is_waste_line_of(waste: Facts, line: Facts) -> Truth:
    together = overlap(waste, line)
    return together and every((same("line.hcpcs", waste, line), has_modifier(waste, WASTE_MODIFIER), together))


@line_fact("line.waste_expected", Kind.TEXT, uses=(*_PAIR_OF_LINES, "line.units_left_over"))
def waste_expected(facts: Facts) -> str:
    """What to report as discarded."""
    left = known_or_none(facts["line.units_left_over"])
    if left is None:
        left = known_or_none(_discarded(facts)) if has_modifier(facts, WASTE_MODIFIER) is True else None
    if not isinstance(left, int):
        return NOT_COMPUTABLE
    return f"{counted(left)} with JW on a line of its own" if left else "JZ, and no JW line"
