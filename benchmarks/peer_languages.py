"""Conditions said in the languages of other engines: JSON Logic, ZEN and CEL.

Each translation is of any condition of the rule language, not of the benchmark's own.  It says what the condition says
where the facts are known; what an engine makes of a fact that is not there is the engine's own affair.
Facts stand under flat names (`line_kind`), dates as ISO text, numbers as floats, sets as lists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.fact import Kind
from infusion_orders.facts.plain_values import plain_value
from infusion_orders.rules.expression import Comparison, Every, Expression, Negation, Some

Tests = Mapping[str, Callable[[Any, Any], Any]]
"""By operator: a fact as the language names it, what it is compared with, and the test of the two."""

REST = "rest"
"""The column of a decision table whose cells are whole expressions."""


def name_of(fact: str) -> str:
    """One look-up in every language: `line.kind` is `line_kind`."""
    return fact.replace(".", "_")


def plain(value: Any) -> Any:
    """A constant (None where an operator has none) or a fact's value, as the engines take it."""
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, frozenset):
        return sorted(plain(part) for part in value)
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    return None if value is None else plain_value(value)


_ITEM = {"var": ""}
"""In JSON Logic: what is looked at of a list."""

_JSON_LOGIC: Tests = {
    "is": lambda fact, other: {"===": [fact, other]},
    "is_not": lambda fact, other: {"!==": [fact, other]},
    "in": lambda fact, codes: {"in": [fact, codes]},
    "not_in": lambda fact, codes: {"!": {"in": [fact, codes]}},
    "below": lambda fact, other: {"<": [fact, other]},
    "at_most": lambda fact, other: {"<=": [fact, other]},
    "above": lambda fact, other: {">": [fact, other]},
    "at_least": lambda fact, other: {">=": [fact, other]},
    "between": lambda fact, bounds: {"<=": [bounds[0], fact, bounds[1]]},
    "contains_any": lambda fact, codes: {"some": [fact, {"in": [_ITEM, codes]}]},
    "contains_none": lambda fact, codes: {"none": [fact, {"in": [_ITEM, codes]}]},
    "starts_with_any": lambda fact, prefixes: {
        "some": [{"merge": [fact]}, {"or": [{"starts_with": [_ITEM, prefix]} for prefix in prefixes]}]
    },
    "known": lambda fact, _: {"!==": [fact, None]},
}


def json_logic(expression: Expression) -> Any:
    """The condition as datalogic-py compiles it."""
    if isinstance(expression, bool):
        return expression
    if isinstance(expression, Negation):
        return {"!": json_logic(expression.part)}
    if isinstance(expression, Every | Some):
        word = "and" if isinstance(expression, Every) else "or"
        return {word: [json_logic(part) for part in expression.parts]}
    other = plain(expression.constant) if expression.other is None else {"var": name_of(expression.other)}
    return _JSON_LOGIC[expression.operator]({"var": name_of(expression.fact)}, other)


@dataclass(frozen=True)
class TextLanguage:
    """A language of infix text: the words that join and negate, its tests, and how it says a date."""

    every: str
    some: str
    negation: str
    tests: Tests
    date: str

    def said(self, expression: Expression, subject: str | None = None) -> str:
        """The condition's text; `subject` stands in the place of the fact of a single comparison."""
        if isinstance(expression, bool):
            return json.dumps(expression)
        if isinstance(expression, Negation):
            return self.negation.format(self.said(expression.part))
        if isinstance(expression, Every | Some):
            word = self.every if isinstance(expression, Every) else self.some
            return f"({word.join(self.said(part) for part in expression.parts)})"
        return str(self._test(expression, subject or name_of(expression.fact)))

    def _test(self, leaf: Comparison, fact: str) -> Any:
        test = self.tests[leaf.operator]
        kind = CATALOGUE.facts[leaf.fact].kind
        if leaf.operator == "starts_with_any":
            return test(_as_list(fact, kind), [json.dumps(prefix) for prefix in leaf.constant])
        form = self.date if kind is Kind.DATE and leaf.operator != "known" else "{}"
        return test(form.format(fact), self._other(leaf, form))

    @staticmethod
    def _other(leaf: Comparison, form: str) -> Any:
        if leaf.other is not None:
            return form.format(name_of(leaf.other))
        if isinstance(leaf.constant, tuple):
            return [form.format(json.dumps(plain(bound))) for bound in leaf.constant]
        return form.format(json.dumps(plain(leaf.constant)))


