"""How long it takes to load a version: from the items of DynamoDB's own engine to a rule set that can decide."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchmarks.grown import grown_rules
from benchmarks.measuring import growth, side_by_side
from benchmarks.orders import PROJECT
from benchmarks.reporting import Budget, Plot, Report, Table
from benchmarks.scale import an_order, deciding, document
from infusion_orders.cli.embedded_table import CREDENTIALS, REGION, RULES_TABLE, environment
from infusion_orders.cli.template_tables import table_definitions
from infusion_orders.rules.document import RuleSetDocument, digest_of_parts
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders.store.client import dynamodb_client
from infusion_orders.store.parts import items_of_parts, parts_of_items
from infusion_orders.store.rule_sets import RuleSetStore
from scripts.dynamodb_engine import EngineMissing, dynamodb_local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.measuring import Times

RULES = (100, 1_000, 10_000)
MOST_MILLISECONDS = 1000
AIM_MICROSECONDS = 50
TITLE = "Loading a version"
LOAD, ROUND_TRIP, FIRST, PARTS = "load", "one round trip", "load and decide an order", "from items"
DOCUMENT, DIGEST, READY, YARDSTICK = "from parts", "verify the digest", "rule set", "parse and hash its rules"
ABOUT = f"""
A version is loaded as a function loads the active one: its items are queried from DynamoDB Local, its digest is
verified, its rules are made ready; rules are compiled when they are first candidates, so the last column has an order
decided under it too. A round trip is reading the pointer. The aim is one round trip and {AIM_MICROSECONDS} us a rule.
"""


def report() -> Report:
    """For each size, all parts side by side."""
    try:
        with dynamodb_local() as address, environment(CREDENTIALS):
            times = {size: of_size(size, address) for size in RULES}
    except EngineMissing as missing:
        return Report("loading", TITLE, f"NOT RUN: {missing}")
    largest = RULES[-1]
    load = {size: found[LOAD].median for size, found in times.items()}
    return Report(
        "loading",
        TITLE,
        ABOUT,
        tables=[whole_table(times), parts_table(times)],
        plots=[
            Plot(
                "loading.svg",
                "Loading a version by its rules",
                "rules",
                "ms",
                {name: [(size, found[name].median * 1000) for size, found in times.items()] for name in (LOAD, FIRST)},
            )
        ],
        budgets=[Budget(f"a version of {largest:,} rules", load[largest] * 1000, MOST_MILLISECONDS, "ms")],
        ratios={
            f"{size:,} rules: load / parse and hash": found[LOAD].ratio_to(found[YARDSTICK])
            for size, found in times.items()
        },
    )


def of_size(size: int, address: str) -> Mapping[str, Times]:
    """The times of one version; its table is removed before the next."""
    grown = grown_rules(document(), size)
    client = dynamodb_client(region=REGION, endpoint_url=address)
    for definition in table_definitions(PROJECT / "template.yaml"):
        client.create_table(**definition)
    store = RuleSetStore(client, RULES_TABLE, grown.name)
    now = datetime.now(UTC)
    version = store.publish(grown, by="benchmark", note="grown", at=now)
    pointer = store.activations.activate(version, by="benchmark", why="to be loaded", at=now)
    parts = grown.parts()
    items = list(items_of_parts("RULESET", parts))
    bodies = [body for name, body in parts.items() if name.startswith("RULE#")]
    order = an_order()
    times = side_by_side(
        {
            ROUND_TRIP: store.activations.pointer,
            LOAD: lambda: store.load(version, pointer),
            FIRST: lambda: deciding(order, store.load(version, pointer))(),
            PARTS: lambda: parts_of_items(items),
            DIGEST: lambda: digest_of_parts(grown.name, parts),
            DOCUMENT: lambda: RuleSetDocument.from_parts(grown.name, parts),
            READY: lambda: RuleSet.from_document(grown, version=1, digest=pointer.digest),
            YARDSTICK: lambda: [(hashlib.sha256(body).digest(), json.loads(body)) for body in bodies],
        }
    )
    for definition in table_definitions(PROJECT / "template.yaml"):
        client.delete_table(TableName=definition["TableName"])
    return times


def whole_table(times: Mapping[int, Mapping[str, Times]]) -> Table:
    """A row for each size."""
    rows = []
    for size, found in times.items():
        low, high = found[LOAD].spread
        a_rule = (found[LOAD].median - found[ROUND_TRIP].median) / size * 1e6
        rows.append(
            (
                f"{size:,}",
                f"{found[ROUND_TRIP].median * 1000:.2f}",
                f"{found[LOAD].median * 1000:.1f}",
                f"{low * 1000:.1f} to {high * 1000:.1f}",
                f"{a_rule:.1f}",
                f"{found[FIRST].median * 1000:.1f}",
            )
        )
    columns = ("rules", "ms, a round trip", "ms, load", "fastest and slowest round", "us a rule", "ms, with an order")
    return Table("From the table to ready", columns, rows, _grown(times))


def _grown(times: Mapping[int, Mapping[str, Times]]) -> str:
    slope = growth(list(times), [found[LOAD].median for found in times.values()])
    return f"Growth of the time: {slope:.2f}; the tables are the same for all sizes, and take most of the smallest."


def parts_table(times: Mapping[int, Mapping[str, Times]]) -> Table:
    """Microseconds a rule of what a load does; what is left is the query and botocore's reading of its answer."""
    rows: list[Sequence[str]] = []
    for size, found in times.items():
        ours = [found[name].median for name in (PARTS, DIGEST, DOCUMENT, READY)]
        rest = found[LOAD].median - sum(ours)
        rows.append((f"{size:,}", *(f"{part / size * 1e6:.1f}" for part in (rest, *ours))))
    columns = ("rules", "query", "parts of items", "digest", "JSON", "rule set and gates")
    return Table("Where the time goes, microseconds a rule", columns, rows)
