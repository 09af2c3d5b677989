"""The plan's own crosswalk from codes to DOFR categories, in whatever columns and words the plan keeps it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.authoring.differences import table_changes
from infusion_orders.authoring.table_cells import cell_problem
from infusion_orders.orders.suggestions import valid_words
from infusion_orders.reference.schema import DOFR_CATEGORIES, TABLES
from infusion_orders_cli.codes.changes import FORMULA_SIGNS, Imported, Notice, from_day_on
from infusion_orders_cli.codes.layout import CPT, LEVEL_II, Record, Wanted, plain_name, table_of
from infusion_orders_cli.codes.problems import Faults, refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from infusion_orders_cli.codes.sources import Sheet

    Row = tuple[str, ...]

SCHEMA = TABLES["crosswalk"]
OURS = ("code", "condition", "category")
CONDITION = next(column for column in SCHEMA.columns if column.name == "condition")
HINT = "; --columns code=THEIRS,category=THEIRS,condition=THEIRS says what the file calls them"
CPT_ROWS = "CPT rows of codes that the tables do not have"
REPEATED = "rows that say the same as one above"


@dataclass(frozen=True, slots=True)
class DofrRelease:
    """`rows`: code, condition and category of each row that counts."""

    rows: tuple[tuple[str, str, str], ...]
    read: int
    dropped: Mapping[str, int]


def names_of(texts: Iterable[str], option: str) -> dict[str, str]:
    """`code=HCPCS,condition=Note` as a mapping, a comma within double quotes apart.  Raises FileRefused."""
    found: dict[str, str] = {}
    for pair in (pair for text in texts for pair in next(csv.reader([text], skipinitialspace=True), [])):
        left, equals, right = pair.partition("=")
        if not equals or not left.strip() or not right.strip():
            raise refused(f"{option}: must be pairs such as name=value, separated by commas")
        found[left.strip()] = right.strip().strip('"')
    return found


def columns_of(mapping: Mapping[str, str]) -> tuple[Wanted, ...]:
    """Our columns under the plan's names, or under ours where nothing is said.  Raises FileRefused."""
    if unknown := [name for name in mapping if name not in OURS]:
        raise refused(f"--columns: there is no column {unknown[0]!r}{valid_words(unknown[0], OURS)}")
    return tuple(
        Wanted(
            mapping.get(name, name),
            re.compile(re.escape(plain_name(mapping.get(name, name))) + r"\Z"),
            required=name != "condition" or name in mapping,
        )
        for name in OURS
    )


def categories_of(mapping: Mapping[str, str]) -> dict[str, str]:
    """Our categories by the plan's words, both as they are compared.  Raises FileRefused."""
    words = {_word(category): category for category in DOFR_CATEGORIES}
    for ours in mapping.values():
        if _word(ours) not in words:
            raise refused(f"--category: there is no category {ours!r}{valid_words(ours, DOFR_CATEGORIES)}")
    return words | {_word(theirs): words[_word(ours)] for theirs, ours in mapping.items()}


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")


def read_dofr(
    sheet: Sheet, curated: Collection[str], *, columns: Sequence[Wanted], categories: Mapping[str, str]
) -> DofrRelease:
    """Raises FileRefused with every fault, by row and column.  `curated`: the codes of our table, CPT among them."""
    faults = Faults()
    dropped: Counter[str] = Counter()
    found: dict[tuple[str, str], tuple[str, int]] = {}
    read = 0
    for record in table_of(sheet, columns, faults, hint=HINT).records:
        read += 1
        code, condition, category = (record.cells[column.name] for column in columns)
        code = code.upper()
        if CPT.match(code) and code not in curated:
            dropped[CPT_ROWS] += 1
            continue
        ours = _checked(record, columns, code, condition, categories.get(_word(category)), categories, faults)
        if ours is not None and _taken(record.row, columns, (code, condition), ours, found, faults):
            dropped[REPEATED] += 1
    faults.stop()
    if not found:
        raise refused("the file holds no code: is it complete?")
    rows = tuple((code, condition, category) for (code, condition), (category, _) in sorted(found.items()))
    return DofrRelease(rows, read, dropped)


def _checked(
    record: Record,
    columns: Sequence[Wanted],
    code: str,
    condition: str,
    category: str | None,
    categories: Mapping[str, str],
    faults: Faults,
) -> str | None:
    """The category in our word, or None for a row with a fault."""
    code_column, condition_column, category_column = (column.name for column in columns)
    before = len(faults.found)
    if not LEVEL_II.match(code) and not CPT.match(code):
        faults.add(record.row, code_column, "must be a HCPCS code: a letter A-V and 4 digits")
    if condition.startswith(FORMULA_SIGNS):
        faults.add(record.row, condition_column, f"begins with {condition[0]}, as a formula does: write it without")
    elif problem := cell_problem(CONDITION, condition):
        faults.add(record.row, condition_column, problem)
    if category is None:
        theirs = record.cells[category_column]
        hint = f'--category "{theirs}=OURS" says which it is' if theirs else "must not be empty"
        faults.add(record.row, category_column, f"no category of ours{valid_words(theirs, DOFR_CATEGORIES)}; {hint}")
    return category if len(faults.found) == before else None


def _taken(
    row: int,
    columns: Sequence[Wanted],
    key: tuple[str, str],
    category: str,
    found: dict[tuple[str, str], tuple[str, int]],
    faults: Faults,
) -> bool:
    """True for a row that says again what an earlier one said."""
    earlier = found.setdefault(key, (category, row))
    if earlier[1] == row:
        return False
    if earlier[0] != category:
        text = f"row {earlier[1]} puts the same code under another category; say the condition that tells them apart"
        faults.add(row, columns[2].name, text)
    return True


def dofr_after(before: Sequence[Row], release: DofrRelease, *, effective: date, complete: bool = False) -> Imported:
    """The plan's rows from that day on.  A code that the file does not have keeps its rows, unless it is `complete`."""
    named = {code for code, _, _ in release.rows}
    day = effective.isoformat()
    wanted = ((*row, day, "", "manual") for row in release.rows)
    rows = from_day_on(SCHEMA, before, wanted, effective=effective, covers=lambda row: complete or row[0] in named)
    last = SCHEMA.header().index("valid_to")
    left = sorted({row[0] for row in before if row[0] not in named and not (row[last] and row[last] < day)})
    notices = () if complete else tuple(Notice("not in the file", code, "keeps its rows") for code in left)
    return Imported(SCHEMA.name, rows, table_changes(SCHEMA, before, rows), release.read, release.dropped, notices)
