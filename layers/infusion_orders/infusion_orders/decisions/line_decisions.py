"""What a decision says about one line: therapy, responsible party and billing units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.decisions.decision import Billing, LineDecision, ResponsibleParty
from infusion_orders.facts.units import plausible
from infusion_orders.facts.unknown import known_or_none
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infusion_orders.decisions.decision import Finding
    from infusion_orders.decisions.judgement import JudgedLine
    from infusion_orders.facts.case import Facts
    from infusion_orders.rules.rule_set import RuleSet

RESPONSIBLE_PARTY = "line.responsible_party"


def line_decision(line: JudgedLine, findings: Iterable[Finding], rule_set: RuleSet) -> LineDecision:
    """Return the decision on one line; `findings` are those of the whole order."""
    rules = [finding.rule for finding in findings if line.line_id in finding.lines]
    return LineDecision(
        line_id=line.line_id,
        outcome=line.outcome,
        therapy=_known_code(line.facts, "line.therapy"),
        dofr_category=_known_code(line.facts, "line.dofr_category"),
        responsible_party=responsible_party(line, rule_set),
        billing=billing(line.facts),
        findings=tuple(dict.fromkeys(rules)),
    )


def _known_code(facts: Facts, name: str) -> str | None:
    value = facts[name]
    return value if isinstance(value, str) else None


def responsible_party(line: JudgedLine, rule_set: RuleSet) -> ResponsibleParty | None:
    """Return who is responsible for the line, and the rule that says so.

    None while the facts do not settle it, if a rule that could assign it has failed, or if two rules assign different
    parties: one of several answers is never picked.
    """
    assigned: dict[str, str] = {}
    for position in rule_set.assigning[RESPONSIBLE_PARTY]:
        verdict = line.verdicts.get(position)
        if verdict is None:
            continue
        rule = rule_set.rules[position].definition
        value = (rule.assign or {})[RESPONSIBLE_PARTY]
        party = value if isinstance(value, str) else line.facts[value.fact]
        if verdict is not Verdict.SATISFIED or not isinstance(party, str):
            return None
        assigned[rule.id] = party
    if not assigned:
        return ResponsibleParty(party=rule_set.catalogue.assigned[RESPONSIBLE_PARTY])
    because = min(assigned)
    return ResponsibleParty(party=assigned[because], because=because) if len(set(assigned.values())) == 1 else None


def billing(facts: Facts) -> Billing | None:
    """Return the billing units, as far as dose, code, frequency and dates determine them.

    None for a line without a dose, or with a code that is not billed by the dose.
    """
    each, times = known_or_none(facts["line.units_each_time"]), known_or_none(facts["line.times_given"])
    if each is None:
        return None
    left_over = known_or_none(facts["line.units_left_over"]) if facts["line.single_dose_container"] is True else None
    return Billing(
        units_per_administration=plausible(each),
        administrations=plausible(times),
        units=plausible(None if times is None else each * times),
        waste_units=plausible(left_over),
    )
