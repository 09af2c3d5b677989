"""What is wrong with a reference table, said so that the person who edits it finds the cell and knows what to write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class TableProblem:
    """One fault.  `row` counts as a spreadsheet does: the header is row 1; 0 is the table as a whole."""

    table: str
    row: int
    column: str
    problem: str

    def __str__(self) -> str:
        """`vendors, row 4, column therapy: ...`."""
        where = [self.table]
        if self.row:
            where.append(f"row {self.row}")
        if self.column:
            where.append(f"column {self.column}")
        return f"{', '.join(where)}: {self.problem}"


class TableErrors(ValueError):
    """Reference tables that must not be used.  `problems` holds every fault that was found, in table and row order."""

    def __init__(self, problems: Iterable[TableProblem]) -> None:
        """Keeps the problems; the message is one line for each."""
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, words: Iterable[str]) -> str:
    """A closing phrase that names the nearest valid word, or some of the valid ones; empty if there are none."""
    from difflib import get_close_matches

    candidates = sorted(set(words))
    close = get_close_matches(word.casefold(), [candidate.casefold() for candidate in candidates], n=1, cutoff=0.6)
    if close:
        found = next(candidate for candidate in candidates if candidate.casefold() == close[0])
        return f"; did you mean {found!r}?"
    if not candidates:
        return ""
    shown = ", ".join(candidates[:12])
    return f"; it may be: {shown}" + (", ..." if len(candidates) > 12 else "")
