"""What a function imports is what every cold start pays for: at the start, and with the first request."""

from __future__ import annotations

import os
import socket
import subprocess  # our own interpreter and program
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infusion_orders_cli.embedded_table import CREDENTIALS, DECISIONS_TABLE, RULES_TABLE, served_tables
from tests.support.rules import default_document

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]
FORBIDDEN = (
    # of development and of the command line
    "_pytest",
    "click",
    "hypothesis",
    "infusion_orders_cli",
    "infusion_orders.authoring.rule_files",
    "moto",
    "openpyxl",
    "pytest",
    "rich",
    "typer",
    "unittest",
    "werkzeug",
    "yaml",
    # of Powertools, for what no function does
    "asyncio",
    "aws_lambda_powertools.event_handler.appsync",
    "aws_lambda_powertools.event_handler.middlewares.openapi_validation",
    "aws_lambda_powertools.event_handler.openapi.dependant",
    "aws_lambda_powertools.event_handler.openapi.models",
    "aws_xray_sdk",
    # what botocore alone does without
    "boto3",
    "multiprocessing.managers",
    "s3transfer",
)
OF_RULE_AUTHORS = (
    "infusion_orders.authoring.table_checks",
    "infusion_orders.authoring.analysis",
    "infusion_orders.authoring.checks",
    "infusion_orders.authoring.coverage",
    "infusion_orders.authoring.differences",
    "infusion_orders.authoring.mutation",
    "infusion_orders.authoring.search",
)
OF_REPLAYS = ("infusion_orders.decisions.replay", "infusion_orders.decisions.replay_report")
OF_REQUESTS = ("aws_lambda_powertools", "infusion_orders.api.partner_api", "ulid")
"""What a step of a state machine has none of."""
NOT_OF = {
    "validate_orders": FORBIDDEN + OF_RULE_AUTHORS + OF_REPLAYS,
    "manage_rules": FORBIDDEN,
    "replay_decisions": FORBIDDEN + OF_RULE_AUTHORS + OF_REQUESTS,
}
NOT_INSTALLED = {"aws_xray_sdk"}
FIRST_REQUEST = {"validate_orders": "validate-order", "manage_rules": "search-rules"}
NOBODY = "http://127.0.0.1:9"
IMPORT = "import sys, app; sys.stderr.write('\\n'.join(sys.modules))"
REQUEST = """
import json, sys, types, app
context = types.SimpleNamespace(aws_request_id="first", get_remaining_time_in_millis=lambda: 20_000)
answer = app.handler(json.load(sys.stdin), context)
assert answer["statusCode"] == 200, answer
sys.stderr.write("\\n".join(sys.modules))
"""


def modules_of(function: str, program: str, *, address: str, sent: str = "") -> set[str]:
    """The modules of a fresh interpreter that ran the program, with the function on its path as Lambda has it."""
    environment = {
        **os.environ,
        **CREDENTIALS,
        "RULES_TABLE": RULES_TABLE,
        "DECISIONS_TABLE": DECISIONS_TABLE,
        "RULE_SET": default_document().name,
        "REPLAY_BUCKET": "a-bucket",
        "AWS_ENDPOINT_URL_DYNAMODB": address,
        "PYTHONPATH": str(PROJECT / "functions" / function),
    }
    finished = subprocess.run(  # noqa: S603 - the interpreter and program are ours
        [sys.executable, "-c", program], env=environment, input=sent, capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 0, finished.stderr
    return set(finished.stderr.split())


def forbidden(modules: set[str], function: str) -> set[str]:
    """Those that the function must not have, and what lies within them."""
    return {name for name in modules if any(name == part or name.startswith(f"{part}.") for part in NOT_OF[function])}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A table server with the default rule set."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served_tables(PROJECT / "template.yaml", default_document(), host="127.0.0.1", port=port) as served:
        yield served


@pytest.mark.parametrize("function", NOT_OF)
def test_a_start_imports_nothing_that_the_function_does_not_need(function: str) -> None:
    """No table is in reach, so it starts without rules."""
    modules = modules_of(function, IMPORT, address=NOBODY)

    assert "infusion_orders.decisions" in modules
    assert forbidden(modules, function) == set()


@pytest.mark.parametrize("function", FIRST_REQUEST)
def test_the_first_request_imports_nothing_that_the_function_does_not_need(function: str, address: str) -> None:
    event = (PROJECT / "events" / f"{FIRST_REQUEST[function]}.json").read_text("utf-8")

    assert forbidden(modules_of(function, REQUEST, address=address, sent=event), function) == set()


@pytest.mark.parametrize("function", NOT_OF)
def test_garbage_is_collected_after_the_start_and_not_in_it(function: str) -> None:
    """And what the start made is not looked through again."""
    program = """
import gc, sys, app
assert gc.isenabled() and gc.get_freeze_count() > 10_000
ours = [name for name in sys.modules if name.startswith("infusion_orders.")]
assert ours[:2] == ["infusion_orders.api", "infusion_orders.api.starting"], ours
"""
    modules_of(function, program, address=NOBODY)


@pytest.mark.parametrize("name", sorted({name for names in NOT_OF.values() for name in names} - NOT_INSTALLED))
def test_every_forbidden_name_is_one_of_a_module(name: str) -> None:
    """A name with a slip would forbid nothing."""
    assert find_spec(name) is not None


def test_powertools_package_gives_all_that_it_has_to_whoever_asks() -> None:
    """Its own code runs late, not never."""
    program = """
import sys
from infusion_orders.api.resolver import APIGatewayRestResolver
from aws_lambda_powertools import event_handler
assert "asyncio" not in sys.modules
from aws_lambda_powertools.event_handler import content_types, openapi
assert "asyncio" not in sys.modules
from aws_lambda_powertools.event_handler import AppSyncResolver, APIGatewayRestResolver as theirs
assert "asyncio" in sys.modules
assert theirs is APIGatewayRestResolver and event_handler.AppSyncResolver is AppSyncResolver
assert all(hasattr(event_handler, name) for name in event_handler.__all__)
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)  # noqa: S603
    assert finished.returncode == 0, finished.stderr
