"""What more rules, more lines and larger tables cost an order: time side by side, memory in a process for each size."""

from __future__ import annotations

import gc
import json
import subprocess  # this module again, once a size
import sys
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.grown import grown_crosswalk, grown_rules, with_lines
from benchmarks.measuring import growth, side_by_side
from benchmarks.orders import PROJECT
from benchmarks.reporting import Budget, Plot, Report, Table
from infusion_orders.authoring.rule_files import read_directory
from infusion_orders.decisions import decide
from infusion_orders.decisions.judgement import judge_order
from infusion_orders.facts.case import Case
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.rule_set import RuleSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.measuring import Times
    from infusion_orders.orders.order import Order
    from infusion_orders.rules.document import RuleSetDocument

RULES = (100, 1_000, 10_000)
LINES = (1, 3, 20, 100)
ROWS = (500, 10_000, 100_000)
MOST_OF_10_000_RULES = 3.0
PROCESSES = 3
"""Fresh ones, for each size: one alone differs from the next by half."""
AS_OF = date(2026, 11, 20)
ABOUT = f"""
The order is that of `events/validate-order.json`, three lines. **Rules**: the default rule set, grown by variants of
its rules, each for twelve codes of the tables, a line of business and a period, half of them for a therapy. **Lines**:
the order's own lines, again and again, a month apart. **Rows**: of the codes and of the crosswalk alike. Times are of
`decide`, all sizes in the same rounds. The first order is decided in a process of its own, the median of {PROCESSES},
and as in a function no garbage is looked for meanwhile: it builds the indexes of the tables, and compiles the rules
that are candidates. Memory is what that process gained, resident, from before the rule set was made of its plain JSON
to after the first order, the plain JSON not counted. The growth is the exponent of the power law that fits best: 1 is
linear, 0 is none.
"""


@cache
def document() -> RuleSetDocument:
    """The default rule set; its checks are not what is measured."""
    return read_directory(PROJECT / "rules" / "home-infusion")[0]


@cache
def plain_order() -> dict[str, Any]:
    """The example order."""
    event = json.loads((PROJECT / "events" / "validate-order.json").read_text("utf-8"))
    order: dict[str, Any] = json.loads(event["body"])
    return order


def an_order(lines: int = 3) -> Order:
    """Of so many lines."""
    return parse_order(json.dumps(with_lines(plain_order(), lines)))


def ready(grown: RuleSetDocument) -> RuleSet:
    """A rule set of it."""
    return RuleSet.from_document(grown, version=1, digest="sha256:0")


GROWN: Mapping[str, Callable[[int], RuleSetDocument]] = {
    "rules": lambda size: grown_rules(document(), size),
    "rows": lambda size: grown_crosswalk(document(), size),
}


def deciding(order: Order, rule_set: RuleSet) -> Callable[[], object]:
    """A decision of the order."""
    return lambda: decide(order, rule_set, as_of=AS_OF)


def report() -> Report:
    """Rules, lines and rows."""
    times = {
        "rules": timed({size: deciding(an_order(), ready(GROWN["rules"](size))) for size in RULES}),
        "lines": timed({size: deciding(an_order(size), ready(document())) for size in LINES}),
        "rows": timed({size: deciding(an_order(), ready(GROWN["rows"](size))) for size in ROWS}),
    }
    once = {what: {size: once_each(what, size) for size in times[what]} for what in GROWN}
    ten_thousand = times["rules"][10_000].ratio_to(times["rules"][100])
    return Report(
        "scale",
        "Scale",
        ABOUT,
        tables=[table_of(what, times[what], once.get(what)) for what in times],
        plots=[plot_of(what, times[what], once.get(what)) for what in times],
        budgets=[Budget("an order under 10,000 rules, over one under 100", ten_thousand, MOST_OF_10_000_RULES)],
        ratios={
            "10,000 rules / 100": ten_thousand,
            "1,000 rules / 100": times["rules"][1_000].ratio_to(times["rules"][100]),
            "100 lines / 3, a line": times["lines"][100].ratio_to(times["lines"][3]) * 3 / 100,
            "100,000 rows / 500": times["rows"][100_000].ratio_to(times["rows"][500]),
        },
    )


