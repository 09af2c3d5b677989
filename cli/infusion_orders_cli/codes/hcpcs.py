"""The quarterly HCPCS alpha-numeric file of CMS: which codes exist from when to when, and what one unit of them is.

The file's descriptions are read for the billing unit alone: no text of theirs goes into a table.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from infusion_orders.authoring.differences import table_changes, with_cells
from infusion_orders.reference.schema import TABLES
from infusion_orders_cli.codes.changes import Imported, Notice, day_before, in_order
from infusion_orders_cli.codes.layout import CPT, LEVEL_II, Wanted, day_of, table_of
from infusion_orders_cli.codes.problems import Faults, refused
from infusion_orders_cli.codes.units import stated_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from infusion_orders_cli.codes.layout import Record
    from infusion_orders_cli.codes.sources import Sheet

    Row = tuple[str, ...]

COLUMNS = (
    Wanted.called("HCPC"),
    Wanted.called("SEQNUM"),
    Wanted.called("RECID"),
    Wanted.called("LONG DESCRIPTION"),
    Wanted.called("ADD DT"),
    Wanted.called("TERM DT"),
)
SCHEMA = TABLES["codes"]
HEADER = SCHEMA.header()

CONTINUED = {"4", "8"}
MODIFIER = {"7", "8"}
FAMILIES = re.compile(r"(?:J|Q|S9|B4|A42|E07|K0)")
"""The families among whose new codes home infusion may have some."""

GROUP_OF_FAMILY = {"J": "drug", "S9": "per_diem", "B4": "nutrition", "A42": "supply", "E07": "pump"}
NEW_WITHIN = timedelta(days=366)
UNIT_GROUPS = ("drug", "nutrition")
DOSE_UNIT_KINDS = ("exact", "up_to")

CPT_ROWS = "CPT rows"
MODIFIER_ROWS = "modifiers"
OTHER_CODES = "codes that the tables do not have"


@dataclass(frozen=True, slots=True)
class ListedCode:
    """A code as the file has it; both days count."""

    code: str
    description: str
    added: date | None
    ended: date | None


@dataclass(frozen=True, slots=True)
class HcpcsRelease:
    """The codes of the file by code; `dropped` counts rows by the reason why they are left out."""

    codes: Mapping[str, ListedCode]
    read: int
    dropped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Addition:
    """A code that a person wants in the table: its therapy and group come from that person, never from the file."""

    code: str
    therapy: str
    group: str


def addition_of(text: str, therapies: Iterable[str]) -> Addition:
    """`J1234=pain`, `Q1234=chemotherapy/drug`, `E0799`.  Raises FileRefused that says what is missing."""
    from infusion_orders.orders.suggestions import valid_words
    from infusion_orders.reference.schema import ANY_THERAPY, CODE_GROUPS

    code, _, rest = text.strip().partition("=")
    code = code.strip().upper()
    therapy, _, group = rest.partition("/")
    group = group or next((name for family, name in GROUP_OF_FAMILY.items() if code.startswith(family)), "")
    therapy = therapy or (ANY_THERAPY if group in {"supply", "pump"} else "")
    if not LEVEL_II.match(code):
        raise refused(f"--add {code}: must begin with a HCPCS code, such as --add J1234=pain")
    if not therapy:
        raise refused(f"--add {code}: say its therapy, which is never guessed: --add {code}=THERAPY")
    if therapy not in therapies:
        raise refused(f"--add {code}: there is no therapy {therapy!r}{valid_words(therapy, therapies)}")
    if group not in CODE_GROUPS:
        raise refused(f"--add {code}: say its group: --add {code}={therapy}/GROUP{valid_words(group, CODE_GROUPS)}")
    return Addition(code, therapy, group)


def read_hcpcs(sheet: Sheet) -> HcpcsRelease:
    """Raises FileRefused with every fault, by row and column."""
    faults = Faults()
    codes: dict[str, ListedCode] = {}
    dropped: Counter[str] = Counter()
    read = 0
    for record in table_of(sheet, COLUMNS, faults).records:
        read += 1
        if reason := _left_out(record):
            dropped[reason] += 1
        else:
            _take(record, codes, faults)
    faults.stop()
    if not codes:
        raise refused("the file holds no HCPCS code: is it complete?")
    return HcpcsRelease(codes, read, dropped)


def _left_out(record: Record) -> str | None:
    code, kind = record.cells["HCPC"].upper(), record.cells["RECID"]
    if kind in MODIFIER or (len(code) == 2 and code.isalnum()):
        return MODIFIER_ROWS
    return CPT_ROWS if CPT.match(code) else None


def _take(record: Record, codes: dict[str, ListedCode], faults: Faults) -> None:
    cells = record.cells
    code = cells["HCPC"].upper()
    known = codes.get(code)
    if not LEVEL_II.match(code):
        faults.add(record.row, "HCPC", "must be a HCPCS code: a letter A-V and 4 digits")
    elif cells["RECID"] in CONTINUED:
        if known is None:
            faults.add(record.row, "RECID", "continues a code that no row above begins")
        else:
            codes[code] = replace(known, description=f"{known.description} {cells['LONG DESCRIPTION']}")
    elif known is not None:
        faults.add(record.row, "HCPC", "a row above has the code already; is RECID of one of them wrong?")
    else:
        added, ended = (_day(record, name, faults) for name in ("ADD DT", "TERM DT"))
        codes[code] = ListedCode(code, cells["LONG DESCRIPTION"], added, ended)


def _day(record: Record, column: str, faults: Faults) -> date | None:
    try:
        return day_of(record.cells[column])
    except ValueError as wrong:
        faults.add(record.row, column, str(wrong))
        return None


def codes_after(
    before: Sequence[Row], release: HcpcsRelease, *, effective: date, additions: Sequence[Addition] = ()
) -> Imported:
    """The table of codes as the release leaves it: what we curated is kept, what the file settles is taken over.

    Raises FileRefused for an addition that the file does not have, or that the table has already.
    """
    curated: dict[str, list[Row]] = {}
    for row in sorted(before):
        curated.setdefault(row[0], []).append(row)
    after: list[Row] = []
    notices: list[Notice] = []
    for code, periods in curated.items():
        its_rows, told = _periods_after(periods, release.codes.get(code), effective)
        after += its_rows
        notices += told
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
        dropped={**release.dropped, **({OTHER_CODES: others} if others else {})},
        notices=tuple(notices),
    )


def _periods_after(periods: list[Row], listed: ListedCode | None, effective: date) -> tuple[list[Row], list[Notice]]:
    code, *_ = periods[0]
    *earlier, last = sorted(periods, key=lambda row: _cell(row, "valid_from"))
    ends = _cell(last, "valid_to")
    if not LEVEL_II.match(code):
        return periods, []
    if listed is None:
        told = [Notice("not in the file", code, "the table does not end it")] if not _over(ends, effective) else []
        return periods, told
    told = []
    if listed.ended is None and ends:
        told.append(Notice("open in the file", code, f"the table ends it on {ends}"))
    elif listed.ended is not None and listed.ended.isoformat() < _cell(last, "valid_from"):
        text = f"the file ends it on {listed.ended}, before the table's last period of it begins"
        told.append(Notice("ended earlier", code, text))
    elif listed.ended is not None:
        last = with_cells(SCHEMA, last, valid_to=listed.ended.isoformat())
    if told or _over(_cell(last, "valid_to"), effective):
        return [*earlier, last], told
    rows, told = _unit_after(last, listed, effective)
    return [*earlier, *rows], told


def _over(ends: str, effective: date) -> bool:
    return bool(ends) and ends < effective.isoformat()


def _unit_after(row: Row, listed: ListedCode, effective: date) -> tuple[list[Row], list[Notice]]:
    """Of doses alone: hours and days of services, and products of several parts, are for people."""
    if _cell(row, "group") not in UNIT_GROUPS or _cell(row, "unit_kind") not in DOSE_UNIT_KINDS:
        return [row], []
    unit = stated_unit(listed.description)
    if unit is None:
        return [row], [Notice("unit not compared", row[0], "the file states no unit of it, or more than one")]
    if unit.same_as(_cell(row, "unit_quantity"), _cell(row, "unit"), _cell(row, "unit_kind")):
        return [row], []
    new = with_cells(SCHEMA, row, **unit.cells())
    if _cell(row, "valid_from") >= effective.isoformat():
        return [new], []
    ended = with_cells(SCHEMA, row, valid_to=day_before(effective))
    return [ended, with_cells(SCHEMA, new, valid_from=effective.isoformat())], []


def _added(addition: Addition, curated: Mapping[str, object], release: HcpcsRelease, effective: date) -> Row:
    """Its name is the code until someone writes one."""
    listed = release.codes.get(addition.code)
    if addition.code in curated:
        raise refused(f"--add {addition.code}: the table has the code already; edit its row there")
    if listed is None:
        raise refused(f"--add {addition.code}: the file does not have the code")
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
    """The newer codes that home infusion may need: a person decides, and says their therapy."""
    for code, listed in sorted(release.codes.items()):
        new = listed.added is not None and listed.added >= effective - NEW_WITHIN
        if new and code not in known and FAMILIES.match(code) and not _has_ended(listed, effective):
            yield Notice("new: to be curated", code, f"since {listed.added}; --add {code}=THERAPY takes it over")


def _has_ended(listed: ListedCode, effective: date) -> bool:
    return listed.ended is not None and listed.ended < effective


def _cell(row: Row, column: str) -> str:
    return row[HEADER.index(column)]
