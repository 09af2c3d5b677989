"""How long it takes to decide recorded decisions again, on all processors, from an export file.

The decisions are of the example orders, varied.  A tenth as many are made, and each is written ten times under ids of
its own: making them is not what is measured.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from ulid import ULID

from benchmarks.orders import orders
from benchmarks.reporting import Budget, Report, Table
from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.decisions import decide
from infusion_orders.orders.reading import read_order
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders_cli.rules.replay_run import ExportSource, replay_pages
from infusion_orders_cli.workers import processors

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[1]
START = datetime(2026, 11, 1, tzinfo=UTC)
BUDGET_SECONDS = 120
DECISIONS = 20_000
ABOUT = """
Recorded decisions of the example orders, varied, decided again from their facts alone under the same rules, from an
export file as DynamoDB writes it, by as many processes as there are processors. The budget is for 100,000: what the
decisions here took is scaled to so many.
"""
EACH_RECORDED = 10


@dataclass(frozen=True)
class Made:
    """A decision of the benchmark, as its item holds it."""

    facts: str
    decision: str


def made(count: int, rules: RuleSet) -> Iterator[Made]:
    """Decided under the rules."""
    for _, document in zip(range(count), orders(), strict=False):
        order = read_order(json.dumps(document))
        decided = decide(order, rules, as_of=START.date(), decision_id=str(ULID()))
        yield Made(decided.facts.decode(), decided.decision.model_dump_json(by_alias=True, exclude_none=True))


def write_export(path: Path, count: int, rules: RuleSet) -> None:
    """An export of so many decisions, as DynamoDB writes it."""
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        number = 0
        for one in made(count // EACH_RECORDED, rules):
            for _ in range(EACH_RECORDED):
                decision_id = str(ULID.from_datetime(START + timedelta(seconds=number)))
                item = {
                    "PK": {"S": f"PARTNER#partner-{number % 7}"},
                    "SK": {"S": f"DECISION#{decision_id}"},
                    "decision_id": {"S": decision_id},
                    "facts": {"S": one.facts},
                    "decision": {"S": one.decision},
                }
                file.write(json.dumps({"Item": item}) + "\n")
                number += 1


def report() -> Report:
    """Makes the export, and replays it under the same rules on all processors."""
    document = load_directory(PROJECT / "rules" / "home-infusion")
    rules = RuleSet.from_document(document, version=1, digest=document.digest)
    with tempfile.TemporaryDirectory() as folder:
        export = Path(folder, "export.json.gz")
        write_export(export, DECISIONS, rules)
        started, used = perf_counter(), processor_seconds()
        found = replay_pages(ExportSource((export,)), rules, state=None, workers=processors())
        seconds, used = perf_counter() - started, processor_seconds() - used
    if found.replayed != DECISIONS or found.changed:
        raise SystemExit("The replay did not come to what was recorded: there is nothing to tell.")
    row = (
        f"{DECISIONS:,}",
        str(processors()),
        f"{seconds:.1f}",
        f"{DECISIONS / seconds:,.0f}",
        f"{used / DECISIONS * 1e6:.0f}",
    )
    return Report(
        "replay",
        "Replay",
        ABOUT,
        tables=[Table("Decided again", ("decisions", "processes", "s", "a second", "us of a processor, each"), [row])],
        budgets=[Budget("100,000 decisions, scaled", seconds * 100_000 / DECISIONS, BUDGET_SECONDS, "s")],
    )


def processor_seconds() -> float:
    """Of this process and of those that it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
