"""How long one order takes, warm, in this process: the whole handler, the core alone, and each part of its way.

The handler is the real one, on events/validate-order.json and the default rule set, with a fake DynamoDB client that
answers every write at once, which leaves our own time.
"""

from __future__ import annotations

import contextlib
import cProfile
import importlib.util
import json
import os
import pstats
import statistics
from datetime import date
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import side_by_side
from benchmarks.orders import PROJECT, orders
from benchmarks.reporting import Budget, Report, Table
from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.decisions import decide
from infusion_orders.decisions.findings import actions, findings
from infusion_orders.decisions.judgement import judge_order
from infusion_orders.decisions.questions import questions
from infusion_orders.facts.case import Case
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.digests import canonical_json_of_sorted, digest
from infusion_orders.rules.rule import Verdict
from infusion_orders.store import dynamodb as store_client
from infusion_orders_cli.local.tables import embedded_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType

    from benchmarks.measuring import Times
    from infusion_orders.decisions.judgement import JudgedLine
    from infusion_orders.orders.order import Order
    from infusion_orders.rules.rule_set import RuleSet

EVENT = PROJECT / "events" / "validate-order.json"
BUDGET_MICROSECONDS = 1000
AS_OF = date(2026, 11, 20)
CORE, HANDLER, YARDSTICK = "read, decide, render", "the whole handler", "json.loads and json.dumps of the body"
DECIDED = "the decision put together, and its digest"
JUDGED = "facts derived and rules judged"
JUDGED_ALONE, CANDIDATES_ALONE = "rules judged, facts there", "candidate rules, facts there"
WAY_ROUNDS = 15
"""Parts are differences of what takes hundreds of microseconds."""
PROFILED = 1000
SHOWN = 14
OF_THE_MIX = 400
ABOUT = """
One order of three lines (`events/validate-order.json`) on the default rule set, everything in the same rounds. The way
is run up to each of its parts, on a fresh order each time: a part takes what the way takes longer with it than without.
Parts run alone, again and again on the same objects, would seem cheaper than they are on the way.

Two parts cannot be told apart so. Judging asks for facts as it goes: what finding the candidates and judging them take
on facts that are there already is timed alone, and the rest of judging is counted as deriving facts, the conditions
that several rules share among them. The decision is put together and its digest made in one: line decisions with their
party and billing, the clock, the receipt. The handler adds the caller, the record, the log line and the metrics, on a
fake DynamoDB client that answers every write at once.
"""


class FakeDynamoDBThatAnswersWritesAtOnce:
    """Reads go to the moto table (none happen once the function is warm); writes are dropped."""

    def __init__(self, client: Any) -> None:
        """Around a client that holds the rule set and the partner."""
        self._client = client

    def put_item(self, **_request: Any) -> dict[str, Any]:
        """As if it were stored."""
        return {}

    def transact_write_items(self, **_request: Any) -> dict[str, Any]:
        """As if it were stored."""
        return {}

    def __getattr__(self, name: str) -> Any:
        """Everything else is the real client's."""
        return getattr(self._client, name)


