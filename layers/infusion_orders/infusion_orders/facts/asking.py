"""How a fact is asked for: its pointer, its question, and what reads it there."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import ON_A_LINE, Fact, Kind, Scope, as_sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

BOOLEAN, CODE, CODES, NUMBER, DATE, STRUCTURE = (
    Kind.BOOLEAN,
    Kind.CODE,
    Kind.CODES,
    Kind.NUMBER,
    Kind.DATE,
    Kind.STRUCTURE,
)


_code: Callable[[StrEnum], str] = attrgetter("_value_")
"""`value`, which is a property written in Python, in a third of the time."""


def asked(
    name: str,
    kind: Kind,
    pointer: str,
    description: str,
    question: str,
    *,
    read: Callable[[Any], Any] = as_sent,
    vocabulary: type[StrEnum] | None = None,
    unit: str | None = None,
    private: bool = False,
    structure: type | None = None,
) -> Fact:
    """A fact at the pointer, `{line}` standing for the line's index.

    `read` makes the fact's value of what was sent; a word of a closed `vocabulary` needs none.
    """
    return Fact(
        name=name,
        kind=kind,
        scope=Scope.LINE if pointer.startswith(ON_A_LINE) else Scope.ORDER,
        description=description,
        question=question,
        pointer=pointer,
        unit=unit,
        domain=frozenset(word.value for word in vocabulary) if vocabulary is not None else None,
        private=private,
        structure=structure,
        read=read if vocabulary is None else _code,
    )
