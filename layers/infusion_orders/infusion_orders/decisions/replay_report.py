"""The report of many replays.  Reports of parts merge, in any order, into the report of the whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infusion_orders.decisions.replay import ARROW, NotReplayable, replay_decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infusion_orders.decisions.replay import Flip, RecordedDecision, Replayed
    from infusion_orders.rules.rule_set import RuleSet

MOST_EXAMPLES = 5
DIMENSIONS = ("line of business", "therapy", "rule", "partner")


@dataclass(slots=True)
class ReplayReport:
    """Counts of decisions; `lines` and `parties` count service lines.

    A decision has changed if the outcome or the responsible party of one of its lines has changed.  `by` counts the
    changed decisions by dimension, value and flip; `examples` holds ids of decisions by flip or obstacle.
    """

    replayed: int = 0
    changed: int = 0
    orders: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    parties: Counter[str] = field(default_factory=Counter)
    by: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: {name: Counter() for name in DIMENSIONS})
    obstacles: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def share_changed(self) -> float:
        """The share of the replayed decisions that changed; 0 if none was replayed."""
        return self.changed / self.replayed if self.replayed else 0.0

    def add(self, one: Replayed) -> None:
        """Count one replayed decision."""
        self.replayed += 1
        if not one.flips:
            return
        self.changed += 1
        if one.outcome[0] != one.outcome[1]:
            self.orders[ARROW.join(one.outcome)] += 1
        for line in one.flips:
            self._add_line(line)
        for flip in {_name_of(line) for line in one.flips}:
            self._add_example(flip, one.recorded.decision_id)
            self.by["line of business"][one.line_of_business, flip] += 1
            self.by["partner"][one.recorded.partner, flip] += 1
        for therapy, flip in {(line.therapy, _name_of(line)) for line in one.flips}:
            self.by["therapy"][therapy, flip] += 1
        for rule, flip in {(rule, _name_of(line)) for line in one.flips for rule in line.rules}:
            self.by["rule"][rule, flip] += 1

    def add_obstacle(self, recorded: RecordedDecision, obstacle: str) -> None:
        """Count one decision that cannot be decided again."""
        self.obstacles[obstacle] += 1
        self._add_example(obstacle, recorded.decision_id)

    def merge(self, other: ReplayReport) -> None:
        """Add the report of other decisions."""
        self.replayed += other.replayed
        self.changed += other.changed
        for own, more in (
            (self.orders, other.orders),
            (self.lines, other.lines),
            (self.parties, other.parties),
            (self.obstacles, other.obstacles),
        ):
            own.update(more)
        for name in DIMENSIONS:
            self.by[name].update(other.by[name])
        for name, ids in other.examples.items():
            for decision_id in ids:
                self._add_example(name, decision_id)

    def plain(self) -> dict[str, Any]:
        """Return plain JSON; `from_plain` reads it back."""
        return {
            "replayed": self.replayed,
            "changed": self.changed,
            "share_changed": round(self.share_changed, 6),
            "orders": dict(sorted(self.orders.items())),
            "lines": dict(sorted(self.lines.items())),
            "parties": dict(sorted(self.parties.items())),
            "by": {
                name: [{"value": value, "flip": flip, "decisions": count} for (value, flip), count in _ranked(counts)]
                for name, counts in self.by.items()
            },
            "cannot_be_replayed": dict(sorted(self.obstacles.items())),
            "examples": dict(sorted(self.examples.items())),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ReplayReport:
        """Read what `plain` returned.  Raises KeyError, TypeError or ValueError for anything else."""
        report = cls(int(plain["replayed"]), int(plain["changed"]))
        report.orders.update(plain["orders"])
        report.lines.update(plain["lines"])
        report.parties.update(plain["parties"])
        report.obstacles.update(plain["cannot_be_replayed"])
        report.examples = {name: list(ids) for name, ids in plain["examples"].items()}
        for name in DIMENSIONS:
            report.by[name].update({(entry["value"], entry["flip"]): entry["decisions"] for entry in plain["by"][name]})
        return report

    def _add_line(self, line: Flip) -> None:
        if line.outcome[0] != line.outcome[1]:
            self.lines[ARROW.join(line.outcome)] += 1
        if line.party[0] != line.party[1]:
            self.parties[ARROW.join(line.party)] += 1

    def _add_example(self, name: str, decision_id: str) -> None:
        """Keep the first few ids in sorted order, so that the order in which reports merge does not matter."""
        self.examples[name] = sorted({*self.examples.get(name, ()), decision_id})[:MOST_EXAMPLES]


def report_of(recorded: Iterable[RecordedDecision], candidate: RuleSet) -> ReplayReport:
    """Decide each recorded decision again under the candidate version."""
    report = ReplayReport()
    for one in recorded:
        try:
            report.add(replay_decision(one, candidate))
        except NotReplayable as not_replayable:
            report.add_obstacle(one, not_replayable.obstacle.value)
    return report


def _name_of(line: Flip) -> str:
    """The flip of the outcome, or of the responsible party if the outcome stays."""
    if line.outcome[0] != line.outcome[1]:
        return ARROW.join(line.outcome)
    return f"responsible party {ARROW.join(line.party)}"


def _ranked(counts: Counter[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
