"""Files as they lie on the disk: what is read of them, and what is refused before a row is looked at."""

from __future__ import annotations

import gzip
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from openpyxl import Workbook

from infusion_orders_cli.codes import sources
from infusion_orders_cli.codes.layout import Wanted, day_of, table_of
from infusion_orders_cli.codes.problems import MOST_PROBLEMS, Faults, FileRefused
from infusion_orders_cli.codes.sources import Sheet, lines_of, sheet_of

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


def test_numbers_and_dates_of_a_workbook_are_read_as_they_are_typed(tmp_path: Path) -> None:
    path = a_workbook(tmp_path / "a.xlsx", ["code", 19990101, 2.0, datetime(2026, 10, 1, 0, 0), None, " a  b "])
    assert list(sheet_of(path, workbook=True).rows) == [("code", "19990101", "2", "2026-10-01", "", "a b")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_csv_is_read_in_the_encodings_that_spreadsheets_write(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('code,"a, \u2019 b"\r\n'.encode(encoding))
    assert list(sheet_of(path).rows) == [("code", "a, \u2019 b")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"%PDF-1.7", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1", "old kind"),
        (gzip.compress(b"code", mtime=0), "gzip"),
        ("code".encode("utf-16"), "UTF-16"),
        (b"  <!DOCTYPE html>", "web page"),
        (b"code\0\0", "no text"),
        (b"code\x81", "neither UTF-8"),
        (b"PK\x03\x04 broken", "zip archive"),
        (b'code,"x\n', "no CSV"),
    ],
)
def test_what_is_no_csv_is_called_what_it_is(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert says in refusal(path)


def test_an_archive_names_the_file_to_unpack(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("codes.csv", "code")
    assert "codes.csv" in refusal(path, workbook=True)


def test_a_workbook_in_place_of_a_csv_is_refused(tmp_path: Path) -> None:
    assert "save its sheet as CSV" in refusal(a_workbook(tmp_path / "a.xlsx", ["code"]))


def test_a_workbook_that_unpacks_to_far_more_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_workbook(tmp_path / "a.xlsx", ["code"])
    monkeypatch.setattr(sources, "LARGEST_UNPACKED", 1000)
    assert "not opened" in refusal(path, workbook=True)


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(sources.WORKBOOK, "<workbook")
    assert "cannot be opened" in refusal(path, workbook=True)


def test_a_file_with_too_many_rows_or_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text("code\n" * 4)
    monkeypatch.setattr(sources, "MOST_ROWS", 3)
    assert refusal(path).startswith("row 4: the file has more than 3 rows")
    monkeypatch.setattr(sources, "LARGEST_FILE", 3)
    assert "larger than" in refusal(path)


def test_lines_end_where_the_file_ends_them(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("one\x0b\u2028\r\ntwo".encode())
    assert lines_of(path) == ["one\x0b\u2028", "two"]


def records(*rows: tuple[str, ...], ragged: bool = False) -> list[dict[str, str]]:
    faults = Faults()
    found = [dict(record.cells) for record in table_of(Sheet(rows, len(rows), ragged), COLUMNS, faults).records]
    faults.stop()
    return found


def why_not(*rows: tuple[str, ...]) -> str:
    with pytest.raises(FileRefused) as refused:
        records(*rows)
    return str(refused.value)


def test_the_header_is_found_below_a_banner_and_its_names_are_read_forgivingly() -> None:
    found = records(("A release",), (), ("other", "add_dt", " Code "), ("x", "1", "J1745"), ("", "", ""))
    assert found == [{"CODE": "J1745", "ADD DT": "1", "NOTE": ""}]


def test_a_header_further_down_is_none() -> None:
    assert "no header in the first 20 rows" in why_not(*[("banner",)] * 20, ("CODE", "ADD DT"))


def test_a_missing_column_is_told_with_the_nearest_name() -> None:
    assert why_not(("CODE", "ADDED DT")) == "row 1, column ADD DT: the column is missing; did you mean 'ADDED DT'?"


@pytest.mark.parametrize("row", [("J1745",), ("J1745", "1", "x")])
def test_a_row_of_another_width_is_a_fault(row: tuple[str, ...]) -> None:
    assert why_not(("CODE", "ADD DT"), row) == f"row 2: has {len(row)} cells where the header has 2"


def test_a_workbook_need_not_store_empty_cells() -> None:
    assert records(("CODE", "ADD DT"), ("J1745",), ragged=True) == [{"CODE": "J1745", "ADD DT": "", "NOTE": ""}]


def test_reading_stops_when_there_are_more_faults_than_anyone_reads() -> None:
    said = why_not(("CODE", "ADD DT"), *[("x",)] * (2 * MOST_PROBLEMS))
    assert len(said.splitlines()) == MOST_PROBLEMS + 1


@pytest.mark.parametrize("cell", ["20261001", "2026-10-01", "10/1/2026", "10/01/2026"])
def test_days_are_read_as_releases_write_them(cell: str) -> None:
    day = day_of(cell)
    assert day is not None
    assert day.isoformat() == "2026-10-01"


@pytest.mark.parametrize("cell", ["20261301", "2026-02-30", "2026-1001", "1 October 2026", "0"])
def test_what_is_no_day_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r"must be a date|no day of the calendar"):
        day_of(cell)
    assert day_of("") is None
