"""How a fact is asked for: its pointer, its question, and a reader made from the pointer.

A reader returns None for what was not sent and raises InvalidIdentifier for what fails its check.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Fact, Kind, Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

    from infusion_orders.orders.order import Order

BOOLEAN, CODE, CODES, NUMBER, DATE, STRUCTURE = (
    Kind.BOOLEAN,
    Kind.CODE,
    Kind.CODES,
    Kind.NUMBER,
    Kind.DATE,
    Kind.STRUCTURE,
)


def _as_sent(value: Any) -> Any:
    return value


def _code(value: StrEnum) -> str:
    return value.value


def asked(
    name: str,
    kind: Kind,
    pointer: str,
    description: str,
    question: str,
    *,
    read: Callable[[Any], Any] = _as_sent,
    vocabulary: type[StrEnum] | None = None,
    unit: str | None = None,
    private: bool = False,
    structure: type | None = None,
) -> Fact:
    """A fact at the pointer, `{line}` standing for the line's index.

    `read` makes the fact's value of what was sent; a word of a closed `vocabulary` needs none.
    """
    on_a_line = pointer.startswith("/lines/")
    value_of = attrgetter(pointer.removeprefix("/lines/{line}").strip("/").replace("/", "."))
    convert = _code if vocabulary is not None else read

    def from_order(order: Order, line: int) -> Any:
        try:
            value = value_of(order.lines[line] if on_a_line else order)
        except AttributeError:  # a part of the way was not sent: that every way exists is tested
            return None
        return None if value is None else convert(value)

    return Fact(
        name=name,
        kind=kind,
        scope=Scope.LINE if on_a_line else Scope.ORDER,
        description=description,
        question=question,
        pointer=pointer,
        unit=unit,
        domain=frozenset(word.value for word in vocabulary) if vocabulary is not None else None,
        private=private,
        structure=structure,
        read=from_order,
    )
