"""Facts of a line that depend on other lines, also while these are partly unknown."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infusion_orders.facts.case import Case
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.line_pairs import other_lines_with
from infusion_orders.facts.unknown import Unknown
from infusion_orders.orders.doses import Quantity
from infusion_orders.orders.frequencies import parse_frequency
from tests.support.rules import default_rules, derived_facts

DAY, NEXT = date(2026, 12, 1), date(2026, 12, 2)
DAYS = {"line.date_of_service": DAY, "line.last_date_of_service": DAY}
LATER = {"line.date_of_service": NEXT, "line.last_date_of_service": NEXT}
TABLES = default_rules().tables
ONE, OTHER = "E0781", "A4224"
"""A pump, and supplies that Medicare does not pay together with it."""
VIAL = {
    "line.hcpcs": "J1745",
    "line.dose": Quantity(Decimal(375), "mg"),
    "line.vial_size": Quantity(Decimal(100), "mg"),
    "line.single_dose_container": True,
    "line.frequency": parse_frequency("once"),
    "line.modifiers": frozenset[str](),
}


def a_case(*lines: dict[str, Any]) -> Case:
    """Each line on one day unless it says otherwise."""
    known = {"member.line_of_business": "medicare_advantage"}
    return Case(CATALOGUE, TABLES, order_facts=known, line_facts=[DAYS | line for line in lines])


def needs_of(value: Any) -> set[tuple[str, int | None]]:
    assert isinstance(value, Unknown)
    return {(need.fact, need.line) for need in value.needs}


def test_other_lines_with_a_value_include_lines_where_it_is_unknown() -> None:
    case = a_case({"line.hcpcs": "J1745"}, {"line.hcpcs": "J0690"}, {}, {"line.hcpcs": "J1745"})
    first = case.lines[0]

    assert {line.line for line in other_lines_with(first, "line.hcpcs", ("J1745",))} == {2, 3}
    assert {line.line for line in other_lines_with(first, "line.hcpcs", ("J0690",))} == {1, 2}
    assert {line.line for line in other_lines_with(case.lines[1], "line.hcpcs", ())} == {2}


@pytest.mark.parametrize(
    ("other", "allowed"),
    [
        ({"line.hcpcs": OTHER}, False),
        ({"line.hcpcs": OTHER, **LATER}, True),
        ({"line.hcpcs": "J1745"}, True),
    ],
)
def test_code_excludes_only_the_codes_that_the_tables_name_on_its_days(other: dict[str, Any], allowed: bool) -> None:
    for lines in (({"line.hcpcs": ONE}, other), (other, {"line.hcpcs": ONE})):
        case = a_case(*lines)
        (line,) = (line for line in case.lines if line["line.hcpcs"] == ONE)
        assert line["line.stands_beside_the_others"] is allowed


def test_unknown_code_may_be_an_excluded_one() -> None:
    line, _ = derived_facts(a_case({"line.hcpcs": ONE}, {}))
    assert needs_of(line["line.stands_beside_the_others"]) == {("line.hcpcs", 1)}


def test_sending_a_code_never_changes_a_settled_exclusion() -> None:
    """Beside a code that none excludes, one that is not known settles nothing, and so it is not asked for."""
    codes = [row[0] for row in TABLES.rows()["codes"][1:]]
    free = next(code for code in codes if code not in TABLES.exclusive_codes)

    assert [line["line.stands_beside_the_others"] for line in derived_facts(a_case({"line.hcpcs": free}, {}))] == [
        True,
        True,
    ]
    for code in codes:
        for line in derived_facts(a_case({"line.hcpcs": free}, {"line.hcpcs": code})):
            assert line["line.stands_beside_the_others"] is True


@pytest.mark.parametrize(
    ("other", "reported"),
    [
        ({"line.hcpcs": "J1745", "line.modifiers": frozenset({"JW"})}, True),
        ({"line.hcpcs": "J1745", "line.modifiers": frozenset({"JW"}), **LATER}, False),
        ({"line.hcpcs": "J0690", "line.modifiers": frozenset({"JW"})}, False),
        ({"line.hcpcs": "J1745", "line.modifiers": frozenset({"JZ"})}, False),
    ],
)
def test_waste_is_reported_on_a_line_of_the_same_code_and_days(other: dict[str, Any], reported: bool) -> None:
    line, _ = derived_facts(a_case(VIAL, other))
    assert line["line.waste_is_reported"] is reported


def test_reported_waste_does_not_depend_on_an_unknown_line() -> None:
    reporting = {"line.hcpcs": "J1745", "line.modifiers": frozenset({"JW"})}
    for case in (a_case(VIAL, reporting, {}), a_case(VIAL, {}, reporting)):
        assert case.lines[0]["line.waste_is_reported"] is True


def test_line_with_unknown_code_may_report_waste() -> None:
    line, _ = derived_facts(a_case(VIAL, {"line.modifiers": frozenset({"JW"})}))
    assert needs_of(line["line.waste_is_reported"]) == {("line.hcpcs", 1)}


def test_line_with_unknown_code_may_be_a_per_diem() -> None:
    per_diem = {"line.hcpcs": "S9365", "line.modifiers": frozenset[str]()}
    alone, other = a_case(per_diem), a_case(per_diem, {"line.modifiers": frozenset[str]()})

    assert alone.lines[0]["line.per_diem_overlap"] == "none"
    assert ("line.hcpcs", 1) in needs_of(other.lines[0]["line.per_diem_overlap"])
    assert alone.lines[0]["line.concurrency_is_marked"] is True
    assert ("line.hcpcs", 1) in needs_of(other.lines[0]["line.concurrency_is_marked"])


def test_line_with_unknown_code_may_be_the_drug_of_a_per_diem() -> None:
    per_diem = {"line.hcpcs": "S9338", "line.modifiers": frozenset[str]()}
    alone, other = a_case(per_diem), a_case(per_diem, {"line.modifiers": frozenset[str]()})

    assert alone.lines[0]["line.per_diem_therapy"] == "nothing_to_compare"
    assert ("line.hcpcs", 1) in needs_of(other.lines[0]["line.per_diem_therapy"])
