"""Measure what more rules and more lines cost: deciding, and loading the rules from DynamoDB Local."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.budgets import LOAD_1_000_RULES, LOAD_10_000_RULES, TEN_THOUSAND_RULES
from benchmarks.grown import with_lines, with_rules
from benchmarks.measuring import side_by_side
from benchmarks.project import AS_OF, default_rules, order_body, ready, running_dynamodb
from benchmarks.reporting import Report, Table, milliseconds, not_run
from infusion_orders.decisions import decide
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.rule import Verdict
from infusion_orders.store.rule_set_cache import RuleSetCache
from scripts.dynamodb_engine import EngineMissing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.measuring import Times
    from infusion_orders.orders.order import Order
    from infusion_orders.rules.rule_set import RuleSet
    from infusion_orders.store.versions import RuleSetStore

RULES = (100, 10_000)
LINES = (3, 100)
LOADED = {1_000: LOAD_1_000_RULES, 10_000: LOAD_10_000_RULES}
TITLE = "More rules, longer orders"
LOAD, PARSE = "load and decide", "parse the rules' JSON"
ABOUT = """
Further rules are variants of the default ones for twelve codes, one line of business, one period and half of them one
therapy; further lines are the order's own, a month apart. Deciding starts from the parsed order. A load is a function's
start: read pointer and version from DynamoDB Local, verify the digest, make the rules ready, decide the first order.
"""


def report() -> Report:
    """Measure deciding, then loading."""
    order, default = parsed(3), ready(default_rules())
    rule_sets = {size: ready(with_rules(default_rules(), size)) for size in RULES}
    by_rules = side_by_side({size: partial(decide, order, rule_sets[size], as_of=AS_OF) for size in RULES})
    by_lines = side_by_side({size: partial(decide, parsed(size), default, as_of=AS_OF) for size in LINES})
    try:
        loads = {size: loading(size) for size in LOADED}
    except EngineMissing as missing:
        return not_run(TITLE, missing)
    times = {
        **{f"decide under {size:,} rules ({applying(order, rule_sets[size])} apply)": by_rules[size] for size in RULES},
        **{f"decide an order of {size} lines": by_lines[size] for size in LINES},
        **{f"load {size:,} rules and decide": found[LOAD] for size, found in loads.items()},
    }
    rows = [(name, milliseconds(one.median), " to ".join(map(milliseconds, one.spread))) for name, one in times.items()]
    ratio = by_rules[10_000].ratio_to(by_rules[100])
    return Report(
        TITLE,
        ABOUT,
        tables=[Table("Milliseconds", ("", "median", "fastest to slowest round"), rows)],
        budgets={
            TEN_THOUSAND_RULES: ratio,
            **{LOADED[size]: found[LOAD].median * 1e3 for size, found in loads.items()},
        },
        ratios={
            "10,000 rules / 100": ratio,
            "100 lines / 3, per line": by_lines[100].ratio_to(by_lines[3]) * 3 / 100,
            f"load 10,000 rules / {PARSE}": loads[10_000][LOAD].ratio_to(loads[10_000][PARSE]),
        },
    )


def parsed(lines: int) -> Order:
    """Return the example order with so many lines."""
    return parse_order(json.dumps(with_lines(json.loads(order_body()), lines)))


def applying(order: Order, rule_set: RuleSet) -> int:
    """Return how many rules apply to at least one line."""
    explained = decide(order, rule_set, as_of=AS_OF, explain_all=True).decision.explanation or ()
    return len({one.rule for one in explained if one.verdict is not Verdict.NOT_APPLICABLE})


def loading(size: int) -> Mapping[str, Times]:
    """Time loading a version of this size, next to parsing its rules' JSON."""
    rules, order = with_rules(default_rules(), size), parsed(3)
    texts = [json.dumps(rule) for rule in rules.rules]
    with running_dynamodb(rules) as (tables, _):
        return side_by_side(
            {
                LOAD: lambda: decide(order, loaded(tables.rule_sets), as_of=AS_OF),
                PARSE: lambda: [json.loads(text) for text in texts],
            },
            clock=time.perf_counter,
        )


def loaded(store: RuleSetStore) -> RuleSet:
    """Load the active version as a function does when it starts."""
    cache = RuleSetCache(store, refresh_seconds=60, max_stale_seconds=3600, clock=time.time)
    return cache.active().rule_set
