from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from infusion_orders.api.batch import (
    LARGEST_DECISION,
    MOST_BODY_BYTES,
    RESERVED_MILLISECONDS,
    BatchAnswer,
    digest_of_order,
    read_batch,
)
from infusion_orders.api.errors import AnswerTooLarge
from infusion_orders.orders.parsing import InvalidOrder, parse_json
from infusion_orders.store.dynamodb import StoreUnavailable

PLENTY = 20_000


def test_answer_lists_decisions_and_problems_by_index() -> None:
    answer = BatchAnswer()
    answer.add_decision(0, '{"outcome":"accepted"}')
    answer.add_problem(1, '{"status":422}')
    answer.add_decision(2, "{}")

    assert json.loads(answer.json()) == {
        "decisions": [{"index": 0, "decision": {"outcome": "accepted"}}, {"index": 2, "decision": {}}],
        "problems": [{"index": 1, "problem": {"status": 422}}],
    }


def test_full_answer_has_no_room_for_another_order() -> None:
    answer = BatchAnswer()
    for index in range(5):
        answer.require_room(milliseconds_left=PLENTY)
        answer.add_decision(index, json.dumps("x" * (LARGEST_DECISION - 2)))

    with pytest.raises(AnswerTooLarge):
        answer.require_room(milliseconds_left=PLENTY)
    assert len(answer.json()) < MOST_BODY_BYTES + LARGEST_DECISION


def test_no_order_starts_without_time_to_record_it() -> None:
    answer = BatchAnswer()
    answer.require_room(milliseconds_left=int(RESERVED_MILLISECONDS))

    with pytest.raises(StoreUnavailable):
        answer.require_room(milliseconds_left=int(RESERVED_MILLISECONDS) - 1)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ([], {""}),
        ({}, {"/orders"}),
        ({"orders": {}}, {"/orders"}),
        ({"orders": []}, {"/orders"}),
        ({"orders": [{}] * 51}, {"/orders"}),
        ({"orders": [{}], "more": 1}, {""}),
    ],
)
def test_body_that_is_not_a_batch_is_refused(body: Any, pointers: set[str]) -> None:
    with pytest.raises(InvalidOrder) as refused:
        read_batch(json.dumps(body).encode())

    assert {error.pointer for error in refused.value.errors} == pointers


def test_digest_depends_on_content_not_on_form() -> None:
    written = b'{"b": [1, 2.50, null], "a": "\xc3\xa9\x7f"}'
    shuffled = b'{"a":"\\u00e9\\u007f","b":[1,2.50,null]}'

    digests = {digest_of_order(parse_json(body)) for body in (written, shuffled)}

    assert digests == {"sha256:" + hashlib.sha256(rb'{"a":"\u00e9\u007f","b":[1,"2.50",null]}').hexdigest()}
    assert digest_of_order(parse_json(b'{"b": [1, 2.5, null], "a": "\xc3\xa9\x7f"}')) not in digests
