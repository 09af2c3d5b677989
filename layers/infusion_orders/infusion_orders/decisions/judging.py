"""Every rule on every line: verdicts, and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.decisions.decision import Outcome, ResponsibleParty
from infusion_orders.rules.rule import Effect, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infusion_orders.facts.case import Case, Facts
    from infusion_orders.rules.rule_set import RuleSet

DECISIVE_EFFECTS = {
    Effect.REDIRECT: Outcome.REDIRECTED,
    Effect.REJECT: Outcome.REJECTED,
    Effect.REVIEW: Outcome.NEEDS_REVIEW,
}
"""The effects that change an outcome, strongest first."""
DATE_OF_SERVICE = "line.date_of_service"


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """One line with each rule's verdict, in the order of the rule set.

    `unsettled` is the effect at which the walk stopped for want of information.
    """

    line_id: str
    facts: Facts
    verdicts: tuple[Verdict, ...]
    outcome: Outcome
    unsettled: Effect | None


def judge(case: Case, rule_set: RuleSet, line_ids: Sequence[str]) -> tuple[JudgedLine, ...]:
    """A fault inside one rule is the verdict `error` on that rule, and on no other."""
    order_verdicts: dict[tuple[int, object], Verdict] = {}
    return tuple(
        _judge_line(line_id, facts, rule_set, order_verdicts)
        for line_id, facts in zip(line_ids, case.lines, strict=True)
    )


def _judge_line(
    line_id: str, facts: Facts, rule_set: RuleSet, order_verdicts: dict[tuple[int, object], Verdict]
) -> JudgedLine:
    closed, hanging = rule_set.gates.closed_and_hanging(facts)
    day, beyond = facts[DATE_OF_SERVICE], rule_set.gates.beyond
    verdicts = []
    for position, rule in enumerate(rule_set.rules):
        if closed >> position & 1:
            verdicts.append(Verdict.NOT_APPLICABLE)
            continue
        of_order = position in rule_set.of_order
        verdict = order_verdicts.get((position, day)) if of_order else None
        if verdict is None:
            try:
                if hanging >> position & 1:
                    verdict = rule.verdict(facts)
                else:
                    asks = beyond[position]
                    verdict = rule.verdict_when(True if asks is None else asks(facts), facts)
            except Exception:  # whatever it is, it is this rule's fault alone and never a denial
                verdict = Verdict.ERROR
            if of_order:
                order_verdicts[position, day] = verdict
        verdicts.append(verdict)
    outcome, unsettled = outcome_of_line(rule_set, verdicts)
    return JudgedLine(line_id, facts, tuple(verdicts), outcome, unsettled)


def outcome_of_line(rule_set: RuleSet, verdicts: Sequence[Verdict]) -> tuple[Outcome, Effect | None]:
    """The walk down the effects; with the effect that wants information, if one does."""
    for effect, outcome in DECISIVE_EFFECTS.items():
        found = {verdicts[position] for position in rule_set.of_effect[effect]}
        if Verdict.NOT_MET in found:
            return outcome, None
        if Verdict.UNKNOWN in found:
            return Outcome.NEEDS_INFORMATION, effect
        if Verdict.ERROR in found:
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
    open_rules = False
    for position in rule_set.assigning[target]:
        rule, verdict = rule_set.rules[position], line.verdicts[position]
        if verdict is Verdict.SATISFIED:
            value = (rule.rule.assign or {})[target]
            known = value if isinstance(value, str) else line.facts[value.fact]
            if isinstance(known, str):
                giving[rule.rule.id] = known
            else:
                open_rules = True
        elif verdict in (Verdict.UNKNOWN, Verdict.ERROR):
            open_rules = True
    if open_rules or len(set(giving.values())) > 1:
        return None
    if giving:
        because = min(giving)
        return ResponsibleParty(party=giving[because], because=because)
    return ResponsibleParty(party=rule_set.catalogue.assigned[target])