class WarmContext:
    """A Lambda context with time to spare."""

    aws_request_id = "benchmark"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """As at the start of an invocation."""
        return 20_000


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Log lines and metrics are written, but to nowhere."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def load_function(name: str, client: Any) -> ModuleType:
    """functions/validate_orders/app.py, as Lambda imports it, on this client."""
    original = store_client.dynamodb_client
    store_client.dynamodb_client = lambda **_settings: client
    os.environ["SERVICE_NAME"] = name
    try:
        spec = importlib.util.spec_from_file_location(name, PROJECT / "functions" / "validate_orders" / "app.py")
        if spec is None or spec.loader is None:
            raise FileNotFoundError(name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        store_client.dynamodb_client = original
    return module


def report() -> Report:
    """The order's way, where the profiler sees the time, and the example mix."""
    event: dict[str, Any] = json.loads(EVENT.read_text(encoding="utf-8"))
    body = event["body"].encode()
    document = load_directory(PROJECT / "rules" / "home-infusion")
    with embedded_tables(PROJECT / "template.yaml", document) as tables, silenced():
        os.environ.update({**tables.environment(), "RULES_REFRESH_SECONDS": "3600"})
        function = load_function("decision_path", FakeDynamoDBThatAnswersWritesAtOnce(tables.client))
        context = WarmContext()
        status = function.handler(event, context)["statusCode"]
        if status != 200:
            raise SystemExit(f"The handler answered {status} to {EVENT.name}: there is nothing to time.")
        rule_set = function.resources.rule_sets.active().rule_set
        order = parse_order(body)
        times = side_by_side(
            {
                HANDLER: lambda: function.handler(event, context),
                CORE: lambda: core(body, rule_set),
                YARDSTICK: lambda: json.dumps(json.loads(body)),
                **way(body, rule_set),
                **judging_alone(order, rule_set),
            },
            rounds=WAY_ROUNDS,
        )
        mix = [json.dumps(order).encode() for order in islice(orders(), OF_THE_MIX)]
        of_the_mix = [middle_of_three(lambda one=one: core(one, rule_set)) for one in mix]  # type: ignore[misc]
    core_microseconds = times[CORE].median * 1e6
    return Report(
        "decision_path",
        "The way of one order",
        ABOUT,
        tables=[
            way_table(times, [*way(body, rule_set), CORE]),
            judged_table(order, rule_set),
            profile_table(body, rule_set),
            mix_table(of_the_mix),
        ],
        budgets=[Budget(f"{CORE}: three lines, median", core_microseconds, BUDGET_MICROSECONDS, "us")],
        ratios={f"{name} / {YARDSTICK}": times[name].ratio_to(times[YARDSTICK]) for name in (CORE, HANDLER)},
    )


def core(body: bytes, rule_set: RuleSet) -> str:
    """From bytes to bytes, nothing recorded."""
    decision = decide(parse_order(body), rule_set, as_of=AS_OF).decision
    return decision.model_dump_json(by_alias=True, exclude_none=True)


def judged(order: Order, rule_set: RuleSet) -> tuple[Case, tuple[JudgedLine, ...]]:
    """A fresh case, and its lines."""
    case = Case(rule_set.catalogue, rule_set.tables, order=order)
    return case, judge_order(case, rule_set, [line.line_id for line in order.lines])


def steps(body: bytes, rule_set: RuleSet) -> Iterator[str]:
    """What reading and `decide` do, as far as public functions do it: the name of each part once it is done."""
    order = parse_order(body)
    yield "read the order"
    case = Case(rule_set.catalogue, rule_set.tables, order=order)
    yield "facts as sent"
    lines = judge_order(case, rule_set, [line.line_id for line in order.lines])
    yield JUDGED
    findings(lines, rule_set)
    actions(lines, rule_set)
    questions(lines, rule_set)
    yield "findings, actions, questions"
    digest(canonical_json_of_sorted(case.recorded()))
    yield "facts to record, and their digest"


def way(body: bytes, rule_set: RuleSet) -> dict[str, Callable[[], object]]:
    """The way from its beginning up to each part, by that part's name; rendering, the last, makes it the core."""
    names = list(steps(body, rule_set))
    up_to = {name: lambda at=at: next(islice(steps(body, rule_set), at, None)) for at, name in enumerate(names)}
    return {**up_to, DECIDED: lambda: decide(parse_order(body), rule_set, as_of=AS_OF)}


def judging_alone(order: Order, rule_set: RuleSet) -> dict[str, Callable[[], object]]:
    """On facts that are there."""
    case, lines = judged(order, rule_set)
    ids = [line.line_id for line in lines]
    return {
        CANDIDATES_ALONE: lambda: [rule_set.candidates.of_line(line.facts) for line in lines],
        JUDGED_ALONE: lambda: judge_order(case, rule_set, ids),
    }


def way_table(times: Mapping[str, Times], on_the_way: Sequence[str]) -> Table:
    """What each part takes, and its share of the core."""
    microseconds: dict[str, float] = {}
    before = None
    for name in on_the_way:
        microseconds["render" if name == CORE else name] = 1e6 * (
            times[name].longer_than(before) if before else times[name].median
        )
        before = times[name]
    candidates, rules = (times[name].median * 1e6 for name in (CANDIDATES_ALONE, JUDGED_ALONE))
    within = {"facts derived": microseconds[JUDGED] - rules, "candidate rules": candidates}
    within["rules judged"] = rules - candidates
    wholes = {name: times[name].median * 1e6 for name in (CORE, HANDLER, YARDSTICK)}
    core_takes = wholes[CORE]
    shown: list[tuple[str, float]] = []
    for name, value in {**microseconds, **wholes}.items():
        shown += within.items() if name == JUDGED else [(name, value)]
    rows = [(name, f"{value:.0f}", f"{value / core_takes:.0%}") for name, value in shown]
    return Table("From bytes to bytes", ("part", "us", "of the core"), rows)


def judged_table(order: Order, rule_set: RuleSet) -> Table:
    """How many rules are looked at, and what they say."""
    _, lines = judged(order, rule_set)
    rows = []
    for line in lines:
        of_order, of_line = rule_set.candidates.of_line(line.facts)
        told = [line.verdict(position) for position in range(len(rule_set.rules))]
        candidates = len(of_order) + len(of_line)
        rows.append((line.line_id, *(str(n) for n in (len(told), candidates, told.count(Verdict.SATISFIED)))))
    return Table("Rules that are looked at", ("line", "rules", "candidates", "satisfied"), rows)


def profile_table(body: bytes, rule_set: RuleSet) -> Table:
    """The functions that take most time themselves; the profiler makes calls dearer than they are."""
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(PROFILED):
        core(body, rule_set)
    profile.disable()
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    whole = sum(own for _, _, own, _, _ in stats.values())
    most = sorted(stats.items(), key=lambda item: -item[1][2])[:SHOWN]
    rows = [
        (_place(place, name), f"{calls / PROFILED:.0f}", f"{own / whole:.1%}")
        for (place, _, name), (_, calls, own, _, _) in most
    ]
    return Table("Where the profiler sees the time", ("function", "calls an order", "own share"), rows)


def _place(place: str, name: str) -> str:
    return f"{Path(place).stem}.{name}" if place.endswith(".py") else name.strip("<>")


def middle_of_three(call: Callable[[], object]) -> float:
    """Seconds: the middle of three calls after one that does not count."""
    call()
    found = []
    for _ in range(3):
        started = perf_counter()
        call()
        found.append(perf_counter() - started)
    return statistics.median(found)


def mix_table(seconds: Sequence[float]) -> Table:
    """Of the example orders, varied."""
    tails = statistics.quantiles(seconds, n=100)
    rows = [(f"{CORE}, {len(seconds)} orders", *(f"{tails[at] * 1e6:.0f}" for at in (49, 94, 98)))]
    return Table("The example orders, varied, of 1 to 4 lines", ("what", "us, p50", "p95", "p99"), rows)
