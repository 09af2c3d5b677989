"""Whatever is sent: an order, or a complaint of the right kind that repeats nothing."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infusion_orders.orders.parsing import (
    FieldProblem,
    InvalidOrder,
    MalformedJson,
    TooLarge,
    order_from_json,
    parse_json,
    parse_order,
)
from tests.property.strategies import orders, partial
from tests.support.orders import Document, places

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
CANARY = "canary4711"


def complaints(document: Document) -> tuple[FieldProblem, ...]:
    """None for an order."""
    try:
        parse_order(json.dumps(document))
    except InvalidOrder as refusal:
        return refusal.errors
    return ()


def put(document: Document, place: tuple[str | int, ...], value: Any) -> None:
    parent: Any = document
    for step in place[:-1]:
        parent = parent[step]
    parent[place[-1]] = value


@given(orders())
def test_every_order_survives_parsing_and_writing_unchanged(document: Document) -> None:
    order = parse_order(json.dumps(document))

    assert parse_order(order.model_dump_json()) == order
    assert order_from_json(document) == order
    assert hash(order) == hash(order_from_json(document))


@given(orders().flatmap(partial))
def test_every_optional_field_may_be_left_out(document: Document) -> None:
    parse_order(json.dumps(document))


@given(orders(most_lines=2), st.data())
def test_parsed_order_has_the_values_that_were_sent(document: Document, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(list(places(document))))
    sent: Any = document
    read: Any = order_from_json(document)
    for step in place:
        sent, read = sent[step], getattr(read, step) if isinstance(step, str) else read[step]

    if isinstance(sent, bool) or sent is None:
        assert read is sent or place == ("urgency",)
    elif isinstance(sent, str | int):
        assert read == Decimal(sent) if isinstance(read, Decimal) else str(read) == str(sent)


@given(st.binary(max_size=200) | st.text(max_size=200) | ANY_JSON.map(json.dumps))
def test_any_text_parses_or_raises_one_of_three_errors(body: bytes | str) -> None:
    try:
        parse_order(body)
    except (MalformedJson, TooLarge, InvalidOrder):
        return
    raise AssertionError("these are never orders")


@given(orders(most_lines=2), st.data())
def test_any_value_in_any_field_parses_or_is_reported_by_pointer(document: Document, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(list(places(document))))
    put(document, place, data.draw(ANY_JSON))

    touched = "/" + "/".join(map(str, place))
    for error in complaints(document):
        inside, around = error.pointer.startswith(touched), touched.startswith(error.pointer)
        assert inside or around or error.problem.startswith("must differ")


@given(
    orders(most_lines=2),
    st.data(),
    st.sampled_from([CANARY, {CANARY: CANARY}, [CANARY], [[CANARY]], CANARY * 30]),
)
def test_error_never_repeats_what_was_sent(document: Document, data: st.DataObject, value: Any) -> None:
    put(document, data.draw(st.sampled_from(list(places(document)))), value)

    assert CANARY not in repr(complaints(document))


@given(st.from_regex(r"(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?", fullmatch=True))
def test_number_keeps_every_digit(text: str) -> None:
    document = parse_json(f"[{text}]")

    assert isinstance(document, list)
    assert Decimal(document[0]).as_tuple() == Decimal(text).as_tuple()
