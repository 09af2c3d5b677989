"""A batch: 1 to 50 orders in one body, each answered on its own."""

from __future__ import annotations

import json
from typing import Any

from infusion_orders.api.errors import AnswerTooLarge
from infusion_orders.orders.parsing import FieldProblem, InvalidOrder, parse_json
from infusion_orders.rules.digests import digest
from infusion_orders.store.dynamodb import LAST_ATTEMPT_SECONDS, StoreUnavailable

MOST_ORDERS = 50
MOST_BODY_BYTES = 5_000_000
"""The limit of the request and of the answer: Lambda passes 6 MB, escapes included."""
LARGEST_DECISION = 1_000_000
"""Bytes that one decision takes at most, without the explanations that a batch does not give."""
RESERVED_MILLISECONDS = 1000 * LAST_ATTEMPT_SECONDS
"""With less time left, no further order is decided."""


def read_batch(body: bytes) -> list[Any]:
    """The orders as plain JSON, not yet checked.

    Raises MalformedJson, TooLarge, or InvalidOrder when the body is not `{"orders": [1 to 50]}`.
    """
    document = parse_json(body, most_bytes=MOST_BODY_BYTES)
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


def digest_of_order(order: Any) -> str:
    """SHA-256 of one order of a batch, whatever its spacing and the order of its fields."""
    return digest(_canonical_json(order).encode())


_canonical_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str, check_circular=False).encode


class BatchAnswer:
    """`{"decisions": [{"index", "decision"}], "problems": [{"index", "problem"}]}`; an index is in one of the two."""

    def __init__(self) -> None:
        self._decisions: list[str] = []
        self._problems: list[str] = []
        self._size = 0

    def require_room(self, *, milliseconds_left: int) -> None:
        """Raise StoreUnavailable or AnswerTooLarge if one more order cannot be decided, recorded and answered."""
        if milliseconds_left < RESERVED_MILLISECONDS:
            raise StoreUnavailable
        if self._size > MOST_BODY_BYTES - LARGEST_DECISION:
            raise AnswerTooLarge("The answer has no room left, so this order was not decided. Send it on its own.")

    def add_decision(self, index: int, decision: str) -> None:
        """Add the JSON of a recorded decision."""
        self._size += len(decision)
        self._decisions.append(f'{{"index":{index},"decision":{decision}}}')

    def add_problem(self, index: int, problem: str) -> None:
        """Add the JSON of a problem."""
        self._problems.append(f'{{"index":{index},"problem":{problem}}}')

    def json(self) -> str:
        """The whole answer."""
        return f'{{"decisions":[{",".join(self._decisions)}],"problems":[{",".join(self._problems)}]}}'
