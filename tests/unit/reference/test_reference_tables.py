"""The reference tables: look-ups as of a date, and the problems reported to their authors."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infusion_orders.authoring.table_problems import TableErrors, TableProblem
from infusion_orders.reference.schema import TABLES
from infusion_orders.reference.tables import ReferenceTables
from tests.support.rules import checked_tables


def a_table(name: str, *rows: dict[str, str]) -> list[list[str]]:
    """A table's header and rows; a column that a row does not give gets a valid cell."""
    usual = {
        "codes": {"name": "infliximab", "group": "drug", "therapy": "anti_tnf"},
        "code_successors": {"valid_to": "2025-06-30", "successor_from": "2025-07-01"},
        "therapies": {"title": "A therapy", "listed": "yes", "acute": "no"},
        "crosswalk": {"category": "home_health_infusion"},
        "dofr_grid": {
            "medical_group": "*",
            "line_of_business": "*",
            "risk_arrangement": "dual_risk",
            "category": "*",
            "party": "undetermined",
        },
        "vendors": {"vendor": "coram", "name": "Coram", "therapy": "anti_tnf", "line_of_business": "*"},
        "ccs_presumptions": {"presumption": "eligible", "section": "41516"},
        "counties": {"whole_child_model": "no"},
        "per_diem_ladders": {"therapy": "anti_tnf"},
        "code_pairs": {"line_of_business": "*"},
    }[name]
    header = TABLES[name].header()
    defaults = {"valid_from": "2020-01-01", "basis": "plan_default", **usual}
    return [list(header), *[[{**defaults, **row}.get(column, "") for column in header] for row in rows]]


def tables_of(**tables: list[dict[str, str]]) -> dict[str, list[list[str]]]:
    """Some tables by their rows, with the therapy `anti_tnf` unless therapies are given."""
    tables.setdefault("therapies", [{"therapy": "anti_tnf"}])
    return {name: a_table(name, *rows) for name, rows in tables.items()}


def table_problems(**tables: list[dict[str, str]]) -> tuple[TableProblem, ...]:
    """What the check says of these tables; empty if it lets them pass."""
    try:
        checked_tables(tables_of(**tables))
    except TableErrors as errors:
        return errors.problems
    return ()


def reference_tables(**tables: list[dict[str, str]]) -> ReferenceTables:
    return checked_tables(tables_of(**tables))


@pytest.mark.parametrize(
    ("day", "quantity"),
    [
        (date(2019, 12, 31), None),
        (date(2020, 1, 1), Decimal(500)),
        (date(2025, 6, 30), Decimal(500)),
        (date(2025, 7, 1), Decimal(10)),
        (date(2026, 6, 30), Decimal(10)),
        (date(2026, 7, 1), None),
    ],
)
def test_code_is_the_one_of_the_day_with_both_ends_included(day: date, quantity: Decimal | None) -> None:
    # given two periods of one code, the later one written first
    unit = {"code": "J1745", "unit": "mg", "unit_kind": "exact"}
    tables = reference_tables(
        codes=[
            {**unit, "unit_quantity": "10", "valid_from": "2025-07-01", "valid_to": "2026-06-30"},
            {**unit, "unit_quantity": "500", "valid_to": "2025-06-30"},
        ]
    )

    # when
    code = tables.code("J1745", day)

    # then
    assert (code.unit_quantity if code else None) == quantity


def test_periods_of_a_code_are_in_order() -> None:
    tables = reference_tables(
        codes=[
            {"code": "J1745", "valid_from": "2025-07-01"},
            {"code": "J1745", "valid_to": "2025-06-30"},
        ]
    )

    assert [code.valid_from for code in tables.code_periods("J1745")] == [date(2020, 1, 1), date(2025, 7, 1)]
    assert tables.code_periods("J0000") == ()
    assert tables.code("J0000", date(2025, 1, 1)) is None


def test_a_code_has_typed_values_and_cannot_be_changed() -> None:
    tables = reference_tables(
        codes=[
            {
                "code": "J1745",
                "unit_quantity": "0.5",
                "unit": "mg",
                "unit_kind": "up_to",
                "routes": "IV|SC",
                "not_with": "per_diem",
            }
        ]
    )

    code = tables.code("J1745", date(2025, 1, 1))

    assert code is not None
    assert (code.unit_quantity, code.unit, code.unit_kind) == (Decimal("0.5"), "mg", "up_to")
    assert (code.routes, code.not_with, code.valid_to) == (("IV", "SC"), ("per_diem",), None)
    with pytest.raises(FrozenInstanceError):
        code.group = "another"  # type: ignore[misc]


