"""The grammar of conditions: what rule authors write about facts.

The JSON Schema of rule files is generated from these models; `evaluation.py` gives them their meaning.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator


class Strict(BaseModel):
    """Immutable, without any field that the model does not name."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)


class FactReference(Strict):
    """Another fact on the right side of an operator; it must have the same type and unit."""

    fact: str


def _literal_or_reference(value: Any) -> str:
    return "reference" if isinstance(value, dict | FactReference) else "literal"


Operand = Annotated[
    Annotated[bool | int | float | str, Tag("literal")] | Annotated[FactReference, Tag("reference")],
    Discriminator(_literal_or_reference),
]
Literals = Annotated[tuple[bool | int | float | str, ...], Field(min_length=1)]
OPERATORS = (
    "is",
    "is_not",
    "in",
    "not_in",
    "below",
    "at_most",
    "above",
    "at_least",
    "between",
    "contains_any",
    "contains_none",
    "starts_with_any",
    "known",
)


class Leaf(Strict):
    """A comparison: one fact, one operator, and what the fact is compared with."""

    fact: str
    is_: Operand | None = Field(None, alias="is")
    is_not: Operand | None = None
    in_: Literals | None = Field(None, alias="in")
    not_in: Literals | None = None
    below: Operand | None = None
    at_most: Operand | None = None
    above: Operand | None = None
    at_least: Operand | None = None
    between: Annotated[tuple[int | float | str, ...], Field(min_length=2, max_length=2)] | None = None
    contains_any: Literals | None = None
    contains_none: Literals | None = None
    starts_with_any: Literals | None = None
    known: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_operator(self) -> Self:
        if len(self.model_fields_set - {"fact"}) != 1:
            message = f"a condition on a fact needs exactly one operator of: {', '.join(OPERATORS)}"
            raise ValueError(message)
        return self

    @property
    def operator(self) -> str:
        """The operator, as authors write it."""
        (name,) = self.model_fields_set - {"fact"}
        return name.rstrip("_")

    @property
    def operand(self) -> Any:
        """What the fact is compared with, as authors write it."""
        (name,) = self.model_fields_set - {"fact"}
        return getattr(self, name)


class All(Strict):
    """True if every part is true."""

    all: Annotated[tuple[Condition, ...], Field(min_length=1)]


class Any_(Strict):  # noqa: N801 - `Any` is typing's
    """True if at least one part is true."""

    any: Annotated[tuple[Condition, ...], Field(min_length=1)]


class Not(Strict):
    """True if the part is false."""

    not_: Condition = Field(alias="not")


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        for shape in ("all", "any", "not"):
            if shape in value:
                return shape
        return "leaf"
    if isinstance(value, All):
        return "all"
    if isinstance(value, Any_):
        return "any"
    return "not" if isinstance(value, Not) else "leaf"


Condition = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[Any_, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Leaf, Tag("leaf")],
    Discriminator(_shape),
]

All.model_rebuild()
Any_.model_rebuild()
Not.model_rebuild()


def leaves(condition: Any) -> tuple[Leaf, ...]:
    """Return every leaf from left to right."""
    if isinstance(condition, Leaf):
        return (condition,)
    return tuple(leaf for part in parts_of(condition) for leaf in leaves(part))


def parts_of(condition: All | Any_ | Not) -> tuple[Any, ...]:
    """Return the parts of a composed condition."""
    if isinstance(condition, All):
        return condition.all
    return condition.any if isinstance(condition, Any_) else (condition.not_,)
