"""Files as they lie on the disk: what is read of them, and what is refused before a row is looked at."""

from __future__ import annotations

import gzip
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from openpyxl import Workbook

from infusion_orders_cli.codes import files
from infusion_orders_cli.codes.columns import MOST_PROBLEMS, Reading, Wanted, day_of, read_table
from infusion_orders_cli.codes.files import FileRefused, Sheet, lines_of, sheet_of

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = (Wanted.called("CODE"), Wanted.called("ADD DT"), Wanted.called("NOTE", required=False))


def a_workbook(path: Path, *rows: list[object]) -> Path:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


def refusal(path: Path, *, workbook: bool = False) -> str:
    with pytest.raises(FileRefused) as refused:
        list(sheet_of(path, workbook=workbook).rows)
    return str(refused.value)


def test_workbook_numbers_and_dates_are_read_as_typed(tmp_path: Path) -> None:
    path = a_workbook(tmp_path / "a.xlsx", ["code", 19990101, 2.0, datetime(2026, 10, 1, 0, 0), None, " a  b "])
    assert list(sheet_of(path, workbook=True).rows) == [("code", "19990101", "2", "2026-10-01", "", "a b")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_csv_is_read_in_the_encodings_of_spreadsheets(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('code,"a, \u2019 b"\r\n'.encode(encoding))
    assert list(sheet_of(path).rows) == [("code", "a, \u2019 b")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"%PDF-1.7", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1", ".xls"),
        (gzip.compress(b"code", mtime=0), "gzip"),
        ("code".encode("utf-16"), "UTF-16"),
        (b"  <!DOCTYPE html>", "web page"),
        (b"code\0\0", "not a text file"),
        (b"code\x81", "neither UTF-8"),
        (b"PK\x03\x04 broken", "zip archive"),
        (b'code,"x\n', "not valid CSV"),
    ],
)
def test_wrong_kind_of_file_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert says in refusal(path)


def test_archive_names_the_file_to_unpack(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("codes.csv", "code")
    assert "codes.csv" in refusal(path, workbook=True)


def test_workbook_instead_of_csv_is_refused(tmp_path: Path) -> None:
    assert "save its sheet as CSV" in refusal(a_workbook(tmp_path / "a.xlsx", ["code"]))


def test_damaged_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(files.WORKBOOK, "<workbook")
    assert "cannot be opened" in refusal(path, workbook=True)


def test_only_newlines_end_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("one\x0b\u2028\r\ntwo".encode())
    assert lines_of(path) == ["one\x0b\u2028", "two"]


def records(*rows: tuple[str, ...], ragged: bool = False) -> list[dict[str, str]]:
    reading = Reading()
    found = [dict(record.cells) for record in read_table(Sheet(rows, ragged), COLUMNS, reading).records]
    reading.finish(found or "nothing", "row")
    return found


def why_not(*rows: tuple[str, ...]) -> str:
    with pytest.raises(FileRefused) as refused:
        records(*rows)
    return str(refused.value)


def test_header_is_found_below_a_banner_in_any_spelling() -> None:
    found = records(("A release",), (), ("other", "add_dt", " Code "), ("x", "1", "J1745"), ("", "", ""))
    assert found == [{"CODE": "J1745", "ADD DT": "1", "NOTE": ""}]


def test_header_after_20_rows_is_not_found() -> None:
    assert "no header in the first 20 rows" in why_not(*[("banner",)] * 20, ("CODE", "ADD DT"))


def test_missing_column_comes_with_the_nearest_name() -> None:
    assert why_not(("CODE", "ADDED DT")) == "row 1, column ADD DT: the column is missing; did you mean 'ADDED DT'?"


@pytest.mark.parametrize("row", [("J1745",), ("J1745", "1", "x")])
def test_row_of_another_width_is_a_fault(row: tuple[str, ...]) -> None:
    assert why_not(("CODE", "ADD DT"), row) == f"row 2: has {len(row)} cells where the header has 2"


def test_ragged_rows_are_padded_with_empty_cells() -> None:
    assert records(("CODE", "ADD DT"), ("J1745",), ragged=True) == [{"CODE": "J1745", "ADD DT": "", "NOTE": ""}]


def test_reading_stops_after_too_many_faults() -> None:
    said = why_not(("CODE", "ADD DT"), *[("x",)] * (2 * MOST_PROBLEMS))
    assert len(said.splitlines()) == MOST_PROBLEMS + 1


@pytest.mark.parametrize("cell", ["20261001", "2026-10-01", "10/1/2026", "10/01/2026"])
def test_days_are_read_in_the_formats_of_releases(cell: str) -> None:
    day = day_of(cell)
    assert day is not None
    assert day.isoformat() == "2026-10-01"


@pytest.mark.parametrize("cell", ["20261301", "2026-02-30", "2026-1001", "1 October 2026", "0"])
def test_invalid_day_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r"must be a date|not a day of the calendar"):
        day_of(cell)
    assert day_of("") is None
