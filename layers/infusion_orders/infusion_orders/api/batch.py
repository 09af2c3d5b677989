"""A batch: 1 to 50 orders in one body, each answered on its own."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeVar

from infusion_orders.api.requests import AnswerTooLarge
from infusion_orders.orders.reading import FieldProblem, InvalidOrder, read_document
from infusion_orders.store.client import LAST_ATTEMPT_SECONDS, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Read = TypeVar("Read")

MOST_ORDERS = 50
MOST_BODY_BYTES = 5_000_000
"""Of the request and of the answer alike: Lambda passes 6 MB, escapes and all."""
ROOM_FOR_ONE = 1_000_000
"""What the decision of one order may take at most, without the explanations that a batch does not give."""
RESERVED_MILLISECONDS = 1000 * LAST_ATTEMPT_SECONDS
"""Below it no recording begins, so no order is decided for nothing."""


def read_batch(body: bytes) -> Sequence[Any]:
    """The orders as plain JSON, none of them checked.

    Raises MalformedJson, TooLarge, or InvalidOrder when the body is not `{"orders": [1 to 50]}`.
    """
    document = read_document(body, most_bytes=MOST_BODY_BYTES)
    if not isinstance(document, dict):
        raise InvalidOrder((FieldProblem("", "must be an object with orders"),))
    orders = document.get("orders")
    errors = [] if set(document) <= {"orders"} else [FieldProblem("", "has an unknown field; known is orders")]
    if not isinstance(orders, list):
        errors.append(FieldProblem("/orders", "must be a list of orders"))
    elif not 1 <= len(orders) <= MOST_ORDERS:
        errors.append(FieldProblem("/orders", f"must hold 1 to {MOST_ORDERS} orders"))
    if errors:
        raise InvalidOrder(tuple(errors))
    return orders if isinstance(orders, list) else ()


def _read_or_failed(read_one: Callable[[Any], Read], order: Any) -> Read | Exception:
    try:
        return read_one(order)
    except Exception as error:
        return error


def digest_of(order: Any) -> str:
    """SHA-256 of one order of a batch, whatever its spacing and the order of its fields."""
    return "sha256:" + hashlib.sha256(_in_one_form(order).encode()).hexdigest()


_in_one_form = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str, check_circular=False).encode


def answer_batch(
    orders: Sequence[Any],
    read_one: Callable[[Any], Read],
    decide_one: Callable[[int, Read], str],
    problem_entry: Callable[[Exception], str],
    *,
    milliseconds_left: Callable[[], int],
) -> str:
    """`{"decisions": [{"index", "decision"}], "problems": [{"index", "problem"}]}`, every index in exactly one of them.

    Any exception of one order becomes that order's problem: one bad order never spoils the others.  All are read
    before the first is decided, while their JSON is still in the processor's cache: deciding one drives it out.
    """
    ready = [_read_or_failed(read_one, order) for order in orders]
    decisions: list[str] = []
    problems: list[str] = []
    size = 0
    for index, order in enumerate(ready):
        try:
            if isinstance(order, Exception):
                raise order
            if milliseconds_left() < RESERVED_MILLISECONDS:
                raise StoreUnavailable
            if size > MOST_BODY_BYTES - ROOM_FOR_ONE:
                raise AnswerTooLarge("The answer has no room left, and this order was not decided. Send it on its own.")
            decision = decide_one(index, order)
            size += len(decision)
            decisions.append(f'{{"index":{index},"decision":{decision}}}')
        except Exception as error:
            problems.append(f'{{"index":{index},"problem":{problem_entry(error)}}}')
    return f'{{"decisions":[{",".join(decisions)}],"problems":[{",".join(problems)}]}}'
