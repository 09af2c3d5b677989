"""What a function imports at its start and with its first request: every cold start pays for it."""

from __future__ import annotations

import os
import socket
import subprocess  # our own interpreter and program
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from infusion_orders_cli.local.tables import CREDENTIALS, DECISIONS_TABLE, RULES_TABLE, served_tables
from tests.support.project import PROJECT, TEMPLATE
from tests.support.rules import default_document

if TYPE_CHECKING:
    from collections.abc import Iterator

DEVELOPMENT = ("_pytest", "hypothesis", "moto", "pytest", "unittest")
COMMAND_LINE = (
    "click",
    "infusion_orders.authoring.rule_files",
    "infusion_orders_cli",
    "openpyxl",
    "rich",
    "typer",
    "werkzeug",
    "yaml",
)
UNUSED_PARTS_OF_LIBRARIES = (
    "asyncio",
    "aws_lambda_powertools.event_handler",
    "aws_xray_sdk",
    "boto3",
    "multiprocessing.managers",
    "s3transfer",
)
NEVER = (*DEVELOPMENT, *COMMAND_LINE, *UNUSED_PARTS_OF_LIBRARIES)
AUTHORING = "infusion_orders.authoring"
REPLAY = ("infusion_orders.decisions.replay", "infusion_orders.decisions.replay_report")
HTTP = ("aws_lambda_powertools", "infusion_orders.api.application", "ulid")
"""What answers HTTP requests: a step of a state machine needs none of it."""
FORBIDDEN = {
    "validate_orders": (*NEVER, AUTHORING, *REPLAY),
    "manage_rules": NEVER,
    "replay_decisions": (*NEVER, AUTHORING, *HTTP),
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
    """The modules of a fresh interpreter that ran the program, with the same import path as in Lambda."""
    path = (PROJECT / "functions" / function, PROJECT / "layers" / "infusion_orders")
    environment = {
        **os.environ,
        **CREDENTIALS,
        "RULES_TABLE": RULES_TABLE,
        "DECISIONS_TABLE": DECISIONS_TABLE,
        "RULE_SET": default_document().name,
        "REPLAY_BUCKET": "a-bucket",
        "AWS_ENDPOINT_URL_DYNAMODB": address,
        "PYTHONPATH": os.pathsep.join(map(str, path)),
    }
    finished = subprocess.run(  # noqa: S603 - the interpreter and program are ours
        [sys.executable, "-c", program], env=environment, input=sent, capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 0, finished.stderr
    return set(finished.stderr.split())


def forbidden(modules: set[str], function: str) -> set[str]:
    """The modules that the function must not import."""
    return {name for name in modules for part in FORBIDDEN[function] if name == part or name.startswith(f"{part}.")}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a table server with the default rule set."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served_tables(TEMPLATE, default_document(), host="127.0.0.1", port=port) as served:
        yield served


@pytest.mark.parametrize("function", FORBIDDEN)
def test_start_imports_nothing_that_the_function_does_not_need(function: str) -> None:
    """No table is in reach, so the function starts without rules."""
    modules = modules_of(function, IMPORT, address=NOBODY)

    assert "infusion_orders.decisions" in modules
    assert forbidden(modules, function) == set()


@pytest.mark.parametrize("function", FIRST_REQUEST)
def test_first_request_imports_nothing_that_the_function_does_not_need(function: str, address: str) -> None:
    event = (PROJECT / "events" / f"{FIRST_REQUEST[function]}.json").read_text("utf-8")

    assert forbidden(modules_of(function, REQUEST, address=address, sent=event), function) == set()


def test_garbage_collector_skips_what_the_start_of_validate_made() -> None:
    program = "import gc, app; assert gc.isenabled() and gc.get_freeze_count() > 10_000"

    modules_of("validate_orders", program, address=NOBODY)


@pytest.mark.parametrize("name", sorted({name for names in FORBIDDEN.values() for name in names} - NOT_INSTALLED))
def test_every_forbidden_name_is_a_module(name: str) -> None:
    """A misspelled name would forbid nothing."""
    assert find_spec(name) is not None
