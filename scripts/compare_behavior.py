"""Record what the product does at one revision and at another, and compare the two records.

A record holds the decisions and facts of random and example orders, the functions' answers and log lines for the events
in events/, the layout of stored items, and docs/openapi.json.  Example, in the checkouts of two revisions:

    python -m scripts.compare_behavior record old.jsonl.gz
    python -m scripts.compare_behavior record new.jsonl.gz --orders-of old.jsonl.gz
    python -m scripts.compare_behavior compare old.jsonl.gz new.jsonl.gz --show 3

With `--rules`, the orders are decided under the rules of another folder, as a stored version of release 0.1: its
decisions must reproduce with the same receipts.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from datetime import UTC, datetime, tzinfo
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast
from unittest.mock import patch

import typer

# Every name of the project that this script uses.
from infusion_orders.api import application
from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.decisions.decide import decide
from infusion_orders.facts.release_0_1 import catalogue_of
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders_cli.local.tables import DECISIONS_TABLE, RULES_TABLE
from tests.fuzz.events import send
from tests.fuzz.orders import document_of
from tests.support.partner import decided_world
from tests.support.rules import TODAY, default_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.support.partner import World

PROJECT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""The time at which the functions run."""
RANDOM, EXAMPLE, EXPLAINED = "random order", "example order", "explained example order"
EVENT, STORED, DOCUMENT = "event", "stored items", "document"
COMPRESSION = 3

MASKS = (
    (re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b"), "(id)"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "(digest)"),
    (re.compile(r"#\d+"), "#(number)"),
)
ONE_OF_MANY = re.compile(r"(RULE|TABLE)#[^#]+")
"""Rules and tables are stored alike: the name of each says nothing about the layout."""
VOLATILE = {
    "Timestamp", "age_seconds", "duration_ms", "ruleset_age_seconds", "service", "timestamp", "DecisionTime",
    "RuleSetAge",
}  # fmt: skip

FINDINGS = {
    "texts of findings": ("title", "message", "remedy"),
    "observed of findings": ("observed",),
    "pointers of findings": ("pointers",),
}
"""Parts that are compared for findings that both decisions have."""
OF_LINES = {
    "outcomes of lines": ("outcome",),
    "responsible parties": ("responsible_party",),
    "billing units": ("billing",),
    "therapy and DOFR category": ("therapy", "dofr_category"),
}
OF_DECISION = ("outcome", "actions", "questions", "clock", "explanation", "ruleset")
MOST_CHARACTERS = 300
NOTHING = "(nothing)"

Item = dict[str, Any]
Place = tuple[str, Any, Any]
"""Where something differs, what was there, and what is there now."""


def rules_of(folder: Path | None) -> RuleSet:
    """The rules in the folder as a version of release 0.1, or the default rules."""
    if folder is None:
        return default_rules()
    document = load_directory(folder)
    return RuleSet.from_document(document, version=1, digest=document.digest, catalogue=catalogue_of(None))


def decided(document: Mapping[str, Any], rule_set: RuleSet, *, explain_all: bool = False) -> Item:
    """The decision and the recorded facts, or the exception that was raised."""
    try:
        order = parse_order(json.dumps(document))
        made = decide(order, rule_set, as_of=TODAY, explain_all=explain_all)
    except Exception as error:
        return {"raised": f"{type(error).__name__}: {error}"}
    decision = made.decision.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"decision": decision, "facts": json.loads(made.facts)}


def random_orders(documents: Iterable[Item], rule_set: RuleSet) -> Iterator[Item]:
    """With the order itself: it is part of what is compared, and can be decided elsewhere."""
    for number, document in enumerate(documents):
        yield {"kind": RANDOM, "name": str(number), "order": document, **decided(document, rule_set)}


def example_orders(rule_set: RuleSet) -> Iterator[Item]:
    """Each also with the explanation of every rule."""
    for path in sorted((PROJECT / "events" / "orders").glob("*.json")):
        document = json.loads(path.read_text("utf-8"))
        yield {"kind": EXAMPLE, "name": path.stem, **decided(document, rule_set)}
        yield {"kind": EXPLAINED, "name": path.stem, **decided(document, rule_set, explain_all=True)}


