"""Larger rule sets and longer orders, made from the default ones; the same every time."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from infusion_orders.orders.vocabularies import LineOfBusiness

if TYPE_CHECKING:
    from infusion_orders.rules.document import RuleSetDocument

SEED = 20261127
CODES_PER_RULE = 12
PERIODS: tuple[dict[str, str], ...] = (
    {},
    {"from": "2024-07-01"},
    {"from": "2020-01-01", "to": "2023-12-31"},
    {"from": "2025-01-01"},
)


def with_rules(document: RuleSetDocument, count: int) -> RuleSetDocument:
    """Return the document with exactly `count` rules: its own, then variants of them.

    A variant resembles a plan's rule for a few drugs: it applies to twelve codes of the tables, one line of business
    and one period, and every other one to a single therapy.  Variants have no examples.
    """
    rules = list(document.rules[:count])
    line_rules = [rule for rule in document.rules if rule["scope"] == "line" and "assign" not in rule]
    therapies = sorted({row[0] for row in document.tables["therapies"][1:]})
    codes = sorted({row[0] for row in document.tables["codes"][1:]})
    lines_of_business = sorted(map(str, LineOfBusiness))
    draw = Random(SEED)  # noqa: S311 - not a secret
    while len(rules) < count:
        rule = json.loads(json.dumps(draw.choice(line_rules)))
        applies: list[dict[str, Any]] = [
            {"fact": "line.hcpcs", "in": sorted(draw.sample(codes, CODES_PER_RULE))},
            {"fact": "member.line_of_business", "is": draw.choice(lines_of_business)},
        ]
        if len(rules) % 2:
            applies.append({"fact": "line.therapy", "is": draw.choice(therapies)})
        rule["when"] = {"all": [*applies, *([rule["when"]] if rule.get("when") else [])]}
        rule |= {"id": f"{rule['id']}-{len(rules)}", "effective": draw.choice(PERIODS), "examples": []}
        rules.append(rule)
    return replace(document, rules=tuple(sorted(rules, key=lambda rule: str(rule["id"]))))


def with_lines(order: dict[str, Any], count: int) -> dict[str, Any]:
    """Return the order with `count` lines: its own ones repeated, each repetition a month later."""
    own = order["lines"]
    lines = []
    for number in range(count):
        months = number // len(own)
        line = dict(own[number % len(own)], line_id=str(number + 1))
        for name in ("service_from", "service_to"):
            if name in line:
                year = int(line[name][:4]) - months // 12
                line[name] = f"{year}-{months % 12 + 1:02d}-{line[name][8:]}"
        lines.append(line)
    return order | {"lines": lines}
