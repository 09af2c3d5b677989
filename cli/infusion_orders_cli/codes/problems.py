"""Why a file is not imported: every fault that was found, by row and column."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class FileProblem:
    """`row` counts as a spreadsheet does, from 1; 0 is the file as a whole.  `column` is the file's own name for it."""

    row: int
    column: str
    problem: str

    def __str__(self) -> str:
        """`row 4, column HCPC: ...`."""
        where = [f"row {self.row}"] if self.row else []
        where += [f"column {self.column}"] if self.column else []
        return f"{', '.join(where)}: {self.problem}" if where else self.problem


class FileRefused(Exception):
    """The file is not what it should be; nothing of it is used."""

    def __init__(self, *problems: FileProblem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def refused(problem: str, *, row: int = 0, column: str = "") -> FileRefused:
    """A refusal for one reason."""
    return FileRefused(FileProblem(row, column, problem))


@dataclass(slots=True)
class Faults:
    """What is wrong so far.  Raises FileRefused once there is more than anyone would read."""

    found: list[FileProblem] = field(default_factory=list)

    def add(self, row: int, column: str, problem: str) -> None:
        """Goes on reading, so that all faults are told at once."""
        self.found.append(FileProblem(row, column, problem))
        if len(self.found) == MOST_PROBLEMS:
            self.found.append(FileProblem(0, "", "and perhaps more: reading stopped here"))
            self.stop()

    def stop(self) -> None:
        """Raises FileRefused if anything was found."""
        if self.found:
            raise FileRefused(*self.found)
