"""What each kind of column accepts as the text of one cell."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from infusion_orders.orders.suggestions import valid_words
from infusion_orders.reference.schema import ANY, split_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from infusion_orders.reference.schema import CellKind, Column

MAX_CELL_LENGTH = 400
MAX_SUFFIXES_LENGTH = 50_000

_CODE = re.compile(r"(?:[A-V][0-9]{4}|[0-9]{5})\Z")
_ICD10_CATEGORY = re.compile(r"[A-Z][0-9A-Z]{2}\Z")
_SUFFIX = re.compile(r"(?:-|[0-9A-Z]{1,4})\Z")
_NDC = re.compile(r"[0-9]{11}\Z")
_NAME = re.compile(r"[a-z][a-z0-9_-]*\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_DECIMAL = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?\Z")


def cell_problem(column: Column, cell: str) -> str | None:
    """Return the problem of one cell by itself, or None.  `table_checks` checks references to other tables."""
    if not cell:
        return "must not be empty" if column.required else None
    longest = MAX_SUFFIXES_LENGTH if column.kind == "suffixes" else MAX_CELL_LENGTH
    if len(cell) > longest:
        return f"has more than {longest} characters"
    if cell != cell.strip() or not cell.isprintable():
        return "begins or ends with a space, or contains a character that cannot be printed"
    if column.or_any and cell == ANY:
        return None
    return _CHECKS[column.kind](column, cell)


def _text(_column: Column, cell: str) -> str | None:
    return (
        "must not begin with =, +, - or @, because a spreadsheet would treat it as a formula"
        if cell[0] in "=+-@"
        else None
    )


def _code(_column: Column, cell: str) -> str | None:
    return None if _CODE.match(cell) else "must be a HCPCS code (a letter A-V and 4 digits) or a CPT code (5 digits)"


def _icd10(_column: Column, cell: str) -> str | None:
    return None if _ICD10_CATEGORY.match(cell) else "must be an ICD-10-CM category of three characters, such as D80"


def _suffixes(_column: Column, cell: str) -> str | None:
    items = split_list(cell)
    if list(items) != sorted(set(items)):
        return "the suffixes must be sorted, and each written once"
    if not all(map(_SUFFIX.match, items)):
        return "each suffix must be 1 to 4 digits or capital letters, or `-` for the category itself"
    return None


def _ndc(_column: Column, cell: str) -> str | None:
    return None if _NDC.match(cell) else "must be an NDC of 11 digits without dashes"


def _name(_column: Column, cell: str) -> str | None:
    return None if _NAME.match(cell) else "must be a name of lower-case letters, digits, `_` and `-`"


def _calendar_date(_column: Column, cell: str) -> str | None:
    if _DATE.match(cell):
        try:
            date.fromisoformat(cell)
        except ValueError:
            return "the date does not exist in the calendar"
        return None
    return "must be a date written as YYYY-MM-DD"


def _decimal(_column: Column, cell: str) -> str | None:
    if not _DECIMAL.match(cell) or not Decimal(cell):
        return "must be a number above 0, written with a decimal point and without separators"
    return None


def _choice(column: Column, cell: str) -> str | None:
    if cell in column.choices:
        return None
    return f"{cell!r} is not a valid value{valid_words(cell, column.choices)}"


def _list(column: Column, cell: str) -> str | None:
    items = split_list(cell)
    if len(set(items)) != len(items):
        return "the list names a value twice"
    for item in items:
        if column.refers_to and _CODE.match(item):
            continue
        if problem := _choice(column, item):
            return problem
    return None


_CHECKS: dict[CellKind, Callable[[Column, str], str | None]] = {
    "text": _text,
    "code": _code,
    "icd10": _icd10,
    "suffixes": _suffixes,
    "ndc": _ndc,
    "name": _name,
    "date": _calendar_date,
    "decimal": _decimal,
    "choice": _choice,
    "list": _list,
}
