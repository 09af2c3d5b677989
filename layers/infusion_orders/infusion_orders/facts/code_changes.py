"""What to bill instead of a code that is not valid on a date of service, and where a line must be split."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from infusion_orders.facts.derivation import known
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.units import code_on_date, units_between
from infusion_orders.facts.unknown import Unknown, unknown_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from infusion_orders.facts.case import Facts
    from infusion_orders.reference.rows import Code

LONGEST_SUCCESSION = 10
"""A code's successor may have been replaced in its turn; beyond this the tables go round in a circle."""


def crosses_code_change(facts: Facts) -> bool | Unknown:
    """True when the code ends, or comes to mean another unit, between the first and the last date of service."""
    code, last = code_on_date(facts), facts["line.last_date_of_service"]
    if isinstance(code, Unknown):
        return unknown_of(code, last) or code
    if code is None:
        return False
    changed = _last_day_unchanged(facts, code)
    if changed is None:
        return False
    return last if isinstance(last, Unknown) else last > changed


def _last_day_unchanged(facts: Facts, code: Code) -> date | None:
    """The last day on which the code means what it means now; None if no end is known."""
    last = code.valid_to
    for period in facts.case.tables.code_periods(code.hcpcs):
        follows = last is not None and period.valid_from == last + timedelta(days=1)
        if follows and (period.unit_quantity, period.unit) == (code.unit_quantity, code.unit):
            last = period.valid_to
    return last


def code_instead(facts: Facts) -> str:
    """The code that is valid on the date of service, with its units where they can be worked out."""
    hcpcs, day = known(facts["line.hcpcs"]), known(facts["line.date_of_service"])
    if hcpcs is None or day is None:
        return "the code that is valid on the date of service"
    last = known(facts["line.last_date_of_service"])
    found = [
        _with_units(facts, code, day, day if last is None else min(last, code.valid_to or last))
        for code in _valid_instead(facts, hcpcs, day)
    ]
    return " or ".join(found) if found else "the code that is valid on the date of service; the tables name no other"


def _valid_instead(facts: Facts, hcpcs: str, day: date) -> Iterator[Code]:
    """The successor that is valid on that day, or else the codes that were replaced by this one."""
    tables = facts.case.tables
    successor = _successor(facts, hcpcs, day)
    if successor is not None:
        yield successor
        return
    for predecessor in tables.predecessors(hcpcs):
        code = tables.code(predecessor.hcpcs, day)
        if code is not None:
            yield code


def _successor(facts: Facts, hcpcs: str, day: date) -> Code | None:
    tables = facts.case.tables
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
    return code.hcpcs if units is None else f"{code.hcpcs}, {units:,} {'unit' if units == 1 else 'units'}"


def split(facts: Facts) -> str:
    """The lines that a line across a code change is to be split into, with dates and units."""
    code, first = known(code_on_date(facts)), known(facts["line.date_of_service"])
    last = known(facts["line.last_date_of_service"])
    changed = None if code is None else _last_day_unchanged(facts, code)
    if code is None or first is None or last is None or changed is None or last <= changed:
        return "lines of one code each"
    next_day = changed + timedelta(days=1)
    tables = facts.case.tables
    after = tables.code(code.hcpcs, next_day) or _successor(facts, code.hcpcs, next_day)
    begin = f"{_with_units(facts, code, first, changed)} from {first} to {changed}"
    if after is None:
        return f"{begin}, and from {next_day} to {last} the code that is valid then"
    return f"{begin}, and {_with_units(facts, after, next_day, last)} from {next_day} to {last}"


CODE_CHANGE_FACTS: tuple[Fact, ...] = (
    Fact(
        name="line.crosses_code_change",
        kind=Kind.BOOLEAN,
        scope=Scope.LINE,
        description="The code ends, or comes to mean another unit, between the first and the last date of service.",
        derived_from=("line.hcpcs", "line.date_of_service", "line.last_date_of_service"),
        derive=crosses_code_change,
    ),
    Fact(
        name="line.code_instead",
        kind=Kind.TEXT,
        scope=Scope.LINE,
        description="The code to bill instead on the date of service, with its units.",
        derived_from=("line.hcpcs", "line.date_of_service", "line.last_date_of_service"),
        derive=code_instead,
    ),
    Fact(
        name="line.split",
        kind=Kind.TEXT,
        scope=Scope.LINE,
        description="The lines that a line across a code change is to be split into, with their dates and units.",
        derived_from=("line.hcpcs", "line.date_of_service", "line.last_date_of_service"),
        derive=split,
    ),
)
