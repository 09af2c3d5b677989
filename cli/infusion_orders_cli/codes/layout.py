"""Where the columns of a sheet stand, and what its cells hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice
from typing import TYPE_CHECKING

from infusion_orders.orders.suggestions import valid_words
from infusion_orders_cli.codes.problems import Faults, FileProblem, FileRefused, refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from infusion_orders_cli.codes.sources import Row, Sheet

HEADER_WITHIN = 20
"""Rows from the top among which the header must stand: some files begin with a banner."""

LEVEL_II = re.compile(r"[A-V][0-9]{4}\Z")
CPT = re.compile(r"[0-9]{4}[0-9A-Z]\Z")

_SIGNS = (
    ({"HCPC", "RECID"}, "the HCPCS file: infusion-orders codes import hcpcs"),
    ({"BILLUNITS", "PKGSIZE"}, "the NDC-HCPCS crosswalk: infusion-orders codes import ndc"),
    ({"PAYMENTLIMIT"}, "a file of payment limits, which is not imported; the NDC-HCPCS crosswalk is"),
)
_ORDER_LINE = re.compile(r"[0-9]{5} [A-Z][0-9A-Z]{2,6} +[01] ")
_DAY = re.compile(r"(?P<y>[0-9]{4})(?P<s>-?)(?P<m>[0-9]{2})(?P=s)(?P<d>[0-9]{2})\Z")
_DAY_WITH_SLASHES = re.compile(r"(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[0-9]{4})\Z")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column that the file must have: `pattern` fits its name without spaces and signs, in capitals."""

    name: str
    pattern: re.Pattern[str]
    required: bool = True

    @classmethod
    def called(cls, name: str, *, required: bool = True) -> Wanted:
        """A column of just this name, forgiving case, spaces and signs."""
        return cls(name, re.compile(re.escape(plain_name(name)) + r"\Z"), required)


@dataclass(frozen=True, slots=True)
class Record:
    """One row: `cells` by the wanted columns' names; a column that is not required and not there is empty."""

    row: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """`banner`: the rows above the header.  `names`: the file's own name of each wanted column."""

    banner: tuple[Row, ...]
    names: Mapping[str, str]
    records: Iterator[Record]


def plain_name(name: str) -> str:
    """What names are compared by."""
    return re.sub(r"[^A-Z0-9]", "", name.upper())


def table_of(sheet: Sheet, columns: Sequence[Wanted], faults: Faults, *, hint: str = "") -> Table:
    """The sheet's records; rows of the wrong width become faults.

    Raises FileRefused without a header; `hint` says what else can be done about a column that is not found.
    """
    rows = enumerate(sheet.rows, start=1)
    top = list(islice(rows, HEADER_WITHIN))
    if not any(any(row) for _, row in top):
        raise refused("the file holds nothing in its first rows: is it the right one?")
    number, header = max(top, key=lambda one: (len(_places(one[1], columns)), -one[0]))
    places = _places(header, columns)
    _check_header(top, number, header, places, columns, hint)
    below = chain(top[number:], rows)
    return Table(
        banner=tuple(row for _, row in top[: number - 1]),
        names={name: header[place] for name, place in places.items()},
        records=_records(below, header, places, columns, faults, ragged=sheet.ragged),
    )


def _places(row: Row, columns: Sequence[Wanted]) -> dict[str, int]:
    plain = [plain_name(cell) for cell in row]
    found: dict[str, int] = {}
    for column in columns:
        place = next((at for at, name in enumerate(plain) if name and column.pattern.match(name)), None)
        if place is not None:
            found[column.name] = place
    return found


def _check_header(
    top: Sequence[tuple[int, Row]],
    number: int,
    header: Row,
    places: Mapping[str, int],
    columns: Sequence[Wanted],
    hint: str,
) -> None:
    required = [column.name for column in columns if column.required]
    missing = [name for name in required if name not in places]
    if not missing:
        return
    if (likeness := _likeness(top)) and 2 * len(places) < len(required):
        raise refused(f"this looks like {likeness}")
    if not places:
        needed = ", ".join(required)
        raise refused(f"no header in the first {HEADER_WITHIN} rows; these columns are needed: {needed}{hint}")
    others = [cell for cell in header if cell and cell not in {header[place] for place in places.values()}]
    raise FileRefused(
        *(FileProblem(number, name, f"the column is missing{valid_words(name, others)}{hint}") for name in missing)
    )


def _likeness(top: Sequence[tuple[int, Row]]) -> str | None:
    for _, row in top:
        names = {plain_name(cell) for cell in row}
        for sign, what in _SIGNS:
            if sign <= names:
                return what
        if row and _ORDER_LINE.match(",".join(row)):
            return "the ICD-10-CM order file: infusion-orders codes import icd-10-cm"
    return None


def _records(
    rows: Iterator[tuple[int, Row]],
    header: Row,
    places: Mapping[str, int],
    columns: Sequence[Wanted],
    faults: Faults,
    *,
    ragged: bool,
) -> Iterator[Record]:
    absent = {column.name: "" for column in columns if column.name not in places}
    for number, cells in rows:
        if not any(cells):
            continue
        if any(cells[len(header) :]) or (len(cells) < len(header) and not ragged):
            faults.add(number, "", f"has {len(cells)} cells where the header has {len(header)}")
            continue
        padded = cells + ("",) * (len(header) - len(cells))
        yield Record(number, {name: padded[place] for name, place in places.items()} | absent)


def day_of(cell: str) -> date | None:
    """A day as 20261001, 2026-10-01 or 10/1/2026; None for an empty cell.  Raises ValueError for anything else."""
    if not cell:
        return None
    found = _DAY.match(cell) or _DAY_WITH_SLASHES.match(cell)
    if found is None:
        raise ValueError("must be a date, such as 20261001")
    try:
        return date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        raise ValueError("is no day of the calendar") from None