def test_codes_exclude_each_other_by_code_or_group() -> None:
    tables = reference_tables(
        codes=[
            {"code": "S9325", "group": "per_diem", "not_with": "S9326"},
            {"code": "S9326", "group": "per_diem"},
            {"code": "S9810", "group": "pharmacy_hourly", "not_with": "per_diem"},
            {"code": "J1745"},
        ]
    )
    generic, continuous, hourly, drug = (tables.code_periods(code)[0] for code in ("S9325", "S9326", "S9810", "J1745"))

    assert generic.excludes(continuous)
    assert continuous.excludes(generic)
    assert hourly.excludes(continuous)
    assert continuous.excludes(hourly)
    assert not drug.excludes(continuous)
    assert not hourly.excludes(drug)


def test_a_superseded_code_names_its_successor() -> None:
    tables = reference_tables(code_successors=[{"code": "J3370", "successor": "J3373"}])

    assert tables.successor("J3370") == "J3373"
    assert tables.predecessors("J3373") == ("J3370",)
    assert tables.successor("J3373") is None


def test_a_therapy_is_listed_as_of_the_day() -> None:
    tables = reference_tables(
        therapies=[
            {"therapy": "anti_tnf", "listed": "no", "valid_to": "2024-06-30"},
            {"therapy": "anti_tnf", "listed": "yes", "valid_from": "2024-07-01"},
        ]
    )

    assert not tables.therapy_is_listed("anti_tnf", date(2024, 6, 30))
    assert tables.therapy_is_listed("anti_tnf", date(2024, 7, 1))
    assert not tables.therapy_is_listed("gene_therapy", date(2024, 7, 1))


def test_crosswalk_has_no_category_where_it_depends() -> None:
    day = date(2025, 1, 1)
    tables = reference_tables(
        crosswalk=[
            {"code": "J1745"},
            {"code": "J1325", "condition": "given in an infusion suite", "category": "therapeutic_injection"},
            {"code": "J1325"},
            {"code": "J9190"},
            {"code": "J9190", "condition": "given in an infusion suite", "category": "chemotherapy"},
            {"code": "J3285", "condition": "by a pump", "category": "durable_medical_equipment"},
        ]
    )

    assert tables.dofr_category("J1745", day) == "home_health_infusion"
    assert tables.dofr_category("J1745", date(2019, 12, 31)) is None
    assert tables.dofr_category("J0000", day) is None
    assert tables.dofr_category("J1325", day) is None
    assert tables.dofr_category("J9190", day) is None
    assert tables.dofr_category("J3285", day) is None


@pytest.mark.parametrize(
    ("group", "business", "category", "party"),
    [
        ("GROUP-1", "medi_cal", "chemotherapy", "health_plan"),
        ("GROUP-1", "commercial_hmo", "chemotherapy", "medical_group"),
        ("GROUP-1", "medi_cal", "hiv_aids", "medical_group"),
        ("GROUP-1", "medi_cal", "insulin", "capitated_hospital"),
        ("GROUP-1", "commercial_hmo", "insulin", "undetermined"),
        ("GROUP-2", "medi_cal", "chemotherapy", "capitated_vendor"),
        ("GROUP-2", "medi_cal", "insulin", "undetermined"),
        (None, "medi_cal", "chemotherapy", "capitated_vendor"),
    ],
)
def test_most_specific_row_of_the_dofr_grid_wins(group: str | None, business: str, category: str, party: str) -> None:
    # given rows from the most general to the most specific
    mine = {"medical_group": "GROUP-1"}
    tables = reference_tables(
        dofr_grid=[
            {"party": "undetermined"},
            {"category": "chemotherapy", "line_of_business": "medi_cal", "party": "capitated_vendor"},
            {**mine, "line_of_business": "medi_cal", "party": "capitated_hospital"},
            {**mine, "category": "chemotherapy", "party": "medical_group"},
            {**mine, "category": "hiv_aids", "party": "medical_group"},
            {**mine, "category": "chemotherapy", "line_of_business": "medi_cal", "party": "health_plan"},
        ]
    )

    # when
    found = tables.dofr_party(
        medical_group=group,
        line_of_business=business,
        risk_arrangement="dual_risk",
        category=category,
        on=date(2025, 1, 1),
    )

    # then
    assert found == party


