"""From the bytes of a request to an order, or to a complaint that names places and never values.

The JSON is read once, numbers as decimals digit for digit, and refused where readers of JSON disagree: repeated names,
NaN, lone surrogates.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from pydantic import ValidationError

from infusion_orders.orders.complaints import FIELD_NAMES, FieldProblem, problems_of
from infusion_orders.orders.order import Order

__all__ = ["FieldProblem", "InvalidOrder", "MalformedJson", "TooLarge", "order_from", "read_document", "read_order"]

MAX_BODY_BYTES = 256 * 1024
MOST_LEVELS = 20
"""Objects and lists within each other; an order has 5 levels."""
MOST_MEMBERS = 100
"""Of one object; no object of the contract has more than a quarter of it."""
MOST_CHARACTERS_OF_A_NUMBER = 64


class MalformedJson(ValueError):
    """The body is no JSON that everyone reads alike; the text says why and where, without values."""


class TooLarge(ValueError):
    """More bytes, or more fields in one object, than any order needs."""


class InvalidOrder(Exception):
    """JSON, but no order of the contract; at most 100 errors."""

    def __init__(self, errors: tuple[FieldProblem, ...]) -> None:
        """All of them at once, so that a partner mends them in one go."""
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        """Places and problems; there are no values in them."""
        return "; ".join(f"{error.pointer or '(the whole)'} {error.problem}" for error in self.errors)


def read_order(body: bytes | str) -> Order:
    """Raises MalformedJson, TooLarge or InvalidOrder."""
    return order_from(read_document(body))


def order_from(document: object, pointer_prefix: str = "") -> Order:
    """An order from what `read_document` gave; the prefix goes before every pointer, such as `/orders/3`.

    Raises InvalidOrder.
    """
    try:
        return Order.model_validate(document)
    except ValidationError as invalid:
        errors = problems_of(invalid, pointer_prefix)
    raise InvalidOrder(errors)


def read_document(body: bytes | str, *, most_bytes: int = MAX_BODY_BYTES, most_levels: int = MOST_LEVELS) -> object:
    """Plain JSON with its numbers as int and Decimal; a number too long to be an amount becomes a NaN, which none is.

    Raises MalformedJson or TooLarge.
    """
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
        size = len(body) if isinstance(body, bytes) else len(body.encode("utf-8"))
    except UnicodeError:
        raise MalformedJson("the body is not UTF-8") from None
    if size > most_bytes:
        raise TooLarge(f"the body has more than {most_bytes} bytes")
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedJson(f"the body is not JSON at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise MalformedJson(f"the body is nested deeper than {most_levels} levels") from None
    _refuse_depth(document, most_levels)
    if _SURROGATE.search(text):
        _refuse_lone_surrogates(document)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _value in pairs]
        repeated = next(name for name in names if names.count(name) > 1) if len(pairs) <= MOST_MEMBERS else ""
        shown = f" ({repeated})" if repeated in FIELD_NAMES else ""
        raise MalformedJson(f"an object has the same field twice{shown}")
    if len(members) > MOST_MEMBERS:
        raise TooLarge(f"an object has more than {MOST_MEMBERS} fields")
    return members


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= MOST_CHARACTERS_OF_A_NUMBER else Decimal("NaN")


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text) if len(text) <= MOST_CHARACTERS_OF_A_NUMBER else Decimal("NaN")
    except InvalidOperation:
        return Decimal("NaN")


def _constant(_name: str) -> NoReturn:
    raise MalformedJson("NaN and Infinity are not JSON")


_NESTING = frozenset({dict, list})
"""What the decoder makes of objects and lists, and nothing else."""


def _refuse_depth(document: object, most_levels: int) -> None:
    level: list[Any] = [document] if type(document) in _NESTING else []
    for _ in range(most_levels):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in _NESTING
        ]
        if not level:
            return
    raise MalformedJson(f"the body is nested deeper than {most_levels} levels")


def _refuse_lone_surrogates(document: object) -> None:
    """Half a character cannot be stored or sent on in UTF-8."""
    try:
        json.dumps(document, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedJson("a text holds half of a surrogate pair") from None


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_fraction, parse_int=_whole, parse_constant=_constant
)
