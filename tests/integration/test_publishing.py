"""The commands of a new stack: publish and activate rules, register partners."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from infusion_orders.store.dynamodb import dynamodb_client
from infusion_orders.store.partners import PartnerStore
from infusion_orders.store.versions import RuleSetStore
from infusion_orders_cli.local.tables import REGION, served_tables
from infusion_orders_cli.main import app
from tests.support.rules import default_document

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules" / "home-infusion"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served_tables(ROOT / "template.yaml", default_document(), host="127.0.0.1", port=port) as address:
        yield address


def run(address: str, *arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments, "--table", "RulesTable", "--endpoint-url", address])


def store(address: str) -> RuleSetStore:
    return RuleSetStore(dynamodb_client(region=REGION, endpoint_url=address), "RulesTable", "home-infusion")


def test_published_version_decides_only_once_activated(address: str) -> None:
    before = store(address).activations.pointer()
    assert before is not None
    published = run(address, "rules", "publish", str(RULES), "--note", "again", "--by", "ann")
    assert published.exit_code == 0
    assert store(address).activations.pointer() == before

    next_version = before.version + 1
    activated = run(address, "rules", "activate", str(next_version), "--why", "again", "--by", "bob")
    after = store(address).activations.pointer()
    assert activated.exit_code == 0
    assert after is not None
    assert (after.version, after.by, after.previous) == (next_version, "bob", before.version)


def test_missing_version_is_not_activated(address: str) -> None:
    before = store(address).activations.pointer()
    refused = run(address, "rules", "activate", "999", "--why", "a slip")
    assert refused.exit_code == 1
    assert store(address).activations.pointer() == before


def test_rules_that_do_not_load_are_not_published(address: str, tmp_path: Path) -> None:
    folder = tmp_path / "home-infusion"
    shutil.copytree(RULES, folder)
    setting = folder / "setting.yaml"
    setting.write_text(setting.read_text().replace("care.plan_of_care, is: true", "care.plan_of_car, is: true"))
    refused = run(address, "rules", "publish", str(folder), "--note", "a slip")
    assert refused.exit_code == 2
    assert "care.plan_of_care" in " ".join(refused.stderr.split())


def test_partner_is_registered_with_its_lines_of_business(address: str) -> None:
    added = run(address, "partners", "add", "client-1", "--name", "Valley", "--line-of-business", "medi_cal")
    assert added.exit_code == 0
    partners = PartnerStore(
        dynamodb_client(region=REGION, endpoint_url=address), "RulesTable", refresh_seconds=0, clock=lambda: 0.0
    )
    partner = partners.get("client-1")
    assert partner is not None
    assert (partner.name, partner.status, partner.lines_of_business) == ("Valley", "active", frozenset({"medi_cal"}))
