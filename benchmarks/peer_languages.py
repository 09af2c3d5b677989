"""Translate conditions into the languages of other engines: JSON Logic, ZEN and CEL.

The translators cover the whole rule language, not only the rules of the benchmark.  A translation means the same
wherever all facts are known; what an engine does with a missing fact is its own affair.  Facts get flat names
(`line_kind`); dates are ISO text, numbers are floats, sets are lists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.fact import Kind
from infusion_orders.facts.plain_values import plain_value
from infusion_orders.rules.expression import Comparison, Every, Expression, Negation, Some

Operators = Mapping[str, Callable[[Any, Any], Any]]
"""For each operator, a function that writes the comparison of a fact with an operand in the language."""

ITEM = {"var": ""}
"""The current item of a list in JSON Logic."""


def name_of(fact: str) -> str:
    """Return the fact's name in all languages: `line.kind` is `line_kind`."""
    return fact.replace(".", "_")


def plain(value: Any) -> Any:
    """Return a fact's value or an operand as the engines take it."""
    convert = CONVERSIONS.get(type(value), plain_value)
    return value if convert is None else convert(value)


CONVERSIONS: Mapping[type, Callable[[Any], Any] | None] = {
    **dict.fromkeys((bool, str, type(None))),
    **dict.fromkeys((int, Decimal), float),
    date: date.isoformat,
    frozenset: lambda values: [plain(value) for value in sorted(values)],
    tuple: lambda values: [plain(value) for value in values],
}
"""For each type, its conversion; None keeps the value. A table by type keeps the time of the peers short."""


JSON_LOGIC: Operators = {
    "is": lambda fact, other: {"===": [fact, other]},
    "is_not": lambda fact, other: {"!==": [fact, other]},
    "in": lambda fact, codes: {"in": [fact, codes]},
    "not_in": lambda fact, codes: {"!": {"in": [fact, codes]}},
    "below": lambda fact, other: {"<": [fact, other]},
    "at_most": lambda fact, other: {"<=": [fact, other]},
    "above": lambda fact, other: {">": [fact, other]},
    "at_least": lambda fact, other: {">=": [fact, other]},
    "between": lambda fact, bounds: {"<=": [bounds[0], fact, bounds[1]]},
    "contains_any": lambda fact, codes: {"some": [fact, {"in": [ITEM, codes]}]},
    "contains_none": lambda fact, codes: {"none": [fact, {"in": [ITEM, codes]}]},
    "starts_with_any": lambda fact, prefixes: {
        "some": [{"merge": [fact]}, {"or": [{"starts_with": [ITEM, prefix]} for prefix in prefixes]}]
    },
    "known": lambda fact, _: {"!==": [fact, None]},
}


def json_logic(expression: Expression) -> Any:
    """Return the condition as JSON Logic."""
    if isinstance(expression, bool):
        return expression
    if isinstance(expression, Negation):
        return {"!": json_logic(expression.part)}
    if isinstance(expression, Every | Some):
        word = "and" if isinstance(expression, Every) else "or"
        return {word: [json_logic(part) for part in expression.parts]}
    operand = plain(expression.constant) if expression.other is None else {"var": name_of(expression.other)}
    return JSON_LOGIC[expression.operator]({"var": name_of(expression.fact)}, operand)


@dataclass(frozen=True)
class TextLanguage:
    """A language of infix text: how it joins and negates conditions, compares values, and writes a date."""

    conjunction: str
    disjunction: str
    negation: str
    date: str
    operators: Operators

    def text(self, expression: Expression) -> str:
        """Return the condition in this language."""
        if isinstance(expression, bool):
            return json.dumps(expression)
        if isinstance(expression, Negation):
            return self.negation.format(self.text(expression.part))
        if isinstance(expression, Every | Some):
            word = self.conjunction if isinstance(expression, Every) else self.disjunction
            return f"({word.join(self.text(part) for part in expression.parts)})"
        return self._comparison(expression)

    def _comparison(self, leaf: Comparison) -> str:
        fact, kind = name_of(leaf.fact), CATALOGUE.facts[leaf.fact].kind
        operator = self.operators[leaf.operator]
        if leaf.operator == "starts_with_any":
            prefixes = [json.dumps(prefix) for prefix in leaf.constant]
            return str(operator(fact if kind is Kind.CODES else f"[{fact}]", prefixes))
        form = self.date if kind is Kind.DATE and leaf.operator != "known" else "{}"
        return str(operator(form.format(fact), self._operand(leaf, form)))

    @staticmethod
    def _operand(leaf: Comparison, form: str) -> Any:
        if leaf.other is not None:
            return form.format(name_of(leaf.other))
        if isinstance(leaf.constant, tuple):
            return [form.format(json.dumps(plain(bound))) for bound in leaf.constant]
        return form.format(json.dumps(plain(leaf.constant)))


def _each(template: str, joined_by: str, values: Sequence[str]) -> str:
    return joined_by.join(template.format(value) for value in values)


INFIX: Operators = {
    "is": lambda fact, other: f"{fact} == {other}",
    "is_not": lambda fact, other: f"{fact} != {other}",
    "in": lambda fact, codes: f"{fact} in {codes}",
    "below": lambda fact, other: f"{fact} < {other}",
    "at_most": lambda fact, other: f"{fact} <= {other}",
    "above": lambda fact, other: f"{fact} > {other}",
    "at_least": lambda fact, other: f"{fact} >= {other}",
}

ZEN = TextLanguage(
    conjunction=" and ",
    disjunction=" or ",
    negation="not ({})",
    date="date({})",  # ISO text has no order in ZEN
    operators={
        **INFIX,
        "not_in": lambda fact, codes: f"{fact} not in {codes}",
        "between": lambda fact, bounds: f"{fact} in [{bounds[0]}..{bounds[1]}]",
        "contains_any": lambda fact, codes: f"some({fact}, # in {codes})",
        "contains_none": lambda fact, codes: f"none({fact}, # in {codes})",
        "starts_with_any": lambda codes, prefixes: f"some({codes}, {_each('startsWith(#, {})', ' or ', prefixes)})",
        "known": lambda fact, _: f"{fact} != null",
    },
)

CEL = TextLanguage(
    conjunction=" && ",
    disjunction=" || ",
    negation="!({})",
    date="{}",
    operators={
        **INFIX,
        "not_in": lambda fact, codes: f"!({fact} in {codes})",
        "between": lambda fact, bounds: f"({fact} >= {bounds[0]} && {fact} <= {bounds[1]})",
        "contains_any": lambda fact, codes: f"{fact}.exists(code, code in {codes})",
        "contains_none": lambda fact, codes: f"!{fact}.exists(code, code in {codes})",
        "starts_with_any": lambda codes, prefixes: (
            f"{codes}.exists(code, {_each('code.startsWith({})', ' || ', prefixes)})"
        ),
        "known": lambda fact, _: f"{fact} == {fact}",  # a missing variable is an error in CEL
    },
)
