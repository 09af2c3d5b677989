"""What a partner gets when the service fails, and which DynamoDB calls an order takes when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import EndpointConnectionError

from infusion_orders.store.rule_set_cache import ActiveRuleSet
from infusion_orders.store.rule_set_table import DamagedRuleSet
from tests.support.orders import an_order_document as order
from tests.support.partner import World, decided_world

if TYPE_CHECKING:
    import pytest


def fail(**_parameters: Any) -> None:
    raise EndpointConnectionError(endpoint_url="https://dynamodb.invalid")


def test_failed_write_in_a_batch_is_a_503_at_its_index(breakable_world: World) -> None:
    breakable_world.partner.validate(order())
    breakable_world.function.resources.client.meta.events.register("before-call.dynamodb", fail)

    answer = breakable_world.partner.validate_batch([order(), {}]).json

    assert answer["decisions"] == []
    assert [(entry["index"], entry["problem"]["status"]) for entry in answer["problems"]] == [(0, 503), (1, 422)]


def test_warm_order_takes_one_write_and_no_read_of_dynamodb(breakable_world: World) -> None:
    breakable_world.partner.validate(order())
    calls: list[str] = []
    breakable_world.function.resources.client.meta.events.register(
        "before-call.dynamodb", lambda model, **_parameters: calls.append(model.name)
    )

    breakable_world.partner.validate(order())
    breakable_world.partner.validate(order(), headers={"Idempotency-Key": "one-call"})

    assert calls == ["PutItem", "TransactWriteItems"]


def test_without_a_rule_set_nothing_is_decided(ruleless_world: World) -> None:
    answer = ruleless_world.partner.validate(order())

    assert (answer.status, answer.problem) == (503, "no-ruleset")
    assert int(answer.headers["Retry-After"]) > 0
    assert ruleless_world.count_decisions() == 0


def test_failed_write_returns_503_and_no_decision(breakable_world: World) -> None:
    breakable_world.partner.validate(order())
    breakable_world.function.resources.client.meta.events.register("before-call.dynamodb", fail)

    answer = breakable_world.partner.validate(order())

    assert (answer.status, answer.problem) == (503, "internal")
    assert int(answer.headers["Retry-After"]) > 0
    assert "decision_id" not in answer.text


def test_unexpected_exception_returns_500_without_its_text(
    breakable_world: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    def faulty(*_arguments: Any, **_named: Any) -> None:
        raise RuntimeError("CANARY-in-a-message")

    monkeypatch.setattr("infusion_orders.api.live_decisions.decide", faulty)
    answer = breakable_world.partner.validate(order())

    assert (answer.status, answer.problem) == (500, "internal")
    written = capsys.readouterr()
    assert "RuntimeError" in written.out
    assert "test_faults" in written.out
    assert "CANARY" not in answer.text + written.out + written.err


def test_decision_states_the_age_of_its_rules(breakable_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    active = breakable_world.function.resources.rule_sets.active()
    monkeypatch.setattr(
        breakable_world.function.resources.rule_sets, "active", lambda: ActiveRuleSet(active.rule_set, age_seconds=77)
    )

    answer = breakable_world.partner.validate(order())

    assert answer.json["ruleset"]["age_seconds"] == 77


def test_damaged_version_reproduces_nothing(breakable_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(_version: int) -> None:
        raise DamagedRuleSet

    monkeypatch.setattr(breakable_world.function.resources.rule_sets, "version", damaged)

    answer = breakable_world.partner.validate(order(), query={"ruleset_version": "1"})

    assert (answer.status, answer.problem) == (503, "no-ruleset")


def test_debug_switches_of_powertools_print_no_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_DEV", "true")
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
    with decided_world() as world:
        world.partner.validate(order({"/member/member_id": "CANARY"}))

    assert "CANARY" not in capsys.readouterr().out
