"""How long a cold start takes: the built functions and a stock handler, each started afresh in every round.

All run under Lambda's runtime emulator and read the same rule set from the same table of DynamoDB Local.  The times
are the emulator's own: how long the initialisation took, and how long the first request.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import ROUNDS, Times
from benchmarks.reporting import Budget, Report, Table
from infusion_orders.authoring.rule_files import load_directory
from infusion_orders_cli.local.tables import CREDENTIALS, environment, local_tables
from scripts.dynamodb_engine import EngineMissing, dynamodb_local
from scripts.lambda_emulator import Build, CannotEmulate, emulated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROJECT = Path(__file__).parents[1]
STOCK = PROJECT / "benchmarks" / "stock"
LAYER = "InfusionOrdersLayer"
AT_MOST = 0.60
AIM = 0.45
INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)")
"""The init duration of the emulator's REPORT line is none: it leaves out all that happens before the first request."""
REQUEST = re.compile(r"INVOKE RTDONE\(.*?duration: ([0-9.]+)ms")

OURS, OURS_COMPILED_AT_START = "validate", "validate, layer without bytecode"
STOCK_HANDLER, STOCK_WITH_BYTECODE = "stock", "stock, layer with bytecode"
TITLE = "Cold start"
ABOUT = """
Each function is started afresh in each round under the Lambda runtime emulator on Python {python}: the artefact that
`make build-local` built, code and layer read-only, the default rule set in DynamoDB Local. The stock handler is what
one writes with Powertools and boto3 alone (`benchmarks/stock/`): the whole order and decision as pydantic models
behind Powertools' validation, its logger and metrics, boto3's resource. It reads its rules and tables on its first
request and records a decision, but evaluates no rule and verifies no digest. Its layer has the same packages and, as
usual, no bytecode; the line with bytecode shows how much that alone is.

Init is from the start of the process to the moment it asks for a request; validate reads and compiles its rules in
it. The files are in this machine's page cache, and the processor is not throttled: Lambda gives the initialisation a
whole one too, but a request only its share.
"""


@dataclass(frozen=True)
class Contender:
    """A function of a build, and the first event it gets; `status` is that of a good answer, None for no answer."""

    build: Build
    function: str
    event: Any
    status: int | None = 200


@dataclass(frozen=True)
class Start:
    """Seconds of one cold start."""

    init: float
    request: float


class WrongAnswer(Exception):
    """A contender did not do what it is timed for; the text is its answer."""


def report(rounds: int = ROUNDS) -> Report:
    """Says NOT RUN, and why, where there is no build, emulator, runtime or Java."""
    with ExitStack() as running:
        try:
            build = Build.from_environment()
            address = running.enter_context(dynamodb_local())
        except (CannotEmulate, EngineMissing) as missing:
            return Report("startup", TITLE, f"NOT RUN: {missing}.")
        running.enter_context(environment(CREDENTIALS))
        tables = local_tables(
            PROJECT / "template.yaml", load_directory(PROJECT / "rules" / "home-infusion"), endpoint_url=address
        )
        contenders = running.enter_context(built(build))
        starts = started_in_turn(contenders, tables.environment(address), rounds)
        python = build.template()["Parameters"]["Runtime"]["Default"].removeprefix("python")
    return told(starts, python)