class FixedClock(datetime):
    """Always the same moment."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> FixedClock:
        """That moment."""
        return cast("FixedClock", NOW.astimezone(tz))


def functions() -> Iterator[Item]:
    """Answers and log lines of all events, orders first, and the layout of what is stored after them."""
    paths = sorted((PROJECT / "events").glob("*.json"), key=lambda path: (not path.stem.startswith("validate"), path))
    with decided_world() as world, patch.object(application, "datetime", FixedClock):
        for path in paths:
            event = json.loads(path.read_text("utf-8"))
            if "httpMethod" in event:
                yield {"kind": EVENT, "name": path.stem, **answered(world, event)}
        yield from stored_items(world)


def answered(world: World, event: Item) -> Item:
    """What the function answers and writes to its log, without what differs from one time to the next."""
    answer, output, errors, _ = send(world, event)
    lines = [json.loads(line) for line in output.splitlines()]
    return {
        "status": answer["statusCode"],
        "headers": masked(answer["multiValueHeaders"]),
        "body": masked(json.loads(answer["body"])),
        "log": masked(lines),
        "errors": errors,
    }


def masked(value: Any) -> Any:
    """The same without times, durations and ids of decisions."""
    if isinstance(value, dict):
        return {name: "(masked)" if name in VOLATILE else masked(held) for name, held in value.items()}
    if isinstance(value, list):
        return [masked(held) for held in value]
    return MASKS[0][0].sub(MASKS[0][1], value) if isinstance(value, str) else value


def stored_items(world: World) -> Iterator[Item]:
    """An item for each table: the shapes of its items' keys, and their attributes with the types that they have."""
    for table in (RULES_TABLE, DECISIONS_TABLE):
        shapes = set()
        for page in world.function.resources.client.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                attributes = [f"{name}:{kind}" for name, value in item.items() for kind in value]
                shapes.add(" ".join([shape(item["PK"]["S"]), shape(item["SK"]["S"]), *sorted(attributes)]))
        yield {"kind": STORED, "name": table, "shapes": sorted(shapes)}


def shape(key: str) -> str:
    """A key without its numbers, digests, ids, and names of rules and tables."""
    key = ONE_OF_MANY.sub(r"\1#(name)", key)
    for pattern, instead in MASKS:
        key = pattern.sub(instead, key)
    return key


def contract() -> Iterator[Item]:
    """The partner contract."""
    path = PROJECT / "docs" / "openapi.json"
    yield {"kind": DOCUMENT, "name": path.name, "contract": json.loads(path.read_text("utf-8"))}


def lines_of(path: Path) -> Iterator[str]:
    """The recorded lines, one an item."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from file


def parts(item: Item) -> Item:
    """What is compared on its own: nothing of the item is left out, and whatever has no name is under `other`."""
    if "decision" not in item:
        return {name: value for name, value in item.items() if name not in {"kind", "name"}}
    decision = dict(item["decision"])
    receipt = decision.pop("receipt")
    lines, findings = decision.pop("lines"), decision.pop("findings")
    found = {name: decision.pop(name, None) for name in OF_DECISION}
    found |= {name: [taken(line, fields) for line in lines] for name, fields in OF_LINES.items()}
    found["findings"] = [taken(finding, ("rule", "verdict", "effect", "lines")) for finding in findings]
    for name, fields in FINDINGS.items():
        found[name] = by_rule(findings, fields)
    compared = {"rule", "verdict", "effect", "lines"}.union(*FINDINGS.values())
    found["other of findings"] = by_rule(findings, sorted(set().union(*findings) - compared))
    found["other"] = decision | {"lines": [left(line, set().union(*OF_LINES.values())) for line in lines]}
    found |= {f"receipt.{name}": digest for name, digest in receipt.items()}
    return found | {"recorded facts": item["facts"], "order": item.get("order")}


def taken(part: Item, names: Iterable[str]) -> Item:
    """Return only these fields."""
    return {name: part[name] for name in names if name in part}


def left(part: Item, names: Iterable[str]) -> Item:
    """Return the fields that are not named."""
    return {name: value for name, value in part.items() if name not in names}


def by_rule(findings: Iterable[Item], names: Iterable[str]) -> Item:
    """These fields of each finding, by its rule and lines."""
    found: Item = {}
    for finding in findings:
        found.setdefault(f"{finding['rule']} of {', '.join(finding['lines'])}", []).append(taken(finding, names))
    return found


def different_parts(old: Item | None, new: Item | None) -> Iterator[tuple[str, Iterator[Place]]]:
    """The name of each part that differs, and where."""
    if old is None or new is None:
        yield f"only in the {'new' if old is None else 'old'} record", iter(())
        return
    before, after = parts(old), parts(new)
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if isinstance(was, dict) and isinstance(now, dict) and name.endswith(" of findings"):
            both = was.keys() & now.keys()
            was, now = taken(was, sorted(both)), taken(now, sorted(both))
        if was != now:
            yield name, places(was, now)


def places(old: Any, new: Any, place: str = "") -> Iterator[Place]:
    """Where they differ, as deep inside as can be said."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from places(old.get(name, NOTHING), new.get(name, NOTHING), f"{place}/{name}")
    elif isinstance(old, list) and isinstance(new, list):
        for index, (was, now) in enumerate(zip_longest(old, new, fillvalue=NOTHING)):
            yield from places(was, now, f"{place}/{index}")
    elif old != new:
        yield place, old, new


