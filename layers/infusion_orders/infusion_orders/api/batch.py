"""A batch: 1 to 50 orders in one body, each answered on its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from infusion_orders.api.requests import AnswerTooLarge
from infusion_orders.orders.reading import FieldProblem, InvalidOrder, read_document
from infusion_orders.rules.digests import digest
from infusion_orders.store.dynamodb import LAST_ATTEMPT_SECONDS, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

Read = TypeVar("Read")
Decided = TypeVar("Decided")
Before = TypeVar("Before")
After = TypeVar("After")

MOST_ORDERS = 50
MOST_BODY_BYTES = 5_000_000
"""Of the request and of the answer alike: Lambda passes 6 MB, escapes and all."""
ROOM_FOR_ONE = 1_000_000
"""What the decision of one order may take at most, without the explanations that a batch does not give."""
RESERVED_MILLISECONDS = 1000 * LAST_ATTEMPT_SECONDS
"""Below it no order is decided and no recording begins."""
DECIDED_TOGETHER = 25
"""Before the first of them is recorded: a batch of heavy orders that runs out of time has answers for some of them."""
NO_ROOM = "The answer has no room left, and this order has no decision. Send it on its own."


def read_batch(body: bytes) -> list[Any]:
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
    return orders if isinstance(orders, list) else []


def digest_of(order: Any) -> str:
    """SHA-256 of one order of a batch, whatever its spacing and the order of its fields."""
    return digest(_in_one_form(order).encode())


_in_one_form = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str, check_circular=False).encode


def answer_batch(
    orders: list[Any],
    read_one: Callable[[Any], Read],
    decide_one: Callable[[Read], Decided],
    record_one: Callable[[int, Decided], str],
    problem_entry: Callable[[Exception], str],
    *,
    milliseconds_left: Callable[[], int],
) -> str:
    """`{"decisions": [{"index", "decision"}], "problems": [{"index", "problem"}]}`, every index in exactly one of them.

    Any exception of one order becomes that order's problem: one bad order never spoils the others.  Like things are
    done together, so that a processor's caches hold what they take: all orders are read before the first is decided,
    and some are decided before the first of these is recorded.  `orders` is emptied.
    """

    def in_time(order: Read) -> Decided:
        _refuse_when_late(milliseconds_left)
        return decide_one(order)

    def given_out(index: int, decided: Decided | Exception) -> str:
        if isinstance(decided, Exception):
            raise decided
        _refuse_when_late(milliseconds_left)
        if size > MOST_BODY_BYTES - ROOM_FOR_ONE:
            raise AnswerTooLarge(NO_ROOM)
        return record_one(index, decided)

    read = _read_all(orders, read_one)
    decisions: list[str] = []
    problems: list[str] = []
    size = 0
    for first in range(0, len(read), DECIDED_TOGETHER):
        decided = [_attempt(in_time, order) for order in read[first : first + DECIDED_TOGETHER]]
        for index, one in enumerate(decided, first):
            try:
                decision = given_out(index, one)
                size += len(decision)
                decisions.append(f'{{"index":{index},"decision":{decision}}}')
            except Exception as error:
                problems.append(f'{{"index":{index},"problem":{problem_entry(error)}}}')
    return f'{{"decisions":[{",".join(decisions)}],"problems":[{",".join(problems)}]}}'


def _read_all(orders: list[Any], read_one: Callable[[Any], Read]) -> list[Read | Exception]:
    """Each order's JSON is let go once it is read: what is made of the next finds its memory in the caches."""
    read: list[Read | Exception] = []
    while orders:
        read.append(_attempt(read_one, orders.pop(0)))
    return read


def _refuse_when_late(milliseconds_left: Callable[[], int]) -> None:
    if milliseconds_left() < RESERVED_MILLISECONDS:
        raise StoreUnavailable


def _attempt(step: Callable[[Before], After], before: Before | Exception) -> After | Exception:
    """What the step makes of it, or the first exception on the way."""
    if isinstance(before, Exception):
        return before
    try:
        return step(before)
    except Exception as error:
        return error
