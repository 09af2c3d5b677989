"""Problems of reference tables: each names the cell and what may be written there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class TableProblem:
    """One problem.  Rows count as in a spreadsheet: the header is row 1, and row 0 means the whole table."""

    table: str
    row: int
    column: str
    problem: str

    def __str__(self) -> str:
        """Return the problem as one line: `vendors, row 4, column therapy: ...`."""
        where = [self.table]
        if self.row:
            where.append(f"row {self.row}")
        if self.column:
            where.append(f"column {self.column}")
        return f"{', '.join(where)}: {self.problem}"


class TableErrors(ValueError):
    """The reference tables have problems; `problems` lists them in table and row order."""

    def __init__(self, problems: Iterable[TableProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