def test_general_row_of_the_dofr_grid_follows_an_ended_one() -> None:
    tables = reference_tables(
        dofr_grid=[
            {"medical_group": "GROUP-1", "party": "health_plan", "valid_to": "2024-12-31"},
            {"party": "medical_group", "valid_to": "2025-12-31"},
        ]
    )

    def party(arrangement: str, day: date) -> str | None:
        return tables.dofr_party(
            medical_group="GROUP-1",
            line_of_business="medi_cal",
            risk_arrangement=arrangement,
            category="insulin",
            on=day,
        )

    assert party("dual_risk", date(2024, 12, 31)) == "health_plan"
    assert party("dual_risk", date(2025, 1, 1)) == "medical_group"
    assert party("dual_risk", date(2026, 1, 1)) is None
    assert party("full_risk", date(2024, 12, 31)) is None


def test_vendors_accept_the_therapy_for_the_line_of_business() -> None:
    # given
    tables = reference_tables(
        therapies=[{"therapy": "anti_tnf"}, {"therapy": "ivig"}, {"therapy": "any"}],
        vendors=[
            {"vendor": "zenith", "name": "Zenith", "line_of_business": "medi_cal"},
            {"vendor": "coram", "valid_to": "2024-10-07"},
            {"vendor": "acme", "name": "Acme", "therapy": "ivig"},
        ],
    )

    def vendors(therapy: str, business: str, day: date) -> tuple[str, ...]:
        return tables.contracted_vendors(therapy=therapy, line_of_business=business, on=day)

    # then
    assert vendors("anti_tnf", "medi_cal", date(2024, 10, 7)) == ("coram", "zenith")
    assert vendors("anti_tnf", "medi_cal", date(2024, 10, 8)) == ("zenith",)
    assert vendors("anti_tnf", "commercial_hmo", date(2024, 10, 8)) == ()
    assert vendors("any", "commercial_hmo", date(2024, 10, 7)) == ("acme", "coram")
    assert vendors("any", "commercial_hmo", date(2024, 10, 8)) == ("acme",)


@pytest.mark.parametrize(
    ("icd10", "presumption"),
    [
        ("C96.9", "eligible"),
        ("C7A.00", "eligible"),
        ("D10", "conditional"),
        ("d49.9", "conditional"),
        ("B99.9", None),
        ("C97", None),
        ("D50.0", None),
        ("C9", None),
        ("", None),
    ],
)
def test_a_ccs_presumption_is_found_by_the_category_of_the_diagnosis(icd10: str, presumption: str | None) -> None:
    tables = reference_tables(
        ccs_presumptions=[
            {"icd10_from": "D10", "icd10_to": "D49", "presumption": "conditional", "what_must_be_known": "disability"},
            {"icd10_from": "C00", "icd10_to": "C96"},
        ]
    )

    assert tables.ccs_presumption(icd10) == presumption


def test_whole_child_model_of_an_unlisted_county_is_unverified() -> None:
    tables = reference_tables(
        counties=[
            {"county": "Merced", "valid_to": "2020-06-30"},
            {"county": "Merced", "valid_from": "2020-07-01", "whole_child_model": "yes"},
        ]
    )

    assert tables.whole_child_model("Merced", date(2020, 6, 30)) == "no"
    assert tables.whole_child_model("Merced", date(2020, 7, 1)) == "yes"
    assert tables.whole_child_model("Merced", date(2019, 12, 31)) == "unverified"
    assert tables.whole_child_model("Atlantis", date(2020, 7, 1)) == "unverified"


def test_absent_table_is_empty() -> None:
    tables = checked_tables({})
    day = date(2025, 1, 1)

    assert tables.code("J1745", day) is None
    assert tables.ccs_presumption("D80.0") is None
    assert tables.contracted_vendors(therapy="any", line_of_business="medi_cal", on=day) == ()
    assert tables.whole_child_model("Merced", day) == "unverified"


def test_rows_are_returned_as_given_and_read_only() -> None:
    given = tables_of(codes=[{"code": "J1745"}])
    tables = checked_tables(given)

    assert tables.rows() == given
    with pytest.raises(TypeError):
        tables.rows()["codes"] = []  # type: ignore[index]


def test_rows_are_parsed_when_they_are_first_looked_up() -> None:
    broken = {"codes": a_table("codes", {"code": "J1745"}, {"code": "J3370", "valid_from": "never"})}

    tables = ReferenceTables(broken)

    assert tables.code("J1745", date(2025, 1, 1)) is not None
    with pytest.raises(TableErrors):
        checked_tables(broken)


