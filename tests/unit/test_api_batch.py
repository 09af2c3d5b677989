import hashlib
import json
from typing import Any

from infusion_orders.api.batch import MOST_BODY_BYTES, MOST_ORDERS, answer_batch, digest_of
from infusion_orders.api.problems import problem_of
from infusion_orders.orders.reading import read_document


def entry(error: Exception) -> str:
    return problem_of(error).body("request")


def test_an_answer_never_grows_beyond_what_lambda_passes_and_what_has_no_room_is_not_decided() -> None:
    decided = []

    def decide_one(index: int, order: Any) -> str:
        decided.append(index)
        return json.dumps({"filled": "x" * 900_000})

    text = answer_batch([{}] * MOST_ORDERS, dict, decide_one, entry, milliseconds_left=lambda: 20_000)

    assert len(text) < MOST_BODY_BYTES + 100_000
    answer = json.loads(text)
    assert [one["index"] for one in answer["decisions"]] == decided
    assert {one["problem"]["status"] for one in answer["problems"]} == {413}
    assert len(answer["decisions"]) + len(answer["problems"]) == MOST_ORDERS


def test_any_exception_is_a_problem_of_its_own_order() -> None:
    def decide_one(index: int, order: Any) -> str:
        if index == 1:
            raise ZeroDivisionError("CANARY")
        return "{}"

    answer = json.loads(answer_batch([{}] * 3, dict, decide_one, entry, milliseconds_left=lambda: 20_000))

    assert [one["index"] for one in answer["decisions"]] == [0, 2]
    assert [(one["index"], one["problem"]["status"]) for one in answer["problems"]] == [(1, 500)]
    assert "CANARY" not in json.dumps(answer)


def test_an_order_that_cannot_be_read_is_a_problem_in_its_place_and_the_others_are_decided() -> None:
    def read_one(order: int) -> int:
        return 6 // order

    answer = json.loads(
        answer_batch([3, 0, 2], read_one, lambda _index, read: str(read), entry, milliseconds_left=lambda: 20_000)
    )

    assert answer["decisions"] == [{"index": 0, "decision": 2}, {"index": 2, "decision": 3}]
    assert [(one["index"], one["problem"]["status"]) for one in answer["problems"]] == [(1, 500)]


def test_the_digest_of_an_order_is_of_its_content_and_stays_what_it_was() -> None:
    written = b'{"b": [1, 2.50, null], "a": "\xc3\xa9\x7f"}'
    shuffled = b'{"a":"\\u00e9\\u007f","b":[1,2.50,null]}'

    digests = {digest_of(read_document(body)) for body in (written, shuffled)}

    assert digests == {"sha256:" + hashlib.sha256(rb'{"a":"\u00e9\u007f","b":[1,"2.50",null]}').hexdigest()}
    assert digest_of(read_document(b'{"b": [1, 2.5, null], "a": "\xc3\xa9\x7f"}')) not in digests
