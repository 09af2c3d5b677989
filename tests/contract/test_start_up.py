"""What a function imports is what every cold start pays for."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from infusion_orders.cli.embedded_table import CREDENTIALS, DECISIONS_TABLE, RULES_TABLE
from tests.contract.partner_system import PROJECT

FORBIDDEN = (
    "moto",
    "rich",
    "typer",
    "yaml",
    "aws_xray_sdk",
    "hypothesis",
    "infusion_orders.cli",
    "infusion_orders.rules.loading",
    "aws_lambda_powertools.event_handler.openapi.models",
    "aws_lambda_powertools.event_handler.openapi.dependant",
    "aws_lambda_powertools.event_handler.middlewares.openapi_validation",
)
NOBODY = "http://127.0.0.1:9"


def imported_by(function: str) -> set[str]:
    """The modules of a fresh interpreter that imported the function as Lambda does, with no table in reach."""
    folder = PROJECT / "functions" / function
    environment = {
        **os.environ,
        **CREDENTIALS,
        "RULES_TABLE": RULES_TABLE,
        "DECISIONS_TABLE": DECISIONS_TABLE,
        "AWS_ENDPOINT_URL_DYNAMODB": NOBODY,
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }
    program = "import sys, app; print('\\n'.join(sys.modules), file=sys.stderr)"
    finished = subprocess.run(  # noqa: S603 - the interpreter and program are ours
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return set(finished.stderr.split())


@pytest.mark.parametrize("function", ["validate_orders", "manage_rules"])
def test_a_function_imports_nothing_that_only_development_needs(function: str) -> None:
    modules = imported_by(function)

    assert "infusion_orders.decisions" in modules
    found = {name for name in modules if any(name == part or name.startswith(f"{part}.") for part in FORBIDDEN)}
    assert found == set()


def test_the_function_that_partners_wait_for_loads_nothing_of_the_rule_authors() -> None:
    modules = imported_by("validate_orders")
    authors = ("infusion_orders.rules.analysis", "infusion_orders.rules.checks", "infusion_orders.decisions.replay")
    assert {name for name in modules if name.startswith(authors)} == set()
