"""Problems of the grammar of a rule: what pydantic reports, in the words of a rule file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from infusion_orders.orders.suggestions import valid_words
from infusion_orders.rules.condition import All, Any_, Leaf, Not
from infusion_orders.rules.rule import ActionTemplate, Citation, Example, Otherwise, Period, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import BaseModel, ValidationError

SHAPES = frozenset({"leaf", "literal", "reference"})
"""Steps of a pydantic location that name a shape of the grammar instead of a field of the file."""
TYPES = frozenset({"bool", "int", "float", "str"})
"""Steps that name an alternative type of a literal value, each with an error of its own."""
LONGEST_VALUE = 40
MESSAGES: Mapping[str, str] = {
    "missing": "the field is missing",
    "string_type": "write a text; put it in quotes if it looks like a number, a date, true or false",
    "tuple_type": "write a list, such as [a, b]",
    "dict_type": "write names with values, such as {name: value}",
    "model_type": "write fields with values, such as {name: value}",
    "model_attributes_type": "write fields with values, such as {name: value}",
    "date_from_datetime_parsing": "write a date as 2026-01-31",
    "date_from_datetime_inexact": "write a date as 2026-01-31",
    "date_type": "write a date as 2026-01-31",
}
PATTERNS: Mapping[str, str] = {
    "id": "write an id of lower-case words with a dot, such as setting.care-is-skilled",
    "action": "write an action of 3 to 41 lower-case letters and `_`, such as ask_plan",
}


def _fields(*models: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for model in models for name, field in model.model_fields.items())


FIELDS: Mapping[str, tuple[str, ...]] = {
    "": _fields(Rule),
    "effective": _fields(Period),
    "when": _fields(Leaf, All, Any_, Not),
    "require": _fields(Leaf, All, Any_, Not),
    "otherwise": _fields(Otherwise),
    "action": _fields(ActionTemplate),
    "citation": _fields(Citation),
    "examples": _fields(Example),
}
"""The fields below each place of a rule."""


def grammar_problems(errors: ValidationError) -> list[tuple[str, str]]:
    """Return (path, problem) of every error, each once."""
    found = (_problem(dict(error)) for error in errors.errors(include_url=False))
    return list(dict.fromkeys(found))


def _problem(error: Mapping[str, Any]) -> tuple[str, str]:
    *way, last = error["loc"] or ("",)
    steps = [str(step) for step in (*way, last) if step not in SHAPES]
    if "literal" in way and last in TYPES:
        return ".".join(steps[:-1]), "write a single value; use `in` or `not_in` for a list"
    path = ".".join(steps)
    kind = error["type"]
    if kind == "extra_forbidden":
        return path, f"there is no field {last!r}{valid_words(str(last), _fields_at(way))}"
    if kind in ("enum", "literal_error"):
        value = str(error["input"])[:LONGEST_VALUE]
        return path, f"{value!r} is not a valid value{valid_words(value, _expected(error))}"
    if kind == "string_pattern_mismatch":
        return path, PATTERNS.get(str(last), str(error["msg"]))
    return path, MESSAGES.get(kind, str(error["msg"]).removeprefix("Value error, "))


def _fields_at(way: Iterable[Any]) -> tuple[str, ...]:
    places = [step for step in ("", *way) if step in FIELDS]
    return FIELDS[places[-1]]


def _expected(error: Mapping[str, Any]) -> list[str]:
    return [word.strip("'").lower() for word in re.findall(r"'[^']*'|True", error["ctx"]["expected"])]
