"""What each release makes of its table, and which rows of its file are refused."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infusion_orders.authoring.differences import table_changes
from infusion_orders.authoring.table_checks import table_problems
from infusion_orders.reference.schema import TABLES
from infusion_orders_cli.codes.changes import FORMULA_SIGNS, Imported, OptionRefused, from_day_on, in_order
from infusion_orders_cli.codes.dofr import categories_of, columns_of, dofr_after, names_of, read_dofr
from infusion_orders_cli.codes.files import FileRefused, Sheet
from infusion_orders_cli.codes.hcpcs import addition_of, codes_after, read_hcpcs
from infusion_orders_cli.codes.icd_10_cm import diagnoses_after, read_icd_10_cm
from infusion_orders_cli.codes.ndc import ndc_after, read_ndc

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = tuple[str, ...]

DAY = date(2027, 1, 1)


def sheet(*rows: tuple[str, ...]) -> Sheet:
    return Sheet(rows)


def refusal(read: Callable[[], object]) -> str:
    with pytest.raises((FileRefused, OptionRefused)) as refused:
        read()
    return str(refused.value)


def told(imported: Imported) -> list[tuple[str, str, str]]:
    return [(change.kind, change.subject, change.since) for change in imported.changes]


class TestHcpcs:
    HEADER = ("HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION", "ADD DT", "ACT EFF DT", "TERM DT")
    KEPT = ("J1000", "example", "drug", "pain", "10", "mg", "exact", "IV", "2000-01-01", "", "drug_noc", "coding")

    def listed(self, code: str, text: str = "Example, 10 mg", added: str = "20000101", ended: str = "") -> Row:
        return (code, "00100", "3", text, "Example", added, added, ended)

    def after(self, *rows: Row, before: tuple[Row, ...] = (KEPT,), **more: Any) -> Imported:
        return codes_after(before, read_hcpcs(sheet(self.HEADER, *rows)), effective=DAY, **more)

    def test_unchanged_code_keeps_its_row(self) -> None:
        imported = self.after(self.listed("J1000"))
        assert imported.rows == (self.KEPT,)
        assert not imported.changes
        assert not imported.notices

    def test_code_ends_on_the_day_in_the_file(self) -> None:
        imported = self.after(self.listed("J1000", ended="20261231"))
        assert imported.rows == ((*self.KEPT[:9], "2026-12-31", *self.KEPT[10:]),)
        assert told(imported) == [("ended", "J1000", "")]

    def test_changed_unit_begins_on_the_effective_day(self) -> None:
        imported = self.after(self.listed("J1000", "Example, up to 5 mg"))
        old, new = imported.rows
        assert old == (*self.KEPT[:9], "2026-12-31", *self.KEPT[10:])
        assert new == (*self.KEPT[:4], "5", "mg", "up_to", "IV", "2027-01-01", "", *self.KEPT[10:])
        (change,) = imported.changes
        assert (change.kind, change.since) == ("changed", "2027-01-01")
        assert change.cells == (("unit_quantity", "10", "5"), ("unit_kind", "exact", "up_to"))

    def test_unit_changes_until_the_code_ends(self) -> None:
        imported = self.after(self.listed("J1000", "Example, 5 mg", ended="20270331"))
        assert [row[8:10] for row in imported.rows] == [("2000-01-01", "2026-12-31"), ("2027-01-01", "2027-03-31")]
        assert ("valid_to", "", "2027-03-31") in imported.changes[0].cells

    def test_unit_of_an_ended_code_is_ignored(self) -> None:
        imported = self.after(self.listed("J1000", "Example, 5 mg", ended="20261231"))
        assert len(imported.rows) == 1

    def test_continued_description_belongs_to_its_code(self) -> None:
        more = ("J1000", "00200", "4", "5 mg", "", "", "", "")
        imported = self.after(self.listed("J1000", "Example, up to"), more)
        assert imported.rows[1][4:7] == ("5", "mg", "up_to")

    @pytest.mark.parametrize("text", ["Example", "Example, 5 mg and other, 3 mg"])
    def test_ambiguous_unit_is_kept_with_a_notice(self, text: str) -> None:
        imported = self.after(self.listed("J1000", text))
        assert imported.rows == (self.KEPT,)
        assert [notice.kind for notice in imported.notices] == ["unit not compared"]

    @pytest.mark.parametrize(
        "cells", [("per_diem", "1", "day", "exact"), ("drug", "75", "mg", "combo_total"), ("pump", "", "", "")]
    )
    def test_units_of_services_and_combinations_are_kept(self, cells: Row) -> None:
        group, *unit = cells
        row = (*self.KEPT[:2], group, "pain", *unit, *self.KEPT[7:])
        assert self.after(self.listed("J1000", "Example, 5 mg"), before=(row,)).rows == (row,)

    def test_modifiers_cpt_and_other_codes_are_dropped_and_counted(self) -> None:
        modifier = ("XX", "00100", "7", "Example", "", "20000101", "", "")
        imported = self.after(
            self.listed("J1000"), modifier, self.listed("99999"), self.listed("0001T"), self.listed("G0001")
        )
        assert imported.dropped == {"modifiers": 1, "CPT rows": 2, "codes that the tables do not have": 1}
        assert imported.read == 5

    def test_code_missing_from_the_file_is_kept_with_a_notice(self) -> None:
        imported = self.after(self.listed("G0001"))
        assert imported.rows == (self.KEPT,)
        assert [(notice.kind, notice.subject) for notice in imported.notices] == [("not in the file", "J1000")]

    def test_missing_ended_and_cpt_codes_raise_no_notice(self) -> None:
        before = ((*self.KEPT[:9], "2020-12-31", *self.KEPT[10:]), ("99601", *self.KEPT[1:]))
        assert not self.after(self.listed("G0001"), before=before).notices

    @pytest.mark.parametrize(
        ("valid_from", "valid_to", "ended", "kind"),
        [
            ("2000-01-01", "2026-06-30", "", "open in the file"),
            ("2026-07-01", "", "20260630", "ended earlier"),
        ],
    )
    def test_contradiction_with_the_table_is_only_a_notice(
        self, valid_from: str, valid_to: str, ended: str, kind: str
    ) -> None:
        row = (*self.KEPT[:8], valid_from, valid_to, *self.KEPT[10:])
        imported = self.after(self.listed("J1000", ended=ended), before=(row,))
        assert imported.rows == (row,)
        assert [notice.kind for notice in imported.notices] == [kind]

    def test_new_codes_of_the_families_are_only_listed(self) -> None:
        imported = self.after(
            self.listed("J1000"),
            self.listed("J1999", added="20270101"),
            self.listed("J1998", added="20200101"),
            self.listed("C9999", added="20270101"),
            self.listed("J1997", added="20260401", ended="20260630"),
        )
        assert imported.rows == (self.KEPT,)
        found = [(notice.kind, notice.subject) for notice in imported.notices]
        assert found == [("new: to be curated", "J1999")]

    def test_added_code_gets_the_stated_therapy(self) -> None:
        added = addition_of("j1999=pain", ["pain"])
        imported = self.after(
            self.listed("J1000"), self.listed("J1999", "Other, 5 mg", added="20270101"), additions=[added]
        )
        new = ("J1999", "J1999", "drug", "pain", "5", "mg", "exact", "", "2027-01-01", "", "", "coding")
        assert imported.rows == (self.KEPT, new)
        assert [notice.kind for notice in imported.notices] == ["added"]

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("E0799", ("E0799", "any", "pump")),
            ("A4299", ("A4299", "any", "supply")),
            ("Q5999=chemotherapy/drug", ("Q5999", "chemotherapy", "drug")),
            ("S9999=pain", ("S9999", "pain", "per_diem")),
        ],
    )
    def test_group_of_added_code_follows_from_its_family(self, text: str, found: tuple[str, str, str]) -> None:
        added = addition_of(text, ["pain", "chemotherapy", "any"])
        assert (added.code, added.therapy, added.group) == found

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("J1999", "therapy"),
            ("J1999=pian", "did you mean 'pain'"),
            ("Q5999=pain", "group"),
            ("J199=pain", "must begin with a HCPCS code"),
            ("99999=pain", "must begin with a HCPCS code"),
        ],
    )
    def test_incomplete_addition_is_refused(self, text: str, says: str) -> None:
        assert says in refusal(lambda: addition_of(text, ["pain"]))

    @pytest.mark.parametrize(("code", "says"), [("J1000", "already"), ("J1999", "does not have")])
    def test_addition_must_be_in_the_file_and_not_in_the_table(self, code: str, says: str) -> None:
        added = addition_of(f"{code}=pain", ["pain"])
        assert says in refusal(lambda: self.after(self.listed("J1000"), additions=[added]))

    @pytest.mark.parametrize(
        ("row", "says"),
        [
            (("J10", "1", "3", "", "", "", "", ""), "row 2, column HCPC: must be a HCPCS code"),
            (("=J1000", "1", "3", "", "", "", "", ""), "row 2, column HCPC: must be a HCPCS code"),
            (("J1000", "1", "3", "", "", "20001301", "", ""), "row 2, column ADD DT: is not a day"),
            (("J1000", "1", "3", "", "", "", "", "soon"), "row 2, column TERM DT: must be a date"),
            (("J1000", "2", "4", "", "", "", "", ""), "row 2, column RECID: continues"),
            (("J1000", "1", "3"), "row 2: has 3 cells where the header has 8"),
        ],
    )
    def test_faulty_hcpcs_row_is_reported_with_its_column(self, row: Row, says: str) -> None:
        assert says in refusal(lambda: read_hcpcs(sheet(self.HEADER, row)))

    def test_repeated_code_is_a_fault(self) -> None:
        rows = (self.listed("J1000"), self.listed("J1000"))
        assert "row 3, column HCPC: a row above has the code" in refusal(lambda: read_hcpcs(sheet(self.HEADER, *rows)))

    def test_hcpcs_file_without_codes_is_refused(self) -> None:
        assert "no HCPCS code" in refusal(lambda: read_hcpcs(sheet(self.HEADER, self.listed("99999"))))


class TestNdc:
    BANNER = (("Example crosswalk",), ("Effective January 1, 2027 through March 31, 2027",), ())
    HEADER = ("_2027_CODE", "Short Description", "LABELER NAME", "NDC2", "Drug Name", "PKG SIZE", "BILLUNITS")
    BEFORE = (
        ("11111222201", "J1000", "2026-10-01", "", "coding"),
        ("11111222202", "J1000", "2026-10-01", "", "coding"),
        ("11111222203", "J1000", "2026-01-01", "2026-09-30", "coding"),
    )

    def row(self, code: str, ndc: str) -> Row:
        return (code, "Example", "Maker", ndc, "Example", "1", "1")

    def read(self, *rows: Row) -> Any:
        return read_ndc(sheet(*self.BANNER, self.HEADER, *rows), {"J1000"})

    def test_pairs_end_stay_or_begin_on_the_effective_day(self) -> None:
        release = self.read(self.row("J1000", "11111-2222-01"), self.row("J2000", "11111222204"))
        imported = ndc_after(self.BEFORE, release, effective=DAY)
        assert imported.rows == (
            self.BEFORE[0],
            ("11111222202", "J1000", "2026-10-01", "2026-12-31", "coding"),
            self.BEFORE[2],
            ("11111222204", "J2000", "2027-01-01", "", "coding"),
        )
        assert told(imported) == [("ended", "11111222202 J1000", ""), ("new", "11111222204 J2000", "2027-01-01")]

    def test_returning_pair_begins_again(self) -> None:
        imported = ndc_after(self.BEFORE[2:], self.read(self.row("J1000", "11111-2222-03")), effective=DAY)
        assert [row[2:4] for row in imported.rows] == [("2026-01-01", "2026-09-30"), ("2027-01-01", "")]

    def test_listed_pair_loses_its_planned_end(self) -> None:
        before = (("11111222201", "J1000", "2026-10-01", "2027-06-30", "coding"),)
        imported = ndc_after(before, self.read(self.row("J1000", "11111-2222-01")), effective=DAY)
        assert imported.rows == (("11111222201", "J1000", "2026-10-01", "", "coding"),)
        assert told(imported) == [("changed", "11111222201 J1000", "2026-10-01")]

    def test_corrected_file_removes_what_the_first_file_began(self) -> None:
        before = (("11111222209", "J1000", "2027-01-01", "", "coding"),)
        imported = ndc_after(before, self.read(self.row("J1000", "11111-2222-01")), effective=DAY)
        assert [row[0] for row in imported.rows] == ["11111222201"]
        assert ("removed", "11111222209 J1000", "") in told(imported)

    def test_banner_states_the_first_day(self) -> None:
        release = self.read(self.row("J1000", "11111-2222-01"))
        assert release.effective == DAY
        notices = ndc_after((), release, effective=date(2027, 4, 1)).notices
        assert [notice.kind for notice in notices] == ["another day"]

    @pytest.mark.parametrize("name", ["HCPCS Code", "_2031_CODE", "HCPCS Level II Code"])
    def test_code_column_may_have_several_names(self, name: str) -> None:
        found = read_ndc(sheet((name, "NDC"), ("J1000", "11111-2222-01")), {"J1000"})
        assert found.pairs == {("11111222201", "J1000")}
        assert found.effective is None

    def test_cpt_rows_and_other_product_numbers_are_dropped_and_counted(self) -> None:
        release = self.read(
            self.row("J1000", "11111-2222-01"), self.row("90001", "11111-2222-09"), self.row("J7000", "123456789012")
        )
        assert list(release.dropped.values()) == [1, 1]
        assert release.read == 3

    @pytest.mark.parametrize("ndc", ["1111-2222-01", "111112222", "123456789012", "", "11111-22222-1"])
    def test_invalid_ndc_of_our_code_is_a_fault(self, ndc: str) -> None:
        said = refusal(lambda: self.read(self.row("J1000", ndc)))
        assert said.startswith("row 5, column NDC2: must be an NDC of 11 digits")

    def test_malformed_code_is_a_fault(self) -> None:
        assert refusal(lambda: self.read(self.row("J10", "11111-2222-01"))).startswith("row 5, column _2027_CODE")

    def test_ndc_file_without_pairs_is_refused(self) -> None:
        assert "no NDC" in refusal(lambda: self.read(self.row("90001", "11111-2222-01")))


class TestDofr:
    HEADER = ("HCPCS Code", "Remarks", "Benefit")
    MAPPING = "code=hcpcs code,condition=REMARKS,category=Benefit"
    BEFORE = (
        ("J1000", "", "home_health_infusion", "2020-01-01", "", "plan_default"),
        ("J2000", "", "chemotherapy", "2020-01-01", "", "plan_default"),
        ("J3000", "", "insulin", "2020-01-01", "", "plan_default"),
    )

    def read(self, *rows: Row, category: tuple[str, ...] = ()) -> Any:
        return read_dofr(
            sheet(self.HEADER, *rows),
            {"J1000", "99601"},
            columns=columns_of(names_of([self.MAPPING], "--columns")),
            categories=categories_of(names_of(category, "--category")),
        )

    def test_listed_codes_change_and_other_codes_keep_their_rows(self) -> None:
        release = self.read(("J1000", "", "Self-Injectable"), ("J2000", "", "CHEMOTHERAPY"))
        imported = dofr_after(self.BEFORE, release, effective=DAY)
        assert imported.rows == (
            ("J1000", "", "home_health_infusion", "2020-01-01", "2026-12-31", "plan_default"),
            ("J1000", "", "self_injectable", "2027-01-01", "", "manual"),
            *self.BEFORE[1:],
        )
        assert told(imported) == [("changed", "J1000", "2027-01-01")]
        assert [(notice.kind, notice.subject) for notice in imported.notices] == [("not in the file", "J3000")]

    def test_complete_file_ends_missing_codes(self) -> None:
        release = self.read(("J1000", "", "home health infusion"), ("J2000", "", "chemotherapy"))
        imported = dofr_after(self.BEFORE, release, effective=DAY, complete=True)
        assert told(imported) == [("ended", "J3000", "")]
        assert not imported.notices

    def test_code_has_one_category_per_condition(self) -> None:
        release = self.read(("J1000", "first dose", "Insulin"), ("J1000", "later doses", "Chemotherapy"))
        imported = dofr_after(self.BEFORE[:1], release, effective=DAY)
        assert [row[1:3] for row in imported.rows if not row[4]] == [
            ("first dose", "insulin"),
            ("later doses", "chemotherapy"),
        ]

    def test_category_option_maps_the_words_of_the_plan(self) -> None:
        release = self.read(("J1000", "", "Home IV, all"), category=('"Home IV, all=home_health_infusion"',))
        assert release.rows == (("J1000", "", "home_health_infusion"),)

    def test_unknown_cpt_rows_and_repeated_rows_are_dropped(self) -> None:
        rows = [("99601", "", "insulin"), ("99999", "", "insulin"), ("99601", "", "Insulin")]
        release = self.read(*rows)
        assert release.rows == (("99601", "", "insulin"),)
        assert sorted(release.dropped.values()) == [1, 1]

    def test_condition_column_is_optional(self) -> None:
        release = read_dofr(
            sheet(("Category", "CODE"), ("Insulin", "J1000")),
            set(),
            columns=columns_of({}),
            categories=categories_of({}),
        )
        assert release.rows == (("J1000", "", "insulin"),)

    @pytest.mark.parametrize(
        ("row", "says"),
        [
            (("J10", "", "insulin"), "row 2, column HCPCS Code: must be a HCPCS code"),
            (("J1000", "", "insulins"), "row 2, column Benefit: not one of our categories; did you mean 'insulin'?"),
            (("J1000", "", ""), "row 2, column Benefit: not one of our categories"),
            (("J1000", "x" * 401, "insulin"), "row 2, column Remarks: has more than 400"),
            *((("J1000", f"{sign}1+1", "insulin"), "row 2, column Remarks: begins with") for sign in FORMULA_SIGNS),
        ],
    )
    def test_faulty_dofr_row_is_reported_with_the_column_of_the_plan(self, row: Row, says: str) -> None:
        assert says.lower() in refusal(lambda: self.read(row)).lower()

    def test_two_categories_without_condition_are_a_fault(self) -> None:
        said = refusal(lambda: self.read(("J1000", "", "insulin"), ("J1000", "", "chemotherapy")))
        assert said.startswith("row 3, column Benefit: row 2 puts the same code under another category")

    @pytest.mark.parametrize(
        ("read", "says"),
        [
            (lambda: names_of(["code"], "--columns"), "--columns: must be pairs"),
            (lambda: columns_of({"codes": "x"}), "there is no column 'codes'; did you mean 'code'?"),
            (lambda: categories_of({"x": "insuline"}), "did you mean 'insulin'?"),
        ],
    )
    def test_invalid_mapping_is_refused(self, read: Callable[[], object], says: str) -> None:
        assert says in refusal(read)

    def test_missing_dofr_column_names_the_option(self) -> None:
        columns = columns_of({"code": "HCPCS Coed", "category": "Benefit"})
        said = refusal(lambda: read_dofr(sheet(self.HEADER), set(), columns=columns, categories={}))
        assert "did you mean 'HCPCS Code'?" in said
        assert "--columns" in said


class TestIcd10Cm:
    LINES = (
        "00001 A00     0 Example category                                             Example",
        "00002 A000    1 Example                                                      Example",
        "00003 QA00101 1 Example                                                      Example",
        "00004 Z9989   1 Example                                                      Example",
    )

    def test_release_replaces_the_diagnoses(self) -> None:
        release = read_icd_10_cm(self.LINES)
        before = (("A00", "0|1", "2026-04-01", "2026-09-30", "coding"),)
        imported = diagnoses_after(before, release, effective=date(2026, 10, 1), until=date(2027, 9, 30))
        assert imported.rows == (
            ("A00", "0", "2026-10-01", "2027-09-30", "coding"),
            ("QA0", "0101", "2026-10-01", "2027-09-30", "coding"),
            ("Z99", "89", "2026-10-01", "2027-09-30", "coding"),
        )
        assert Counter(told(imported)) == {
            ("ended", "A00.1", ""): 1,
            ("new", "QA0.0101", "2026-10-01"): 1,
            ("new", "Z99.89", "2026-10-01"): 1,
            ("changed", "release", "2026-10-01"): 1,
        }
        assert imported.read == 4

    @pytest.mark.parametrize(
        ("number", "line", "says"),
        [
            (2, "0000 A000    1 Example", "row 2, column 1-5: must be the order number"),
            (2, "00001 A000    1 Example", "row 2, column 1-5: the order number"),
            (2, "00002 A0 0    1 Example", "row 2, column 7-13: must be an ICD-10-CM code"),
            (2, "00002 A00.0   1 Example", "row 2, column 7-13: must be an ICD-10-CM code"),
            (2, "00002 A000    2 Example", "row 2, column 15: must be 0"),
            (2, "00002 A000   1 Example", "row 2, column 6, 14, 16: must be blank"),
            (2, "00002 A000", "row 2, column 6, 14, 16: must be blank"),
            (1, "A000    Example", "the file with codes only"),
            (1, "HCPC,SEQNUM,RECID", "codes import hcpcs"),
            (1, "code,title", "CSV file"),
        ],
    )
    def test_faulty_line_is_reported_with_its_columns(self, number: int, line: str, says: str) -> None:
        lines = [*self.LINES]
        lines[number - 1] = line
        assert says in refusal(lambda: read_icd_10_cm(lines))

    def test_incomplete_order_file_is_refused(self) -> None:
        assert "is it complete" in refusal(lambda: read_icd_10_cm(self.LINES[:3]))

    def test_order_file_with_headers_only_is_refused(self) -> None:
        assert "no billable code" in refusal(lambda: read_icd_10_cm(self.LINES[:1]))


CODES = st.sampled_from(["J1000", "J2000"])
NDCS = st.sampled_from(["11111222201", "11111222202"])
PAIRS = st.frozensets(st.tuples(NDCS, CODES))
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


FIRST, NEXT, PAIR = date(2026, 1, 1), date(2026, 1, 2), frozenset({("11111222201", "J1000")})


@example(releases=[(FIRST, PAIR), (NEXT, frozenset()), (NEXT, PAIR)], final=(FIRST, PAIR))
@given(releases=st.lists(st.tuples(DAYS, PAIRS), max_size=5), final=st.tuples(DAYS, PAIRS))
def test_last_of_any_releases_holds_and_is_idempotent(
    releases: list[tuple[date, frozenset[tuple[str, str]]]], final: tuple[date, frozenset[tuple[str, str]]]
) -> None:
    schema = TABLES["ndc_crosswalk"]
    rows: tuple[Row, ...] = ()
    for day, pairs in [*releases, final]:
        wanted = [(*pair, day.isoformat(), "", "coding") for pair in pairs]
        before, rows = rows, from_day_on(schema, rows, wanted, effective=day)
        assert rows == in_order(schema, rows)
        assert not table_problems({"ndc_crosswalk": [schema.header(), *rows]})
        earlier = [row for row in rows if row[2] < day.isoformat()]
        assert {row[:3] for row in earlier} <= {row[:3] for row in before}
    day, pairs = final
    holding = {row[:2] for row in rows if not row[3] or row[3] >= day.isoformat()}
    assert holding == pairs
    again = from_day_on(schema, rows, [(*pair, day.isoformat(), "", "coding") for pair in pairs], effective=day)
    assert not table_changes(schema, rows, again)
