"""The two clocks: which version was active `as_of` a day, and which rules and rows apply on a date of service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.rules.document import RuleSetDocument
from tests.support.orders import an_order_document
from tests.support.rules import SETTING, changed_document, default_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.partner import World

NOBODY_ABLE = an_order_document({"/caregiver/able": False})
MIDNIGHT = datetime(2026, 11, 10, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


def activate(world: World, document: RuleSetDocument, at: datetime) -> int:
    """Publish and activate a document at a moment, and make the function read the pointer."""
    store = world.function.resources.rule_set_store
    version: int = store.publish(document, by="ann", note="a note", at=at)
    store.activations.activate(version, by="bob", why="time", at=at)
    world.function.resources.rule_sets.expire()
    return version


def reproduced(world: World, order: Any = NOBODY_ABLE, **query: str) -> Mapping[str, Any]:
    answer = world.partner.validate(order, query=query)
    assert answer.status == 200, answer.text
    found: Mapping[str, Any] = answer.json
    return found


@pytest.mark.parametrize(
    ("at", "day_before", "that_day", "day_after"),
    [
        (MIDNIGHT, 1, 2, 2),
        (MIDNIGHT - INSTANT, 2, 2, 2),
        (MIDNIGHT + timedelta(hours=23, minutes=59, seconds=59), 1, 2, 2),
        (MIDNIGHT + timedelta(days=1) - INSTANT, 1, 2, 2),
        (MIDNIGHT + timedelta(days=1), 1, 1, 2),
    ],
)
def test_day_has_the_version_that_was_active_at_its_end(
    breakable_world: World, at: datetime, day_before: int, that_day: int, day_after: int
) -> None:
    activate(breakable_world, changed_document({"/otherwise/effect": "review"}), at)
    for day, version in (("2026-11-09", day_before), ("2026-11-10", that_day), ("2026-11-11", day_after)):
        decision = reproduced(breakable_world, as_of=day)
        assert decision["ruleset"]["version"] == version
        assert decision["outcome"] == {1: "rejected", 2: "needs_review"}[version]
        assert decision["as_of"] == day


def test_past_decisions_keep_their_receipts_when_the_rules_change(breakable_world: World) -> None:
    orders = (NOBODY_ABLE, an_order_document(), an_order_document({"/caregiver": None}))
    given_out = []
    for document in (
        None,
        changed_document({"/otherwise/effect": "review"}),
        changed_document({"/otherwise/effect": "redirect"}),
        changed_document({"/otherwise/effect": "warn"}),
    ):
        if document is not None:
            activate(breakable_world, document, datetime.now(UTC))
        given_out += [(order, breakable_world.partner.validate(order).json) for order in orders]

    assert {decision["ruleset"]["version"] for _, decision in given_out} == {1, 2, 3, 4}
    for order, decision in given_out:
        again = reproduced(
            breakable_world, order, ruleset_version=str(decision["ruleset"]["version"]), as_of=decision["as_of"]
        )
        assert again["receipt"] == decision["receipt"]
        stored = breakable_world.partner.decision(decision["decision_id"]).json
        assert stored == decision


def test_rolled_back_version_still_reproduces(breakable_world: World) -> None:
    activate(breakable_world, changed_document({"/otherwise/effect": "review"}), datetime.now(UTC))
    decision = breakable_world.partner.validate(NOBODY_ABLE).json
    breakable_world.function.resources.rule_set_store.activations.roll_back(by="eve", why="back", at=datetime.now(UTC))
    breakable_world.function.resources.rule_sets.expire()

    assert breakable_world.partner.validate(NOBODY_ABLE).json["outcome"] == "rejected"
    again = reproduced(breakable_world, ruleset_version="2", as_of=decision["as_of"])
    assert (again["outcome"], again["receipt"]) == ("needs_review", decision["receipt"])


@pytest.mark.parametrize(
    ("day", "outcome"),
    [
        ("2026-11-30", "accepted"),
        ("2026-12-01", "rejected"),
        ("2026-12-31", "rejected"),
        ("2027-01-01", "accepted"),
    ],
)
def test_rule_applies_on_the_first_and_last_day_of_its_period(breakable_world: World, day: str, outcome: str) -> None:
    activate(breakable_world, changed_document({"/effective": {"from": "2026-12-01", "to": "2026-12-31"}}), MIDNIGHT)
    lines = {f"/lines/{line}/{field}": day for line in range(3) for field in ("service_from", "service_to")}
    order = an_order_document({"/caregiver/able": False, "/clinical/weight_measured_on": day, **lines})
    for as_of in ("2026-11-10", "2026-11-25"):
        decision = reproduced(breakable_world, order, as_of=as_of)
        of_rule = [finding for finding in decision["findings"] if finding["rule"] == SETTING]
        assert bool(of_rule) is (outcome == "rejected"), decision["findings"]


@pytest.mark.parametrize(("day", "vendor"), [("2026-12-31", "coram"), ("2027-01-01", None)])
def test_table_row_applies_on_its_last_day_and_not_on_the_next(
    breakable_world: World, day: str, vendor: str | None
) -> None:
    document = default_document()
    header, *rows = document.tables["vendors"]
    last = header.index("valid_to")
    ended = [[*row[:last], row[last] or "2026-12-31", *row[last + 1 :]] for row in rows]
    activate(
        breakable_world,
        RuleSetDocument(document.name, document.rules, {**document.tables, "vendors": [header, *ended]}),
        MIDNIGHT,
    )
    lines = {f"/lines/{line}/{field}": day for line in range(3) for field in ("service_from", "service_to")}
    order = an_order_document({"/infusion_provider/vendor": "another-vendor", **lines})
    actions = reproduced(breakable_world, order, as_of="2026-11-25")["actions"]
    assert {action.get("vendor") for action in actions if action["action"] == "use_vendor"} == (
        {vendor} if vendor else set()
    )
