"""What a partner gets back: the decision, field by field.  The models are the contract of API version 1."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from infusion_orders.rules.rule import Basis, Citation, Effect, PlanCoverage, Verdict


class Outcome(StrEnum):
    """The outcome of a line or of an order; only an order can be `partly_accepted`."""

    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    REDIRECTED = "redirected"
    NEEDS_REVIEW = "needs_review"
    NEEDS_INFORMATION = "needs_information"
    INDETERMINATE = "indeterminate"


class DecisionPart(BaseModel):
    """Immutable, without any field that the model does not name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RuleSetReference(DecisionPart):
    """The version that the decision is based on, and how long ago it was last confirmed to be the active one."""

    name: str
    version: int
    digest: str
    age_seconds: int = 0


class ResponsibleParty(DecisionPart):
    """Who is responsible for a line, and the rule that says so; `because` is null if no rule applies."""

    party: str
    because: str | None = None


class Billing(DecisionPart):
    """Billing units computed from dose, frequency and dates; a number is null if the order does not say enough."""

    units_per_administration: int | None = None
    administrations: int | None = None
    units: int | None = None
    waste_units: int | None = Field(None, description="units discarded from single-dose vials, all administrations")


class LineDecision(DecisionPart):
    """The decision on one service line."""

    line_id: str
    outcome: Outcome
    therapy: str | None = None
    dofr_category: str | None = None
    responsible_party: ResponsibleParty | None = Field(None, description="absent while the order says too little")
    billing: Billing | None = None
    findings: tuple[str, ...] = ()


class Action(DecisionPart):
    """What the partner can do, for which lines, and the rule that asks for it."""

    action: str
    vendor: str | None = None
    lines: tuple[str, ...]
    because: str


class Question(DecisionPart):
    """A value at the pointers would settle the order.  `or` points to other values that would settle it instead."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    pointers: tuple[str, ...]
    ask: str
    reason: str = Field(description="`missing`, or `invalid` for an identifier that fails its check")
    hint: str | None = Field(None, description="what a valid value looks like, when the one that was sent is not")
    because: tuple[str, ...]
    or_: tuple[str, ...] = Field((), alias="or")


class Finding(DecisionPart):
    """A rule that is not satisfied, with the lines and the coded facts that it was judged on."""

    rule: str
    clause: str | None = None
    effect: Effect
    coverage: Literal[PlanCoverage.EXCLUDED] | None = Field(
        None, description="`excluded` if the plan does not cover the item; absent if the order can be corrected"
    )
    verdict: Verdict
    lines: tuple[str, ...]
    message: str
    remedy: str | None = None
    observed: dict[str, Any]
    pointers: tuple[str, ...]
    citation: Citation


class Clock(DecisionPart):
    """When an answer is due.  Shown with the decision, never used to delay it."""

    answer_due: str
    starts: str
    basis: Basis
    citation: str


class Receipt(DecisionPart):
    """SHA-256 digests over canonical JSON (RFC 8785): of the recorded facts, and of the decision.

    The digest of the decision leaves out its id, the age of its rule set, its explanation and this receipt.
    """

    facts: str
    decision: str


class RuleExplanation(DecisionPart):
    """The verdict of one rule on one line, with the value and truth of every comparison (`?explain=all`)."""

    rule: str
    line_id: str
    verdict: Verdict
    when: dict[str, Any] | None = None
    require: dict[str, Any] | None = None


class DecisionBody(DecisionPart):
    """The decision without its receipt and its explanation."""

    decision_id: str | None = None
    order_id: str
    as_of: date
    outcome: Outcome
    ruleset: RuleSetReference
    lines: tuple[LineDecision, ...]
    actions: tuple[Action, ...] = ()
    questions: tuple[Question, ...] = ()
    findings: tuple[Finding, ...] = ()
    clock: Clock | None = None


class Decision(DecisionBody):
    """The answer to an order.  `decision_id` is null for a reproduced decision, which is not recorded."""

    receipt: Receipt
    explanation: tuple[RuleExplanation, ...] | None = None
