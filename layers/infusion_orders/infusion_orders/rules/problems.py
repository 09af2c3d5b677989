"""What is wrong with a rule set, in the words of the person who wrote it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """Where and what: the file (if known), the rule's id or the table's name, the path inside it, and the problem."""

    file: str
    rule: str
    path: str
    problem: str

    def __str__(self) -> str:
        """One line for people."""
        parts = (self.file, self.rule, self.path, " ".join(self.problem.split()))
        return ": ".join(part for part in parts if part)


class RuleSetErrors(ValueError):
    """A rule set that does not load: all of its problems, none of its rules."""

    def __init__(self, problems: tuple[RuleProblem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