@pytest.mark.parametrize(
    ("table", "row", "column", "hint"),
    [
        ("codes", {"code": "W1745"}, "code", "HCPCS"),
        ("codes", {"code": "J174"}, "code", "HCPCS"),
        ("codes", {"code": "J1745", "name": ""}, "name", "must not be empty"),
        ("codes", {"code": "J1745", "name": " infliximab"}, "name", "begins or ends with a space"),
        ("codes", {"code": "J1745", "name": "inflix\nimab"}, "name", "cannot be printed"),
        ("codes", {"code": "J1745", "name": "x" * 401}, "name", "more than 400"),
        ("codes", {"code": "J1745", "group": "drugs"}, "group", "did you mean 'drug'?"),
        ("codes", {"code": "J1745", "therapy": "anti_tfn"}, "therapy", "did you mean 'anti_tnf'?"),
        ("codes", {"code": "J1745", "therapy": "Anti TNF"}, "therapy", "lower-case"),
        (
            "codes",
            {"code": "J1745", "unit_quantity": "0", "unit": "mg", "unit_kind": "exact"},
            "unit_quantity",
            "above",
        ),
        (
            "codes",
            {"code": "J1745", "unit_quantity": "1e3", "unit": "mg", "unit_kind": "exact"},
            "unit_quantity",
            "num",
        ),
        ("codes", {"code": "J1745", "unit_quantity": "10"}, "unit", "or leave all three empty"),
        ("codes", {"code": "J1745", "routes": "IV|INTRATECAL"}, "routes", "did you mean 'INTRATHECAL'?"),
        ("codes", {"code": "J1745", "routes": "IV|J1745"}, "routes", "is not a valid value"),
        ("codes", {"code": "J1745", "routes": "IV|IV"}, "routes", "twice"),
        ("codes", {"code": "J1745", "not_with": "J1746"}, "not_with", "did you mean 'J1745'?"),
        ("codes", {"code": "J1745", "not_with": "per_dime"}, "not_with", "did you mean 'per_diem'?"),
        ("codes", {"code": "J1745", "valid_from": "20250101"}, "valid_from", "YYYY-MM-DD"),
        ("codes", {"code": "J1745", "valid_from": "2025-02-30"}, "valid_from", "does not exist in the calendar"),
        ("codes", {"code": "J1745", "valid_to": "2019-12-31"}, "valid_to", "before valid_from"),
        ("codes", {"code": "J1745", "basis": "manuel"}, "basis", "did you mean 'manual'?"),
        ("vendors", {"therapy": "anti_tfn"}, "therapy", "did you mean 'anti_tnf'?"),
        ("vendors", {"line_of_business": "medical"}, "line_of_business", "did you mean 'medi_cal'?"),
        ("crosswalk", {"code": "J1745", "category": "home_infusion"}, "category", "home_health_infusion"),
        ("crosswalk", {"code": "J1745", "category": "*"}, "category", "is not a valid value"),
        ("dofr_grid", {"risk_arrangement": "*"}, "risk_arrangement", "is not a valid value"),
        ("dofr_grid", {"party": "county_ccs"}, "party", "is not a valid value"),
        ("ccs_presumptions", {"icd10_from": "D80.1", "icd10_to": "D84"}, "icd10_from", "three characters"),
        ("ccs_presumptions", {"icd10_from": "D84", "icd10_to": "D80"}, "icd10_to", "before icd10_from"),
        ("counties", {"county": "Merced", "whole_child_model": "maybe"}, "whole_child_model", "is not a valid value"),
    ],
)
def test_bad_cell_is_reported_with_its_place_and_what_to_write(
    table: str, row: dict[str, str], column: str, hint: str
) -> None:
    # given tables with one bad cell in their last row
    problems = table_problems(**{table: [row]})

    # then
    assert [(problem.table, problem.row, problem.column) for problem in problems] == [(table, 2, column)]
    assert hint in problems[0].problem


def test_a_problem_reads_as_a_place_and_a_sentence() -> None:
    problems = table_problems(vendors=[{}, {"vendor": "acme", "therapy": "anti_tfn"}])

    assert str(problems[0]) == (
        "vendors, row 3, column therapy: 'anti_tfn' is not in table therapies; did you mean 'anti_tnf'?"
    )
    assert str(TableProblem("vendor", 0, "", "there is no such table")) == "vendor: there is no such table"


