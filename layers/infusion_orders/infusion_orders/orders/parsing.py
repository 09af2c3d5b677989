"""From the bytes of a request to an order, or to a list of problems that names fields and never their values.

The JSON is refused where parsers disagree about it: repeated names, NaN, lone surrogates.  Numbers become int or
Decimal, digit for digit.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from pydantic import ValidationError

from infusion_orders.orders.order import Order
from infusion_orders.orders.suggestions import nearest
from infusion_orders.orders.values import PATTERNS, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic_core import ErrorDetails

MAX_BODY_BYTES = 256 * 1024
MOST_LEVELS = 20
"""How deep objects and lists may be nested; an order has 5 levels."""
MOST_MEMBERS = 100
"""The most fields of one object; the objects of the contract have at most 25."""
MOST_CHARACTERS_OF_A_NUMBER = 64
MOST_PROBLEMS = 100
MOST_EXAMINED = 2000
LONGEST_NAME = 64
"""No suggestion is looked for where a longer text was sent."""


class MalformedJson(ValueError):
    """The body is not JSON that all parsers read alike; the text says why and where, without values."""


class TooLarge(ValueError):
    """The body has more bytes, or one object more fields, than any order needs."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """Where a field is wrong, as an RFC 6901 pointer into the partner's payload, and how to fix it."""

    pointer: str
    problem: str


class InvalidOrder(Exception):
    """The body is JSON, but not an order that follows the contract."""

    def __init__(self, errors: tuple[FieldProblem, ...]) -> None:
        """Take up to 100 problems at once, so that a partner can fix them together."""
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        """Return the pointers and problems; they contain no values."""
        return "; ".join(f"{error.pointer or '(the whole)'} {error.problem}" for error in self.errors)


def parse_order(body: bytes | str) -> Order:
    """Parse the body of a request.  Raises MalformedJson, TooLarge or InvalidOrder."""
    return order_from_json(parse_json(body))


def order_from_json(document: object) -> Order:
    """Make an order of what `parse_json` returned.  Raises InvalidOrder."""
    try:
        return Order.model_validate(document)
    except ValidationError as invalid:
        errors = _problems(invalid)
    raise InvalidOrder(errors)


def parse_json(body: bytes | str, *, most_bytes: int = MAX_BODY_BYTES, most_levels: int = MOST_LEVELS) -> object:
    """Parse JSON with its numbers as int and Decimal.  Raises MalformedJson or TooLarge.

    A number too long to be an amount becomes a NaN, which every field refuses.
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


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_fraction, parse_int=_whole, parse_constant=_constant
)


def _refuse_depth(document: object, most_levels: int) -> None:
    level: list[Any] = [document] if isinstance(document, (dict, list)) else []
    for _ in range(most_levels):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise MalformedJson(f"the body is nested deeper than {most_levels} levels")


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _refuse_lone_surrogates(document: object) -> None:
    """Refuse half a character, which cannot be stored or sent on in UTF-8."""
    try:
        json.dumps(document, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedJson("a text holds half of a surrogate pair") from None


def _problems(invalid: ValidationError) -> tuple[FieldProblem, ...]:
    """Return the first hundred problems, none twice."""
    found: dict[FieldProblem, None] = {}
    for error in islice(invalid.errors(include_url=False), MOST_EXAMINED):
        if len(found) == MOST_PROBLEMS:
            break
        if not _is_spurious(error):
            found[_problem(error)] = None
    return tuple(found)


def _is_spurious(error: ErrorDetails) -> bool:
    """Recognize a list that pydantic calls too short only because it refused items one by one."""
    return error["type"] == "too_short" and len(error["input"]) >= int(error["ctx"]["min_length"])


def _problem(error: ErrorDetails) -> FieldProblem:
    kind, place, context = error["type"], _place(error["loc"]), error.get("ctx", {})
    if kind == "extra_forbidden":
        *parent, name = place
        return FieldProblem(_pointer(parent), _unknown_field(str(name), _part_at(parent)))
    if kind == "repeated_line_id":
        first, index = context["first"], context["index"]
        return FieldProblem(f"/lines/{index}/line_id", f"must differ from that of /lines/{first}")
    if kind == "enum":
        return FieldProblem(_pointer(place), _unknown_word(error["input"], str(context["expected"])))
    say = _SENTENCES.get(kind)
    return FieldProblem(_pointer(place), say(context) if say else "is not as the contract asks")


def _place(location: tuple[int | str, ...]) -> list[int | str]:
    """Drop the step that pydantic adds for the kind of a frequency; a JSON pointer has no such step."""
    place = list(location)
    if "frequency" in place[:-1]:
        del place[place.index("frequency") + 1]
    return place


def _pointer(place: list[int | str]) -> str:
    """Join steps into a pointer; they are indexes and names of the contract, which need no escape."""
    return "".join(f"/{step}" for step in place)


def _unknown_field(name: str, part: type[Part] | None) -> str:
    """Describe an unknown field without repeating its name: that could be anything, even a member's name."""
    known = tuple(part.model_fields) if part else ()
    near = nearest(name, known) if len(name) <= LONGEST_NAME else None
    hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
    return f"has an unknown field; {hint}"


