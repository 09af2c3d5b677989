"""The plan's own crosswalk from codes to DOFR categories, in the plan's own columns and words."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.authoring.differences import table_changes
from infusion_orders.authoring.table_cells import cell_problem
from infusion_orders.orders.suggestions import valid_words
from infusion_orders.reference.schema import DOFR_CATEGORIES, TABLES
from infusion_orders_cli.codes.changes import FORMULA_SIGNS, Imported, Notice, OptionRefused, from_day_on
from infusion_orders_cli.codes.columns import CPT, LEVEL_II, NOT_HCPCS, Reading, Wanted, read_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from infusion_orders_cli.codes.files import Row, Sheet

SCHEMA = TABLES["crosswalk"]
OURS = ("code", "condition", "category")
CONDITION = next(column for column in SCHEMA.columns if column.name == "condition")
HINT = "; name the file's columns with --columns code=THEIRS,category=THEIRS,condition=THEIRS"
UNKNOWN_CPT_ROWS = "CPT rows of codes that the tables do not have"
REPEATED = "rows that repeat a row above"


@dataclass(frozen=True, slots=True)
class DofrRelease:
    """`rows`: code, condition and category of each row that counts."""

    rows: tuple[tuple[str, str, str], ...]
    read: int
    dropped: Mapping[str, int]


def names_of(texts: Iterable[str], option: str) -> dict[str, str]:
    """Read `code=HCPCS,condition=Note`; double quotes protect a comma.  Raises OptionRefused."""
    found: dict[str, str] = {}
    for pair in (pair for text in texts for pair in next(csv.reader([text], skipinitialspace=True), [])):
        left, equals, right = pair.partition("=")
        if not equals or not left.strip() or not right.strip():
            raise OptionRefused(f"{option}: must be pairs such as name=value, separated by commas")
        found[left.strip()] = right.strip().strip('"')
    return found


def columns_of(mapping: Mapping[str, str]) -> tuple[Wanted, ...]:
    """Return our columns under the plan's names, or under ours by default.  Raises OptionRefused."""
    if unknown := [name for name in mapping if name not in OURS]:
        raise OptionRefused(f"--columns: there is no column {unknown[0]!r}{valid_words(unknown[0], OURS)}")
    return tuple(
        Wanted.called(mapping.get(name, name), required=name != "condition" or name in mapping) for name in OURS
    )


def categories_of(mapping: Mapping[str, str]) -> dict[str, str]:
    """Return our categories by the plan's words, in the form in which they are compared.  Raises OptionRefused."""
    words = {_word(category): category for category in DOFR_CATEGORIES}
    for ours in mapping.values():
        if _word(ours) not in words:
            raise OptionRefused(f"--category: there is no category {ours!r}{valid_words(ours, DOFR_CATEGORIES)}")
    return words | {_word(theirs): words[_word(ours)] for theirs, ours in mapping.items()}


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")


def read_dofr(
    sheet: Sheet, curated: Collection[str], *, columns: Sequence[Wanted], categories: Mapping[str, str]
) -> DofrRelease:
    """Read the crosswalk.  Raises FileRefused with every fault.  `curated`: the codes of our table, CPT included."""
    reading = Reading()
    names = [column.name for column in columns]
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for record in read_table(sheet, columns, reading, hint=HINT).records:
        code, condition, theirs = (record.cells[name] for name in names)
        code, category = code.upper(), categories.get(_word(theirs), "")
        if CPT.match(code) and code not in curated:
            reading.dropped[UNKNOWN_CPT_ROWS] += 1
            continue
        if faults := list(_faults(code, condition, theirs, category)):
            for place, problem in faults:
                reading.fault(record.row, names[place], problem)
            continue
        earlier, row = found.setdefault((code, condition), (category, record.row))
        if row != record.row:
            reading.dropped[REPEATED] += 1
        if earlier != category:
            problem = f"row {row} puts the same code under another category; add the condition that separates them"
            reading.fault(record.row, names[2], problem)
    reading.finish(found, "code")
    rows = tuple((code, condition, category) for (code, condition), (category, _) in sorted(found.items()))
    return DofrRelease(rows, reading.rows, reading.dropped)


def _faults(code: str, condition: str, theirs: str, category: str) -> Iterator[tuple[int, str]]:
    """Yield the place of each faulty cell in OURS, and its problem."""
    if not LEVEL_II.match(code) and not CPT.match(code):
        yield 0, NOT_HCPCS
    if condition.startswith(FORMULA_SIGNS):
        yield 1, f"begins with {condition[0]}, as a formula does: write it without"
    elif problem := cell_problem(CONDITION, condition):
        yield 1, problem
    if not category:
        hint = f'--category "{theirs}=OURS" maps it to one of ours' if theirs else "must not be empty"
        yield 2, f"not one of our categories{valid_words(theirs, DOFR_CATEGORIES)}; {hint}"


def dofr_after(before: Sequence[Row], release: DofrRelease, *, effective: date, complete: bool = False) -> Imported:
    """Return the plan's rows from that day on; codes that the file lacks keep their rows unless it is `complete`."""
    named = {code for code, _, _ in release.rows}
    day = effective.isoformat()
    wanted = ((*row, day, "", "manual") for row in release.rows)
    rows = from_day_on(SCHEMA, before, wanted, effective=effective, covers=lambda row: complete or row[0] in named)
    last = SCHEMA.header().index("valid_to")
    left = sorted({row[0] for row in before if row[0] not in named and not (row[last] and row[last] < day)})
    notices = () if complete else tuple(Notice("not in the file", code, "keeps its rows") for code in left)
    return Imported(SCHEMA.name, rows, table_changes(SCHEMA, before, rows), release.read, release.dropped, notices)
