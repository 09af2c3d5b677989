"""The tables of the default rule set: valid, complete, and right around the days on which something changed."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from infusion_orders.reference.schema import LINES_OF_BUSINESS, TABLES
from tests.support.project import PROJECT
from tests.support.rules import checked_tables

if TYPE_CHECKING:
    from pathlib import Path

    from infusion_orders.reference.tables import ReferenceTables

FOLDER = PROJECT / "rules" / "home-infusion" / "tables"
LISTED = {
    "tpn",
    "anti_infective",
    "aerosolized",
    "pain",
    "chelation",
    "inotropic",
    "ivig",
    "hydration",
    "steroid",
    "anti_tnf",
    "chemotherapy",
}
SPECIALTY = {"ivig", "anti_tnf"}
TODAY = date(2026, 11, 20)


def rows_of(folder: Path) -> dict[str, list[list[str]]]:
    tables = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.stem] = list(csv.reader(file))
    return tables


ROWS = rows_of(FOLDER)


@pytest.fixture(scope="module")
def tables() -> ReferenceTables:
    return checked_tables(ROWS)


def column(table: str, name: str) -> list[str]:
    position = TABLES[table].header().index(name)
    return [row[position] for row in ROWS[table][1:]]


def test_default_rules_have_every_table_and_all_pass_the_check(tables: ReferenceTables) -> None:
    assert set(tables.rows()) == set(TABLES)


def test_codes_include_every_home_infusion_code_once() -> None:
    codes = column("codes", "code")

    assert len(codes) == len(set(codes)) == 438 + 2
    assert {"99601", "99602", "A4221", "J1745", "J9999", "Q5121", "S9810", "T1031"} <= set(codes)
    assert codes == sorted(codes)


@pytest.mark.parametrize(
    ("hcpcs", "therapy", "quantity", "unit", "kind", "routes"),
    [
        ("J1745", "anti_tnf", "10", "mg", "exact", ("IV",)),
        ("J1580", "anti_infective", "80", "mg", "up_to", ("IV", "IM")),
        ("J2540", "anti_infective", "600000", "unit", "up_to", ("IV", "IM")),
        ("J1561", "ivig", "500", "mg", "exact", ("IV", "SC")),
        ("J1559", "subcutaneous_immunoglobulin", "100", "mg", "exact", ("SC",)),
        ("J9190", "chemotherapy", "500", "mg", "exact", ("IV",)),
        ("J1325", "pulmonary_hypertension", "0.5", "mg", "exact", ("IV",)),
        ("J0714", "anti_infective", "625", "mg", "combo_total", ("IV",)),
        ("J2865", "anti_infective", "5", "mg", "combo_first_component", ("IV",)),
        ("J3480", "hydration", "2", "meq", "exact", ("IV",)),
        ("S9365", "tpn", "1", "day", "exact", ()),
        ("S9342", "enteral", "1", "day", "exact", ()),
        ("S9335", "other", "1", "day", "exact", ()),
        ("S9810", "other", "1", "hour", "exact", ()),
        ("G0299", "any", "15", "minute", "exact", ()),
        ("T1002", "any", "15", "minute", "up_to", ()),
        ("99602", "any", "1", "hour", "exact", ()),
    ],
)
def test_code_has_its_therapy_and_billing_unit(
    tables: ReferenceTables, hcpcs: str, therapy: str, quantity: str, unit: str, kind: str, routes: tuple[str, ...]
) -> None:
    code = tables.code(hcpcs, TODAY)

    assert code is not None
    assert (code.therapy, code.unit_quantity, code.unit, code.unit_kind) == (therapy, Decimal(quantity), unit, kind)
    assert code.routes == routes


@pytest.mark.parametrize("hcpcs", ["A4305", "A4306", "B4189", "B4193", "B4197", "B4199"])
def test_flow_rate_or_protein_range_is_not_a_billing_unit(tables: ReferenceTables, hcpcs: str) -> None:
    code = tables.code(hcpcs, TODAY)

    assert code is not None
    assert (code.unit_quantity, code.unit, code.unit_kind) == (None, None, None)


def test_vancomycin_changes_its_code_and_its_unit_overnight(tables: ReferenceTables) -> None:
    last, first = date(2025, 6, 30), date(2025, 7, 1)
    old, new = tables.code("J3370", last), tables.code("J3373", first)

    assert old is not None
    assert old.unit_quantity == 500
    assert new is not None
    assert new.unit_quantity == 10
    assert tables.code("J3370", first) is None
    assert tables.code("J3373", last) is None
    assert tables.successor("J3370") == "J3373"
    assert tables.dofr_category("J3370", last) == "home_health_infusion"
    assert tables.dofr_category("J3370", first) is None


def test_superseded_codes_ended_on_the_day_of_their_succession(tables: ReferenceTables) -> None:
    ends = dict(zip(column("code_successors", "code"), column("code_successors", "valid_to"), strict=True))

    assert len(ends) == 24
    for hcpcs, valid_to in ends.items():
        successor, periods = tables.successor(hcpcs), tables.code_periods(hcpcs)
        assert successor is not None
        if periods:
            assert periods[-1].valid_to == date.fromisoformat(valid_to), hcpcs
            assert tables.code(successor, TODAY), hcpcs


@pytest.mark.parametrize(
    ("general", "special"),
    [
        ("S9325", "S9326 S9327 S9328"),
        ("S9329", "S9330 S9331"),
        ("S9364", "S9365 S9366 S9367 S9368"),
        ("S9373", "S9374 S9375 S9376 S9377"),
        ("S9494", "S9497 S9500 S9501 S9502 S9503 S9504"),
        ("S9810", "S9061 S9338 S9542"),
    ],
)
def test_generic_per_diem_excludes_its_specific_ones(tables: ReferenceTables, general: str, special: str) -> None:
    code = tables.code(general, TODAY)

    assert code is not None
    for hcpcs in special.split():
        other = tables.code(hcpcs, TODAY)
        assert other is not None
        assert code.excludes(other)


def test_m7_the_eleven_therapies_of_the_manual_are_listed_and_no_others(tables: ReferenceTables) -> None:
    therapies = set(column("therapies", "therapy"))

    assert {therapy for therapy in therapies if tables.therapy_is_listed(therapy, TODAY)} == LISTED


def test_m7_remicade_is_intravenous_infliximab_and_never_the_subcutaneous_product(tables: ReferenceTables) -> None:
    for hcpcs in ("J1745", "Q5103", "Q5104", "Q5109", "Q5121"):
        code = tables.code(hcpcs, TODAY)
        assert code is not None
        assert (code.therapy, code.routes) == ("anti_tnf", ("IV",))

    subcutaneous = tables.code("J1748", TODAY)
    assert subcutaneous is not None
    assert not tables.therapy_is_listed(subcutaneous.therapy, TODAY)
    assert tables.dofr_category("J1748", TODAY) == "self_injectable"


@pytest.mark.parametrize(
    ("hcpcs", "category"),
    [
        ("J1745", "home_health_infusion"),
        ("J1559", "home_health_infusion"),
        ("S9359", "home_health_infusion"),
        ("99601", "home_health_infusion"),
        ("B4197", "home_health_infusion"),
        ("A4305", "home_health_infusion"),
        ("S5501", "home_health_infusion"),
        ("J9190", "chemotherapy"),
        ("J0640", "chemotherapy_adjunct"),
        ("J9209", "chemotherapy_adjunct"),
        ("J3000", "therapeutic_injection"),
        ("E0781", "durable_medical_equipment"),
        ("K0455", "durable_medical_equipment"),
        ("J3490", None),
        ("J7699", None),
        ("J9999", None),
        ("B9999", None),
        ("J0001", None),
    ],
)
def test_m10_crosswalk_has_no_category_for_unnamed_products(
    tables: ReferenceTables, hcpcs: str, category: str | None
) -> None:
    assert tables.dofr_category(hcpcs, TODAY) == category


def test_m10_crosswalk_has_every_named_product_or_service() -> None:
    groups = dict(zip(column("codes", "code"), column("codes", "group"), strict=True))
    without = {hcpcs for hcpcs in groups if hcpcs not in set(column("crosswalk", "code"))}

    assert without == {hcpcs for hcpcs, group in groups.items() if group == "drug_noc"} | {"B9999"}


@pytest.mark.parametrize("therapy", sorted(LISTED))
def test_m8_coram_accepts_acute_therapies_until_2024_10_07(tables: ReferenceTables, therapy: str) -> None:
    for business in LINES_OF_BUSINESS:
        before, after = (
            tables.contracted_vendors(therapy=therapy, line_of_business=business, on=day)
            for day in (date(2024, 10, 7), date(2024, 10, 8))
        )
        assert before == ("coram",)
        assert after == (("coram",) if therapy in SPECIALTY else ())


def test_acute_therapies_have_no_vendor_today(tables: ReferenceTables) -> None:
    acute = dict(zip(column("therapies", "therapy"), column("therapies", "acute"), strict=True))
    for name in LISTED:
        accepting = tables.contracted_vendors(therapy=name, line_of_business="medi_cal", on=TODAY)
        assert acute[name] == ("no" if accepting else "yes"), name


@pytest.mark.parametrize(
    ("group", "arrangement", "business", "category", "party"),
    [
        ("PPG-0420", "shared_risk", "medicare_advantage", "home_health_infusion", "capitated_vendor"),
        (None, "full_risk", "commercial_hmo", "home_health_infusion", "medical_group"),
        (None, "fee_for_service", "commercial_ppo", "chemotherapy", "health_plan"),
        ("PPG-0420", "dual_risk", "medi_cal", "home_health_infusion", "undetermined"),
        ("EXAMPLE-PPG", "dual_risk", "medi_cal", "home_health_infusion", "capitated_hospital"),
        ("EXAMPLE-PPG", "dual_risk", "commercial_hmo", "chemotherapy", "medical_group"),
        ("EXAMPLE-PPG", "dual_risk", "medi_cal", "chemotherapy", "health_plan"),
        ("EXAMPLE-PPG", "dual_risk", "medi_cal", "insulin", "undetermined"),
    ],
)
def test_the_default_grid_names_the_party_of_each_arrangement(
    tables: ReferenceTables, group: str | None, arrangement: str, business: str, category: str, party: str
) -> None:
    found = tables.dofr_party(
        medical_group=group, line_of_business=business, risk_arrangement=arrangement, category=category, on=TODAY
    )

    assert found == party


@pytest.mark.parametrize(
    ("icd10", "presumption", "section"),
    [
        ("D80.0", "eligible", "41516.1"),
        ("C91.00", "eligible", "41516"),
        ("E66.01", "not_eligible", "41516.1"),
        ("J45.50", "conditional", "41518.2"),
        ("J46", "conditional", "41518.2"),
        ("K50.90", "conditional", "41518.3"),
        ("M86.9", "eligible", "41515.2"),
    ],
)
def test_m11_a_diagnosis_gives_a_presumption(
    tables: ReferenceTables, icd10: str, presumption: str, section: str
) -> None:
    ranges = zip(*(column("ccs_presumptions", name) for name in ("icd10_from", "icd10_to", "section")), strict=True)

    assert tables.ccs_presumption(icd10) == presumption
    assert [cited for first, last, cited in ranges if first <= icd10[:3] <= last] == [section]


def test_m11_only_a_conditional_presumption_says_what_must_be_known() -> None:
    presumptions, known = column("ccs_presumptions", "presumption"), column("ccs_presumptions", "what_must_be_known")

    assert [bool(what) for what in known] == [presumption == "conditional" for presumption in presumptions]


@pytest.mark.parametrize("icd10", ["Z79.899", "U07.1", "M80.00", "L04", "N11"])
def test_m11_a_diagnosis_outside_the_ranges_lets_one_presume_nothing(tables: ReferenceTables, icd10: str) -> None:
    assert tables.ccs_presumption(icd10) is None


@pytest.mark.parametrize(
    ("county", "day", "answer"),
    [
        ("Merced", date(2018, 6, 30), "no"),
        ("Merced", date(2018, 7, 1), "yes"),
        ("San Luis Obispo", TODAY, "yes"),
        ("Napa", date(2018, 12, 31), "no"),
        ("Napa", date(2019, 1, 1), "unverified"),
        ("Orange", date(2019, 6, 30), "no"),
        ("Orange", date(2019, 7, 1), "unverified"),
        ("Butte", date(2024, 12, 31), "no"),
        ("Butte", date(2025, 1, 1), "unverified"),
        ("Los Angeles", TODAY, "no"),
    ],
)
def test_m11_the_whole_child_model_came_to_a_county_on_a_day(
    tables: ReferenceTables, county: str, day: date, answer: str
) -> None:
    assert tables.whole_child_model(county, day) == answer


def test_every_county_has_an_answer_today(
    tables: ReferenceTables,
) -> None:
    answers = {county: tables.whole_child_model(county, TODAY) for county in set(column("counties", "county"))}

    assert len(answers) == 58
    assert {county for county, answer in answers.items() if answer == "yes"} == {
        "Merced",
        "Monterey",
        "San Luis Obispo",
        "San Mateo",
        "Santa Barbara",
        "Santa Cruz",
    }
    assert sum(1 for answer in answers.values() if answer == "unverified") == 14 + 1 + 12


@pytest.mark.parametrize("therapy", ["tpn", "hydration"])
def test_each_daily_volume_has_exactly_one_per_diem(tables: ReferenceTables, therapy: str) -> None:
    rungs = [rung for rung in tables.rungs(therapy, TODAY) if rung.measure == "daily_volume_ml"]
    bounds = {bound for rung in rungs for bound in (rung.above, rung.at_most) if bound is not None}

    assert bounds == {Decimal(1000), Decimal(2000), Decimal(3000)}
    for bound in bounds:
        for volume in (bound - Decimal("0.001"), bound, bound + Decimal("0.001")):
            assert len([rung for rung in rungs if rung.holds(volume)]) == 1


@pytest.mark.parametrize("therapy", ["pain", "chemotherapy"])
@pytest.mark.parametrize("infusion", ["continuous", "intermittent"])
def test_each_kind_of_infusion_has_exactly_one_per_diem(tables: ReferenceTables, therapy: str, infusion: str) -> None:
    rungs = [rung for rung in tables.rungs(therapy, TODAY) if rung.measure == "infusion"]
    assert len([rung for rung in rungs if rung.holds(infusion)]) == 1


def test_every_rung_is_a_per_diem_of_its_therapy(tables: ReferenceTables) -> None:
    for hcpcs, therapy in zip(column("per_diem_ladders", "code"), column("per_diem_ladders", "therapy"), strict=True):
        code = tables.code(hcpcs, TODAY)
        assert code is not None
        assert (code.group, code.therapy) == ("per_diem", therapy)


def test_exclusive_codes_include_every_exclusion(tables: ReferenceTables) -> None:
    """The short cut that most lines take says what looking at every pair would say."""
    codes = [code for hcpcs in sorted(set(column("codes", "code"))) for code in tables.code_periods(hcpcs)]
    paired = {
        hcpcs
        for code in codes
        for pair in tables.code_pairs(code.hcpcs, "excludes", TODAY)
        for hcpcs in (pair.hcpcs, pair.other)
    }
    excluding = {code.hcpcs for code in codes if any(code.excludes(other) for other in codes)}

    assert excluding | paired == tables.exclusive_codes & set(column("codes", "code")) | paired
    assert excluding
    assert set(column("codes", "code")) - tables.exclusive_codes
