"""A file as it was downloaded: lines of text, or the rows of a CSV file or of a workbook's first sheet."""

from __future__ import annotations

import csv
import io
import zipfile
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from openpyxl import Workbook

    from infusion_orders_cli.terminal import Progress

    Row = tuple[str, ...]

WORKBOOK = "xl/workbook.xml"
_MAGIC = (
    (b"%PDF", "a PDF document: download the data file itself"),
    (b"\xd0\xcf\x11\xe0", "an old workbook (.xls): open it and save it as .xlsx"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
    (b"PK\x03\x04", "a zip archive or a workbook: unpack it, or download the text version"),
    ((b"\xff\xfe", b"\xfe\xff"), "UTF-16 text: save it as CSV in UTF-8"),
)
_WEB_PAGE = (b"<!doctype html", b"<html")


@dataclass(frozen=True, slots=True)
class FileProblem:
    """`row` counts from 1 as a spreadsheet does; 0 is the whole file.  `column` is the file's own name."""

    row: int
    column: str
    problem: str

    def __str__(self) -> str:
        """Return `row 4, column HCPC: ...`."""
        where = [f"row {self.row}"] if self.row else []
        where += [f"column {self.column}"] if self.column else []
        return f"{', '.join(where)}: {self.problem}" if where else self.problem


class FileRefused(Exception):
    """The file is not what it should be; nothing of it is used."""

    def __init__(self, *problems: FileProblem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def refused(problem: str, *, row: int = 0, column: str = "") -> FileRefused:
    """Return a refusal for one reason."""
    return FileRefused(FileProblem(row, column, problem))


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of trimmed cells.  A row of a `ragged` sheet may be short: a workbook does not store empty cells."""

    rows: Iterable[Row]
    ragged: bool = False


def lines_of(path: Path) -> list[str]:
    """Return the lines of a text file.  Raises FileRefused for anything else."""
    return [line.rstrip("\r") for line in _text(path).split("\n")]


def sheet_of(path: Path, *, workbook: bool = False, progress: Progress = lambda *_: None) -> Sheet:
    """Return the rows of a CSV file, or of the first sheet of an .xlsx file if `workbook` allows one.

    Raises FileRefused for anything else; rows that cannot be read raise it when they are reached.
    """
    if zipfile.is_zipfile(path):
        _check_archive(path, workbook=workbook)
        rows, expected = _workbook_rows(path)
        return Sheet(_watched(rows, expected, progress), ragged=True)
    text = _text(path)
    return Sheet(_watched(_csv_rows(text), text.count("\n") + 1, progress))


def _watched(rows: Iterable[Row], expected: int, progress: Progress) -> Iterator[Row]:
    for number, row in enumerate(rows, start=1):
        progress(number, expected)
        yield row


def _check_archive(path: Path, *, workbook: bool) -> None:
    with zipfile.ZipFile(path) as archive:
        names = sorted(entry.filename for entry in archive.infolist() if not entry.is_dir())
    if WORKBOOK not in names:
        raise refused(f"this looks like a zip archive: unpack it and import the file inside ({', '.join(names[:3])})")
    if not workbook:
        raise refused("this looks like a workbook: save its sheet as CSV, or download the CSV version")


def _text(path: Path) -> str:
    content = path.read_bytes()
    if not content:
        raise refused("the file is empty: download it again")
    for magic, what in _MAGIC:
        if content.startswith(magic):
            raise refused(f"this looks like {what}")
    if content[:200].lstrip().lower().startswith(_WEB_PAGE):
        raise refused("this looks like a web page: download the file that the page links to")
    if b"\0" in content:
        raise refused("this is not a text file: is it the right one?")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise refused("the text is neither UTF-8 nor Windows-1252: is it the right file?")


def _csv_rows(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            yield tuple(map(_trimmed, cells))
    except csv.Error as broken:
        raise refused(f"is not valid CSV: {broken}", row=reader.line_num) from None


def _workbook_rows(path: Path) -> tuple[Iterator[Row], int]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True)
        sheet = book.worksheets[0]
    except Exception as broken:  # openpyxl lets whatever its XML and zip readers raise pass
        raise _unreadable(broken) from None
    return _rows_of(book, sheet), sheet.max_row or 0


def _rows_of(book: Workbook, sheet: Any) -> Iterator[Row]:
    try:
        with closing(book):
            for cells in sheet.iter_rows(values_only=True):
                yield tuple(map(_cell_text, cells))
    except Exception as broken:
        raise _unreadable(broken) from None


def _unreadable(broken: Exception) -> FileRefused:
    return refused(f"the workbook cannot be opened ({type(broken).__name__}): save it again as .xlsx")


def _cell_text(value: Any) -> str:
    """Return numbers and dates as a person would type them."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _trimmed(str(value))


def _trimmed(cell: str) -> str:
    return " ".join(cell.split())
