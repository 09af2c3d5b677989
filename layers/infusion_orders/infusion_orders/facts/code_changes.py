"""What to bill instead of a code that is not valid on the date of service, and where a line must be split."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from infusion_orders.facts.fact import Kind, line_fact
from infusion_orders.facts.units import counted, units_between
from infusion_orders.facts.unknown import Truth, Unknown, known_or_none, unknown_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.rows import Code
    from infusion_orders.reference.tables import ReferenceTables

LONGEST_SUCCESSION = 10
"""A code's successor may have been replaced in its turn; a longer chain of successors is a circle in the tables."""
_UNITS = ("line.dose_given", "line.frequency")
"""What the units of a code are computed from."""


@line_fact(
    "line.crosses_code_change",
    Kind.BOOLEAN,
    uses=("line.code_on_date", "line.last_date_of_service"),
)
def crosses_code_change(facts: Facts) -> Truth:
    """Whether the code ends, or its unit changes, between the first and the last date of service."""
    code, last = facts["line.code_on_date"], facts["line.last_date_of_service"]
    if isinstance(code, Unknown):
        return unknown_of(code, last) or code
    if code is None:
        return False
    changed = _last_day_unchanged(facts.tables, code)
    if changed is None:
        return False
    return last if isinstance(last, Unknown) else bool(last > changed)


def _last_day_unchanged(tables: ReferenceTables, code: Code) -> date | None:
    """Return the last day on which the code has today's unit; None if no end is known."""
    last = code.valid_to
    for period in tables.code_periods(code.hcpcs):
        follows = last is not None and period.valid_from == last + timedelta(days=1)
        if follows and (period.unit_quantity, period.unit) == (code.unit_quantity, code.unit):
            last = period.valid_to
    return last


@line_fact(
    "line.code_instead",
    Kind.TEXT,
    uses=("line.hcpcs", "line.date_of_service", "line.last_date_of_service", *_UNITS),
)
def code_instead(facts: Facts) -> str:
    """The code to bill instead on the date of service, with its units where they can be computed."""
    hcpcs, day = known_or_none(facts["line.hcpcs"]), known_or_none(facts["line.date_of_service"])
    if hcpcs is None or day is None:
        return "the code that is valid on the date of service"
    last = known_or_none(facts["line.last_date_of_service"])
    found = [
        _with_units(facts, code, day, day if last is None else min(last, code.valid_to or last))
        for code in _valid_instead(facts.tables, hcpcs, day)
    ]
    return " or ".join(found) if found else "the code that is valid on the date of service; the tables name no other"


def _valid_instead(tables: ReferenceTables, hcpcs: str, day: date) -> Iterator[Code]:
    """Find the successor that is valid on that day, or else the codes that this one replaced."""
    successor = _successor(tables, hcpcs, day)
    if successor is not None:
        yield successor
        return
    for predecessor in tables.predecessors(hcpcs):
        code = tables.code(predecessor.hcpcs, day)
        if code is not None:
            yield code


def _successor(tables: ReferenceTables, hcpcs: str, day: date) -> Code | None:
    for _ in range(LONGEST_SUCCESSION):
        found = tables.successor(hcpcs)
        if found is None:
            return None
        hcpcs = found.successor
        code = tables.code(hcpcs, day)
        if code is not None:
            return code
    return None


def _with_units(facts: Facts, code: Code, first: date, last: date) -> str:
    units = units_between(facts, code, first, last)
    return code.hcpcs if units is None else f"{code.hcpcs}, {counted(units)}"


@line_fact(
    "line.split",
    Kind.TEXT,
    uses=("line.code_on_date", "line.date_of_service", "line.last_date_of_service", *_UNITS),
)
def split(facts: Facts) -> str:
    """The lines into which a line across a code change must be split, with their dates and units."""
    code, first = known_or_none(facts["line.code_on_date"]), known_or_none(facts["line.date_of_service"])
    last = known_or_none(facts["line.last_date_of_service"])
    changed = None if code is None else _last_day_unchanged(facts.tables, code)
    if code is None or first is None or last is None or changed is None or last <= changed:
        return "lines of one code each"
    next_day = changed + timedelta(days=1)
    after = facts.tables.code(code.hcpcs, next_day) or _successor(facts.tables, code.hcpcs, next_day)
    begin = f"{_with_units(facts, code, first, changed)} from {first} to {changed}"
    if after is None:
        return f"{begin}, and from {next_day} to {last} the code that is valid then"
    return f"{begin}, and {_with_units(facts, after, next_day, last)} from {next_day} to {last}"
