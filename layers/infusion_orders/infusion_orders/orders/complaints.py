"""What is wrong with an order, in the partner's terms: a JSON pointer and a sentence without any value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, get_args

from infusion_orders.orders.order import Order
from infusion_orders.orders.suggestions import nearest
from infusion_orders.orders.values import PATTERNS, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

MOST_PROBLEMS = 100
MOST_EXAMINED = 2000
LONGEST_NAME = 64
"""No longer text is compared with the names that would have been right."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """Where, as an RFC 6901 pointer into the partner's payload, and what to mend."""

    pointer: str
    problem: str


def problems_of(invalid: ValidationError, pointer_prefix: str) -> tuple[FieldProblem, ...]:
    """The first hundred, without repeats."""
    found: dict[FieldProblem, None] = {}
    for error in islice(invalid.errors(include_url=False), MOST_EXAMINED):
        if len(found) == MOST_PROBLEMS:
            break
        if not _is_spurious(error):
            found[_problem(error, pointer_prefix)] = None
    return tuple(found)


def _is_spurious(error: ErrorDetails) -> bool:
    """A list counts as too short for pydantic when its items were refused one by one."""
    return error["type"] == "too_short" and len(error["input"]) >= int(error["ctx"]["min_length"])


def _problem(error: ErrorDetails, prefix: str) -> FieldProblem:
    kind, place, context = error["type"], _place(error["loc"]), error.get("ctx", {})
    if kind == "extra_forbidden":
        *parent, name = place
        return FieldProblem(prefix + _pointer(parent), _unknown_field(str(name), _part_at(parent)))
    if kind == "repeated_line_id":
        first, index = context["first"], context["index"]
        return FieldProblem(f"{prefix}/lines/{index}/line_id", f"must differ from that of /lines/{first}")
    if kind == "enum":
        return FieldProblem(prefix + _pointer(place), _unknown_word(error["input"], str(context["expected"])))
    say = _SENTENCES.get(kind)
    return FieldProblem(prefix + _pointer(place), say(context) if say else "is not as the contract asks")


def _place(location: tuple[int | str, ...]) -> list[int | str]:
    """Pydantic names the chosen kind of a frequency after the field; a pointer has no such step."""
    place = list(location)
    if "frequency" in place[:-1]:
        del place[place.index("frequency") + 1]
    return place


def _pointer(place: list[int | str]) -> str:
    """Names of the contract need no escape, and no other names come here."""
    return "".join(f"/{step}" for step in place)


def _unknown_field(name: str, part: type[Part] | None) -> str:
    """The name that was sent is not repeated: it could be anything, even a member's."""
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
    """The object among a field's types, if it can be one."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _part_in(inner))), None)


@cache
def _parts(part: type[Part]) -> Mapping[str, type[Part]]:
    """The fields of an object that are, or list, objects themselves."""
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
"""Every name of the contract: these may be repeated to the partner, others may not."""

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
