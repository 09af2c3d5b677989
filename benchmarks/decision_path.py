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
from infusion_orders.cli.embedded_table import embedded_tables
from infusion_orders.decisions import decide
from infusion_orders.decisions.findings import actions, findings
from infusion_orders.decisions.judging import judge
from infusion_orders.decisions.questions import questions
from infusion_orders.decisions.receipts import decision_digest, digest
from infusion_orders.facts.case import Case
from infusion_orders.orders.reading import read_order
from infusion_orders.rules.canonical import canonical_json
from infusion_orders.rules.loading import load_directory
from infusion_orders.rules.rule import Verdict
from infusion_orders.store import client as store_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType

    from benchmarks.measuring import Times
    from infusion_orders.decisions.judging import JudgedLine
    from infusion_orders.orders.order import Order
    from infusion_orders.rules.rule_set import RuleSet

EVENT = PROJECT / "events" / "validate-order.json"
BUDGET_MICROSECONDS = 1000
AS_OF = date(2026, 11, 20)
CORE, HANDLER, YARDSTICK = "read, decide, render", "the whole handler", "json.loads and json.dumps of the body"
DECIDE = "decide, as a whole"
PROFILED = 1000
SHOWN = 14
OF_THE_MIX = 400
ABOUT = """
One order of three lines (`events/validate-order.json`) on the default rule set, all parts in the same rounds. The parts
are timed by themselves, on what the part before them gave; deriving facts is what judging takes longer on a fresh case
than on one whose facts are there. The rest of `decide` puts the decision together: lines, parties, billing, clocks. The
handler adds the caller, the record, the log line and the metrics, on a fake DynamoDB client that answers every write at
once.
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
        rule_set = function.rule_sets.active().rule_set
        order = read_order(body)
        times = side_by_side(
            {
                HANDLER: lambda: function.handler(event, context),
                CORE: lambda: core(body, rule_set),
                YARDSTICK: lambda: json.dumps(json.loads(body)),
                **parts(body, order, rule_set),
            }
        )
        mix = [json.dumps(order).encode() for order in islice(orders(), OF_THE_MIX)]
        of_the_mix = [middle_of_three(lambda one=one: core(one, rule_set)) for one in mix]  # type: ignore[misc]
    core_microseconds = times[CORE].median * 1e6
    return Report(
        "decision_path",
        "The way of one order",
        ABOUT,
        tables=[way_table(times), judged_table(order, rule_set), profile_table(body, rule_set), mix_table(of_the_mix)],
        budgets=[Budget(f"{CORE}: three lines, median", core_microseconds, BUDGET_MICROSECONDS, "us")],
        ratios={f"{name} / {YARDSTICK}": times[name].ratio_to(times[YARDSTICK]) for name in (CORE, HANDLER)},
    )


def core(body: bytes, rule_set: RuleSet) -> str:
    """From bytes to bytes, nothing recorded."""
    decision = decide(read_order(body), rule_set, as_of=AS_OF).decision
    return decision.model_dump_json(by_alias=True, exclude_none=True)


def judged(order: Order, rule_set: RuleSet) -> tuple[Case, tuple[JudgedLine, ...]]:
    """A fresh case, and its lines."""
    case = Case(rule_set.catalogue, rule_set.tables, order=order)
    return case, judge(case, rule_set, [line.line_id for line in order.lines])


def parts(body: bytes, order: Order, rule_set: RuleSet) -> Mapping[str, Callable[[], object]]:
    """Each part of the way by its name; names with `+` hold what the part before them does too."""
    case, lines = judged(order, rule_set)
    ids = [line.line_id for line in lines]
    decision = decide(order, rule_set, as_of=AS_OF).decision
    return {
        "read the order": lambda: read_order(body),
        "facts as sent": lambda: Case(rule_set.catalogue, rule_set.tables, order=order),
        "+ facts derived, rules judged": lambda: judged(order, rule_set),
        "candidate rules": lambda: [rule_set.gates.plan(line.facts) for line in lines],
        "rules judged": lambda: judge(case, rule_set, ids),
        "findings": lambda: findings(lines, rule_set),
        "actions": lambda: actions(lines, rule_set),
        "questions": lambda: questions(lines, rule_set),
        "facts to record, and their digest": lambda: digest(canonical_json(case.recorded())),
        "the decision's digest": lambda: decision_digest(decision),
        DECIDE: lambda: decide(order, rule_set, as_of=AS_OF),
        "render": lambda: decision.model_dump_json(by_alias=True, exclude_none=True),
    }


def way_table(times: Mapping[str, Times]) -> Table:
    """What each part takes, and its share of the core."""
    medians = {name: found.median * 1e6 for name, found in times.items()}
    combined = medians.pop("+ facts derived, rules judged")
    medians["facts derived"] = combined - medians["facts as sent"] - medians["rules judged"]
    medians["rules judged"] -= medians["candidate rules"]
    of_decide = (
        "facts as sent",
        "facts derived",
        "candidate rules",
        "rules judged",
        "findings",
        "actions",
        "questions",
        "facts to record, and their digest",
        "the decision's digest",
    )
    medians["the rest of decide"] = medians[DECIDE] - sum(medians[name] for name in of_decide)
    shown = ("read the order", *of_decide, "the rest of decide", "render", CORE, DECIDE, HANDLER, YARDSTICK)
    rows = [(name, f"{medians[name]:.0f}", f"{medians[name] / medians[CORE]:.0%}") for name in shown]
    return Table("From bytes to bytes", ("part", "us", "of the core"), rows)


def judged_table(order: Order, rule_set: RuleSet) -> Table:
    """How many rules are looked at, and what they say."""
    _, lines = judged(order, rule_set)
    rows = []
    for line in lines:
        of_order, of_line = rule_set.gates.plan(line.facts)
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
