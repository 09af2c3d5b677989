"""The problems of a rule set, as its author sees them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """A problem with its place: the file if it is known, the rule or table, and the path inside it."""

    file: str
    rule: str
    path: str
    problem: str

    def __str__(self) -> str:
        """The problem in one line."""
        parts = (self.file, self.rule, self.path, " ".join(self.problem.split()))
        return ": ".join(part for part in parts if part)


class RuleSetErrors(ValueError):
    """The rule set does not load; `problems` holds all of its problems."""

    def __init__(self, problems: tuple[RuleProblem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
