"""The DOFR category and grid, with and without a medical group that a contract names, and the contracted vendors."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from infusion_orders.facts.case import Case
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.responsibility import PARTIES
from infusion_orders.facts.unknown import Unknown
from tests.support.rules import default_rules

DAY = date(2026, 12, 1)
COMPLETE: dict[str, Any] = {
    "member.line_of_business": "commercial_hmo",
    "member.risk_arrangement": "dual_risk",
    "line.dofr_category": "chemotherapy",
    "line.date_of_service": DAY,
}


def value(name: str, known: dict[str, Any], /, **changes: Any) -> Any:
    """The fact, from others by name (`__` for the dot); None takes one away."""
    facts = known | {given.replace("__", "."): changed for given, changed in changes.items()}
    facts = {given: found for given, found in facts.items() if found is not None}
    case = Case(CATALOGUE, default_rules().tables, line_facts=[facts])
    return case.lines[0][name]


def party(**changes: Any) -> Any:
    return value("line.dofr_party", COMPLETE, **changes)


def needs(found: Any) -> list[str]:
    assert isinstance(found, Unknown)
    return [need.fact for need in found.needs]


@pytest.mark.parametrize(
    ("code", "day", "category"),
    [
        ("J1745", DAY, "home_health_infusion"),
        ("E0781", DAY, "durable_medical_equipment"),
        ("J1745", date(1999, 12, 31), "not_in_crosswalk"),
        ("J0001", DAY, "not_in_crosswalk"),
    ],
)
def test_dofr_category_is_that_of_the_crosswalk(code: str, day: date, category: str) -> None:
    assert value("line.dofr_category", {"line.hcpcs": code, "line.date_of_service": day}) == category


def test_dofr_category_needs_code_and_day() -> None:
    assert needs(value("line.dofr_category", {})) == ["line.hcpcs", "line.date_of_service"]


@pytest.mark.parametrize(
    ("arrangement", "expected"),
    [("shared_risk", "capitated_vendor"), ("full_risk", "medical_group"), ("fee_for_service", "health_plan")],
)
@pytest.mark.parametrize("group", [None, "EXAMPLE-PPG", "PPG-0420"])
def test_group_is_not_needed_where_no_row_names_one(arrangement: str, expected: str, group: str | None) -> None:
    assert party(member__risk_arrangement=arrangement, medical_group__id=group) == expected


@pytest.mark.parametrize(
    ("business", "category", "expected"),
    [
        ("commercial_hmo", "home_health_infusion", "capitated_hospital"),
        ("commercial_hmo", "chemotherapy", "medical_group"),
        ("medi_cal", "chemotherapy", "health_plan"),
        ("medi_cal", "chemotherapy_adjunct", "medical_group"),
        ("commercial_hmo", "hemophilia_blood_products", "health_plan"),
        ("commercial_hmo", "durable_medical_equipment", "capitated_vendor"),
        ("commercial_hmo", "not_in_crosswalk", "undetermined"),
    ],
)
def test_rows_of_the_named_group_come_first(business: str, category: str, expected: str) -> None:
    known = {"member__line_of_business": business, "line__dofr_category": category}
    assert party(medical_group__id="EXAMPLE-PPG", **known) == expected
    assert party(medical_group__id="PPG-0420", **known) == "undetermined"


def test_group_is_needed_where_a_row_names_one() -> None:
    assert needs(party()) == ["medical_group.id"]


def test_group_is_not_needed_on_other_days_or_categories() -> None:
    assert party(line__date_of_service=date(2023, 12, 31)) == "undetermined"
    assert party(line__dofr_category="not_in_crosswalk") == "undetermined"
    assert needs(party(line__date_of_service=date(2024, 1, 1))) == ["medical_group.id"]


def test_group_is_among_the_needs_only_while_it_could_matter() -> None:
    assert needs(party(member__risk_arrangement=None, member__line_of_business="medi_cal")) == [
        "medical_group.risk_arrangement",
        "medical_group.id",
    ]
    assert needs(party(line__date_of_service=None)) == ["line.date_of_service", "medical_group.id"]
    assert needs(party(line__date_of_service=None, medical_group__id="EXAMPLE-PPG")) == ["line.date_of_service"]
    shared = party(line__date_of_service=None, member__risk_arrangement="shared_risk")
    assert needs(shared) == ["line.date_of_service"]


@pytest.mark.parametrize("arrangement", ["shared_risk", "dual_risk", "full_risk", "fee_for_service"])
def test_code_outside_the_crosswalk_has_no_party(arrangement: str) -> None:
    found = party(member__risk_arrangement=arrangement, line__dofr_category="not_in_crosswalk")
    assert found == "undetermined"


def test_day_before_every_row_has_no_party() -> None:
    assert party(member__risk_arrangement="full_risk", line__date_of_service=date(2011, 12, 31)) == "undetermined"


@pytest.mark.parametrize(
    ("therapy", "day", "vendors"),
    [
        ("anti_infective", date(2024, 10, 7), {"coram"}),
        ("anti_infective", date(2024, 10, 8), set()),
        ("anti_tnf", date(2024, 10, 8), {"coram"}),
        ("anti_tnf", date(2011, 12, 31), set()),
        ("other", DAY, set()),
    ],
)
def test_contracted_vendors_accept_the_therapy_on_the_day(therapy: str, day: date, vendors: set[str]) -> None:
    known = {"line.therapy": therapy, "member.line_of_business": "medi_cal", "line.date_of_service": day}
    assert value("line.contracted_vendors", known) == vendors
    assert value("line.contracted_vendor", known) == min(vendors, default="none")


@pytest.mark.parametrize(
    ("vendors", "first"), [(set(), "none"), ({"coram"}, "coram"), ({"zenith", "coram", "medi"}, "coram")]
)
def test_contracted_vendor_is_the_first_by_id(vendors: set[str], first: str) -> None:
    assert value("line.contracted_vendor", {"line.contracted_vendors": frozenset(vendors)}) == first


@pytest.mark.parametrize(
    ("vendors", "vendor", "contracted"),
    [
        ({"coram"}, "coram", True),
        ({"coram", "zenith"}, "zenith", True),
        ({"coram"}, "acme", False),
        (set(), "coram", False),
        (set(), None, False),
    ],
)
def test_vendor_is_contracted_if_it_accepts_the_therapy(
    vendors: set[str], vendor: str | None, contracted: bool
) -> None:
    known = {"line.contracted_vendors": frozenset(vendors), "vendor.id": vendor}
    assert value("line.vendor_is_contracted", known) is contracted


def test_vendor_is_contracted_needs_only_what_could_change_it() -> None:
    assert needs(value("line.vendor_is_contracted", {"line.contracted_vendors": frozenset({"coram"})})) == ["vendor.id"]
    known = {"vendor.id": "coram", "line.therapy": "tpn", "line.date_of_service": DAY}
    assert needs(value("line.vendor_is_contracted", known)) == ["member.line_of_business"]


def test_assigned_facts_have_a_default_of_their_domain() -> None:
    assert dict(CATALOGUE.assigned) == {"line.responsible_party": "undetermined", "line.carve_out": "none"}
    for name, default in CATALOGUE.assigned.items():
        assert default in (CATALOGUE.facts[name].domain or ())
    assert CATALOGUE.facts["line.dofr_party"].domain == PARTIES
    assert (CATALOGUE.facts["line.carve_out"].domain or frozenset()) >= {"county_ccs", "medi_cal_rx", "none"}
    assert PARTIES > {"county_ccs", "medi_cal_rx"}
