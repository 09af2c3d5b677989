"""The quarterly HCPCS alpha-numeric file of CMS: the period of each code, and its billing unit.

Descriptions are read only for the billing unit: none of their text goes into a table.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from infusion_orders.authoring.differences import table_changes, with_cells
from infusion_orders.orders.suggestions import valid_words
from infusion_orders.reference.schema import ANY_THERAPY, CODE_GROUPS, TABLES
from infusion_orders_cli.codes.changes import Imported, Notice, OptionRefused, day_before, in_order
from infusion_orders_cli.codes.columns import (
    CPT,
    CPT_ROWS,
    LEVEL_II,
    NOT_HCPCS,
    Reading,
    Wanted,
    day_of,
    read_table,
)
from infusion_orders_cli.codes.units import stated_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from infusion_orders_cli.codes.columns import Record
    from infusion_orders_cli.codes.files import Row, Sheet

COLUMNS = tuple(map(Wanted.called, ("HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "ADD DT", "TERM DT")))
SCHEMA = TABLES["codes"]
HEADER = SCHEMA.header()

CONTINUED = {"4", "8"}
MODIFIER = {"7", "8"}
FAMILIES = re.compile(r"(?:J|Q|S9|B4|A42|E07|K0)")
"""Home infusion may need new codes of these families."""

GROUP_OF_FAMILY = {"J": "drug", "S9": "per_diem", "B4": "nutrition", "A42": "supply", "E07": "pump"}
NEW_WITHIN = timedelta(days=366)
UNIT_GROUPS = ("drug", "nutrition")
DOSE_UNIT_KINDS = ("exact", "up_to")

MODIFIER_ROWS = "modifiers"
OTHER_CODES = "codes that the tables do not have"


@dataclass(frozen=True, slots=True)
class ListedCode:
    """A code as the file has it; its first and last day, both inclusive."""

    code: str
    description: str
    added: date | None
    ended: date | None


@dataclass(frozen=True, slots=True)
class HcpcsRelease:
    """The codes of the file; `dropped` counts rows by the reason why they are left out."""

    codes: Mapping[str, ListedCode]
    read: int
    dropped: Counter[str]


@dataclass(frozen=True, slots=True)
class Addition:
    """A code to add to the table; a person states its therapy and group, which the file does not say."""

    code: str
    therapy: str
    group: str


def addition_of(text: str, therapies: Iterable[str]) -> Addition:
    """Read `J1234=pain`, `Q1234=chemotherapy/drug` or `E0799`.  Raises OptionRefused that says what is missing."""
    code, _, rest = text.strip().partition("=")
    code = code.strip().upper()
    therapy, _, group = rest.partition("/")
    group = group or next((name for family, name in GROUP_OF_FAMILY.items() if code.startswith(family)), "")
    therapy = therapy or (ANY_THERAPY if group in {"supply", "pump"} else "")
    if not LEVEL_II.match(code):
        raise OptionRefused(f"--add {code}: must begin with a HCPCS code, such as --add J1234=pain")
    if not therapy:
        raise OptionRefused(f"--add {code}: its therapy is missing: --add {code}=THERAPY")
    if therapy not in therapies:
        raise OptionRefused(f"--add {code}: there is no therapy {therapy!r}{valid_words(therapy, therapies)}")
    if group not in CODE_GROUPS:
        raise OptionRefused(
            f"--add {code}: its group is missing: --add {code}={therapy}/GROUP{valid_words(group, CODE_GROUPS)}"
        )
    return Addition(code, therapy, group)


def read_hcpcs(sheet: Sheet) -> HcpcsRelease:
    """Read the file.  Raises FileRefused with every fault, by row and column."""
    reading = Reading()
    codes: dict[str, ListedCode] = {}
    for record in read_table(sheet, COLUMNS, reading).records:
        if reason := _left_out(record):
            reading.dropped[reason] += 1
        else:
            _take(record, codes, reading)
    reading.finish(codes, "HCPCS code")
    return HcpcsRelease(codes, reading.rows, reading.dropped)


def _left_out(record: Record) -> str | None:
    code, kind = record.cells["HCPC"].upper(), record.cells["RECID"]
    if kind in MODIFIER or (len(code) == 2 and code.isalnum()):
        return MODIFIER_ROWS
    return CPT_ROWS if CPT.match(code) else None


def _take(record: Record, codes: dict[str, ListedCode], reading: Reading) -> None:
    cells = record.cells
    code = cells["HCPC"].upper()
    known = codes.get(code)
    if not LEVEL_II.match(code):
        reading.fault(record.row, "HCPC", NOT_HCPCS)
    elif cells["RECID"] in CONTINUED:
        if known is None:
            reading.fault(record.row, "RECID", "continues a code that no row above begins")
        else:
            codes[code] = replace(known, description=f"{known.description} {cells['LONG DESCRIPTION']}")
    elif known is not None:
        reading.fault(record.row, "HCPC", "a row above has the code already: is the RECID of one of them wrong?")
    else:
        added, ended = (_day(record, name, reading) for name in ("ADD DT", "TERM DT"))
        codes[code] = ListedCode(code, cells["LONG DESCRIPTION"], added, ended)


def _day(record: Record, column: str, reading: Reading) -> date | None:
    try:
        return day_of(record.cells[column])
    except ValueError as wrong:
        reading.fault(record.row, column, str(wrong))
        return None


def codes_after(
    before: Sequence[Row], release: HcpcsRelease, *, effective: date, additions: Sequence[Addition] = ()
) -> Imported:
    """Return the table of codes after the release: periods and units come from the file, all else stays.

    Raises OptionRefused for an addition that the file lacks or that the table has already.
    """
    curated: dict[str, list[Row]] = {}
    for row in sorted(before):
        curated.setdefault(row[0], []).append(row)
    after: list[Row] = []
    notices: list[Notice] = []
    for code, periods in curated.items():
        its_rows, its_notices = _periods_after(periods, release.codes.get(code), effective)
        after += its_rows
        notices += its_notices
    for addition in additions:
        after.append(_added(addition, curated, release, effective))
        notices.append(Notice("added", addition.code, "write its name, routes and not_with in tables/codes.csv"))
    notices += _to_curate(release, {*curated, *(addition.code for addition in additions)}, effective)
    rows = in_order(SCHEMA, after)
    others = len(release.codes.keys() - {row[0] for row in rows})
    return Imported(
        table=SCHEMA.name,
        rows=rows,
        changes=table_changes(SCHEMA, before, rows),
        read=release.read,
        dropped=release.dropped + Counter({OTHER_CODES: others}),
        notices=tuple(notices),
    )


def _periods_after(periods: list[Row], listed: ListedCode | None, effective: date) -> tuple[list[Row], list[Notice]]:
    code, *_ = periods[0]
    *earlier, last = sorted(periods, key=lambda row: _cell(row, "valid_from"))
    ends = _cell(last, "valid_to")
    if not LEVEL_II.match(code):
        return periods, []
    if listed is None:
        over = _is_over(ends, effective)
        return periods, [] if over else [Notice("not in the file", code, "the table does not end it")]
    notices = []
    if listed.ended is None and ends:
        notices.append(Notice("open in the file", code, f"the table ends it on {ends}"))
    elif listed.ended is not None and listed.ended.isoformat() < _cell(last, "valid_from"):
        text = f"the file ends it on {listed.ended}, before the table's last period of it begins"
        notices.append(Notice("ended earlier", code, text))
    elif listed.ended is not None:
        last = with_cells(SCHEMA, last, valid_to=listed.ended.isoformat())
    if notices or _is_over(_cell(last, "valid_to"), effective):
        return [*earlier, last], notices
    rows, notices = _unit_after(last, listed, effective)
    return [*earlier, *rows], notices


def _is_over(ends: str, effective: date) -> bool:
    return bool(ends) and ends < effective.isoformat()


def _unit_after(row: Row, listed: ListedCode, effective: date) -> tuple[list[Row], list[Notice]]:
    """Compare the unit of a dose.  Hours and days of services, and products of several parts, are left to people."""
    if _cell(row, "group") not in UNIT_GROUPS or _cell(row, "unit_kind") not in DOSE_UNIT_KINDS:
        return [row], []
    unit = stated_unit(listed.description)
    if unit is None:
        return [row], [Notice("unit not compared", row[0], "the file states no unit, or more than one")]
    if unit.same_as(_cell(row, "unit_quantity"), _cell(row, "unit"), _cell(row, "unit_kind")):
        return [row], []
    new = with_cells(SCHEMA, row, **unit.cells())
    if _cell(row, "valid_from") >= effective.isoformat():
        return [new], []
    ended = with_cells(SCHEMA, row, valid_to=day_before(effective))
    return [ended, with_cells(SCHEMA, new, valid_from=effective.isoformat())], []


def _added(addition: Addition, curated: Mapping[str, object], release: HcpcsRelease, effective: date) -> Row:
    """Return the row of a new code; its name is the code until a person edits it."""
    listed = release.codes.get(addition.code)
    if addition.code in curated:
        raise OptionRefused(f"--add {addition.code}: the table has the code already; edit its row there")
    if listed is None:
        raise OptionRefused(f"--add {addition.code}: the file does not have the code")
    unit = stated_unit(listed.description) if addition.group in UNIT_GROUPS else None
    cells = {
        "code": addition.code,
        "name": addition.code,
        "group": addition.group,
        "therapy": addition.therapy,
        "valid_from": (listed.added or effective).isoformat(),
        "valid_to": listed.ended.isoformat() if listed.ended else "",
        "basis": "coding",
        **(unit.cells() if unit else {}),
    }
    return tuple(cells.get(name, "") for name in HEADER)


def _to_curate(release: HcpcsRelease, known: set[str], effective: date) -> Iterator[Notice]:
    """List the new codes that home infusion may need: a person decides, and states their therapy."""
    for code, listed in sorted(release.codes.items()):
        new = listed.added is not None and listed.added >= effective - NEW_WITHIN
        if new and code not in known and FAMILIES.match(code) and not _has_ended(listed, effective):
            yield Notice("new: to be curated", code, f"since {listed.added}: --add {code}=THERAPY")


def _has_ended(listed: ListedCode, effective: date) -> bool:
    return listed.ended is not None and listed.ended < effective


def _cell(row: Row, column: str) -> str:
    return row[HEADER.index(column)]