def paired(old: Iterable[str], new: Iterable[str]) -> Iterator[tuple[Item | None, Item | None]]:
    """Items of the same kind and name that differ, and at the end those that one side alone has."""
    waiting: tuple[dict[tuple[str, str], Item], ...] = ({}, {})
    for lines in zip_longest(old, new):
        if lines[0] == lines[1]:
            continue
        for side, line in enumerate(lines):
            if line is not None:
                item = json.loads(line)
                waiting[side][item["kind"], item["name"]] = item
        for key in waiting[0].keys() & waiting[1].keys():
            yield waiting[0].pop(key), waiting[1].pop(key)
    yield from ((item, None) for item in waiting[0].values())
    yield from ((None, item) for item in waiting[1].values())


def print_places(label: str, differing: Iterable[Place]) -> None:
    """Each place with what was there and what is there now."""
    for place, old, new in differing:
        was, now = (json.dumps(value, ensure_ascii=False)[:MOST_CHARACTERS] for value in (old, new))
        print(f"    {label} {place}\n      - {was}\n      + {now}")


HELP = (__doc__ or "").replace("\n\n", "\n\n\b\n")  # \b: lines stay as they are
app = typer.Typer(add_completion=False, rich_markup_mode=None, help=HELP)


@app.command()
def record(
    file: Annotated[Path, typer.Argument(help="Where to write: JSON lines, compressed.")],
    orders: Annotated[int, typer.Option(help="How many random orders.")] = 16_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same orders.")] = 4242,
    orders_of: Annotated[Path | None, typer.Option(help="Take the random orders from this record.")] = None,
    rules: Annotated[Path | None, typer.Option(help="Decide under these rules, as a version of release 0.1.")] = None,
) -> None:
    """Write what this checkout does.

    Example: python -m scripts.compare_behavior record old.jsonl.gz
    """
    sent: Iterable[Item] = (document_of(seed, number) for number in range(orders))
    if orders_of is not None:
        recorded = (item["order"] for item in map(json.loads, lines_of(orders_of)) if item["kind"] == RANDOM)
        sent = islice(recorded, orders)
    rule_set = rules_of(rules)
    counts: Counter[str] = Counter()
    with gzip.open(file, "wt", compresslevel=COMPRESSION, encoding="utf-8") as out:
        for items in (contract(), example_orders(rule_set), functions(), random_orders(sent, rule_set)):
            for item in items:
                counts[item["kind"]] += 1
                out.write(json.dumps(item, sort_keys=True) + "\n")
    print(", ".join(f"{kind}: {count}" for kind, count in counts.items()))


@app.command()
def compare(
    old: Annotated[Path, typer.Argument(help="A record.")],
    new: Annotated[Path, typer.Argument(help="The record of a later revision.")],
    show: Annotated[int, typer.Option(help="How many examples of each difference to show.")] = 2,
    most: Annotated[int, typer.Option(help="How many places of one example to show.")] = 4,
) -> None:
    """Count the differences, show some, and exit with 1 if there are any.

    Example: python -m scripts.compare_behavior compare old.jsonl.gz new.jsonl.gz --show 5
    """
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], list[tuple[str, list[Place]]]] = {}
    for before, after in paired(lines_of(old), lines_of(new)):
        item = before or after or {}
        for part, differing in different_parts(before, after):
            counts[item["kind"], part] += 1
            shown = examples.setdefault((item["kind"], part), [])
            if len(shown) < show:
                shown.append((item["name"], list(islice(differing, most))))
    for (kind, part), count in sorted(counts.items()):
        print(f"{kind}, {part}: {count}")
        for name, shown_places in examples[kind, part]:
            print(f"  {name}")
            print_places(part, shown_places)
    print(f"{sum(counts.values())} differences" if counts else "no differences")
    raise typer.Exit(1 if counts else 0)


if __name__ == "__main__":
    app()
