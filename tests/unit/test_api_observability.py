import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from infusion_orders.api.observability import (
    ALLOWED_FIELDS,
    AllowListFormatter,
    Event,
    Judged,
    Notes,
    Observer,
    stack_of,
)
from infusion_orders.api.settings import Settings

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


def test_metrics_of_one_request_carry_nothing_of_the_last_one(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings.from_environment(
        {
            "RULES_TABLE": "rules",
            "DECISIONS_TABLE": "decisions",
            "AWS_REGION": "x",
            "SERVICE_NAME": "metrics-under-test",
        }
    )
    observer = Observer(settings)
    decided, refused = (Notes(at=datetime.now(UTC), request_id=name, function_request_id=name) for name in "ab")
    decided.judged.append(Judged("accepted", 12, 4, 0.7))
    refused.problems += ["invalid-order", "internal", "invalid-order"]

    observer.report(decided, status=200, duration_ms=1)
    observer.report(refused, status=422, duration_ms=1)

    metrics = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" in line]
    assert [line.get("outcome") for line in metrics] == ["accepted", None, None]
    assert metrics[0]["ruleset_version"] == "12"
    assert metrics[0]["Decisions"] == [1.0]
    assert metrics[0]["DecisionTime"] == [0.7]
    assert metrics[0]["RuleSetAge"] == [4.0]
    assert [(line["problem"], line["Problems"]) for line in metrics[1:]] == [
        ("internal", [1.0]),
        ("invalid-order", [2.0]),
    ]
    assert all("Decisions" not in line for line in metrics[1:])
