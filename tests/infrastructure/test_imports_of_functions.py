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
from tests.support.default_rules import default_document

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
    # of Powertools only the logger is used
    "asyncio",
    "aws_lambda_powertools.event_handler",
    "aws_xray_sdk",
    # what botocore alone does without
    "boto3",
    "multiprocessing.managers",
    "s3transfer",
)
AUTHORING = "infusion_orders.authoring"
OF_REPLAYS = ("infusion_orders.decisions.replay", "infusion_orders.decisions.replay_report")
OF_REQUESTS = ("aws_lambda_powertools", "infusion_orders.api.application", "ulid")
"""What answers HTTP requests: a step of a state machine has none."""
NOT_OF = {
    "validate_orders": (*FORBIDDEN, AUTHORING, *OF_REPLAYS),
    "manage_rules": FORBIDDEN,
    "replay_decisions": (*FORBIDDEN, AUTHORING, *OF_REQUESTS),
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
        "PYTHONPATH": os.pathsep.join(
            map(str, (PROJECT / "functions" / function, PROJECT / "layers" / "infusion_orders"))
        ),
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


def test_collector_skips_what_the_start_of_validate_made() -> None:
    program = "import gc, app; assert gc.isenabled() and gc.get_freeze_count() > 10_000"

    modules_of("validate_orders", program, address=NOBODY)


@pytest.mark.parametrize("name", sorted({name for names in NOT_OF.values() for name in names} - NOT_INSTALLED))
def test_every_forbidden_name_is_one_of_a_module(name: str) -> None:
    """A name with a slip would forbid nothing."""
    assert find_spec(name) is not None
