"""Every rule judged on every line: the verdicts, and the outcomes that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.decisions.decision import Outcome
from infusion_orders.rules.resolution import DATE_OF_SERVICE
from infusion_orders.rules.rule import Effect, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from infusion_orders.facts.case import Case, Facts
    from infusion_orders.rules.candidates import Judges
    from infusion_orders.rules.rule_set import RuleSet

DECISIVE_EFFECTS = {
    Effect.REDIRECT: Outcome.REDIRECTED,
    Effect.REJECT: Outcome.REJECTED,
    Effect.REVIEW: Outcome.NEEDS_REVIEW,
}
"""The effects that change an outcome, strongest first."""


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """One line with its verdicts by the positions of the rules; a rule that is missing is `not_applicable`.

    `reported` are the verdicts other than `satisfied`.  `unsettled` is the effect that still needs information.
    """

    line_id: str
    facts: Facts
    verdicts: Mapping[int, Verdict]
    reported: Mapping[int, Verdict]
    outcome: Outcome
    unsettled: Effect | None

    def verdict(self, position: int) -> Verdict:
        """Return the verdict of the rule at this position."""
        return self.verdicts.get(position, Verdict.NOT_APPLICABLE)


def judge_order(case: Case, rule_set: RuleSet, line_ids: Sequence[str]) -> tuple[JudgedLine, ...]:
    """Judge every line.  A fault inside one rule is the verdict `error` of that rule, and of no other.

    Rules of scope `order` are judged once for each date of service.
    """
    judged: list[JudgedLine] = []
    of_order_by_day: dict[object, dict[int, Verdict]] = {}
    for line_id, facts in zip(line_ids, case.lines, strict=True):
        of_order, of_line = rule_set.candidates.of_line(facts)
        day = facts[DATE_OF_SERVICE]
        if day not in of_order_by_day:
            of_order_by_day[day] = _verdicts(of_order, facts)
        verdicts = of_order_by_day[day] | _verdicts(of_line, facts)
        satisfied = Verdict.SATISFIED
        reported = {position: verdict for position, verdict in verdicts.items() if verdict is not satisfied}
        outcome, unsettled = outcome_of_line(rule_set, reported)
        judged.append(JudgedLine(line_id, facts, verdicts, reported, outcome, unsettled))
    return tuple(judged)


def _verdicts(judges: Judges, facts: Facts) -> dict[int, Verdict]:
    """The verdicts by the position of the rule, without the rules that do not apply."""
    verdicts: dict[int, Verdict] = {}
    not_applicable = Verdict.NOT_APPLICABLE
    for position, judge in judges:
        try:
            verdict = judge(facts)
        except Exception:  # whatever failed, only this rule is affected, and nothing is denied because of it
            verdict = Verdict.ERROR
        if verdict is not not_applicable:
            verdicts[position] = verdict
    return verdicts


def outcome_of_line(rule_set: RuleSet, reported: Mapping[int, Verdict]) -> tuple[Outcome, Effect | None]:
    """Return the outcome by the strongest effect that is not satisfied, and the effect that needs information."""
    if not reported:
        return Outcome.ACCEPTED, None
    found = [(rule_set.rules[position].effect, verdict) for position, verdict in reported.items()]
    for effect, outcome in DECISIVE_EFFECTS.items():
        at_effect = [verdict for its_effect, verdict in found if its_effect is effect]
        if Verdict.NOT_MET in at_effect:
            return outcome, None
        if Verdict.UNKNOWN in at_effect:
            return Outcome.NEEDS_INFORMATION, effect
        if Verdict.ERROR in at_effect:
            return Outcome.INDETERMINATE, None
    return Outcome.ACCEPTED, None


def outcome_of_order(lines: Iterable[Outcome]) -> Outcome:
    """Return the outcome of the order: a fault decides first, then a question, then a review, then agreement."""
    outcomes = set(lines)
    for first in (Outcome.INDETERMINATE, Outcome.NEEDS_INFORMATION, Outcome.NEEDS_REVIEW):
        if first in outcomes:
            return first
    if len(outcomes) == 1:
        return outcomes.pop()
    return Outcome.PARTLY_ACCEPTED if Outcome.ACCEPTED in outcomes else Outcome.REDIRECTED
