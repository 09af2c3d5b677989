"""Partner profiles are cached, and a fault is never taken for an unknown partner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from infusion_orders.store import partners as partners_module
from infusion_orders.store.dynamodb import StoreUnavailable
from infusion_orders.store.partners import Partner, PartnerStore
from infusion_orders_cli.local.tables import RULES_TABLE
from tests.support.tables import a_client, mocked_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

VALLEY = Partner("client-1", "Valley Infusion", "active", frozenset({"medi_cal", "commercial_hmo"}))
REFRESH = 60


class Process:
    """A store with a clock set by the test; it lists its calls of DynamoDB, and `cut` makes them fail."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.calls: list[str] = []
        self.cut = False
        client = a_client()
        client.meta.events.register("before-call.dynamodb", self._call)
        self.partners = PartnerStore(client, RULES_TABLE, refresh_seconds=REFRESH, clock=lambda: self.now)

    def _call(self, model: Any, **_parameters: Any) -> None:
        self.calls.append(model.name)
        if self.cut:
            raise EndpointConnectionError(endpoint_url="https://dynamodb.invalid")


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    with mocked_tables():
        yield


def register(partner: Partner) -> None:
    Process().partners.put(partner)


@pytest.mark.parametrize(
    "partner",
    [
        VALLEY,
        Partner("client-1", "Valley Infusion", "suspended", frozenset({"medi_cal"})),
        Partner("client-1", "Nobody's", "active", frozenset()),
    ],
)
def test_partner_is_read_as_it_was_put(partner: Partner) -> None:
    register(partner)

    assert Process().partners.get("client-1") == partner


def test_unknown_partner_is_none_and_is_not_cached() -> None:
    process = Process()

    assert process.partners.get("client-1") is None
    register(VALLEY)
    assert process.partners.get("client-1") == VALLEY


def test_profile_is_read_once_in_a_refresh_interval() -> None:
    register(VALLEY)
    process = Process()
    process.partners.get("client-1")

    process.now += REFRESH - 1
    assert process.partners.get("client-1") == VALLEY
    assert process.calls == ["GetItem"]
    process.now += 1
    assert process.partners.get("client-1") == VALLEY
    assert process.calls == ["GetItem", "GetItem"]


@pytest.mark.parametrize("elapsed", [REFRESH, -1])
def test_suspension_is_seen_after_the_interval_or_a_clock_change(elapsed: float) -> None:
    register(VALLEY)
    process = Process()
    process.partners.get("client-1")
    register(Partner("client-1", "Valley Infusion", "suspended", VALLEY.lines_of_business))

    process.now += elapsed
    partner = process.partners.get("client-1")

    assert partner is not None
    assert partner.status == "suspended"


def test_removed_partner_is_unknown_after_the_interval() -> None:
    register(VALLEY)
    process = Process()
    process.partners.get("client-1")
    key = {"PK": {"S": "PARTNER#client-1"}, "SK": {"S": "PROFILE"}}
    a_client().delete_item(TableName=RULES_TABLE, Key=key)

    process.now += REFRESH

    assert process.partners.get("client-1") is None
    process.now -= 1
    assert process.partners.get("client-1") is None


def test_put_replaces_the_cached_profile() -> None:
    process = Process()
    process.partners.put(VALLEY)
    process.partners.get("client-1")
    renamed = Partner("client-1", "Valley & Hill", "active", VALLEY.lines_of_business)

    process.partners.put(renamed)

    assert process.partners.get("client-1") == renamed


def test_fault_raises_instead_of_returning_none() -> None:
    process = Process()
    process.cut = True

    with pytest.raises(StoreUnavailable, match=r"^EndpointConnectionError$"):
        process.partners.get("client-1")


def test_cached_profiles_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partners_module, "MOST_CACHED", 2)
    process = Process()
    for number in range(3):
        process.partners.put(Partner(f"client-{number}", "A partner", "active", frozenset({"medi_cal"})))
    for number in range(3):
        process.partners.get(f"client-{number}")
    process.calls.clear()

    process.partners.get("client-2")
    assert process.calls == []
    process.partners.get("client-0")
    assert process.calls == ["GetItem"]