def test_all_problems_are_reported_in_order() -> None:
    tables = tables_of(
        vendors=[{"therapy": "x"}, {"basis": "y"}],
        codes=[{"code": "J1"}, {"code": "J1745"}, {"code": "J2", "name": ""}],
    )

    with pytest.raises(TableErrors) as caught:
        checked_tables(tables)

    places = [(problem.table, problem.row, problem.column) for problem in caught.value.problems]
    assert places == [
        ("codes", 2, "code"),
        ("codes", 4, "code"),
        ("codes", 4, "name"),
        ("vendors", 2, "therapy"),
        ("vendors", 3, "basis"),
    ]
    assert str(caught.value).count("\n") == 4


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("codes", {"code": "J1745"}),
        ("therapies", {"therapy": "anti_tnf"}),
        ("crosswalk", {"code": "J1745"}),
        ("dofr_grid", {}),
        ("vendors", {}),
        ("counties", {"county": "Merced"}),
    ],
)
def test_periods_of_the_same_key_may_touch_but_not_overlap(table: str, row: dict[str, str]) -> None:
    first = {**row, "valid_to": "2024-12-31"}
    touching = {**row, "valid_from": "2025-01-01"}
    overlapping = {**row, "valid_from": "2024-12-31"}

    assert table_problems(**{table: [touching, first]}) == ()
    problem = table_problems(**{table: [first, overlapping]})[0]
    assert (problem.table, problem.row) == (table, 3)
    assert "row 2 has the same" in problem.problem


def test_row_within_an_earlier_period_overlaps() -> None:
    row = {"code": "J1745"}
    problems = table_problems(
        codes=[
            {**row, "valid_from": "2020-01-01", "valid_to": "2024-12-31"},
            {**row, "valid_from": "2021-01-01", "valid_to": "2021-12-31"},
            {**row, "valid_from": "2023-01-01", "valid_to": "2023-12-31"},
        ]
    )

    assert [problem.row for problem in problems] == [3, 4]


def test_a_code_has_one_successor_and_ranges_of_diagnoses_do_not_overlap() -> None:
    twice = table_problems(
        code_successors=[{"code": "J3370", "successor": "J3373"}, {"code": "J3370", "successor": "J3374"}]
    )
    ranges = table_problems(
        ccs_presumptions=[{"icd10_from": "J00", "icd10_to": "J99"}, {"icd10_from": "J45", "icd10_to": "J45"}]
    )

    assert [(problem.table, problem.row) for problem in twice] == [("code_successors", 3)]
    assert [(problem.table, problem.row) for problem in ranges] == [("ccs_presumptions", 3)]


@pytest.mark.parametrize(
    ("tables", "place", "hint"),
    [
        ({"vendor": []}, ("vendor", 0, ""), "did you mean 'vendors'?"),
        ({"counties": []}, ("counties", 0, ""), "county, whole_child_model, valid_from, valid_to, basis"),
        (
            {"counties": [["county", "whole_child_modell", "valid_from", "valid_to", "basis"]]},
            ("counties", 1, "whole_child_modell"),
            "did you mean 'whole_child_model'?",
        ),
        (
            {"counties": [["county", "whole_child_model", "valid_to", "valid_from", "basis"]]},
            ("counties", 1, ""),
            "in this order",
        ),
        (
            {"counties": [["county", "whole_child_model", "valid_from", "valid_to", "basis"], ["Merced", "yes"]]},
            ("counties", 2, ""),
            "has 2 cells, but the header has 5 columns",
        ),
    ],
)
def test_a_wrong_table_header_or_width_is_reported(
    tables: dict[str, list[list[str]]], place: tuple[str, int, str], hint: str
) -> None:
    with pytest.raises(TableErrors) as caught:
        checked_tables(tables)

    first = caught.value.problems[0]
    assert (first.table, first.row, first.column) == place
    assert hint in first.problem


@given(
    starts=st.lists(st.integers(0, 400), min_size=1, max_size=6, unique=True),
    lengths=st.lists(st.integers(0, 120), min_size=6, max_size=6),
    asked=st.integers(-5, 600),
)
def test_checked_tables_have_one_period_of_a_code_on_any_day(starts: list[int], lengths: list[int], asked: int) -> None:
    # given periods at random
    origin = date(2024, 1, 1)
    periods = [
        (origin + timedelta(start), origin + timedelta(start + length))
        for start, length in zip(starts, lengths, strict=False)
    ]
    rows = [{"code": "J1745", "valid_from": str(first), "valid_to": str(last)} for first, last in periods]
    day = origin + timedelta(asked)
    overlap = any(a < b and b[0] <= a[1] for a in periods for b in periods)

    # when
    problems = table_problems(codes=rows)

    # then the check refuses exactly the overlaps, and the look-up finds the one period of the day
    assert bool(problems) == overlap
    if not overlap:
        code = reference_tables(codes=rows).code("J1745", day)
        expected = [period for period in periods if period[0] <= day <= period[1]]
        assert ([(code.valid_from, code.valid_to)] if code else []) == expected


