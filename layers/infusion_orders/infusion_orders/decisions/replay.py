"""Replay: a recorded decision is decided again under a candidate version, and the lines that differ are found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from infusion_orders.decisions.decide import decide_case
from infusion_orders.decisions.decision import Outcome
from infusion_orders.decisions.judgement import DECISIVE_EFFECTS
from infusion_orders.facts.record import UnreadableRecord, case_from_record
from infusion_orders.rules.digests import digest
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infusion_orders.decisions.decision import Decision
    from infusion_orders.rules.rule_set import RuleSet

ARROW = " -> "
NOBODY = "not settled"
OUTCOMES = frozenset(Outcome)
COMPARED: Any = {
    "outcome": True,
    "lines": {"__all__": {"line_id", "outcome", "responsible_party"}},
    "findings": {"__all__": {"rule", "effect", "verdict", "lines"}},
}
"""The fields that two decisions are compared by."""


class Obstacle(StrEnum):
    """Why a recorded decision cannot be decided again."""

    DECISION_UNREADABLE = "the decision cannot be read"
    FACTS_ALTERED = "the facts are not those that the receipt names"
    FACTS_OF_ANOTHER_RELEASE = "the facts are not those of this release's vocabulary"
    LINES_DIFFER = "the facts are not of as many lines as the decision"
    FAULTY = "the decision came from a technical fault (indeterminate)"


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A decision as it is recorded: `facts` in canonical JSON and `decision` in JSON."""

    decision_id: str
    partner: str
    facts: str
    decision: str


class NotReplayable(Exception):
    """The recorded decision cannot be decided again; `obstacle` says why."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.value)
        self.obstacle = obstacle


@dataclass(frozen=True, slots=True)
class Flip:
    """One line whose outcome or responsible party differs, before and after.

    `rules` caused the flip: they decide the line on one side only, or on both sides with another effect.
    """

    line_id: str
    therapy: str
    outcome: tuple[str, str]
    party: tuple[str, str]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One decision decided again: the outcome of the order before and after, and the lines that flipped."""

    recorded: RecordedDecision
    line_of_business: str
    outcome: tuple[str, str]
    flips: tuple[Flip, ...]


def replay_decision(recorded: RecordedDecision, candidate: RuleSet) -> Replayed:
    """Decide the recorded facts again under the candidate version.  Raises NotReplayable."""
    before = _read_decision(recorded)
    if digest(recorded.facts.encode()) != before["receipt"]["facts"]:
        raise NotReplayable(Obstacle.FACTS_ALTERED)
    try:
        facts = json.loads(recorded.facts)
        case = case_from_record(facts, candidate.catalogue, candidate.tables)
    except (ValueError, UnreadableRecord):
        raise NotReplayable(Obstacle.FACTS_OF_ANOTHER_RELEASE) from None
    line_ids = [line["line_id"] for line in before["lines"]]
    if len(case.lines) != len(line_ids):
        raise NotReplayable(Obstacle.LINES_DIFFER)
    as_of = date.fromisoformat(before["as_of"])
    after = decide_case(case, candidate, order_id=before["order_id"], line_ids=line_ids, as_of=as_of).decision
    business = facts["order"].get("member.line_of_business")
    known = business if isinstance(business, str) else "not known"
    return Replayed(recorded, known, (before["outcome"], after.outcome.value), flips_of(before, after))


def flips_of(before: Mapping[str, Any], after: Decision) -> tuple[Flip, ...]:
    """Return the lines that differ between a decision in plain JSON and another decision on the same lines."""
    plain = after.model_dump(mode="json", by_alias=True, exclude_none=True, include=COMPARED)
    flips = []
    for line, line_after in zip(before["lines"], plain["lines"], strict=True):
        outcome = (line["outcome"], line_after["outcome"])
        party = (_party(line), _party(line_after))
        if outcome[0] != outcome[1]:
            rules, rules_after = _deciding_rules(line, before), _deciding_rules(line_after, plain)
            causes = rules ^ rules_after or rules | rules_after  # the same rules on both sides: an effect changed
        elif party[0] != party[1]:
            causes = {one["responsible_party"].get("because") for one in (line, line_after) if _is_settled(one)}
        else:
            continue
        therapy = line.get("therapy", "not known")
        flips.append(Flip(line["line_id"], therapy, outcome, party, tuple(sorted(causes - {None}))))
    return tuple(flips)


def _read_decision(recorded: RecordedDecision) -> dict[str, Any]:
    """The recorded decision in plain JSON.  Raises NotReplayable."""
    try:
        decision: dict[str, Any] = json.loads(recorded.decision)
        outcomes = {decision["outcome"], *(line["outcome"] for line in decision["lines"])}
        readable = outcomes <= OUTCOMES and all(line["line_id"] for line in decision["lines"])
        decision["receipt"]["facts"].encode()
        decision["order_id"].encode()
        date.fromisoformat(decision["as_of"])
    except (ValueError, LookupError, TypeError, AttributeError):
        readable = False
    if not readable:
        raise NotReplayable(Obstacle.DECISION_UNREADABLE)
    if Outcome.INDETERMINATE in outcomes:
        raise NotReplayable(Obstacle.FAULTY)
    return decision


def _is_settled(line: Mapping[str, Any]) -> bool:
    return line.get("responsible_party") is not None


def _party(line: Mapping[str, Any]) -> str:
    return str(line["responsible_party"]["party"]) if _is_settled(line) else NOBODY


def _deciding_rules(line: Mapping[str, Any], decision: Mapping[str, Any]) -> set[str]:
    """The rules that the outcome of the line came from."""
    outcome = line["outcome"]
    of_line = [finding for finding in decision.get("findings", ()) if line["line_id"] in finding["lines"]]
    if outcome == Outcome.NEEDS_INFORMATION:
        open_rules = [finding for finding in of_line if finding["verdict"] == Verdict.UNKNOWN]
        effects = {finding["effect"] for finding in open_rules}
        first = next((effect for effect in DECISIVE_EFFECTS if effect in effects), None)
        return {finding["rule"] for finding in open_rules if finding["effect"] == first}
    return {
        finding["rule"]
        for finding in of_line
        if finding["verdict"] == Verdict.NOT_MET and DECISIVE_EFFECTS.get(finding["effect"]) == outcome
    }
