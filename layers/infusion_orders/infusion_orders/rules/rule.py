"""A rule: when it applies, what it requires or assigns, what follows otherwise, its citation and its examples."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, RootModel, StringConstraints, model_validator

from infusion_orders.facts.fact import Scope
from infusion_orders.orders.vocabularies import ProviderType
from infusion_orders.rules.condition import Condition, FactReference, Strict

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Effect(StrEnum):
    """What follows if a rule is not met, the strongest effect first; a warning never changes an outcome."""

    REDIRECT = "redirect"
    REJECT = "reject"
    REVIEW = "review"
    WARN = "warn"


class PlanCoverage(StrEnum):
    """Whether a rejected item is covered once the order is corrected, or excluded by the plan."""

    CORRECTABLE = "correctable"
    EXCLUDED = "excluded"


class Basis(StrEnum):
    """Where a rule comes from; an `unverified` rule may only lead to a review or a warning."""

    MANUAL = "manual"
    REGULATION = "regulation"
    CODING = "coding"
    MEDICARE = "medicare"
    PLAN_DEFAULT = "plan_default"
    UNVERIFIED = "unverified"


class Verdict(StrEnum):
    """The verdict of one rule on one line."""

    SATISFIED = "satisfied"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    ERROR = "error"


class Period(Strict):
    """The dates of service for which a rule is in force, both days included; without an end it stays in force."""

    from_: date | None = Field(None, alias="from")
    to: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is not None and self.to is not None and self.to < self.from_:
            message = "the period ends before it begins"
            raise ValueError(message)
        return self


class ActionTemplate(Strict):
    """What the partner can do about it; the vendor may be a fact of the line."""

    action: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{2,40}$")]
    vendor: str | FactReference | None = None


class Otherwise(Strict):
    """What follows if the requirement does not hold.  `{fact.name}` in a text shows the value of the fact."""

    effect: Effect
    coverage: PlanCoverage = PlanCoverage.CORRECTABLE
    message: Sentence
    remedy: Sentence | None = None
    action: ActionTemplate | None = None

    @model_validator(mode="after")
    def _only_a_rejection_has_coverage(self) -> Self:
        if "coverage" in self.model_fields_set and self.effect is not Effect.REJECT:
            message = "`coverage` is allowed only with `effect: reject`"
            raise ValueError(message)
        return self


class Citation(Strict):
    """Where the rule is written."""

    document: Sentence
    topic: Sentence | None = None
    section: Sentence | None = None
    updated: date | None = None
    basis: Basis


class Example(Strict):
    """Facts by name and the verdict that they must lead to; a fact that is absent or null is unknown.

    If an example gives no fact of `when`, the rule applies; if it gives no date of service, the rule is in force.
    `asks` names the facts that the rule must ask for.
    """

    given: dict[str, Any]
    expect: Literal["satisfied", "not_met", "unknown", "not_applicable"]
    asks: tuple[str, ...] | None = None


class Rule(Strict):
    """One rule.  It has `require` with `otherwise`, or `assign`."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+$", max_length=100)]
    clause: Annotated[str, StringConstraints(max_length=20)] | None = None
    title: Sentence
    scope: Scope
    effective: Period = Period()
    provider_types: tuple[ProviderType, ...] = tuple(ProviderType)
    when: Condition | None = None
    require: Condition | None = None
    otherwise: Otherwise | None = None
    assign: dict[str, str | FactReference] | None = None
    citation: Citation
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _requires_or_assigns(self) -> Self:
        if (self.require is None) != (self.otherwise is None):
            message = "`require` and `otherwise` belong together"
            raise ValueError(message)
        if (self.require is None) == (self.assign is None):
            message = "a rule needs either `require` with `otherwise`, or `assign`"
            raise ValueError(message)
        if self.assign is not None and len(self.assign) != 1:
            message = "`assign` gives a value to exactly one fact"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _unverified_only_reviews(self) -> Self:
        strong = {Effect.REDIRECT, Effect.REJECT}
        if self.citation.basis is Basis.UNVERIFIED and self.otherwise is not None and self.otherwise.effect in strong:
            message = "a rule whose basis is `unverified` may only review or warn"
            raise ValueError(message)
        return self


class RuleFile(RootModel[tuple[Rule, ...]]):
    """A rule file: the list of rules about one subject."""
