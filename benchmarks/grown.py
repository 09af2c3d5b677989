"""Rule sets, orders and tables as large as one likes: the default ones, grown by variants, the same ones every time."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

from infusion_orders.reference.schema import DOFR_CATEGORIES, LINES_OF_BUSINESS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infusion_orders.rules.document import RuleSetDocument

SEED = 20261127
CODES_A_RULE = 12
PERIODS: tuple[dict[str, str], ...] = (
    {},
    {"from": "2024-07-01"},
    {"from": "2020-01-01", "to": "2023-12-31"},
    {"from": "2025-01-01"},
)


def grown_rules(document: RuleSetDocument, count: int) -> RuleSetDocument:
    """So many rules: those of the document, then variants of them; fewer than it has are its first.

    A variant is a rule of a line for twelve codes of the document's tables, one line of business and one period, and
    for a therapy in every other case, as a plan's rules for some drugs are.  Codes that no order names would make
    variants that never apply.  Its examples are left out.
    """
    rules = list(document.rules[:count])
    of_lines = [rule for rule in document.rules if rule["scope"] == "line" and "assign" not in rule]
    therapies = sorted({row[0] for row in document.tables["therapies"][1:]})
    codes = sorted({row[0] for row in document.tables["codes"][1:]})
    draw = Random(SEED)  # noqa: S311 - nothing secret
    while len(rules) < count:
        rule = json.loads(json.dumps(draw.choice(of_lines)))
        named: list[dict[str, Any]] = [
            {"fact": "line.hcpcs", "in": sorted(draw.sample(codes, CODES_A_RULE))},
            {"fact": "member.line_of_business", "is": draw.choice(LINES_OF_BUSINESS)},
        ]
        if len(rules) % 2:
            named.append({"fact": "line.therapy", "is": draw.choice(therapies)})
        rule["when"] = {"all": [*named, *([rule["when"]] if rule.get("when") else [])]}
        rule |= {"id": f"{rule['id']}-{len(rules)}", "effective": draw.choice(PERIODS), "examples": []}
        rules.append(rule)
    return replace(document, rules=tuple(sorted(rules, key=lambda rule: str(rule["id"]))))


def grown_crosswalk(document: RuleSetDocument, rows: int) -> RuleSetDocument:
    """So many rows at least in the tables of codes and in the crosswalk: each a code of its own."""
    tables = {name: list(table) for name, table in document.tables.items()}
    known = {row[0] for row in tables["codes"]}
    new = list(_codes(known, rows - min(len(tables["codes"]), len(tables["crosswalk"])) + 1))
    tables["codes"] += [
        [code, "A drug", "drug", "any", "1", "mg", "exact", "IV", "2020-01-01", "", "", "plan_default"] for code in new
    ]
    tables["crosswalk"] += [
        [code, "", DOFR_CATEGORIES[number % len(DOFR_CATEGORIES)], "2020-01-01", "", "plan_default"]
        for number, code in enumerate(new)
    ]
    return replace(document, tables=tables)


def _codes(known: set[str], count: int) -> Iterator[str]:
    made = (f"{letter}{number:04d}" for number, letter in product(range(10_000), "ABCDEFGHIJKLMNOPQRSTUV"))
    for code, _ in zip((code for code in made if code not in known), range(max(count, 0)), strict=False):
        yield code


def with_lines(order: dict[str, Any], count: int) -> dict[str, Any]:
    """The order with so many lines: its own, again and again, each under an id of its own and a month later."""
    lines: Sequence[dict[str, Any]] = order["lines"]
    repeated = []
    for number in range(count):
        month = number // len(lines)
        line = dict(lines[number % len(lines)], line_id=str(number + 1))
        for name in ("service_from", "service_to"):
            if name in line:
                year = int(line[name][:4]) - month // 12
                line[name] = f"{year}-{month % 12 + 1:02d}-{line[name][8:]}"
        repeated.append(line)
    return order | {"lines": repeated}