def _unknown_word(sent: Any, expected: str) -> str:
    words = expected.replace("'", "").replace(" or ", ", ").split(", ")
    text = sent if isinstance(sent, str) and len(sent) <= LONGEST_NAME else ""
    near = nearest(text, words)
    hint = f"; did you mean {near}?" if near else ""
    return f"must be one of {', '.join(words)}{hint}"


def _part_in(annotation: Any) -> type[Part] | None:
    """Return the object among a field's types, if it can be one."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _part_in(inner))), None)


@cache
def _parts(part: type[Part]) -> Mapping[str, type[Part]]:
    """Return the fields of an object that are objects or lists of objects themselves."""
    found = ((name, _part_in(field.annotation)) for name, field in part.model_fields.items())
    return {name: inner for name, inner in found if inner}


def _part_at(place: list[int | str]) -> type[Part] | None:
    part: type[Part] | None = Order
    for step in place:
        if isinstance(step, str) and part is not None:
            part = _parts(part).get(step)
    return part


def _field_names(part: type[Part]) -> Iterator[str]:
    yield from part.model_fields
    for inner in _parts(part).values():
        yield from _field_names(inner)


FIELD_NAMES = frozenset(_field_names(Order))
"""Every field name of the contract: only these are repeated to the partner."""

_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "is required",
    "model_type": lambda _: "must be an object",
    "tuple_type": lambda _: "must be a list",
    "string_type": lambda _: "must be a text",
    "bool_type": lambda _: "must be true or false",
    "int_type": lambda _: "must be a whole number",
    "too_short": lambda context: f"must have at least {context['min_length']}",
    "too_long": lambda context: f"must have at most {context['max_length']}",
    "string_too_short": lambda context: f"must have at least {context['min_length']} characters",
    "string_too_long": lambda context: f"must have at most {context['max_length']} characters",
    "string_pattern_mismatch": lambda context: PATTERNS.get(context["pattern"], "has characters it may not have"),
    "greater_than": lambda context: f"must be more than {context['gt']}",
    "greater_than_equal": lambda context: f"must be at least {context['ge']}",
    "less_than_equal": lambda context: f"must be at most {context['le']}",
    "decimal_form": lambda _: "must be a finite number: a JSON number, or a text such as 12.5",
    "decimal_size": lambda _: "must be a finite number of at most 18 digits",
    "date_form": lambda _: "must be a calendar date, YYYY-MM-DD",
    "date_range": lambda _: "must be a date from 1900 to 2200",
    "frequency_form": lambda _: "must be a text such as `every 8 hours`, or a FHIR Timing.repeat object",
}
