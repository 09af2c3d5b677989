"""What rule authors post: a draft of a rule set, a move of the pointer, a replay.

A draft may be whole, or name the version that it changes and hold only what differs from it.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from infusion_orders.api.requests import UNKNOWN, AnswerTooLarge
from infusion_orders.authoring.limits import LIMITS
from infusion_orders.orders.reading import FieldProblem, InvalidOrder, read_document
from infusion_orders.orders.values import is_bounded
from infusion_orders.rules.document import RuleSetDocument

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import ErrorDetails

MOST_BODY_BYTES = 5_500_000
"""Lambda passes 6 MB."""
MOST_LEVELS = 2 * LIMITS.depth + 10
"""Of objects and lists: each part of a condition is two of them."""
MOST_RULES = 200
"""What the analysis of a draft has time for here; larger rule sets are published from the command line."""

MOST_ERRORS = 100
_NAME = re.compile("[a-z0-9_-]{1,40}")
"""A field's or a table's."""

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Version = Annotated[int, Field(ge=1, le=999_999)]
Body = TypeVar("Body", bound="Posted")


class Posted(BaseModel):
    """Closed and immutable: a slip in a field's name is told, not passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Draft(Posted):
    """`rules` replace those of the same id in `base` and add the others, `tables` replace whole tables.

    Without `base` the draft holds the whole rule set.
    """

    note: Sentence | None = None
    base: Version | None = None
    rules: list[dict[str, Any]] = []
    remove: list[str] = []
    tables: dict[str, list[list[str]]] = {}

    @field_validator("rules")
    @classmethod
    def _stored_form(cls, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Only here: elsewhere a number in place of a text is a slip."""
        return [_without_fractions(rule) for rule in rules]


class Activation(Posted):
    """`expected` is the version that the caller takes to be active; `force` activates in spite of failed checks.

    `max_flips` is the share of the decisions of the last `days` that may come out another way, 0 to 1.
    """

    version: Version
    why: Sentence
    expected: Annotated[int, Field(ge=0, le=999_999)] | None = None
    force: bool = False
    max_flips: Annotated[Decimal, Field(ge=0, le=1, strict=False)] | None = None
    days: Annotated[int, Field(ge=1, le=400)] = 30


class RollBack(Posted):
    """Why what decided before shall decide again."""

    why: Sentence


class ShadowChange(Posted):
    """`version` null ends the shadow."""

    version: Version | None
    why: Sentence


class ReplayOrder(Posted):
    """Days that decisions were made on, both included (UTC), of some partners or of all.

    `after` is the mark of an answer that was not complete: the replay goes on behind it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    since: Annotated[date, Field(alias="from", strict=False)]
    until: Annotated[date, Field(alias="to", strict=False)]
    partners: Annotated[list[Sentence], Field(max_length=100)] | None = None
    after: Mark | None = None


class Mark(Posted):
    """How far a replay came: the partner whose decisions come next, and the last of them that is done."""

    partner: Sentence
    at: Annotated[str, StringConstraints(pattern="^[0-7][0-9A-HJKMNP-TV-Z]{25}$")] | None = None


ReplayOrder.model_rebuild()


def posted(body: bytes, model: type[Body]) -> Body:
    """Raises MalformedJson, TooLarge, or InvalidOrder with the places that do not follow the model."""
    plain = read_document(body, most_bytes=MOST_BODY_BYTES, most_levels=MOST_LEVELS)
    try:
        return model.model_validate(plain)
    except ValidationError as invalid:
        found = invalid.errors(include_url=False, include_input=False, include_context=False)[:MOST_ERRORS]
        errors = tuple(dict.fromkeys(map(_problem, found)))
    raise InvalidOrder(errors)


def _problem(error: ErrorDetails) -> FieldProblem:
    """Where and what, without a name that looks like none of a field or table: it could be anything, of any length."""
    steps = (str(step) if isinstance(step, int) or _NAME.fullmatch(step) else UNKNOWN for step in error["loc"])
    return FieldProblem("".join(f"/{step}" for step in steps), str(error["msg"]).lower())


def document_of(draft: Draft, name: str, published: Callable[[int], RuleSetDocument]) -> RuleSetDocument:
    """The whole rule set of a draft, unchecked; `published` reads the version that it changes.

    Raises InvalidOrder for a rule without an id or one to remove that is not there, AnswerTooLarge for more rules than
    are checked here, and what `published` raises.
    """
    base = None if draft.base is None else published(draft.base)
    rules = {} if base is None else {str(rule["id"]): rule for rule in base.rules}
    errors = [
        FieldProblem(f"/remove/{number}", "is no rule of the base")
        for number, rule in enumerate(draft.remove)
        if rules.pop(rule, None) is None
    ]
    for number, rule in enumerate(draft.rules):
        if isinstance(rule.get("id"), str):
            rules[rule["id"]] = rule
        else:
            errors.append(FieldProblem(f"/rules/{number}/id", "is missing"))
    repeated = len(draft.rules) - len({str(rule.get("id")) for rule in draft.rules})
    if repeated:
        errors.append(FieldProblem("/rules", "has two rules of one id"))
    if errors:
        raise InvalidOrder(tuple(errors))
    if len(rules) > MOST_RULES:
        raise AnswerTooLarge(
            f"{len(rules)} rules take longer to check than a request may: at most {MOST_RULES}. "
            "Publish this rule set with `infusion-orders rules publish`."
        )
    tables = {**({} if base is None else base.tables), **draft.tables}
    return RuleSetDocument(name, tuple(rules[rule] for rule in sorted(rules)), tables)


def _without_fractions(plain: Any) -> Any:
    """Fractions as text, as they are stored: exact, and no floats.  What is out of range stays as short as it came."""
    if isinstance(plain, dict):
        return {name: _without_fractions(part) for name, part in plain.items()}
    if isinstance(plain, list):
        return [_without_fractions(part) for part in plain]
    if isinstance(plain, Decimal):
        return format(plain, "f") if is_bounded(plain) else str(plain)
    return plain
