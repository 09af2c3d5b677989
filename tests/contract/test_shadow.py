"""The shadow version: it decides each live order after the answer is fixed, and cannot change it or make it fail."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.api.shadow import LEAST_MILLISECONDS
from infusion_orders_cli.local.tables import RULES_TABLE, embedded_tables
from tests.support.orders import an_order_document
from tests.support.partner import world_of
from tests.support.project import TEMPLATE
from tests.support.rules import SETTING, changed_document, default_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.rules.document import RuleSetDocument
    from tests.support.partner import Answer, World

NOW = datetime(2026, 11, 25, tzinfo=UTC)
NOBODY_ABLE = an_order_document({"/caregiver/able": False})


def reviewing() -> RuleSetDocument:
    """The default rules, with a review if nobody can give the therapy."""
    return changed_document({"/otherwise/effect": "review"})


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Version 1 is active; version 2 is the shadow and is loaded."""
    with embedded_tables(TEMPLATE, default_document()) as tables:
        tables.rule_sets.publish(reviewing(), by="ann", note="a candidate", at=NOW)
        built = world_of(tables)
        put_into_shadow(built, 2)
        yield built


def put_into_shadow(world: World, version: int | None) -> None:
    """Set the shadow version and make the function read the pointer."""
    world.function.resources.rule_set_store.activations.set_shadow(
        version, by="ann", why="to see", at=datetime.now(UTC)
    )
    world.function.resources.rule_sets.expire()
    world.function.resources.rule_sets.active()
    await_shadow(world)


def await_shadow(world: World) -> None:
    """Wait until the thread has loaded the shadow version or failed to."""
    rule_sets = world.function.resources.rule_sets
    for _ in range(1000):
        if not rule_sets.shadow_is_loading:
            return
        time.sleep(0.01)
    pytest.fail("the shadow version was not loaded in 10 s")


def logged_and_measured(capsys: pytest.CaptureFixture[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The log lines and the metrics of the shadow."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    logged = [line for line in lines if line.get("message") == "shadow"]
    return logged, [line for line in lines if "ShadowDecisions" in line]


def without_what_differs(answer: Answer) -> dict[str, Any]:
    plain: dict[str, Any] = answer.json
    for name in ("decision_id", "ruleset"):
        del plain[name]
    return plain


def test_shadow_is_counted_and_a_difference_is_logged(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    answer = world.partner.validate(NOBODY_ABLE)

    logged, metrics = logged_and_measured(capsys)
    assert answer.json["outcome"] == "rejected"
    [line] = logged
    assert {name: line[name] for name in ("decision_id", "outcome", "shadow_outcome", "flips", "rules")} == {
        "decision_id": answer.json["decision_id"],
        "outcome": "rejected",
        "shadow_outcome": "needs_review",
        "flips": ["rejected -> needs_review"],
        "rules": [SETTING],
    }
    assert (line["ruleset_version"], line["shadow_version"]) == (1, 2)
    [metric] = metrics
    assert (metric["shadow_version"], metric["flip"]) == ("2", "rejected -> needs_review")
    assert [metric[name] for name in ("ShadowDecisions", "ShadowDifferences", "ShadowFailures")] == [
        [1.0],
        [1.0],
        [0.0],
    ]


def test_shadow_that_agrees_is_only_counted(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.partner.validate(an_order_document())
    logged, [metric] = logged_and_measured(capsys)
    assert logged == []
    assert (metric["ShadowDecisions"], metric["ShadowDifferences"]) == ([1.0], [0.0])
    assert "flip" not in metric


def test_each_order_of_a_batch_is_decided_in_the_shadow(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.partner.validate_batch([NOBODY_ABLE, an_order_document(), NOBODY_ABLE])
    logged, metrics = logged_and_measured(capsys)
    assert (len(logged), len(metrics)) == (2, 3)


def test_repeated_and_reproduced_decisions_skip_the_shadow(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    key: dict[str, str | None] = {"Idempotency-Key": "a-key"}
    world.partner.validate(NOBODY_ABLE, headers=key)
    logged_and_measured(capsys)
    world.partner.validate(NOBODY_ABLE, headers=key)
    world.partner.validate(NOBODY_ABLE, query={"ruleset_version": "1"})
    assert logged_and_measured(capsys) == ([], [])


def test_shadow_does_not_change_the_answer(world: World) -> None:
    with_shadow = without_what_differs(world.partner.validate(NOBODY_ABLE))
    put_into_shadow(world, None)
    try:
        assert without_what_differs(world.partner.validate(NOBODY_ABLE)) == with_shadow
    finally:
        put_into_shadow(world, 2)


def test_exception_in_the_shadow_is_counted_and_does_not_change_the_answer(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any) -> None:
        raise RuntimeError("R0042001701")

    monkeypatch.setattr("infusion_orders.api.shadow.decide", fail)
    answer = world.partner.validate(NOBODY_ABLE)
    output = capsys.readouterr().out
    [metric] = [json.loads(line) for line in output.splitlines() if "ShadowDecisions" in line]
    assert (answer.status, answer.json["outcome"]) == (200, "rejected")
    assert (metric["ShadowFailures"], metric["ShadowDecisions"]) == ([1.0], [0.0])
    assert "R0042001701" not in output


def test_order_with_little_time_left_skips_the_shadow(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter([20_000, LEAST_MILLISECONDS - 1])  # recording took all the time
    context = SimpleNamespace(aws_request_id="an-id", get_remaining_time_in_millis=left.__next__)
    monkeypatch.setattr(world.partner, "context", context)
    assert world.partner.validate(NOBODY_ABLE).status == 200
    assert logged_and_measured(capsys) == ([], [])


def test_damaged_shadow_is_counted_and_does_not_change_the_answer(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    version = world.function.resources.rule_set_store.publish(reviewing(), by="ann", note="to be damaged", at=NOW)
    key = {"PK": {"S": f"RULESET#home-infusion#{version:06d}"}, "SK": {"S": "TABLE#vendors#000"}}
    world.function.resources.client.delete_item(TableName=RULES_TABLE, Key=key)
    put_into_shadow(world, version)
    try:
        answers = [world.partner.validate(NOBODY_ABLE) for _ in range(2)]
    finally:
        put_into_shadow(world, 2)

    logged, [metric] = logged_and_measured(capsys)
    assert [answer.json["outcome"] for answer in answers] == ["rejected", "rejected"]
    assert logged == []
    assert (metric["shadow_version"], metric["ShadowFailures"]) == (str(version), [1.0])


@pytest.mark.parametrize(("percent", "logged"), [(0, range(1)), (50, range(5, 36)), (100, range(40, 41))])
def test_all_differences_are_counted_and_a_sample_is_logged(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, percent: int, logged: range
) -> None:
    settings = world.function.resources.settings.model_copy(update={"shadow_sample_percent": percent})
    monkeypatch.setattr(world.function.resources, "settings", settings)
    for _ in range(40):
        world.partner.validate(NOBODY_ABLE)
    lines, metrics = logged_and_measured(capsys)
    assert len(metrics) == 40
    assert len(lines) in logged