def a_ladder(*rungs: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    """A ladder of S9359 and its neighbours, with their codes."""
    codes = [f"S93{number}" for number in range(59, 59 + len(rungs))]
    return {
        "codes": [{"code": code, "group": "per_diem"} for code in codes],
        "per_diem_ladders": [{"code": code, **rung} for code, rung in zip(codes, rungs, strict=True)],
    }


EVERY_8_HOURS = {"measure": "interval_hours", "equals": "8"}
UP_TO_A_LITRE = {"measure": "daily_volume_ml", "at_most": "1000"}
MORE_THAN_A_LITRE = {"measure": "daily_volume_ml", "above": "1000"}


@pytest.mark.parametrize(
    ("rung", "column", "hint"),
    [
        ({"measure": "none", "equals": "8"}, "equals", "must be empty"),
        ({"measure": "infusion", "equals": "continous"}, "equals", "must be one of: continuous, intermittent"),
        ({"measure": "infusion"}, "equals", "needs a value in"),
        ({"measure": "interval_hours", "equals": "daily"}, "equals", "a number of hours"),
        ({"measure": "interval_hours", "equals": "0"}, "equals", "a number of hours"),
        ({"measure": "interval_hours", "equals": "8", "at_most": "12"}, "at_most", "must be empty"),
        ({"measure": "daily_volume_ml"}, "above", "needs a value in above or at_most"),
        (
            {"measure": "daily_volume_ml", "above": "1000", "at_most": "1000"},
            "at_most",
            "must be greater than the value in `above`",
        ),
    ],
)
def test_rung_must_have_the_columns_of_its_measure(rung: dict[str, str], column: str, hint: str) -> None:
    problems = table_problems(**a_ladder(rung))

    assert [(problem.table, problem.row, problem.column) for problem in problems] == [("per_diem_ladders", 2, column)]
    assert hint in problems[0].problem


@pytest.mark.parametrize(
    ("one", "other", "hint"),
    [
        (EVERY_8_HOURS, {**EVERY_8_HOURS, "equals": "8.0"}, "row 2 matches some of the same values"),
        (EVERY_8_HOURS, UP_TO_A_LITRE, "another measure"),
        (UP_TO_A_LITRE, {**MORE_THAN_A_LITRE, "above": "999"}, "row 2 matches some of the same values"),
        ({"measure": "none"}, {"measure": "none"}, "row 2 is already the code for any value"),
        ({"measure": "infusion", "equals": "continuous"}, {"measure": "infusion", "equals": "continuous"}, "row 2"),
    ],
)
def test_rungs_of_a_ladder_do_not_overlap(one: dict[str, str], other: dict[str, str], hint: str) -> None:
    later = {**other, "valid_from": "2025-01-01"}

    problems = table_problems(**a_ladder(one, later))
    assert [(problem.table, problem.row, problem.column) for problem in problems] == [
        ("per_diem_ladders", 3, "measure")
    ]
    assert hint in problems[0].problem
    assert table_problems(**a_ladder({**one, "valid_to": "2024-12-31"}, later)) == ()


def test_rungs_that_touch_and_a_generic_code_are_valid() -> None:
    assert table_problems(**a_ladder({"measure": "none"}, UP_TO_A_LITRE, MORE_THAN_A_LITRE)) == ()
    assert table_problems(**a_ladder({"measure": "none"}, EVERY_8_HOURS, {**EVERY_8_HOURS, "equals": "12"})) == ()


def test_table_of_an_older_version_without_a_column_reads_it_as_empty() -> None:
    rows = a_table("codes", {"code": "J1745", "name": "infliximab", "group": "drug", "therapy": "anti_tnf"})
    column = rows[0].index("routes")
    older = [[*row[:column], *row[column + 1 :]] for row in rows]

    (code,) = ReferenceTables({"codes": older}).code_periods("J1745")

    assert code == ReferenceTables({"codes": rows}).code_periods("J1745")[0]
    assert code.valid_from == date(2020, 1, 1)
