"""The result of an analysis: findings with orders that show them, and the questions that stay open."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Progress = Callable[[int, int], None]
    """Called with the number of finished steps and the number of all steps."""


class FindingKind(StrEnum):
    """What can be wrong with a rule set."""

    NEVER_APPLIES = "never applies"
    NEVER_FAILS = "never fails"
    IMPLIED = "implied by another rule"
    CONTRADICTION = "contradiction"
    OVERLAP = "assignments overlap"
    GAP = "assignments leave a gap"
    TABLE_GAP = "table leaves a gap"
    NOBODY_THERE = "vendor accepts nothing"


class Severity(StrEnum):
    """A version with an error can be activated only by force; a warning does not prevent activation."""

    ERROR = "error"
    WARNING = "warning"


WARNINGS = frozenset({FindingKind.IMPLIED, FindingKind.TABLE_GAP})


@dataclass(frozen=True, slots=True)
class AnalysisFinding:
    """One fault, and a whole order (JSON) whose decision under the rule set shows it.

    `where` names rules by their ids, or a table and its rows.
    """

    kind: FindingKind
    where: tuple[str, ...]
    problem: str
    order: dict[str, Any]

    @property
    def severity(self) -> Severity:
        """The severity follows from the kind."""
        return Severity.WARNING if self.kind in WARNINGS else Severity.ERROR

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{self.severity}: {', '.join(self.where)}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A question that was neither proved nor shown by an order, and how far the search went."""

    where: tuple[str, ...]
    question: str
    looked_at: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """The findings, errors first, the open questions, and how much was proved.

    `proved` counts the conditions that were settled for every order.  `rules_shown_to_fail` counts the rules for which
    an order was found that they reject, redirect, review or warn about, out of `rules_that_require`.
    """

    findings: tuple[AnalysisFinding, ...]
    doubts: tuple[Doubt, ...]
    proved: int
    rules_shown_to_fail: int
    rules_that_require: int

    @property
    def errors(self) -> int:
        """The number of findings that prevent activation."""
        return sum(finding.severity is Severity.ERROR for finding in self.findings)

    def plain(self) -> dict[str, Any]:
        """Return the analysis as plain JSON."""
        return {
            "findings": [
                {"severity": finding.severity.value, **asdict(finding), "kind": finding.kind.value}
                for finding in self.findings
            ],
            "doubts": [asdict(doubt) for doubt in self.doubts],
            "proved": self.proved,
            "rules_shown_to_fail": self.rules_shown_to_fail,
            "rules_that_require": self.rules_that_require,
        }
