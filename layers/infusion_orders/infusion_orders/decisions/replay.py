"""Recorded decisions decided again under a candidate version: which of them would come out another way, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from infusion_orders.decisions.decide import RESPONSIBLE_PARTY
from infusion_orders.decisions.decision import Outcome
from infusion_orders.decisions.judging import DECISIVE_EFFECTS, assigned, judge, outcome_of_order
from infusion_orders.decisions.receipts import digest
from infusion_orders.facts.recorded import UnreadableRecord, case_from_record
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infusion_orders.decisions.judging import JudgedLine
    from infusion_orders.rules.rule_set import RuleSet

ARROW = " -> "
NOBODY = "not settled"
OUTCOMES = frozenset(Outcome)


class Obstacle(StrEnum):
    """Why a recorded decision cannot be decided again."""

    DECISION_UNREADABLE = "the decision cannot be read"
    FACTS_ALTERED = "the facts are not those that the receipt names"
    FACTS_OF_ANOTHER_RELEASE = "the facts are not those of this release's vocabulary"
    LINES_DIFFER = "the facts are not of as many lines as the decision"
    FAULTY = "the decision came from a technical fault (indeterminate)"


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """What is kept of a decision: `facts` and `decision` as canonical and plain JSON texts."""

    decision_id: str
    partner: str
    facts: str
    decision: str


class NotReplayable(Exception):
    """The recorded decision cannot be decided again."""

    def __init__(self, obstacle: Obstacle) -> None:
        """The obstacle says why."""
        super().__init__(obstacle.value)
        self.obstacle = obstacle


@dataclass(frozen=True, slots=True)
class Flip:
    """One line whose outcome or responsible party would be another one.

    `rules` are those that decide the line on one side only, or on both by another effect: what the flip comes from.
    """

    line_id: str
    therapy: str
    outcome: tuple[str, str]
    party: tuple[str, str]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One decision decided again: the order's outcome before and after, and the lines that flipped."""

    recorded: RecordedDecision
    line_of_business: str
    outcome: tuple[str, str]
    flips: tuple[Flip, ...]


def replay(recorded: RecordedDecision, candidate: RuleSet) -> Replayed:
    """Raises NotReplayable."""
    decision = _decision(recorded)
    if digest(recorded.facts.encode()) != decision["receipt"]["facts"]:
        raise NotReplayable(Obstacle.FACTS_ALTERED)
    try:
        facts = json.loads(recorded.facts)
        case = case_from_record(facts, candidate.catalogue, candidate.tables)
    except (ValueError, UnreadableRecord):
        raise NotReplayable(Obstacle.FACTS_OF_ANOTHER_RELEASE) from None
    if len(case.lines) != len(decision["lines"]):
        raise NotReplayable(Obstacle.LINES_DIFFER)
    judged = judge(case, candidate, [line["line_id"] for line in decision["lines"]])
    outcome = outcome_of_order(line.outcome for line in judged)
    flips = flips_of(decision, judged, candidate)
    business = facts["order"].get("member.line_of_business")
    known = business if isinstance(business, str) else "not known"
    return Replayed(recorded, known, (decision["outcome"], outcome.value), flips)


def flips_of(decision: Mapping[str, Any], judged: Sequence[JudgedLine], rule_set: RuleSet) -> tuple[Flip, ...]:
    """The lines of a decision (plain JSON) that come out another way as judged by the rule set."""
    found = (_flip(before, after, decision, rule_set) for before, after in zip(decision["lines"], judged, strict=True))
    return tuple(flip for flip in found if flip is not None)


def _decision(recorded: RecordedDecision) -> dict[str, Any]:
    """What a replay needs of it.  Raises NotReplayable."""
    try:
        decision: dict[str, Any] = json.loads(recorded.decision)
        outcomes = {decision["outcome"], *(line["outcome"] for line in decision["lines"])}
        readable = outcomes <= OUTCOMES and all(line["line_id"] for line in decision["lines"])
        decision["receipt"]["facts"].encode()
    except (ValueError, LookupError, TypeError, AttributeError):
        readable = False
    if not readable:
        raise NotReplayable(Obstacle.DECISION_UNREADABLE)
    if Outcome.INDETERMINATE in outcomes:
        raise NotReplayable(Obstacle.FAULTY)
    return decision


def _flip(before: Mapping[str, Any], after: JudgedLine, decision: Mapping[str, Any], rule_set: RuleSet) -> Flip | None:
    found = assigned(after, rule_set, RESPONSIBLE_PARTY)
    was = before.get("responsible_party")
    party = (NOBODY if was is None else str(was["party"]), NOBODY if found is None else found.party)
    outcome = (str(before["outcome"]), after.outcome.value)
    if outcome[0] == outcome[1] and party[0] == party[1]:
        return None
    decided, decide = _decided_before(before, decision), _decide_after(after, rule_set)
    rules = decided ^ decide or decided | decide  # the same rules on both sides: their effect changed
    if outcome[0] == outcome[1]:
        rules = {str((was or {}).get("because")), str(None if found is None else found.because)} - {"None"}
    return Flip(after.line_id, str(before.get("therapy", "not known")), outcome, party, tuple(sorted(rules)))


def _decided_before(line: Mapping[str, Any], decision: Mapping[str, Any]) -> set[str]:
    """The rules that the line's outcome came from, by the findings that were given out."""
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


def _decide_after(line: JudgedLine, rule_set: RuleSet) -> set[str]:
    verdict, effect = (
        Verdict.NOT_MET,
        next((effect for effect, outcome in DECISIVE_EFFECTS.items() if outcome is line.outcome), None),
    )
    if line.outcome is Outcome.NEEDS_INFORMATION:
        verdict, effect = Verdict.UNKNOWN, line.unsettled
    positions = () if effect is None else rule_set.of_effect[effect]
    return {rule_set.rules[position].rule.id for position in positions if line.verdict(position) is verdict}
