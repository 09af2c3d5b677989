"""The order file of NCHS: every ICD-10-CM code of a release, and whether it is billable.

Fixed columns: the order number in 1-5, the code in 7-13, 0 for a header or 1 for a billable code in 15, titles from 17.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.authoring.differences import RowChange
from infusion_orders.reference.diagnoses import CATEGORY_LENGTH, NOTHING_FOLLOWS
from infusion_orders.reference.schema import LIST_SEPARATOR, TABLES, split_list
from infusion_orders_cli.codes.changes import Imported
from infusion_orders_cli.codes.columns import Reading, plain_name
from infusion_orders_cli.codes.files import refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from infusion_orders_cli.codes.files import Row

SCHEMA = TABLES["diagnoses"]
HEADERS = "headers, which are not billable"
LAST_CHAPTER = "Z"

_NUMBER = re.compile(r"[0-9]{5}\Z")
_CODE = re.compile(r"[A-Z][0-9A-Z]{2,6} *\Z")
_CODES_FILE = re.compile(r"[A-Z][0-9A-Z]{2,6} +\S")


@dataclass(frozen=True, slots=True)
class DiagnosisRelease:
    """The billable codes without dots; `headers` counts the other lines."""

    billable: frozenset[str]
    headers: int


def read_icd_10_cm(lines: Iterable[str]) -> DiagnosisRelease:
    """Read the order file.  Raises FileRefused with every fault, by line and columns, and for an incomplete file."""
    reading = Reading()
    billable: set[str] = set()
    headers, previous, last = 0, 0, ""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if number == 1:
            _check_kind(line)
        if _check_line(number, line, previous, reading):
            previous, last = int(line[:5]), line[6:13].strip()
            if line[14] == "1":
                billable.add(last)
            else:
                headers += 1
    reading.finish(billable, "billable code")
    if not last.startswith(LAST_CHAPTER):
        raise refused(f"the file ends in chapter {last[0]}, not in the last one, {LAST_CHAPTER}: is it complete?")
    return DiagnosisRelease(frozenset(billable), headers)


def _check_kind(line: str) -> None:
    if _CODES_FILE.match(line):
        raise refused("this looks like the file with codes only: import the order file of the same release")
    if {"HCPC", "RECID"} <= {plain_name(cell) for cell in line.split(",")}:
        raise refused("this looks like the HCPCS file: infusion-orders codes import hcpcs")
    if not _NUMBER.match(line[:5]) and "," in line:
        raise refused("this looks like a CSV file: the order file has fixed columns without commas")


def _check_line(number: int, line: str, previous: int, reading: Reading) -> bool:
    before = len(reading.problems)
    if not _NUMBER.match(line[:5]):
        reading.fault(number, "1-5", "must be the order number, 5 digits")
    elif int(line[:5]) <= previous:
        reading.fault(number, "1-5", "the order number must be higher than the one above")
    if len(line) < 17 or line[5] + line[13] + line[15] != "   ":
        reading.fault(number, "6, 14, 16", "must be blank, with a title from column 17 on")
    elif not _CODE.match(line[6:13]):
        reading.fault(number, "7-13", "must be an ICD-10-CM code without its dot")
    elif line[14] not in "01":
        reading.fault(number, "15", "must be 0 for a header or 1 for a billable code")
    return len(reading.problems) == before


def diagnoses_after(
    before: Sequence[Row], release: DiagnosisRelease, *, effective: date, until: date | None
) -> Imported:
    """Replace the table by the release: it holds one release, with the days on which that holds."""
    rows = tuple(diagnosis_rows(release.billable, valid_from=effective, valid_to=until))
    old, new = {*_codes(before)}, {*_codes(rows)}
    day = effective.isoformat()
    changes = [RowChange("ended", code, "", (("billable", "yes", ""),)) for code in old - new]
    changes += [RowChange("new", code, day, (("billable", "", "yes"),)) for code in new - old]
    changes += _window_changes(before, rows)
    changes.sort(key=lambda change: (change.subject, change.kind))
    read = len(release.billable) + release.headers
    return Imported(SCHEMA.name, rows, tuple(changes), read, {HEADERS: release.headers} if release.headers else {})


def diagnosis_rows(
    billable: Iterable[str], *, valid_from: date, valid_to: date | None, basis: str = "coding"
) -> list[Row]:
    """Return the table's rows without its header, sorted by category.

    `billable` are codes in any order, with or without their dots; a code that is given twice counts once.
    """
    suffixes: dict[str, set[str]] = {}
    for code in billable:
        plain = code.replace(".", "").upper()
        suffixes.setdefault(plain[:CATEGORY_LENGTH], set()).add(plain[CATEGORY_LENGTH:] or NOTHING_FOLLOWS)
    last = "" if valid_to is None else valid_to.isoformat()
    return [
        (category, LIST_SEPARATOR.join(sorted(suffixes[category])), valid_from.isoformat(), last, basis)
        for category in sorted(suffixes)
    ]


def _codes(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the codes with dots, as people write them."""
    for category, suffixes, *_ in rows:
        for suffix in split_list(suffixes):
            yield category if suffix == NOTHING_FOLLOWS else f"{category}.{suffix}"


def _window_changes(before: Sequence[Row], after: Sequence[Row]) -> list[RowChange]:
    """Report new days of the release once, not for each row."""
    old, new = ({row[2:4] for row in rows} for rows in (before, after))
    if len(old) != 1 or old == new:
        return []
    (was,), (now,) = old, new
    names = SCHEMA.header()[2:4]
    cells = tuple((name, one, other) for name, one, other in zip(names, was, now, strict=True) if one != other)
    return [RowChange("changed", "release", now[0], cells)]
