"""What the analysis says of a rule set."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Progress = Callable[[int, int], None]
    """Told how many steps of how many are done."""


class Kind(StrEnum):
    """What can be wrong."""

    NEVER_APPLIES = "never applies"
    NEVER_FAILS = "never fails"
    IMPLIED = "implied by another rule"
    CONTRADICTION = "contradiction"
    OVERLAP = "assignments overlap"
    GAP = "assignments leave a gap"
    TABLE_GAP = "table leaves a gap"
    TABLE_OVERLAP = "table rows overlap"
    TABLE_REVERSED = "table row ends before it begins"
    NOBODY_THERE = "vendor accepts nothing"


class Severity(StrEnum):
    """An error keeps a version from being activated, unless by force; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


SEVERITIES = {kind: Severity.ERROR for kind in Kind} | {
    Kind.IMPLIED: Severity.WARNING,
    Kind.TABLE_GAP: Severity.WARNING,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, and in `order` a whole order (JSON) whose decision under the rule set shows it.

    `where` are ids of rules, or a table and its rows.
    """

    kind: Kind
    where: tuple[str, ...]
    problem: str
    order: dict[str, Any]

    @property
    def severity(self) -> Severity:
        """By the kind alone."""
        return SEVERITIES[self.kind]

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.severity}: {', '.join(self.where)}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Doubt:
    """What could be neither proved nor shown, and how far it was looked at."""

    where: tuple[str, ...]
    question: str
    looked_at: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """All findings, errors first, what stayed open, and how many rules an order was found for that breaks them."""

    findings: tuple[Finding, ...]
    doubts: tuple[Doubt, ...]
    proved: int
    rules_shown_to_fail: int
    rules_that_require: int

    @property
    def errors(self) -> int:
        """How many findings keep a version from being activated."""
        return sum(finding.severity is Severity.ERROR for finding in self.findings)

    def plain(self) -> dict[str, Any]:
        """JSON."""
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
