"""What a partner gets when something of ours is broken, and what DynamoDB is asked for when nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import EndpointConnectionError

from tests.builders import an_order_document as order

if TYPE_CHECKING:
    import pytest

    from tests.contract.world import World


def fail(**_parameters: Any) -> None:
    raise EndpointConnectionError(endpoint_url="https://dynamodb.invalid")


def test_an_order_that_cannot_be_recorded_is_a_problem_of_its_own(breakable_world: World) -> None:
    breakable_world.partner.validate(order())
    breakable_world.function.client.meta.events.register("before-call.dynamodb", fail)

    answer = breakable_world.partner.validate_batch([order(), {}]).json

    assert answer["decisions"] == []
    assert [(entry["index"], entry["problem"]["status"]) for entry in answer["problems"]] == [(0, 503), (1, 422)]


def test_a_warm_order_takes_one_call_of_dynamodb_to_record_it_and_none_to_read_rules(breakable_world: World) -> None:
    breakable_world.partner.validate(order())
    calls: list[str] = []
    breakable_world.function.client.meta.events.register(
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


def test_a_decision_that_cannot_be_recorded_is_not_given_out(breakable_world: World) -> None:
    breakable_world.partner.validate(order())
    breakable_world.function.client.meta.events.register("before-call.dynamodb", fail)

    answer = breakable_world.partner.validate(order())

    assert (answer.status, answer.problem) == (503, "internal")
    assert int(answer.headers["Retry-After"]) > 0
    assert "decision_id" not in answer.text


def test_a_fault_of_ours_is_internal_and_says_nothing_about_it(
    breakable_world: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    def faulty(*_arguments: Any, **_named: Any) -> None:
        raise RuntimeError("CANARY-in-a-message")

    monkeypatch.setattr(breakable_world.function, "decide", faulty)
    answer = breakable_world.partner.validate(order())

    assert (answer.status, answer.problem) == (500, "internal")
    written = capsys.readouterr()
    assert "RuntimeError" in written.out
    assert "test_faults" in written.out
    assert "CANARY" not in answer.text + written.out + written.err
