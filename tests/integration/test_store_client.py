"""How DynamoDB is asked: soon given up, and consistently where a decision depends on the answer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.decisions import decide
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.store.decisions import DecisionStore, IdempotencyKey
from infusion_orders.store.dynamodb import dynamodb_client
from infusion_orders.store.versions import RuleSetStore
from infusion_orders_cli.embedded_table import CREDENTIALS, DECISIONS_TABLE, REGION, RULES_TABLE, environment
from infusion_orders_cli.template_tables import read_template, table_definitions
from tests.support.orders import an_order
from tests.support.rules import FOLDER, TODAY, default_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
MOMENT = datetime(2026, 11, 25, 12, tzinfo=UTC)
READS = ("GetItem", "Query")


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    with environment(CREDENTIALS), mock_aws():
        for definition in table_definitions(TEMPLATE):
            dynamodb_client(region=REGION, endpoint_url=None).create_table(**definition)
        yield


def consistency_of_reads(client: Any) -> list[bool]:
    """Filled while the client is used: for each read, whether it was a consistent one."""
    reads: list[bool] = []

    def note(params: dict[str, Any], model: Any, **_more: Any) -> None:
        if model.name in READS:
            reads.append(params.get("ConsistentRead", False))

    client.meta.events.register("provide-client-params.dynamodb", note)
    return reads


def test_a_call_of_an_absent_dynamodb_ends_well_before_the_function_is_stopped() -> None:
    config: Any = dynamodb_client(region=REGION, endpoint_url=None).meta.config
    functions = [
        resource["Properties"]
        for resource in read_template(TEMPLATE)["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    attempts = config.retries["total_max_attempts"]

    longest = attempts * (config.connect_timeout + config.read_timeout)

    globally = read_template(TEMPLATE).get("Globals", {}).get("Function", {}).get("Timeout")
    assert functions
    assert attempts > 1
    assert all(longest < function.get("Timeout", globally) * 0.75 for function in functions)


def test_a_version_is_published_activated_and_loaded_on_what_was_written_last() -> None:
    client = dynamodb_client(region=REGION, endpoint_url=None)
    reads = consistency_of_reads(client)
    default = load_directory(FOLDER)
    document = RuleSetDocument(default.name, default.rules[:1], default.tables)
    store = RuleSetStore(client, RULES_TABLE, document.name)

    version = store.publish(document, by="ann", note="a note", at=MOMENT)
    store.activations.activate(version, by="ann", why="the first", at=MOMENT)
    store.load(version)

    assert len(reads) >= 4
    assert all(reads)


def test_a_decision_is_found_by_its_key_or_id_as_soon_as_it_is_recorded() -> None:
    client = dynamodb_client(region=REGION, endpoint_url=None)
    reads = consistency_of_reads(client)
    store = DecisionStore(client, DECISIONS_TABLE, retention_days=30)
    decided = decide(an_order(), default_rules(), as_of=TODAY)

    for decision_id in ("01JDHA0000000000000000000A", "01JDHA0000000000000000000B"):
        store.record(
            "client-1",
            decided,
            decision_id=decision_id,
            key=IdempotencyKey("a key", "sha256:one"),
            at=MOMENT,
            body="{}",
        )
    store.read("client-1", "01JDHA0000000000000000000A")

    assert reads == [True, True, True]
