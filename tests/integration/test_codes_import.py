"""`infusion-orders codes import` as a person calls it: what it shows, what it writes, and what it never does."""

from __future__ import annotations

import csv
import filecmp
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.reference.schema import TABLES
from infusion_orders_cli.codes.changes import FORMULA_SIGNS
from infusion_orders_cli.main import app

RULES = Path(__file__).parents[2] / "rules" / "home-infusion"
Row = list[str]

HCPCS_HEADER = ["HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION", "ADD DT", "ACT EFF DT", "TERM DT"]
HCPCS_ROWS = [
    ["J0690", "00100", "3", "Made-up text, per", "Made-up", "19820101", "20270101", ""],
    ["J0690", "00200", "4", "250 mg", "", "", "", ""],
    ["J1580", "00100", "3", "Made-up text, up to 80 mg", "Made-up", "19840101", "20261231", "20261231"],
    ["J0999", "00100", "3", "=Made-up new text, 5 mg", "Made-up", "20270101", "20270101", ""],
    ["XX", "00100", "7", "Made-up modifier", "Made-up", "20000101", "20000101", ""],
    ["99601", "00100", "3", "Made-up", "Made-up", "20000101", "20000101", ""],
]
NDC_ROWS = [
    ["Made-up crosswalk"],
    ["Effective January 1, 2027 through March 31, 2027"],
    ["_2027_CODE", "Short Description", "LABELER NAME", "NDC2", "Drug Name", "PKG SIZE", "BILLUNITS"],
    ["J0690", "Made-up", "Caf\u00e9", "11111-2222-01", "Made-up", "1", "1"],
]
DOFR_ROWS = [["HCPCS", "Note", "DOFR category"], ["J0690", "first dose", "Home Health/Infusion"]]
ICD_LINES = "00001 A00     0 Made-up header\n00002 A000    1 Made-up\n00003 Z9989   1 Made-up\n"

HCPCS = ("hcpcs", "--effective", "2027-01-01")


