"""How long it takes to decide 100,000 recorded decisions again, on two processes, from an export file.

The decisions are of the example orders, varied.  A tenth as many are made, and each is written ten times under ids of
its own: making them is not what is measured.
Run it on an idle machine: `.venv/bin/python -m benchmarks.replay`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from rich.console import Console
from ulid import ULID

from benchmarks.orders import orders
from infusion_orders.cli.replay_run import run, watched
from infusion_orders.cli.replay_sources import ExportSource
from infusion_orders.decisions import decide, issued
from infusion_orders.orders.reading import read_order
from infusion_orders.rules.loading import load_directory
from infusion_orders.rules.rule_set import RuleSet

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[1]
START = datetime(2026, 11, 1, tzinfo=UTC)
BUDGET_SECONDS = 120
EACH_RECORDED = 10


@dataclass(frozen=True)
class Made:
    """A decision of the benchmark, as its item holds it."""

    facts: str
    decision: str


def made(count: int, rules: RuleSet) -> Iterator[Made]:
    """Decided under the rules."""
    for _, document in zip(range(count), orders(), strict=False):
        decided = decide(read_order(json.dumps(document)), rules, as_of=START.date())
        decision = issued(decided.decision, decision_id=str(ULID()), age_seconds=0)
        yield Made(decided.facts.decode(), decision.model_dump_json(by_alias=True, exclude_none=True))


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


def main() -> None:
    """Makes the export, replays it under the same rules and under changed ones, and says how long that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    screen = Console()
    document = load_directory(PROJECT / "rules" / "home-infusion")
    rules = RuleSet.from_document(document, version=1, digest=document.digest)
    with tempfile.TemporaryDirectory() as folder:
        export = Path(folder, "export.json.gz")
        write_export(export, options.decisions, rules)
        started = perf_counter()
        with watched() as progress:
            report = run(ExportSource((export,)), rules, state=None, workers=options.workers, progress=progress)
        seconds = perf_counter() - started
    kept = "kept" if seconds <= BUDGET_SECONDS * options.decisions / 100_000 else "[bold red]not kept[/]"
    screen.print(
        f"{report.replayed} decisions replayed by {options.workers} processes in {seconds:.1f} s, "
        f"{report.replayed / seconds:.0f} a second; {report.changed} changed, {report.obstacles.total()} not replayable"
    )
    screen.print(f"Budget: 100,000 in {BUDGET_SECONDS} s: {kept}.")


if __name__ == "__main__":
    main()
