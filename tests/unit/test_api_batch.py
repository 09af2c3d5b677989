from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.api.batch import DECIDED_TOGETHER, MOST_BODY_BYTES, MOST_ORDERS, answer_batch, digest_of
from infusion_orders.api.problems import problem_of
from infusion_orders.orders.reading import read_document
from infusion_orders.store.dynamodb import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable


def entry(error: Exception) -> str:
    return problem_of(error).body("request")


def answer(
    orders: list[Any],
    *,
    read: Callable[[Any], Any] = dict,
    decide: Callable[[Any], Any] = dict,
    record: Callable[[int, Any], str] = lambda _index, _decided: "{}",
    left: Callable[[], int] = lambda: 20_000,
) -> dict[str, Any]:
    """Of a batch, from its three steps."""
    text = answer_batch(orders, read, decide, record, entry, milliseconds_left=left)
    assert len(text) < MOST_BODY_BYTES + 100_000
    answered: dict[str, Any] = json.loads(text)
    return answered


def indexes_of(answered: dict[str, Any]) -> tuple[list[int], list[tuple[int, int]]]:
    """Of the decisions, and of the problems with their status."""
    problems = [(one["index"], one["problem"]["status"]) for one in answered["problems"]]
    return [one["index"] for one in answered["decisions"]], problems


def test_an_answer_never_grows_beyond_what_lambda_passes_and_what_has_no_room_is_not_recorded() -> None:
    recorded = []

    def record(index: int, _decided: Any) -> str:
        recorded.append(index)
        return json.dumps({"filled": "x" * 900_000})

    decisions, problems = indexes_of(answer([{}] * MOST_ORDERS, record=record))

    assert decisions == recorded
    assert {status for _, status in problems} == {413}
    assert len(decisions) + len(problems) == MOST_ORDERS


@pytest.mark.parametrize("step", ["read", "decide"])
def test_an_exception_on_the_way_is_a_problem_in_its_place_and_the_others_are_decided(step: str) -> None:
    def fail(order: dict[str, Any]) -> dict[str, Any]:
        if order["id"] == 1:
            raise ZeroDivisionError("CANARY")
        return order

    steps: dict[str, Any] = {step: fail}
    answered = answer([{"id": 0}, {"id": 1}, {"id": 2}], record=lambda _index, one: json.dumps(one), **steps)

    assert indexes_of(answered) == ([0, 2], [(1, 500)])
    assert [one["decision"] for one in answered["decisions"]] == [{"id": 0}, {"id": 2}]
    assert "CANARY" not in json.dumps(answered)


def test_what_cannot_be_recorded_is_a_problem_and_what_comes_after_it_is_recorded() -> None:
    def record(index: int, _decided: Any) -> str:
        if index == 1:
            raise StoreUnavailable
        return "{}"

    assert indexes_of(answer([{}] * 3, record=record)) == ([0, 2], [(1, 503)])


def test_when_time_runs_out_what_was_recorded_is_answered_and_nothing_more_is_decided() -> None:
    done: list[str] = []

    def decide(order: Any) -> Any:
        done.append("decided")
        return order

    def record(index: int, _decided: Any) -> str:
        done.append("recorded")
        return "{}"

    def left() -> int:
        return 20_000 if done.count("recorded") < 3 else 0

    decisions, problems = indexes_of(answer([{}] * MOST_ORDERS, decide=decide, record=record, left=left))

    assert decisions == [0, 1, 2]
    assert problems == [(index, 503) for index in range(3, MOST_ORDERS)]
    assert done == ["decided"] * DECIDED_TOGETHER + ["recorded"] * 3


def test_the_digest_of_an_order_is_of_its_content_and_stays_what_it_was() -> None:
    written = b'{"b": [1, 2.50, null], "a": "\xc3\xa9\x7f"}'
    shuffled = b'{"a":"\\u00e9\\u007f","b":[1,2.50,null]}'

    digests = {digest_of(read_document(body)) for body in (written, shuffled)}

    assert digests == {"sha256:" + hashlib.sha256(rb'{"a":"\u00e9\u007f","b":[1,"2.50",null]}').hexdigest()}
    assert digest_of(read_document(b'{"b": [1, 2.5, null], "a": "\xc3\xa9\x7f"}')) not in digests
