"""The bodies that rule authors send: a draft of a rule set, an activation, a rollback, a shadow, a replay."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from infusion_orders.api.requests import UNKNOWN
from infusion_orders.orders.parsing import FieldProblem, InvalidOrder, parse_json
from infusion_orders.orders.values import is_bounded

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MOST_BODY_BYTES = 5_500_000
"""Lambda passes 6 MB."""
MOST_LEVELS = 34
"""Nested objects and lists: 10 around a condition, and 2 for each of the levels that `authoring.limits` allows it."""
MOST_RULES = 200
"""The analysis of a larger draft would not finish within a request; it is published from the command line."""

MOST_ERRORS = 100
_NAME = re.compile("[a-z0-9_-]{1,40}")
"""What the name of a field or a table looks like."""

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Version = Annotated[int, Field(ge=1, le=999_999)]
Body = TypeVar("Body", bound="Posted")


class Posted(BaseModel):
    """A body that refuses unknown fields, so that a misspelled name is reported and not ignored."""

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
        """Numbers with fractions as text, the form that rules are stored in."""
        return [_without_fractions(rule) for rule in rules]


class Activation(Posted):
    """`expected` is the version that the caller assumes to be active; `force` activates despite failed checks.

    `max_flips` is the share of the decisions of the last `days` that may change, 0 to 1.
    """

    version: Version
    why: Sentence
    expected: Annotated[int, Field(ge=0, le=999_999)] | None = None
    force: bool = False
    max_flips: Annotated[Decimal, Field(ge=0, le=1, strict=False)] | None = None
    days: Annotated[int, Field(ge=1, le=400)] = 30


class RollBack(Posted):
    """Why the previous version shall be active again."""

    why: Sentence


class ShadowChange(Posted):
    """The shadow version; null ends the shadow."""

    version: Version | None
    why: Sentence


class ReplayOrder(Posted):
    """The first and last day (UTC) of the decisions to replay, of some partners or of all.

    `after` is the mark in an incomplete answer: the replay continues after it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    since: Annotated[date, Field(alias="from", strict=False)]
    until: Annotated[date, Field(alias="to", strict=False)]
    partners: Annotated[list[Sentence], Field(max_length=100)] | None = None
    after: Mark | None = None


class Mark(Posted):
    """How far a replay got: the partner whose decisions come next, and the last of them that is done."""

    partner: Sentence
    at: Annotated[str, StringConstraints(pattern="^[0-7][0-9A-HJKMNP-TV-Z]{25}$")] | None = None


ReplayOrder.model_rebuild()


def read_body(body: bytes, model: type[Body]) -> Body:
    """Read a body of this model.  Raises MalformedJson, TooLarge, or InvalidOrder with pointers to invalid fields."""
    plain = parse_json(body, most_bytes=MOST_BODY_BYTES, most_levels=MOST_LEVELS)
    try:
        return model.model_validate(plain)
    except ValidationError as invalid:
        found = invalid.errors(include_url=False, include_input=False, include_context=False)[:MOST_ERRORS]
        errors = tuple(dict.fromkeys(map(_problem, found)))
    raise InvalidOrder(errors)


def _problem(error: ErrorDetails) -> FieldProblem:
    """The pointer and what is wrong there; a name that no field or table could have is not repeated."""
    steps = (str(step) if isinstance(step, int) or _NAME.fullmatch(step) else UNKNOWN for step in error["loc"])
    return FieldProblem("".join(f"/{step}" for step in steps), str(error["msg"]).lower())


def _without_fractions(plain: Any) -> Any:
    """Fractions as exact text, never floats.  A number out of range keeps its exponent, so its text stays short."""
    if isinstance(plain, dict):
        return {name: _without_fractions(part) for name, part in plain.items()}
    if isinstance(plain, list):
        return [_without_fractions(part) for part in plain]
    if isinstance(plain, Decimal):
        return format(plain, "f") if is_bounded(plain) else str(plain)
    return plain