def timed(decisions: Mapping[int, Callable[[], object]]) -> dict[int, Times]:
    """By size, in the same rounds."""
    times = side_by_side({str(size): decision for size, decision in decisions.items()})
    return {int(size): found for size, found in times.items()}


@dataclass(frozen=True)
class Once:
    """A fresh process's first order in milliseconds, the megabytes it gained, and how many rules applied to a line.

    `variants` of those are none of the default rule set.
    """

    milliseconds: float
    megabytes: float
    applied: int
    variants: int


def once_each(what: str, size: int) -> Once:
    """The median of fresh processes, each figure for itself."""
    command = [sys.executable, "-m", "benchmarks.scale", what, str(size)]
    found = []
    for _ in range(PROCESSES):
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT)  # noqa: S603 - ours
        found.append(json.loads(answer.stdout))
    return Once(**{name: median(one[name] for one in found) for name in found[0]})


def first_order(what: str, size: int) -> Once:
    """Of this process, in which no garbage is looked for from here on: growing left much to look through."""
    grown, order = GROWN[what](size), an_order()
    own = {rule["id"] for rule in document().rules}
    gc.collect()
    gc.disable()
    before = megabytes_held()
    rule_set = ready(grown)
    started = perf_counter()
    deciding(order, rule_set)()
    milliseconds, megabytes = (perf_counter() - started) * 1000, megabytes_held() - before
    case = Case(rule_set.catalogue, rule_set.tables, order=order)
    judged = judge_order(case, rule_set, [line.line_id for line in order.lines])
    applied = {rule_set.rules[position].id for line in judged for position in line.verdicts}
    return Once(milliseconds, megabytes, len(applied), len(applied - own))


def megabytes_held() -> float:
    """By this process, in memory."""
    import os

    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def table_of(what: str, times: Mapping[int, Times], once: Mapping[int, Once] | None) -> Table:
    """A row for each size."""
    columns = [what, "us an order, median", "fastest and slowest round", "over the smallest"]
    if once is not None:
        columns += ["ms, first order", "MB", "rules that applied", "variants among them"]
    smallest = next(iter(times.values()))
    rows = []
    for size, found in times.items():
        low, high = found.spread
        row = [
            f"{size:,}",
            f"{found.median * 1e6:,.0f}",
            f"{low * 1e6:,.0f} to {high * 1e6:,.0f}",
            f"{found.ratio_to(smallest):.2f}",
        ]
        if once is not None:
            one = once[size]
            row += [f"{one.milliseconds:.1f}", f"{one.megabytes:.1f}", str(one.applied), str(one.variants)]
        rows.append(row)
    return Table(what.capitalize(), columns, rows, growth_of(times))


def growth_of(times: Mapping[int, Times]) -> str:
    """Over all sizes, and between the two largest, where what does not grow hides least."""
    sizes, medians = list(times), [found.median for found in times.values()]
    overall, last = growth(sizes, medians), growth(sizes[-2:], medians[-2:])
    return f"Growth of the time: {overall:.2f}; between the two largest: {last:.2f}."


def plot_of(what: str, times: Mapping[int, Times], once: Mapping[int, Once] | None) -> Plot:
    """Microseconds over sizes."""
    series: dict[str, Sequence[tuple[float, float]]] = {
        "an order, warm (us)": [(size, found.median * 1e6) for size, found in times.items()]
    }
    if once is not None:
        series["the first order (us)"] = [(size, found.milliseconds * 1000) for size, found in once.items()]
        series["memory (KB)"] = [(size, max(found.megabytes, 0.1) * 1000) for size, found in once.items()]
    return Plot(f"{what}.svg", f"Deciding an order by the number of {what}", what, "us, KB", series)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(first_order(sys.argv[1], int(sys.argv[2])))))
