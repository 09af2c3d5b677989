"""What is discarded from single-dose vials: reported with JW on a line of its own, or said to be nothing with JZ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.facts.beside import any_line, others_of_the_code, overlap, same
from infusion_orders.facts.derivation import every, known, no
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.units import (
    AS_COMPUTED,
    DIFFERS,
    NO_WASTE_MODIFIER,
    NOT_COMPUTED,
    WASTE_MODIFIER,
    has_modifier,
    waste_of,
)
from infusion_orders.facts.unknown import Unknown, unknown_of

if TYPE_CHECKING:
    from infusion_orders.facts.case import Facts

NO_DRUG_LINE = "no_drug_line"


def waste_check(facts: Facts) -> str | Unknown:
    """How the discarded units, or the claim that there are none, compare with what dose and vial leave over."""
    waste, none = has_modifier(facts, WASTE_MODIFIER), has_modifier(facts, NO_WASTE_MODIFIER)
    if isinstance(waste, Unknown) or isinstance(none, Unknown):
        return unknown_of(waste, none, _discarded(facts), waste_of(facts), facts["line.units"]) or NOT_COMPUTED
    if waste == none:
        return NOT_COMPUTED
    if none:
        left = waste_of(facts)
        if isinstance(left, Unknown):
            return left
        return NOT_COMPUTED if left is None else DIFFERS if left else AS_COMPUTED
    left_over, units = _discarded(facts), facts["line.units"]
    if left_over in (NO_DRUG_LINE, NOT_COMPUTED):
        return str(left_over)
    unknown = unknown_of(left_over, units)
    if unknown is not None:
        return unknown
    return AS_COMPUTED if left_over == units else DIFFERS


def _discarded(facts: Facts) -> int | str | Unknown:
    """Units that the drug lines of a waste line leave over; `no_drug_line` when it has none."""
    belongs = [(line, _is_drug_line_of(facts, line)) for line in others_of_the_code(facts)]
    unknown = unknown_of(*(truth for _, truth in belongs))
    if unknown is not None:
        return unknown_of(unknown, *(waste_of(line) for line, truth in belongs if truth is not False)) or unknown
    left = [waste_of(line) for line, truth in belongs if truth is True]
    if not left:
        return NO_DRUG_LINE
    if None in left:
        return NOT_COMPUTED
    return unknown_of(*left) or sum(each for each in left if isinstance(each, int))


def _is_drug_line_of(waste: Facts, line: Facts) -> bool | Unknown:
    together = overlap(waste, line)
    return together and every((same("line.hcpcs", waste, line), no(has_modifier(line, WASTE_MODIFIER)), together))


def waste_is_reported(facts: Facts) -> bool | Unknown:
    """False when units are left over and no line reports them, or none are and JZ does not say so."""
    left = waste_of(facts)
    waste = has_modifier(facts, WASTE_MODIFIER)
    if left is None or waste is True:
        return True
    reported = _is_reported(facts)
    none = has_modifier(facts, NO_WASTE_MODIFIER)
    unknown = unknown_of(left, waste)
    if unknown is not None:
        return unknown_of(unknown, reported, none) or unknown
    return reported if left else none


def _is_reported(facts: Facts) -> bool | Unknown:
    return any_line(others_of_the_code(facts), lambda line: _reports(line, facts))


def _reports(waste: Facts, line: Facts) -> bool | Unknown:
    together = overlap(waste, line)
    return together and every((same("line.hcpcs", waste, line), has_modifier(waste, WASTE_MODIFIER), together))


def waste_expected(facts: Facts) -> str:
    """What to report: the units left over, or that there are none."""
    left = known(waste_of(facts))
    if left is None:
        left = known(_discarded(facts)) if has_modifier(facts, WASTE_MODIFIER) is True else None
    if not isinstance(left, int):
        return "not computable"
    return f"{left:,} {'unit' if left == 1 else 'units'} with JW on a line of its own" if left else "JZ, and no JW line"


_SOURCES = (
    "line.hcpcs",
    "line.dose",
    "line.vial_size",
    "line.single_dose_container",
    "line.units",
    "line.modifiers",
)

WASTE_FACTS: tuple[Fact, ...] = (
    Fact(
        name="line.waste_check",
        kind=Kind.CODE,
        scope=Scope.LINE,
        domain=frozenset({AS_COMPUTED, DIFFERS, NO_DRUG_LINE, NOT_COMPUTED}),
        description="For a line with JW or JZ: how it compares with the units that dose and vials leave over.",
        derived_from=_SOURCES,
        derive=waste_check,
    ),
    Fact(
        name="line.waste_is_reported",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="For a drug from single-dose vials: what is left over stands on a JW line, or JZ says that nothing "
        "is; true where it cannot be computed.",
        derived_from=_SOURCES,
        derive=waste_is_reported,
    ),
    Fact(
        name="line.waste_expected",
        kind=Kind.TEXT,
        scope=Scope.LINE,
        description="What to report as discarded.",
        derived_from=_SOURCES,
        derive=waste_expected,
    ),
)
