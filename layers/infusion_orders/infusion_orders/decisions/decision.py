"""What a partner gets back: the decision of api version 1, field by field."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from infusion_orders.rules.rule import Basis, Coverage, Effect, Verdict


class Outcome(StrEnum):
    """Of a line; `partly_accepted` of an order only."""

    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    REDIRECTED = "redirected"
    NEEDS_REVIEW = "needs_review"
    NEEDS_INFORMATION = "needs_information"
    INDETERMINATE = "indeterminate"


class Part(BaseModel):
    """Immutable, and closed: the contract is the model."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RuleSetReference(Part):
    """The version that the decision rests on, and how long ago it was last confirmed to be the active one."""

    name: str
    version: int
    digest: str
    age_seconds: int = 0


class ResponsibleParty(Part):
    """Who is responsible for a line, and the rule that says so; none says so where no rule applies."""

    party: str
    because: str | None = None


class Billing(Part):
    """Billing units computed from dose, frequency and dates; a part is null where the order does not say enough."""

    units_per_administration: int | None = None
    administrations: int | None = None
    units: int | None = None
    waste_units: int | None = Field(None, description="units discarded from single-dose vials, all administrations")


class LineDecision(Part):
    """One service line's outcome."""

    line_id: str
    outcome: Outcome
    therapy: str | None = None
    dofr_category: str | None = None
    responsible_party: ResponsibleParty | None = Field(None, description="absent while the order says too little")
    billing: Billing | None = None
    findings: tuple[str, ...] = ()


class Action(Part):
    """What the partner can do, for which lines, and the rule that says so."""

    action: str
    vendor: str | None = None
    lines: tuple[str, ...]
    because: str


class Question(Part):
    """What would settle the order: a value at the pointers.  `or` points to answers that would settle it instead."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    pointers: tuple[str, ...]
    ask: str
    reason: str = Field(description="`missing`, or `invalid` for an identifier that fails its check")
    hint: str | None = Field(None, description="what a valid value looks like, when the one that was sent is not")
    because: tuple[str, ...]
    or_: tuple[str, ...] = Field((), alias="or")


class Citation(Part):
    """Where the rule is written."""

    document: str
    topic: str | None = None
    section: str | None = None
    updated: date | None = None
    basis: Basis


class Finding(Part):
    """A rule that was not satisfied, with the lines and the coded facts that it was judged on."""

    rule: str
    clause: str | None = None
    effect: Effect
    coverage: Literal[Coverage.EXCLUDED] | None = Field(
        None, description="`excluded` if the plan does not cover the item; absent if the order can be corrected"
    )
    verdict: Verdict
    lines: tuple[str, ...]
    message: str
    remedy: str | None = None
    observed: dict[str, Any]
    pointers: tuple[str, ...]
    citation: Citation


class Clock(Part):
    """When an answer is due.  Shown with the decision, never used to delay it."""

    answer_due: str
    starts: str
    basis: Basis
    citation: str


class Receipt(Part):
    """SHA-256 digests over canonical JSON (RFC 8785).

    Of the recorded facts, and of the decision without its id, its rule set's age, its explanation and this receipt.
    """

    facts: str
    decision: str


class RuleExplanation(Part):
    """One rule's verdict on its lines, with every leaf's value and truth (`?explain=all`)."""

    rule: str
    line_id: str
    verdict: Verdict
    when: dict[str, Any] | None = None
    require: dict[str, Any] | None = None


class Decision(Part):
    """The answer to an order.  `decision_id` is null for a reproduced decision: those are not recorded."""

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
    receipt: Receipt
    explanation: tuple[RuleExplanation, ...] | None = None
