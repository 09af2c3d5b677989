"""Facts of one line that hang on the others: those that may matter are looked at, and no unknown one is passed over."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infusion_orders.facts.case import Case
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.line_pairs import other_lines_with
from infusion_orders.facts.quantity import Quantity
from infusion_orders.facts.unknown import Unknown
from infusion_orders.orders.frequencies import parse_frequency
from tests.support.rules import default_rules, derived_facts

DAY, NEXT = date(2026, 12, 1), date(2026, 12, 2)
DAYS = {"line.date_of_service": DAY, "line.last_date_of_service": DAY}
LATER = {"line.date_of_service": NEXT, "line.last_date_of_service": NEXT}
TABLES = default_rules().tables
ONE, OTHER = "E0781", "A4224"
"""A pump, and supplies that Medicare does not pay beside it."""
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


def test_the_others_with_a_value_are_those_that_have_it_or_may() -> None:
    case = a_case({"line.hcpcs": "J1745"}, {"line.hcpcs": "J0690"}, {}, {"line.hcpcs": "J1745"})
    first = case.lines[0]

    assert {line.line for line in other_lines_with(first, "line.hcpcs", ("J1745",))} == {2, 3}
    assert {line.line for line in other_lines_with(first, "line.hcpcs", ("J0690",))} == {1, 2}
    assert {line.line for line in other_lines_with(case.lines[1], "line.hcpcs", ())} == {2}


@pytest.mark.parametrize(
    ("beside", "stands"),
    [
        ({"line.hcpcs": OTHER}, False),
        ({"line.hcpcs": OTHER, **LATER}, True),
        ({"line.hcpcs": "J1745"}, True),
    ],
)
def test_a_code_stands_beside_all_but_those_that_the_tables_exclude_on_its_days(
    beside: dict[str, Any], stands: bool
) -> None:
    for lines in (({"line.hcpcs": ONE}, beside), (beside, {"line.hcpcs": ONE})):
        case = a_case(*lines)
        (line,) = (line for line in case.lines if line["line.hcpcs"] == ONE)
        assert line["line.stands_beside_the_others"] is stands


def test_a_code_that_is_not_known_yet_may_be_one_that_is_excluded() -> None:
    line, _ = derived_facts(a_case({"line.hcpcs": ONE}, {}))
    assert needs_of(line["line.stands_beside_the_others"]) == {("line.hcpcs", 1)}


def test_no_code_of_the_tables_changes_what_was_settled_while_a_code_was_not_known() -> None:
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
    ("beside", "reported"),
    [
        ({"line.hcpcs": "J1745", "line.modifiers": frozenset({"JW"})}, True),
        ({"line.hcpcs": "J1745", "line.modifiers": frozenset({"JW"}), **LATER}, False),
        ({"line.hcpcs": "J0690", "line.modifiers": frozenset({"JW"})}, False),
        ({"line.hcpcs": "J1745", "line.modifiers": frozenset({"JZ"})}, False),
    ],
)
def test_what_is_left_over_is_reported_on_a_line_of_the_code_on_its_days(
    beside: dict[str, Any], reported: bool
) -> None:
    line, _ = derived_facts(a_case(VIAL, beside))
    assert line["line.waste_is_reported"] is reported


def test_what_one_line_reports_is_reported_whatever_another_may_turn_out_to_be() -> None:
    reporting = {"line.hcpcs": "J1745", "line.modifiers": frozenset({"JW"})}
    for case in (a_case(VIAL, reporting, {}), a_case(VIAL, {}, reporting)):
        assert case.lines[0]["line.waste_is_reported"] is True


def test_a_line_whose_code_is_not_known_yet_may_report_what_is_left_over() -> None:
    line, _ = derived_facts(a_case(VIAL, {"line.modifiers": frozenset({"JW"})}))
    assert needs_of(line["line.waste_is_reported"]) == {("line.hcpcs", 1)}


def test_a_line_whose_code_is_not_known_yet_may_be_another_per_diem() -> None:
    per_diem = {"line.hcpcs": "S9365", "line.modifiers": frozenset[str]()}
    alone, beside = a_case(per_diem), a_case(per_diem, {"line.modifiers": frozenset[str]()})

    assert alone.lines[0]["line.per_diem_overlap"] == "none"
    assert ("line.hcpcs", 1) in needs_of(beside.lines[0]["line.per_diem_overlap"])
    assert alone.lines[0]["line.concurrency_is_marked"] is True
    assert ("line.hcpcs", 1) in needs_of(beside.lines[0]["line.concurrency_is_marked"])


def test_a_line_whose_code_is_not_known_yet_may_be_the_per_diems_drug() -> None:
    per_diem = {"line.hcpcs": "S9338", "line.modifiers": frozenset[str]()}
    alone, beside = a_case(per_diem), a_case(per_diem, {"line.modifiers": frozenset[str]()})

    assert alone.lines[0]["line.per_diem_therapy"] == "nothing_to_compare"
    assert ("line.hcpcs", 1) in needs_of(beside.lines[0]["line.per_diem_therapy"])
