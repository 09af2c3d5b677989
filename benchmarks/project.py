"""The default rules, the example orders, and the validate function on DynamoDB Local, for all benchmarks."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from botocore.client import BaseClient

from infusion_orders.authoring.rule_files import read_directory
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders_cli.local.tables import CREDENTIALS, environment, local_tables
from scripts.dynamodb_engine import dynamodb_local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from infusion_orders.rules.document import RuleSetDocument
    from infusion_orders_cli.local.tables import LocalTables

    Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

PROJECT = Path(__file__).parents[1]
TEMPLATE = PROJECT / "template.yaml"
FUNCTION = PROJECT / "functions" / "validate_orders" / "app.py"
AS_OF = date(2026, 11, 20)


@cache
def default_rules() -> RuleSetDocument:
    """Return the default rule set as read from its files.  Its checks are not part of any measurement."""
    return read_directory(PROJECT / "rules" / "home-infusion")[0]


def ready(rules: RuleSetDocument) -> RuleSet:
    """Return a rule set that can decide."""
    return RuleSet.from_document(rules, version=1, digest=rules.digest)


def event(name: str) -> dict[str, Any]:
    """Return an API Gateway event from `events/`."""
    document: dict[str, Any] = json.loads((PROJECT / "events" / f"{name}.json").read_text("utf-8"))
    return document


def order_body() -> bytes:
    """Return the example order of three lines as a partner sends it."""
    body: str = event("validate-order")["body"]
    return body.encode()


def example_orders() -> Iterator[dict[str, Any]]:
    """Yield the example orders without end: varied by member, group and vendor, and cut to 1 to 4 lines."""
    examples = [json.loads(path.read_text("utf-8")) for path in sorted((PROJECT / "events" / "orders").glob("*.json"))]
    number = 0
    while True:
        order = json.loads(json.dumps(examples[number % len(examples)]))
        order["member"]["birth_date"] = f"{1930 + number % 80}-03-02"
        order["member"]["medical_group"]["risk_arrangement"] = ("shared_risk", "full_risk", "dual_risk")[number % 3]
        order["infusion_provider"]["vendor"] = ("coram", "acme-infusion")[number // 3 % 2]
        order["lines"] = order["lines"][: 1 + number % 4]
        number += 1
        yield order


@contextmanager
def running_dynamodb(rules: RuleSetDocument) -> Iterator[tuple[LocalTables, Mapping[str, str]]]:
    """Run DynamoDB Local with these rules active; yield its tables and a function's environment.

    Raises EngineMissing.
    """
    with dynamodb_local() as address, environment(CREDENTIALS):
        tables = local_tables(TEMPLATE, rules, endpoint_url=address)
        variables = {**tables.environment(address), "RULES_REFRESH_SECONDS": "3600", "SERVICE_NAME": "benchmark"}
        os.environ.update(variables)
        yield tables, variables


def load_handler() -> Handler:
    """Import the validate function as Lambda does and return its handler."""
    spec = importlib.util.spec_from_file_location("validate_orders_app", FUNCTION)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(FUNCTION)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    handler: Handler = module.handler
    return handler


class WarmContext:
    """A Lambda context with time to spare."""

    aws_request_id = "benchmark"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return the time that Lambda would still give."""
        return 30_000


@contextmanager
def dynamodb_calls(around: Callable[[str, dict[str, Any], Callable[[], Any]], Any]) -> Iterator[None]:
    """Pass every call of a DynamoDB client to `around(operation, parameters, send)`; its result is the answer.

    botocore sends all calls of all clients through this one method, so the code under test stays as it is.
    """
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        return around(operation, parameters, lambda: original(client, operation, parameters))

    with mock.patch.object(BaseClient, "_make_api_call", call):
        yield


@contextmanager
def silenced() -> Iterator[None]:
    """Send log lines and metrics to the null device: they are written, but nobody reads them."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
