"""Every rule on every line: verdicts, and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.decisions.decision import Outcome, ResponsibleParty
from infusion_orders.rules.rule import Effect, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from infusion_orders.facts.case import Case, Facts
    from infusion_orders.rules.rule_set import RuleSet

    _Verdicts = tuple[dict[int, Verdict], dict[int, Verdict]]
    """By the rules' positions: those that apply, and those of them that are not satisfied."""

DECISIVE_EFFECTS = {
    Effect.REDIRECT: Outcome.REDIRECTED,
    Effect.REJECT: Outcome.REJECTED,
    Effect.REVIEW: Outcome.NEEDS_REVIEW,
}
"""The effects that change an outcome, strongest first."""
DATE_OF_SERVICE = "line.date_of_service"
_NOT_APPLICABLE, _SATISFIED = Verdict.NOT_APPLICABLE, Verdict.SATISFIED
"""At hand: a member of an enumeration is looked up each time it is named."""


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """One line with its verdicts by the rules' positions: those that are not there are `not_applicable`.

    `reported` are those of them that say more than that the rule is satisfied.
    `unsettled` is the effect at which the walk stopped for want of information.
    """

    line_id: str
    facts: Facts
    verdicts: Mapping[int, Verdict]
    reported: Mapping[int, Verdict]
    outcome: Outcome
    unsettled: Effect | None

    def verdict(self, position: int) -> Verdict:
        """Of any rule."""
        return self.verdicts.get(position, Verdict.NOT_APPLICABLE)


def judge(case: Case, rule_set: RuleSet, line_ids: Sequence[str]) -> tuple[JudgedLine, ...]:
    """A fault inside one rule is the verdict `error` on that rule, and on no other."""
    of_order: dict[object, _Verdicts] = {}
    return tuple(
        _judge_line(line_id, facts, rule_set, of_order) for line_id, facts in zip(line_ids, case.lines, strict=True)
    )


def _judge_line(line_id: str, facts: Facts, rule_set: RuleSet, of_order: dict[object, _Verdicts]) -> JudgedLine:
    """`of_order`: the verdicts of the order's own rules, by the day that they are judged on."""
    candidates_of_order, candidates_of_line = rule_set.candidates.of_line(facts)
    day = facts[DATE_OF_SERVICE]
    if day not in of_order:
        of_order[day] = _verdicts(rule_set, candidates_of_order, facts)
    verdicts_of_order, reported_of_order = of_order[day]
    verdicts, reported = _verdicts(rule_set, candidates_of_line, facts)
    reported = reported_of_order | reported
    outcome, unsettled = outcome_of_line(rule_set, reported)
    return JudgedLine(line_id, facts, verdicts_of_order | verdicts, reported, outcome, unsettled)


def _verdicts(rule_set: RuleSet, positions: Iterable[int], facts: Facts) -> _Verdicts:
    verdicts: dict[int, Verdict] = {}
    reported: dict[int, Verdict] = {}
    for position in positions:
        judge_line = rule_set.rules[position].judge
        try:
            verdict = judge_line(facts)
        except Exception:  # whatever it is, it is this rule's fault alone and never a denial
            verdict = Verdict.ERROR
        if verdict is not _NOT_APPLICABLE:
            verdicts[position] = verdict
            if verdict is not _SATISFIED:
                reported[position] = verdict
    return verdicts, reported


def outcome_of_line(rule_set: RuleSet, reported: Mapping[int, Verdict]) -> tuple[Outcome, Effect | None]:
    """The walk down the effects; with the effect that wants information, if one does."""
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
    """One answer for the order: what is open comes before what is settled, agreement before a mixture."""
    outcomes = set(lines)
    for first in (Outcome.INDETERMINATE, Outcome.NEEDS_INFORMATION, Outcome.NEEDS_REVIEW):
        if first in outcomes:
            return first
    if len(outcomes) == 1:
        return outcomes.pop()
    return Outcome.PARTLY_ACCEPTED if Outcome.ACCEPTED in outcomes else Outcome.REDIRECTED


def assigned(line: JudgedLine, rule_set: RuleSet, target: str) -> ResponsibleParty | None:
    """The value that the rules give the target on this line, and the rule that gave it.

    None while the facts do not settle it, while a rule that could assign it has failed, or where two rules give it
    different values: an answer is never picked among several.
    """
    giving: dict[str, str] = {}
    verdicts = line.verdicts
    for position in rule_set.assigning[target]:
        if position not in verdicts:
            continue
        if verdicts[position] is not Verdict.SATISFIED:
            return None
        rule = rule_set.rules[position].rule
        value = (rule.assign or {})[target]
        known = value if isinstance(value, str) else line.facts[value.fact]
        if not isinstance(known, str):
            return None
        giving[rule.id] = known
    if not giving:
        return ResponsibleParty(party=rule_set.catalogue.assigned[target])
    if len(giving) > 1 and len(set(giving.values())) > 1:
        return None
    because = min(giving)
    return ResponsibleParty(party=giving[because], because=because)
