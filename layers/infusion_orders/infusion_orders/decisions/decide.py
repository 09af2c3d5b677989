"""The heart: one order under one version of the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.decisions.billing import billing
from infusion_orders.decisions.clocks import clock
from infusion_orders.decisions.decision import (
    Decision,
    LineDecision,
    Receipt,
    RuleExplanation,
    RuleSetReference,
)
from infusion_orders.decisions.findings import actions, findings
from infusion_orders.decisions.judging import assigned, judge, outcome_of_order
from infusion_orders.decisions.questions import questions
from infusion_orders.decisions.receipts import decision_digest, digest
from infusion_orders.facts.case import Case
from infusion_orders.rules.canonical import canonical_json_of_sorted
from infusion_orders.rules.evaluation import explain
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from infusion_orders.decisions.decision import Finding
    from infusion_orders.decisions.judging import JudgedLine
    from infusion_orders.orders.order import Order
    from infusion_orders.rules.rule_set import RuleSet

NO_RECEIPT = Receipt(facts="", decision="")
"""While the decision is put together: its digest leaves the receipt out."""
RESPONSIBLE_PARTY = "line.responsible_party"


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision, and in canonical JSON the facts to record with it: coded, and nothing that identifies a person."""

    decision: Decision
    facts: bytes


def decide(
    order: Order,
    rule_set: RuleSet,
    *,
    as_of: date,
    explain_all: bool = False,
    decision_id: str | None = None,
    age_seconds: int = 0,
) -> Decided:
    """Raises for no order and no checked rule set: a fault inside a rule is a verdict of that rule.

    The receipt covers neither the decision's id nor the age of its rule set, of which a reproduced one has none.
    """
    with Case(rule_set.catalogue, rule_set.tables, order=order) as case:
        return decide_case(
            case,
            rule_set,
            order_id=order.order_id,
            line_ids=[line.line_id for line in order.lines],
            as_of=as_of,
            explain_all=explain_all,
            decision_id=decision_id,
            age_seconds=age_seconds,
        )


def decide_case(
    case: Case,
    rule_set: RuleSet,
    *,
    order_id: str,
    line_ids: Sequence[str],
    as_of: date,
    explain_all: bool = False,
    decision_id: str | None = None,
    age_seconds: int = 0,
) -> Decided:
    """The same from facts alone, as they are recorded."""
    lines = judge(case, rule_set, line_ids)
    found = findings(lines, rule_set)
    facts = canonical_json_of_sorted(case.recorded())
    decision = Decision(
        decision_id=decision_id,
        order_id=order_id,
        as_of=as_of,
        outcome=outcome_of_order(line.outcome for line in lines),
        ruleset=RuleSetReference(
            name=rule_set.name, version=rule_set.version, digest=rule_set.digest, age_seconds=age_seconds
        ),
        lines=tuple(_line_decision(line, found, rule_set) for line in lines),
        actions=actions(lines, rule_set),
        questions=questions(lines, rule_set),
        findings=found,
        clock=clock(case),
        receipt=NO_RECEIPT,
        explanation=tuple(_explanations(lines, rule_set)) if explain_all else None,
    )
    receipt = Receipt(facts=digest(facts), decision=decision_digest(decision))
    return Decided(decision.model_copy(update={"receipt": receipt}), facts)


def _line_decision(line: JudgedLine, found: Sequence[Finding], rule_set: RuleSet) -> LineDecision:
    return LineDecision(
        line_id=line.line_id,
        outcome=line.outcome,
        therapy=_known_code(line, "line.therapy"),
        dofr_category=_known_code(line, "line.dofr_category"),
        responsible_party=assigned(line, rule_set, RESPONSIBLE_PARTY),
        billing=billing(line.facts),
        findings=_rules_of(line.line_id, found) if found else (),
    )


def _rules_of(line_id: str, found: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([finding.rule for finding in found if line_id in finding.lines]))


def _known_code(line: JudgedLine, name: str) -> str | None:
    value = line.facts[name]
    return value if isinstance(value, str) else None


def _explanations(lines: Sequence[JudgedLine], rule_set: RuleSet) -> Iterator[RuleExplanation]:
    for line in lines:
        for position, rule in enumerate(rule_set.rules):
            verdict = line.verdict(position)
            if verdict is Verdict.ERROR:
                yield RuleExplanation(rule=rule.rule.id, line_id=line.line_id, verdict=verdict)
                continue
            yield RuleExplanation(
                rule=rule.rule.id,
                line_id=line.line_id,
                verdict=verdict,
                when=explain(rule.when, line.facts, rule_set.catalogue),
                require=explain(rule.require, line.facts, rule_set.catalogue),
            )
