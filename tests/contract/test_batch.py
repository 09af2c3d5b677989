"""A batch: each order is decided and recorded on its own, whatever happens to the others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.api.batch import RESERVED_MILLISECONDS
from infusion_orders.store.dynamodb import StoreUnavailable
from tests.support.orders import an_order_document

if TYPE_CHECKING:
    from tests.support.partner import Answer, World


def statuses(answer: Answer) -> list[int]:
    """The status of each order's answer, by its index in the request."""
    found = {entry["index"]: 200 for entry in answer.json["decisions"]}
    found |= {entry["index"]: entry["problem"]["status"] for entry in answer.json["problems"]}
    return [found[index] for index in range(len(found))]


@pytest.mark.parametrize(("fault", "status"), [(ZeroDivisionError("CANARY"), 500), (StoreUnavailable("x"), 503)])
def test_fault_of_one_order_is_a_problem_at_its_index(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: Exception, status: int
) -> None:
    record = world.function.resources.decisions.record

    def fail_once(*arguments: Any, decision_id: str, **named: Any) -> Any:
        calls.append(decision_id)
        if len(calls) == 2:
            raise fault
        return record(*arguments, decision_id=decision_id, **named)

    calls: list[str] = []
    monkeypatch.setattr(world.function.resources, "decisions", SimpleNamespace(record=fail_once))
    answer = world.partner.validate_batch([an_order_document()] * 3)

    assert statuses(answer) == [200, status, 200]
    assert "CANARY" not in answer.text


def test_orders_without_time_left_are_not_decided(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world.count_decisions()
    left = iter([20_000, 20_000, 20_000, RESERVED_MILLISECONDS - 1, 0])  # asked at the start and before each order
    context = SimpleNamespace(aws_request_id="an-id", get_remaining_time_in_millis=left.__next__)
    monkeypatch.setattr(world.partner, "context", context)
    answer = world.partner.validate_batch([an_order_document()] * 4 + [{}])

    assert statuses(answer) == [200, 200, 503, 503, 422]
    assert world.count_decisions() == before + 2
