"""Measure cold starts: the built validate function and a stock handler, each started afresh in every round."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.budgets import COLD_START
from benchmarks.measuring import ROUNDS, Times, rotated
from benchmarks.project import PROJECT, default_rules, event, running_dynamodb
from benchmarks.reporting import Report, Table, milliseconds, not_run
from scripts.dynamodb_engine import EngineMissing
from scripts.lambda_emulator import Build, CannotEmulate, emulated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STOCK = PROJECT / "benchmarks" / "stock"
LAYER, FUNCTION = "InfusionOrdersLayer", "ValidateOrders"
INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)")
"""The init duration in the emulator's REPORT line leaves out what happens before the first request."""
REQUEST = re.compile(r"INVOKE RTDONE\(.*?duration: ([0-9.]+)ms")
TITLE = "Cold start, next to a stock handler"
OURS = "validate, as built"
STOCK_HANDLER, STOCK_BYTECODE = "stock handler", "stock handler, layer with bytecode"
ABOUT = """
The built function and a stock handler (`benchmarks/stock/`) take turns under the Lambda runtime emulator; code and
layer are read-only, the rules are in DynamoDB Local. The stock handler is what an engineer writes by default:
Powertools' validating resolver with our pydantic models, logger, metrics, a boto3 resource. It reads the rules and
records a decision, but judges no rule and verifies no digest. Its layer has no bytecode, as SAM builds it; the last
line shows what bytecode alone is worth. *Init* includes reading the rules in validate, but not in the stock handler.
"""


def report(rounds: int = ROUNDS) -> Report:
    """Measure, if this machine has a build, the emulator, the runtime and Java."""
    try:
        build = Build.from_environment()
        with running_dynamodb(default_rules()) as (_, variables), contenders(build) as builds:
            return told(*in_turn(builds, variables, rounds))
    except (CannotEmulate, EngineMissing) as missing:
        return not_run(TITLE, missing)


@contextmanager
def contenders(build: Build) -> Iterator[dict[str, Build]]:
    """Yield the builds: ours, and the stock handler's without and with bytecode in its layer."""
    layer, bytecode = build.folder / LAYER, shutil.ignore_patterns("__pycache__")
    with tempfile.TemporaryDirectory() as made:
        stock, stock_bytecode, code = (Path(made, name) for name in ("stock", "bytecode", "code"))
        shutil.copytree(layer, stock, ignore=bytecode)
        shutil.copytree(layer, stock_bytecode)
        for folder in (stock, stock_bytecode):
            use_models_only(folder)
        shutil.copytree(STOCK, code / "stock", ignore=bytecode)
        yield {
            OURS: build,
            STOCK_HANDLER: changed(build, Path(made, "1"), stock, code),
            STOCK_BYTECODE: changed(build, Path(made, "2"), stock_bytecode, code),
        }


def use_models_only(layer: Path) -> None:
    """Empty the `__init__` that imports the evaluator, so that importing a decision's model imports models only."""
    decisions = layer / "python" / "infusion_orders" / "decisions"
    shutil.rmtree(decisions / "__pycache__", ignore_errors=True)
    (decisions / "__init__.py").write_text("", encoding="utf-8")


def changed(build: Build, folder: Path, layer: Path, code: Path) -> Build:
    """Return the build with the stock handler as its function and another layer."""
    template = build.template()
    template["Resources"][LAYER]["Properties"]["ContentUri"] = str(layer)
    template["Resources"][FUNCTION]["Properties"] |= {"CodeUri": str(code), "Handler": "stock.app.handler"}
    folder.mkdir()
    (folder / "template.yaml").write_text(json.dumps(template), encoding="utf-8")
    return dataclasses.replace(build, folder=folder)


def in_turn(
    builds: Mapping[str, Build], variables: Mapping[str, str], rounds: int
) -> tuple[dict[str, Times], dict[str, Times]]:
    """Return the times of init and first request by contender.  A round before the first is not counted."""
    names = list(builds)
    inits: dict[str, list[float]] = {name: [] for name in names}
    requests: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-1, rounds):
        for name in rotated(names, number):
            init, request = start(builds[name], variables)
            if number >= 0:
                inits[name].append(init)
                requests[name].append(request)
    return tuple({name: Times(tuple(found[name])) for name in names} for found in (inits, requests))  # type: ignore[return-value]


def start(build: Build, variables: Mapping[str, str]) -> tuple[float, float]:
    """Start a function, send one order, and return the seconds of init and request."""
    with emulated(build, FUNCTION, variables) as function:
        answer = function.handler(event("validate-order"))
        log = function.log()
    init, request = INIT.search(log), REQUEST.search(log)
    if answer.get("statusCode") != 200 or init is None or request is None:
        raise SystemExit(f"A cold start was not answered as it must be: {answer}")
    return float(init[1]) / 1000, float(request[1]) / 1000


def told(inits: Mapping[str, Times], requests: Mapping[str, Times]) -> Report:
    """Return the report of all starts."""
    whole = {
        name: Times(tuple(map(sum, zip(inits[name].rounds, requests[name].rounds, strict=True)))) for name in inits
    }
    rows = [
        (
            name,
            milliseconds(inits[name].median),
            milliseconds(requests[name].median),
            milliseconds(whole[name].median),
            " to ".join(milliseconds(bound) for bound in whole[name].spread),
            f"{whole[name].ratio_to(whole[STOCK_HANDLER]):.2f}",
        )
        for name in whole
    ]
    ratio = whole[OURS].ratio_to(whole[STOCK_HANDLER])
    columns = ("", "init", "first request", "together", "fastest to slowest", "over stock")
    return Report(
        TITLE,
        ABOUT,
        tables=[Table("Milliseconds", columns, rows)],
        noticed=[("a cold start, first answer included", f"{milliseconds(whole[OURS].median)} ms")],
        budgets={COLD_START: ratio},
        ratios={"validate / stock handler": ratio},
    )
