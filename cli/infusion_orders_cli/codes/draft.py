"""The draft of a rule set: a copy of its folder in which one table is replaced, written whole or not at all."""

from __future__ import annotations

import csv
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from infusion_orders.authoring.table_checks import table_problems
from infusion_orders.authoring.table_problems import TableErrors
from infusion_orders.reference.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Row = Sequence[str]


class DraftRefused(Exception):
    """The draft cannot be written to this folder; the text says why and what to do."""


def check_place(rules: Path, draft: Path) -> None:
    """Raise DraftRefused for a place that cannot take the draft.  The rules' own folder can: that continues a draft."""
    if draft.resolve() == rules.resolve():
        return
    if draft.name != rules.name:
        raise DraftRefused(
            f"{draft}: a draft's folder must have the name of its rule set: use --into {draft / rules.name}."
        )
    if rules.resolve() in draft.resolve().parents:
        raise DraftRefused(f"{draft} is inside the rules that would be copied: choose another folder.")
    if draft.exists() and (not draft.is_dir() or any(draft.iterdir())):
        raise DraftRefused(
            f"{draft} is not empty. To continue with that draft, read the rules from it too: "
            f"--rules {draft} --into {draft}. Otherwise choose another folder."
        )


def write_draft(rules: Path, draft: Path, tables: Mapping[str, Sequence[Row]], table: str, rows: Iterable[Row]) -> None:
    """Copy the rules with one new table.  `tables` are those of `rules` with headers; `rows` is the new one without.

    Raises DraftRefused, and TableErrors if the tables then contradict each other.
    """
    check_place(rules, draft)
    whole = [TABLES[table].header(), *rows]
    if problems := table_problems({**tables, table: whole}):
        raise TableErrors(problems)
    in_place = draft.resolve() == rules.resolve()
    parent = draft.resolve() / "tables" if in_place else draft.resolve().parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".importing-", dir=parent) as folder:
        if in_place:
            written = write_rows(Path(folder, f"{table}.csv"), whole)
            written.replace(parent / written.name)
            return
        copy = Path(folder, draft.name)
        shutil.copytree(rules, copy)
        write_rows(copy / "tables" / f"{table}.csv", whole)
        copy.rename(draft.resolve())


def write_rows(path: Path, rows: Iterable[Row]) -> Path:
    """Write a table's file, with its header as the first row."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
    return path
