"""How long it takes to load a version: from the items of DynamoDB's own engine to a rule set that can decide."""

from __future__ import annotations

import gc
import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.parsers import create_parser

from benchmarks.grown import grown_rules
from benchmarks.measuring import growth, side_by_side
from benchmarks.orders import PROJECT
from benchmarks.reporting import Budget, Plot, Report, Table
from benchmarks.scale import an_order, deciding, document
from infusion_orders.rules.document import RuleSetDocument, digest_of_parts
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders.store.dynamodb import dynamodb_client
from infusion_orders.store.rule_set_table import RuleSetTable, parts_of_items
from infusion_orders.store.versions import RuleSetStore
from infusion_orders_cli.local.tables import CREDENTIALS, REGION, RULES_TABLE, environment, table_definitions
from scripts.dynamodb_engine import EngineMissing, dynamodb_local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from benchmarks.measuring import Times

RULES = (100, 1_000, 10_000)
MOST_MILLISECONDS = 1000
AIM_MICROSECONDS = 50
TITLE = "Loading a version"
BOTOCORE = "botocore reads the answers"
WARM = "load while garbage is looked for"
LOAD, ROUND_TRIP, FIRST, PARTS = "load", "one round trip", "load and decide an order", "from items"
DOCUMENT, DIGEST, READY, YARDSTICK = "from parts", "verify the digest", "rule set", "parse and hash its rules"
ABOUT = f"""
A version is loaded as a function loads the active one: its items are queried from DynamoDB Local, its digest is
verified, its rules are made ready; rules are compiled when they are first candidates, so *with an order* has one
decided under it too. In a function's start no garbage is looked for. Later it is, though never among what the start
made: *warm* is the load of a version that is activated then. A round trip is reading the pointer. The aim is one round
trip and {AIM_MICROSECONDS} us a rule. What botocore makes of the answers is timed on their bytes, kept from one load;
*waiting* is what is left of a load, for the engine, which here shares the processors, and for the network.
"""


def report() -> Report:
    """For each size, all parts side by side."""
    try:
        with dynamodb_local() as address, environment(CREDENTIALS):
            times = {size: of_size(size, address) for size in RULES}
    except EngineMissing as missing:
        return Report("loading", TITLE, f"NOT RUN: {missing}")
    largest = RULES[-1]
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
                {
                    name: [(size, found[name].median * 1000) for size, found in times.items()]
                    for name in (LOAD, FIRST, WARM)
                },
            )
        ],
        budgets=[
            Budget(f"a version of {largest:,} rules{when}", times[largest][name].median * 1000, MOST_MILLISECONDS, "ms")
            for name, when in ((LOAD, ""), (WARM, ", warm"))
        ],
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
    items = list(RuleSetTable(client, RULES_TABLE, grown.name).items(version, parts))
    bodies = [body for name, body in parts.items() if name.startswith("RULE#")]
    order = an_order()
    answers = answers_of(client, lambda: store.load(version, pointer))
    times = side_by_side(
        {
            ROUND_TRIP: store.activations.pointer,
            LOAD: lambda: store.load(version, pointer),
            WARM: lambda: while_garbage_is_looked_for(lambda: store.load(version, pointer)),
            FIRST: lambda: deciding(order, store.load(version, pointer))(),
            BOTOCORE: lambda: read_by_botocore(client, answers),
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


def while_garbage_is_looked_for(load: Callable[[], object]) -> None:
    """Among what was made since the measurement began; other contenders run without."""
    gc.enable()
    try:
        load()
    finally:
        gc.disable()


def answers_of(client: DynamoDBClient, load: Callable[[], object]) -> list[dict[str, Any]]:
    """The answers to the queries of a load, status, headers and bytes, as botocore is about to read them."""
    answers: list[dict[str, Any]] = []

    def keep(response_dict: dict[str, Any], **_event: Any) -> None:
        answers.append(dict(response_dict))

    client.meta.events.register("before-parse.dynamodb.Query", keep)
    try:
        load()
    finally:
        client.meta.events.unregister("before-parse.dynamodb.Query", keep)
    return answers


def read_by_botocore(client: DynamoDBClient, answers: Iterable[dict[str, Any]]) -> None:
    """JSON, then each value by the service's description of it."""
    shape = client.meta.service_model.operation_model("Query").output_shape
    if shape is None:
        raise LookupError("Query has no output")
    parser = create_parser("json")
    for answer in answers:
        parser.parse(answer, shape)


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
                f"{found[WARM].median * 1000:.1f}",
            )
        )
    spread = "fastest and slowest round"
    columns = ("rules", "ms, a round trip", "ms, load", spread, "us a rule", "ms, with an order", "ms, warm")
    return Table("From the table to ready", columns, rows, _grown(times))


def _grown(times: Mapping[int, Mapping[str, Times]]) -> str:
    slope = growth(list(times), [found[LOAD].median for found in times.values()])
    return f"Growth of the time: {slope:.2f}; the tables are the same for all sizes, and take most of the smallest."


def parts_table(times: Mapping[int, Mapping[str, Times]]) -> Table:
    """Microseconds a rule of what a load does, and what is left."""
    rows: list[Sequence[str]] = []
    for size, found in times.items():
        ours = [found[name].median for name in (BOTOCORE, PARTS, DIGEST, DOCUMENT, READY)]
        rest = found[LOAD].median - sum(ours)
        rows.append((f"{size:,}", *(f"{part / size * 1e6:.1f}" for part in (rest, *ours))))
    columns = ("rules", "waiting", "botocore", "parts of items", "digest", "JSON", "rule set and gates")
    return Table("Where the time goes, microseconds a rule", columns, rows)
