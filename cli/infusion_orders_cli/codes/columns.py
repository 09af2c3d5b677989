"""Where the columns of a sheet are, what its rows hold, and what is wrong with them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, islice
from typing import TYPE_CHECKING

from infusion_orders.orders.suggestions import valid_words
from infusion_orders_cli.codes.files import FileProblem, FileRefused, refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Sized

    from infusion_orders_cli.codes.files import Row, Sheet

HEADER_WITHIN = 20
"""The header must be among so many rows from the top: some files begin with a banner."""
MOST_PROBLEMS = 50

LEVEL_II = re.compile(r"[A-V][0-9]{4}\Z")
CPT = re.compile(r"[0-9]{4}[0-9A-Z]\Z")
NOT_HCPCS = "must be a HCPCS code: a letter A-V and 4 digits"
CPT_ROWS = "CPT rows"

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
    """A column that the file must have; `pattern` matches its name in capitals without spaces and signs."""

    name: str
    pattern: re.Pattern[str]
    required: bool = True

    @classmethod
    def called(cls, name: str, *, required: bool = True) -> Wanted:
        """Return a column of just this name; case, spaces and signs do not matter."""
        return cls(name, re.compile(re.escape(plain_name(name)) + r"\Z"), required)


@dataclass(frozen=True, slots=True)
class Record:
    """One row: `cells` by the names of the wanted columns; an optional column that is missing is empty."""

    row: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FileTable:
    """`banner`: the rows above the header.  `names`: the file's own name of each wanted column."""

    banner: tuple[Row, ...]
    names: Mapping[str, str]
    records: Iterator[Record]


@dataclass(slots=True)
class Reading:
    """How many rows were read, how many were dropped and why, and what is wrong with the file."""

    rows: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    problems: list[FileProblem] = field(default_factory=list)

    def fault(self, row: int, column: str, problem: str) -> None:
        """Note a fault and read on, so that all faults are reported at once.

        Raises FileRefused once there are more than anyone would read.
        """
        self.problems.append(FileProblem(row, column, problem))
        if len(self.problems) == MOST_PROBLEMS:
            raise FileRefused(*self.problems, FileProblem(0, "", "there may be more faults: reading stopped here"))

    def finish(self, found: Sized, what: str) -> None:
        """Raise FileRefused if there was a fault, or if nothing was found."""
        if self.problems:
            raise FileRefused(*self.problems)
        if not found:
            raise refused(f"the file holds no {what}: is it complete?")


def plain_name(name: str) -> str:
    """Return the form in which names are compared."""
    return re.sub(r"[^A-Z0-9]", "", name.upper())


def read_table(sheet: Sheet, columns: Sequence[Wanted], reading: Reading, *, hint: str = "") -> FileTable:
    """Find the header and return the records below it; rows of the wrong width become faults.

    Raises FileRefused without a header; `hint` says what else can be done about a missing column.
    """
    rows = enumerate(sheet.rows, start=1)
    top = list(islice(rows, HEADER_WITHIN))
    if not any(any(row) for _, row in top):
        raise refused("the first rows of the file are empty: is it the right file?")
    number, header = max(top, key=lambda one: (len(_places(one[1], columns)), -one[0]))
    places = _places(header, columns)
    missing = [column.name for column in columns if column.required and column.name not in places]
    if missing:
        raise _no_header(top, number, header, places, columns, missing, hint)
    below = chain(top[number:], rows)
    return FileTable(
        banner=tuple(row for _, row in top[: number - 1]),
        names={name: header[place] for name, place in places.items()},
        records=_records(below, len(header), places, columns, reading, ragged=sheet.ragged),
    )


def _places(row: Row, columns: Sequence[Wanted]) -> dict[str, int]:
    plain = [plain_name(cell) for cell in row]
    found: dict[str, int] = {}
    for column in columns:
        place = next((at for at, name in enumerate(plain) if name and column.pattern.match(name)), None)
        if place is not None:
            found[column.name] = place
    return found


def _no_header(
    top: Sequence[tuple[int, Row]],
    number: int,
    header: Row,
    places: Mapping[str, int],
    columns: Sequence[Wanted],
    missing: Sequence[str],
    hint: str,
) -> FileRefused:
    required = [column.name for column in columns if column.required]
    if (likeness := _likeness(top)) and 2 * len(places) < len(required):
        return refused(f"this looks like {likeness}")
    if not places:
        needed = ", ".join(required)
        return refused(f"no header in the first {HEADER_WITHIN} rows; these columns are needed: {needed}{hint}")
    others = [cell for cell in header if cell and cell not in {header[place] for place in places.values()}]
    return FileRefused(
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
    width: int,
    places: Mapping[str, int],
    columns: Sequence[Wanted],
    reading: Reading,
    *,
    ragged: bool,
) -> Iterator[Record]:
    absent = {column.name: "" for column in columns if column.name not in places}
    for number, cells in rows:
        if not any(cells):
            continue
        if any(cells[width:]) or (len(cells) < width and not ragged):
            reading.fault(number, "", f"has {len(cells)} cells where the header has {width}")
            continue
        reading.rows += 1
        padded = cells + ("",) * (width - len(cells))
        yield Record(number, {name: padded[place] for name, place in places.items()} | absent)


def day_of(cell: str) -> date | None:
    """Read 20261001, 2026-10-01 or 10/1/2026; an empty cell is None.  Raises ValueError for anything else."""
    if not cell:
        return None
    found = _DAY.match(cell) or _DAY_WITH_SLASHES.match(cell)
    if found is None:
        raise ValueError("must be a date, such as 20261001")
    try:
        return date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        raise ValueError("is not a day of the calendar") from None