def run(*arguments: str | Path) -> Any:
    result = CliRunner().invoke(app, ["codes", "import", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def a_csv(path: Path, rows: list[Row], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def a_workbook(path: Path, rows: list[Row]) -> Path:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


def rows_of(folder: Path, table: str) -> list[Row]:
    with (folder / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))[1:]


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    return tmp_path / "drafts" / "home-infusion"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The default rules with one diagnosis, whatever release they hold."""
    folder = tmp_path / "current" / "home-infusion"
    shutil.copytree(RULES, folder)
    schema = TABLES["diagnoses"]
    a_csv(folder / "tables" / "diagnoses.csv", [[*schema.header()], ["A00", "1", "2026-04-01", "2026-09-30", "coding"]])
    return folder


@pytest.fixture(params=["csv", "xlsx"])
def hcpcs_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    rows = [["A made-up release"], HCPCS_HEADER, *HCPCS_ROWS]
    return a_csv(tmp_path / "h.csv", rows) if request.param == "csv" else a_workbook(tmp_path / "h.xlsx", rows)


def test_import_without_draft_writes_nothing(hcpcs_file: Path, tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()}

    result = run(*HCPCS, hcpcs_file)

    assert result.exit_code == 0
    assert result.stderr == ""
    for shown in ("unit_quantity: 500 -> 250", "valid_to: (empty) -> 2026-12-31", "1 CPT rows", "1 modifiers"):
        assert shown in result.stdout
    assert "new: to be curated" in result.stdout
    assert "Nothing was written" in result.stdout
    assert {path.name for path in tmp_path.iterdir()} == before


def test_draft_changes_one_table_and_loads(hcpcs_file: Path, draft: Path) -> None:
    result = run(*HCPCS, hcpcs_file, "--into", draft, "--add", "J0999=pain")

    assert result.exit_code == 0
    assert f"infusion-orders rules check {draft}" in result.stdout
    assert f"infusion-orders rules publish {draft}" in result.stdout
    load_directory(draft)
    compared = filecmp.dircmp(RULES, draft)
    assert compared.left_list == compared.right_list
    assert not compared.diff_files
    assert compared.subdirs["tables"].diff_files == ["codes.csv"]
    assert [path.name for path in draft.parent.iterdir()] == ["home-infusion"]
    old, new = ({tuple(row) for row in rows_of(folder, "codes")} for folder in (RULES, draft))
    assert {row[0] for row in old ^ new} == {"J0690", "J0999", "J1580"}


def test_draft_holds_no_text_of_the_file(hcpcs_file: Path, draft: Path) -> None:
    run(*HCPCS, hcpcs_file, "--into", draft, "--add", "J0999=pain")

    written = (draft / "tables" / "codes.csv").read_text("utf-8")
    assert "Made-up" not in written
    assert not [cell for row in rows_of(draft, "codes") for cell in row if cell.startswith(FORMULA_SIGNS)]


def test_next_file_goes_into_the_same_draft(rules: Path, draft: Path, tmp_path: Path) -> None:
    run(*HCPCS, a_csv(tmp_path / "h.csv", [HCPCS_HEADER, *HCPCS_ROWS]), "--rules", rules, "--into", draft)
    same = ("--rules", draft, "--into", draft)
    order = tmp_path / "icd.txt"
    order.write_text(ICD_LINES)
    columns = ("--columns", "code=hcpcs,condition=note,category=dofr category")
    words = ("--category", "Home Health/Infusion=home_health_infusion")

    results = [
        run("ndc", a_csv(tmp_path / "n.csv", NDC_ROWS, "cp1252"), *same),
        run("dofr", a_csv(tmp_path / "d.csv", DOFR_ROWS), "--effective", "2027-01-01", *columns, *words, *same),
        run("icd-10-cm", order, "--effective", "2026-10-01", "--until", "2027-09-30", *same),
    ]

    assert [result.exit_code for result in results] == [0, 0, 0]
    load_directory(draft)
    assert rows_of(draft, "ndc_crosswalk")[-1] == ["11111222201", "J0690", "2027-01-01", "", "coding"]
    assert ["J0690", "first dose", "home_health_infusion", "2027-01-01", "", "manual"] in rows_of(draft, "crosswalk")
    assert rows_of(draft, "diagnoses") == [
        ["A00", "0", "2026-10-01", "2027-09-30", "coding"],
        ["Z99", "89", "2026-10-01", "2027-09-30", "coding"],
    ]
    assert not list((draft / "tables").glob(".*"))


def test_second_import_of_a_file_changes_nothing(hcpcs_file: Path, draft: Path) -> None:
    run(*HCPCS, hcpcs_file, "--into", draft)
    written = (draft / "tables" / "codes.csv").read_bytes()

    result = run(*HCPCS, hcpcs_file, "--rules", draft, "--into", draft, "--json")

    assert json.loads(result.stdout)["changes"] == []
    assert (draft / "tables" / "codes.csv").read_bytes() == written


def test_json_holds_the_whole_difference(hcpcs_file: Path, draft: Path) -> None:
    found = json.loads(run(*HCPCS, hcpcs_file, "--json", "--into", draft).stdout)

    assert found["counts"] == {"new": 0, "ended": 1, "changed": 1, "removed": 0}
    assert found["changes"] == [
        {
            "kind": "changed",
            "subject": "J0690",
            "since": "2027-01-01",
            "cells": {"unit_quantity": ["500", "250"]},
        },
        {"kind": "ended", "subject": "J1580", "since": None, "cells": {"valid_to": ["", "2026-12-31"]}},
    ]
    assert found["dropped"] == {"modifiers": 1, "CPT rows": 1, "codes that the tables do not have": 1}
    assert found["draft"] == str(draft)
    assert {"kind": "new: to be curated", "subject": "J0999"}.items() <= found["notices"][-1].items()


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([HCPCS_HEADER, ["J06", *HCPCS_ROWS[0][1:]]], "h.csv: row 2, column HCPC: must be a HCPCS code"),
        ([HCPCS_HEADER[:-1], HCPCS_ROWS[0][:-1]], "row 1, column TERM DT: the column is missing"),
        (NDC_ROWS, "codes import ndc"),
        ([], "empty"),
    ],
)
def test_faulty_file_is_refused_and_writes_nothing(rows: list[Row], says: str, tmp_path: Path, draft: Path) -> None:
    result = run(*HCPCS, a_csv(tmp_path / "h.csv", rows), "--into", draft)

    assert result.exit_code == 1
    assert says in " ".join(result.stderr.split())
    assert "Nothing was imported" in result.stderr
    assert result.stdout == ""
    assert not draft.parent.exists()


def test_json_refusal_has_row_and_column(tmp_path: Path) -> None:
    wrong = a_csv(tmp_path / "h.csv", [HCPCS_HEADER, ["J06", *HCPCS_ROWS[0][1:]]])

    result = run(*HCPCS, wrong, "--json")

    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)["problems"]
    assert (problem["row"], problem["column"]) == (2, "HCPC")


def without_frame(shown: str) -> str:
    """One line, whatever the width at which it was broken, which the length of a path can move."""
    return " ".join(re.sub("[\u2500-\u257f]", " ", shown).split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--into", "{tmp}/draft"), "name of its rule set"),
        (("--into", "{full}"), "not empty"),
        (("--into", "{rules}/home-infusion"), "inside the rules"),
        (("--add", "J0999"), "therapy"),
        (("--add", "J0690=pain"), "has the code already"),
        (("--add", "J0999=pian"), "did you mean 'pain'"),
        (("--rules", "{tmp}/nowhere"), "does not exist"),
        (("--effective", "soon"), "--effective"),
    ],
)
def test_unusable_options_exit_with_2(arguments: tuple[str, str], says: str, tmp_path: Path, rules: Path) -> None:
    full = tmp_path / "full" / "home-infusion"
    full.mkdir(parents=True)
    (full / "mine.txt").write_text("mine")
    option, value = arguments
    value = value.format(tmp=tmp_path, full=full, rules=rules)
    file = a_csv(tmp_path / "h.csv", [HCPCS_HEADER, *HCPCS_ROWS])

    result = run(*HCPCS, file, *(() if option == "--rules" else ("--rules", rules)), option, value)

    assert result.exit_code == 2
    assert says in without_frame(result.stderr)
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    assert not (tmp_path / "draft").exists()


def test_contradictory_draft_is_not_written(rules: Path, draft: Path, tmp_path: Path) -> None:
    header = [*TABLES["ndc_crosswalk"].header()]
    twice = ["11111222201", "J0690"]
    rows = [[*twice, "2020-01-01", "", "coding"], [*twice, "2027-06-01", "", "coding"]]
    a_csv(rules / "tables" / "ndc_crosswalk.csv", [header, rows[0]])
    file = a_csv(tmp_path / "n.csv", NDC_ROWS)
    assert run("ndc", file, "--rules", rules, "--into", draft).exit_code == 0

    a_csv(rules / "tables" / "ndc_crosswalk.csv", [header, *rows])
    result = run("ndc", file, "--rules", rules, "--into", rules)

    assert result.exit_code == 2
    assert rows_of(rules, "ndc_crosswalk") == rows


def test_crosswalk_without_first_day_needs_the_option(tmp_path: Path) -> None:
    result = run("ndc", a_csv(tmp_path / "n.csv", [NDC_ROWS[0], *NDC_ROWS[2:]]))

    assert result.exit_code == 2
    assert "--effective" in result.stderr


def test_until_before_effective_exits_with_2(tmp_path: Path) -> None:
    order = tmp_path / "icd.txt"
    order.write_text(ICD_LINES)

    result = run("icd-10-cm", order, "--effective", "2026-10-01", "--until", "2026-09-30")

    assert result.exit_code == 2
    assert "--until" in result.stderr


def test_json_lists_the_changes_that_the_table_cuts(rules: Path, tmp_path: Path) -> None:
    many = [["J0690", "x", "x", f"11111-{number:04}-01", "x", "1", "1"] for number in range(100)]
    file = a_csv(tmp_path / "n.csv", [*NDC_ROWS[:3], *many])

    assert "60 more" in run("ndc", file, "--rules", rules).stdout
    assert len(json.loads(run("ndc", file, "--rules", rules, "--json").stdout)["changes"]) == 100
