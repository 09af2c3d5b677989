"""The built functions, with DynamoDB Local and the default rule set."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.store.partners import PartnerStore
from infusion_orders_cli.local.tables import CREDENTIALS, RULES_TABLE, LocalTables, environment, local_tables
from scripts.lambda_emulator import Build, CannotEmulate, Emulated, emulated
from tests.support.partner import OTHER_PARTNERS, PartnerSystem
from tests.support.project import TEMPLATE
from tests.support.rules import changed_document, default_document
from tests.support.tables import dynamodb_local_or_skip

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Stack:
    """A stack in which version 1 of the default rules is active, version 2 is published, and four partners exist."""

    build: Build
    address: str
    tables: LocalTables

    @contextmanager
    def cold(self, function: str, **variables: str) -> Iterator[tuple[PartnerSystem, Emulated]]:
        """Start the function; yield a partner who calls it, and the function."""
        with emulated(self.build, function, self.tables.environment(self.address) | variables) as running:
            yield PartnerSystem(running), running  # type: ignore[arg-type]  # it has a handler

    def as_it_was(self) -> None:
        """Activate version 1 again, without a shadow."""
        self.tables.rule_sets.activations.activate(1, by="a test", why="as it was", at=datetime.now(UTC))


@pytest.fixture(scope="session")
def build() -> Build:
    try:
        return Build.from_environment()
    except CannotEmulate as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def stack(build: Build) -> Iterator[Stack]:
    """Start one engine for each module."""
    with dynamodb_local_or_skip() as address, environment(CREDENTIALS):
        tables = local_tables(TEMPLATE, default_document(), endpoint_url=address)
        second: dict[str, Any] = {"/otherwise/effect": "review"}
        tables.rule_sets.publish(changed_document(second), by="ann", note="a review", at=datetime.now(UTC))
        partners = PartnerStore(tables.client, RULES_TABLE, refresh_seconds=60, clock=lambda: 0.0)
        for partner in OTHER_PARTNERS:
            partners.put(partner)
        yield Stack(build, address, tables)
