import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from infusion_orders.api.observability import ALLOWED_FIELDS, AllowListFormatter, Event, stack_of

CANARY = "CANARY-9f3a"


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    logger = logging.Logger("under-test")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(AllowListFormatter(service="under-test"))
    logger.addHandler(handler)
    yield logger, stream
    handler.close()


def only_line(stream: io.StringIO) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(stream.getvalue())
    return line


def test_allowed_fields_are_written(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written

    logger.info(str(Event.ANSWERED), extra={"outcome": "accepted", "duration_ms": 0.7})

    line = only_line(stream)
    assert (line["message"], line["outcome"], line["duration_ms"]) == ("answered", "accepted", 0.7)


def test_a_field_that_is_not_on_the_list_is_dropped(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written

    logger.info(str(Event.ANSWERED), extra={"member_id": CANARY, "order": {"name": CANARY}})

    assert CANARY not in stream.getvalue()
    assert set(only_line(stream)) <= ALLOWED_FIELDS


@pytest.mark.parametrize("message", [CANARY, {"body": CANARY}, '{"body": "' + CANARY + '"}'])
def test_a_message_of_ones_own_is_dropped(written: tuple[logging.Logger, io.StringIO], message: Any) -> None:
    logger, stream = written

    logger.info(message)

    assert only_line(stream)["message"] == "(dropped)"


def test_an_exception_leaves_no_text(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written

    try:
        raise ValueError(CANARY)
    except ValueError as error:
        error.add_note(CANARY)
        logger.exception("answered %s", CANARY)

    assert CANARY not in stream.getvalue()


def test_a_stack_says_where_and_nothing_else() -> None:
    try:
        int(CANARY)
    except ValueError as error:
        places = stack_of(error.__traceback__)

    assert len(places) == 1
    assert places[0].endswith(" test_a_stack_says_where_and_nothing_else")
    assert CANARY not in places[0]
