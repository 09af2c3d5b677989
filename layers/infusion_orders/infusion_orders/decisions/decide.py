"""The heart: one order decided under one version of the rules.

The functions, the batch, the command line, replay and shadow all decide with `decide`, or with `decide_case` when only
the recorded facts of an order are left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.decisions.clocks import clock
from infusion_orders.decisions.decision import Decision, DecisionBody, Receipt, RuleExplanation, RuleSetReference
from infusion_orders.decisions.findings import actions, findings
from infusion_orders.decisions.judgement import judge_order, outcome_of_order
from infusion_orders.decisions.line_decisions import line_decision
from infusion_orders.decisions.questions import questions
from infusion_orders.facts.case import Case
from infusion_orders.rules.digests import canonical_json, canonical_json_of_sorted, digest
from infusion_orders.rules.evaluation import explain
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from infusion_orders.decisions.judgement import JudgedLine
    from infusion_orders.orders.order import Order
    from infusion_orders.rules.rule_set import RuleSet

NOT_IN_RECEIPT: Any = {"decision_id": True, "receipt": True, "explanation": True, "ruleset": {"age_seconds"}}
"""What differs between two runs of the same decision."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision, and the facts to record with it: canonical JSON that identifies nobody."""

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
    """Decide the order.  No order and no checked rule set raises: a fault inside a rule is the verdict of that rule.

    `age_seconds` is how long ago it was confirmed that the rule set is the active one.
    """
    case = Case(rule_set.catalogue, rule_set.tables, order=order)
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
    """Decide from the facts alone."""
    lines = judge_order(case, rule_set, line_ids)
    found = findings(lines, rule_set)
    body = DecisionBody(
        decision_id=decision_id,
        order_id=order_id,
        as_of=as_of,
        outcome=outcome_of_order(line.outcome for line in lines),
        ruleset=RuleSetReference(
            name=rule_set.name, version=rule_set.version, digest=rule_set.digest, age_seconds=age_seconds
        ),
        lines=tuple(line_decision(line, found, rule_set) for line in lines),
        actions=actions(lines, rule_set),
        questions=questions(lines, rule_set),
        findings=found,
        clock=clock(case),
    )
    facts = canonical_json_of_sorted(case.recorded())
    decision = Decision(
        **dict(body),
        receipt=Receipt(facts=digest(facts), decision=decision_digest(body)),
        explanation=tuple(_explanations(lines, rule_set)) if explain_all else None,
    )
    return Decided(decision, facts)


def decision_digest(decision: DecisionBody) -> str:
    """Return the digest over all that the decision says.

    The same order, version and `as_of` give the same digest on any machine.
    """
    plain = decision.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=NOT_IN_RECEIPT)
    return digest(canonical_json(plain))


def _explanations(lines: Sequence[JudgedLine], rule_set: RuleSet) -> Iterator[RuleExplanation]:
    for line in lines:
        for position, rule in enumerate(rule_set.rules):
            verdict = line.verdict(position)
            if verdict is Verdict.ERROR:
                yield RuleExplanation(rule=rule.id, line_id=line.line_id, verdict=verdict)
                continue
            yield RuleExplanation(
                rule=rule.id,
                line_id=line.line_id,
                verdict=verdict,
                when=explain(rule.when, line.facts, rule_set.catalogue),
                require=explain(rule.require, line.facts, rule_set.catalogue),
            )
