"""A file as it lies on the disk: text lines, or the rows of a CSV file or of a workbook's first sheet."""

from __future__ import annotations

import csv
import io
import zipfile
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from infusion_orders_cli.codes.problems import refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from openpyxl import Workbook

    Row = tuple[str, ...]

LARGEST_FILE = 128 * 1024 * 1024
LARGEST_UNPACKED = 128 * 1024 * 1024
MOST_ROWS = 500_000
MOST_COLUMNS = 500
LARGEST_TEXTS = 32 * 1024 * 1024
"""Of the cells' texts, which a workbook keeps apart and which are all read before its first row."""
DOCUMENT_TYPE = b"<!DOCTYPE"
WORKBOOK = "xl/workbook.xml"

_MAGIC = (
    (b"%PDF", "a PDF document: download the data file itself"),
    (b"\xd0\xcf\x11\xe0", "a workbook of the old kind (.xls): open it and save it as .xlsx"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
    ((b"\xff\xfe", b"\xfe\xff"), "UTF-16 text: save it as CSV in UTF-8"),
)
_WEB_PAGE = (b"<!doctype html", b"<html")


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of trimmed cells, from the file's first row on.

    `expected`: about how many there are.  `ragged`: a row may be shorter than the header, as in a workbook, which does
    not store empty cells.
    """

    rows: Iterable[Row]
    expected: int
    ragged: bool = False


def lines_of(path: Path) -> list[str]:
    """The lines of a text file.  Raises FileRefused for what is no text."""
    return [line.rstrip("\r") for line in _text(path).split("\n")]


def sheet_of(path: Path, *, workbook: bool = False) -> Sheet:
    """The rows of a CSV file, or of the first sheet of an .xlsx where `workbook` allows one.

    Raises FileRefused for what is neither; rows that cannot be read raise it when they are reached.
    """
    _check_size(path)
    if zipfile.is_zipfile(path) and _start(path).startswith(b"PK"):
        _check_archive(path, workbook=workbook)
        return _workbook_sheet(path)
    text = _text(path)
    return Sheet(_csv_rows(text), text.count("\n") + 1)


def _start(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(4096)


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if size == 0:
        raise refused("the file is empty: download it again")
    if size > LARGEST_FILE:
        raise refused(f"the file is larger than {LARGEST_FILE // 1024**2} MiB: it is not one of these releases")


def _check_archive(path: Path, *, workbook: bool) -> None:
    """A few kilobytes can unpack to gigabytes: the archive's own sizes are believed, and are the most that is read."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if WORKBOOK not in {entry.filename for entry in entries}:
        inside = ", ".join(sorted(entry.filename for entry in entries if not entry.is_dir())[:3])
        raise refused(f"this looks like a zip archive: unpack it and import the file inside ({inside})")
    if not workbook:
        raise refused("this looks like a workbook: save its sheet as CSV, or download the CSV version")
    _check_unpacked(entries, LARGEST_UNPACKED)
    _check_unpacked([entry for entry in entries if not entry.filename.startswith("xl/worksheets/")], LARGEST_TEXTS)
    _check_markup(path)


def _check_unpacked(entries: Iterable[zipfile.ZipInfo], most: int) -> None:
    if sum(entry.file_size for entry in entries) > most:
        raise refused(f"the workbook unpacks to more than {most // 1024**2} MiB: it is not opened")


def _check_markup(path: Path) -> None:
    """No workbook declares entities, and a few nested ones can stand for gigabytes."""
    try:
        with zipfile.ZipFile(path) as archive:
            declared = any(_declares(archive, entry) for entry in archive.infolist())
    except Exception as broken:  # whatever the zip reader and its decompressors raise
        raise refused(f"the workbook cannot be opened ({type(broken).__name__}): save it again as .xlsx") from None
    if declared:
        raise refused("the workbook declares a document type, which no spreadsheet program writes: it is not opened")


def _declares(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Whatever the encoding: one of two bytes a character has zeros between them."""
    before = b""
    with archive.open(entry) as stream:
        while block := stream.read(1024 * 1024):
            plain = before + block.replace(b"\0", b"")
            if DOCUMENT_TYPE in plain:
                return True
            before = plain[-len(DOCUMENT_TYPE) :]
    return False


def _text(path: Path) -> str:
    _check_size(path)
    content = path.read_bytes()
    for magic, what in _MAGIC:
        if content.startswith(magic):
            raise refused(f"this looks like {what}")
    if content.startswith(b"PK\x03\x04"):
        raise refused("this looks like a zip archive or a workbook: unpack it, or download the text version")
    if content[:200].lstrip().lower().startswith(_WEB_PAGE):
        raise refused("this looks like a web page: download the file that the page links to")
    if b"\0" in content:
        raise refused("this is no text file: is it the right one?")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise refused("the text is neither UTF-8 nor Windows-1252: is it the right file?")


def _csv_rows(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            _check_count(number, len(cells))
            yield tuple(map(_trimmed, cells))
    except csv.Error as broken:
        raise refused(f"is no CSV: {broken}", row=number + 1) from None


def _workbook_sheet(path: Path) -> Sheet:
    from openpyxl import load_workbook

    try:
        opened = load_workbook(path, read_only=True, data_only=True)
        sheet = opened.worksheets[0]
    except Exception as broken:  # openpyxl lets whatever its XML and zip readers raise pass
        raise refused(f"the workbook cannot be opened ({type(broken).__name__}): save it again as .xlsx") from None
    return Sheet(_workbook_rows(opened, sheet), sheet.max_row or 0, ragged=True)


def _workbook_rows(book: Workbook, sheet: Any) -> Iterator[Row]:
    rows = enumerate(sheet.iter_rows(values_only=True), start=1)
    with closing(book):
        while True:
            try:
                number, cells = next(rows)
            except StopIteration:
                return
            except Exception as broken:
                raise refused(f"the sheet cannot be read ({type(broken).__name__}): save it again as .xlsx") from None
            _check_count(number, len(cells))
            yield tuple(map(_cell_text, cells))


def _check_count(number: int, columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise refused(f"the row has more than {MOST_COLUMNS} cells: it is not of one of these releases", row=number)
    if number > MOST_ROWS:
        raise refused(f"the file has more than {MOST_ROWS} rows: it is not one of these releases", row=number)


def _cell_text(value: Any) -> str:
    """Numbers and dates as a person would type them."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _trimmed(str(value))


def _trimmed(cell: str) -> str:
    return " ".join(cell.split())