def _as_list(fact: str, kind: Kind) -> str:
    return fact if kind is Kind.CODES else f"[{fact}]"


def _any_prefix(test: str, join: str) -> Callable[[str, Sequence[str]], str]:
    return lambda _, prefixes: join.join(test.format(prefix) for prefix in prefixes)


_ORDERED: Tests = {
    "is": lambda fact, other: f"{fact} == {other}",
    "is_not": lambda fact, other: f"{fact} != {other}",
    "in": lambda fact, codes: f"{fact} in {codes}",
    "below": lambda fact, other: f"{fact} < {other}",
    "at_most": lambda fact, other: f"{fact} <= {other}",
    "above": lambda fact, other: f"{fact} > {other}",
    "at_least": lambda fact, other: f"{fact} >= {other}",
}

_ZEN_PREFIX = _any_prefix("startsWith(#, {})", " or ")
_CEL_PREFIX = _any_prefix("code.startsWith({})", " || ")

ZEN = TextLanguage(
    every=" and ",
    some=" or ",
    negation="not ({})",
    date="date({})",
    tests={
        **_ORDERED,
        "not_in": lambda fact, codes: f"{fact} not in {codes}",
        "between": lambda fact, bounds: f"{fact} in [{bounds[0]}..{bounds[1]}]",
        "contains_any": lambda fact, codes: f"some({fact}, # in {codes})",
        "contains_none": lambda fact, codes: f"none({fact}, # in {codes})",
        "starts_with_any": lambda codes, prefixes: f"some({codes}, {_ZEN_PREFIX(codes, prefixes)})",
        "known": lambda fact, _: f"{fact} != null",
    },
)
"""ISO text has no order in ZEN: dates are compared as `date(...)`."""

CEL = TextLanguage(
    every=" && ",
    some=" || ",
    negation="!({})",
    date="{}",
    tests={
        **_ORDERED,
        "not_in": lambda fact, codes: f"!({fact} in {codes})",
        "between": lambda fact, bounds: f"({fact} >= {bounds[0]} && {fact} <= {bounds[1]})",
        "contains_any": lambda fact, codes: f"{fact}.exists(code, code in {codes})",
        "contains_none": lambda fact, codes: f"!{fact}.exists(code, code in {codes})",
        "starts_with_any": lambda codes, prefixes: f"{codes}.exists(code, {_CEL_PREFIX(codes, prefixes)})",
        "known": lambda fact, _: f"{fact} == {fact}",
    },
)
"""A variable that is not there is an error in CEL: that is how `known` is told."""


def zen_table(conditions: Mapping[str, Expression]) -> str:
    """The conditions as one decision table for zen-engine: it gives back the names of those that hold.

    A condition has a row for each alternative of its `any`.  What a row compares stands in the columns of its facts,
    and what is not a single comparison (or a second one of the same fact) as an expression in a column of its own.
    """
    rows = [(name, _cells(row)) for name, condition in conditions.items() for row in _alternatives(condition)]
    columns = sorted({column for _, cells in rows for column in cells})
    inputs = [{"id": column, "name": column} | ({} if column == REST else {"field": column}) for column in columns]
    table = {
        "hitPolicy": "collect",
        "inputs": inputs,
        "outputs": [{"id": "holds", "name": "holds", "field": "holds"}],
        "rules": [
            {column: "" for column in columns} | cells | {"_id": f"row {number}", "holds": json.dumps(name)}
            for number, (name, cells) in enumerate(rows)
        ],
    }
    nodes = [
        {"id": "facts", "name": "facts", "type": "inputNode"},
        {"id": "table", "name": "table", "type": "decisionTableNode", "content": table},
    ]
    edges = [{"id": "edge", "type": "edge", "sourceId": "facts", "targetId": "table"}]
    return json.dumps({"nodes": nodes, "edges": edges})


def _alternatives(expression: Expression) -> tuple[Expression, ...]:
    return expression.parts if isinstance(expression, Some) else (expression,)


def _cells(row: Expression) -> dict[str, str]:
    cells: dict[str, str] = {}
    rest = []
    for part in row.parts if isinstance(row, Every) else (row,):
        if isinstance(part, Comparison) and name_of(part.fact) not in cells:
            cells[name_of(part.fact)] = ZEN.said(part, "$")
        else:
            rest.append(ZEN.said(part))
    return cells | ({REST: ZEN.every.join(rest)} if rest else {})