@contextmanager
def built(build: Build) -> Iterator[dict[str, Contender]]:
    """Ours as built, and with a layer without bytecode; the stock handler likewise, without our package."""
    order, search = (an_event(name) for name in ("validate-order", "search-rules"))
    layer = build.folder / LAYER
    with tempfile.TemporaryDirectory() as made:
        bare, stock, compiled, code = (Path(made, name) for name in ("bare", "stock", "compiled", "code"))
        shutil.copytree(layer, bare, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(layer, stock, ignore=shutil.ignore_patterns("__pycache__", "infusion_orders"))
        shutil.copytree(layer, compiled, ignore=shutil.ignore_patterns("infusion_orders"))
        shutil.copytree(STOCK, code / "stock", ignore=shutil.ignore_patterns("__pycache__"))
        yield {
            OURS: Contender(build, "ValidateOrders", order),
            STOCK_HANDLER: Contender(_other(build, Path(made, "1"), stock, code), "ValidateOrders", order),
            OURS_COMPILED_AT_START: Contender(_other(build, Path(made, "2"), bare), "ValidateOrders", order),
            STOCK_WITH_BYTECODE: Contender(_other(build, Path(made, "3"), compiled, code), "ValidateOrders", order),
            "manage_rules": Contender(build, "ManageRules", search),
            "replay_decisions": Contender(build, "ReplayExport", {"do": "nothing"}, status=None),
        }


def _other(build: Build, folder: Path, layer: Path, code: Path | None = None) -> Build:
    """The build with another layer, and where `code` is given with the stock handler for validate's."""
    template = build.template()
    template["Resources"][LAYER]["Properties"]["ContentUri"] = str(layer)
    for function in template["Resources"].values():
        if function["Type"] == "AWS::Serverless::Function":
            function["Properties"]["CodeUri"] = str(build.folder / function["Properties"]["CodeUri"])
    if code is not None:
        template["Resources"]["ValidateOrders"]["Properties"] |= {"CodeUri": str(code), "Handler": "stock.app.handler"}
    folder.mkdir()
    (folder / "template.yaml").write_text(json.dumps(template), encoding="utf-8")
    return dataclasses.replace(build, folder=folder)


def an_event(name: str) -> dict[str, Any]:
    """A file of events/."""
    event: dict[str, Any] = json.loads((PROJECT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    return event


def started_in_turn(
    contenders: Mapping[str, Contender], variables: Mapping[str, str], rounds: int
) -> dict[str, list[Start]]:
    """Each contender's starts, one a round; every round begins with another, and one before the first counts not."""
    names = list(contenders)
    starts: dict[str, list[Start]] = {name: [] for name in names}
    for number in range(-1, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            start = started(contenders[name], variables)
            if number >= 0:
                starts[name].append(start)
    return starts


def started(contender: Contender, variables: Mapping[str, str]) -> Start:
    """One cold start and its first request, by the emulator's log.  Raises WrongAnswer."""
    with emulated(contender.build, contender.function, variables) as function:
        answer = function.handler(contender.event)
        if contender.status is not None and answer.get("statusCode") != contender.status:
            raise WrongAnswer(f"{contender.function}: {answer}")
        log = function.log()
    init, request = (float(found[1]) / 1000 if (found := each.search(log)) else 0.0 for each in (INIT, REQUEST))
    if not init or not request:
        raise WrongAnswer(f"{contender.function}: the emulator told no times")
    return Start(init, request)


def told(starts: Mapping[str, Sequence[Start]], python: str) -> Report:
    """The table and the budget."""
    inits = {name: Times(name, tuple(one.init for one in each)) for name, each in starts.items()}
    requests = {name: Times(name, tuple(one.request for one in each)) for name, each in starts.items()}
    both = {name: Times(name, tuple(one.init + one.request for one in each)) for name, each in starts.items()}
    stock = both[STOCK_HANDLER]
    rows = [
        (
            name,
            _milliseconds(inits[name]),
            _milliseconds(requests[name]) if name != "replay_decisions" else "-",
            _milliseconds(both[name]) if name != "replay_decisions" else "-",
            f"{both[name].ratio_to(stock):.2f}" if name in (OURS, OURS_COMPILED_AT_START, STOCK_WITH_BYTECODE) else "-",
        )
        for name in starts
    ]
    ratio = both[OURS].ratio_to(stock)
    budget = Budget("cold start of validate, init and first request, over stock", ratio, AT_MOST)
    note = (
        f"Milliseconds: the median of {len(stock.rounds)} starts, the fastest and the slowest in brackets. "
        f"The aim for validate over stock is {AIM:.2f}. The first request of manage_rules is a search, for which it "
        "loads the rules; that of replay_decisions needs a bucket."
    )
    columns = ("function", "init", "first request", "together", "over stock")
    return Report(
        "startup",
        TITLE,
        ABOUT.format(python=python),
        tables=[Table("Cold starts", columns, rows, note)],
        budgets=[budget],
        ratios={"validate over stock": ratio},
    )


def _milliseconds(times: Times) -> str:
    fastest, slowest = times.spread
    return f"{times.median * 1000:.0f} ({fastest * 1000:.0f} to {slowest * 1000:.0f})"
