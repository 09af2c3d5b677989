"""The table server as a function in a container sees it: from another address and for any region."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import boto3
import pytest

from infusion_orders_cli.local.server import PortInUse, container_bridge
from infusion_orders_cli.local.tables import DECISIONS_TABLE, RULES_TABLE, served_tables
from scripts.dynamodb_engine import free_port
from tests.support.rules import default_document

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
SECOND_ADDRESS = "127.0.0.2"
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is one loopback address")


def tables_seen(address: str, *, region: str) -> list[str]:
    signed_in = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "another account's"}
    client = boto3.client("dynamodb", endpoint_url=address, region_name=region, **signed_in)  # type: ignore[call-overload]
    return sorted(client.list_tables()["TableNames"])


@pytest.mark.parametrize("region", ["us-west-2", "us-east-1", "eu-central-1"])
def test_the_tables_are_the_same_for_every_region_and_account(region: str) -> None:
    with served_tables(TEMPLATE, default_document(), host="127.0.0.1", port=free_port()) as at:
        seen = tables_seen(at, region=region)

    assert seen == [DECISIONS_TABLE, RULES_TABLE]


@linux_only
def test_one_server_listens_on_several_addresses_and_frees_them_all() -> None:
    port = free_port()
    rules = default_document()

    for _ in range(2):
        with served_tables(TEMPLATE, rules, host="127.0.0.1", port=port, also=[SECOND_ADDRESS]):
            seen = tables_seen(f"http://{SECOND_ADDRESS}:{port}", region="us-west-2")

    assert seen == [DECISIONS_TABLE, RULES_TABLE]


@linux_only
def test_taken_second_address_is_named() -> None:
    rules = default_document()
    with socket.create_server((SECOND_ADDRESS, 0)) as taken:
        port = taken.getsockname()[1]

        with (
            pytest.raises(PortInUse, match=f"{SECOND_ADDRESS}:{port}"),
            served_tables(TEMPLATE, rules, host="127.0.0.1", port=port, also=[SECOND_ADDRESS]),
        ):
            pass


@linux_only
def test_the_bridge_is_the_address_of_its_network_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infusion_orders_cli.local.server.BRIDGE", b"lo")
    assert container_bridge() == "127.0.0.1"

    monkeypatch.setattr("infusion_orders_cli.local.server.BRIDGE", b"no-such-bridge")
    assert container_bridge() is None


def test_sam_local_uses_the_default_port() -> None:
    from infusion_orders_cli.local.commands import DYNAMODB_PORT

    overrides = json.loads((ROOT / "events/sam-local-env.json").read_text("utf-8"))

    addresses = {variables["AWS_ENDPOINT_URL_DYNAMODB"] for variables in overrides.values()}
    assert addresses == {f"http://host.docker.internal:{DYNAMODB_PORT}"}
