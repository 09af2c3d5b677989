import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from infusion_orders.api.observability import (
    ALLOWED_FIELDS,
    AllowListFormatter,
    Event,
    Judged,
    Notes,
    Observer,
    Shadowed,
    stack_of,
)
from infusion_orders.api.settings import Settings
from infusion_orders.rules.rule import Verdict
from tests.support.orders import an_order_document
from tests.support.rules import SETTING, decision_of

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
def test_message_that_is_not_an_event_is_dropped(written: tuple[logging.Logger, io.StringIO], message: Any) -> None:
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


def test_stack_has_places_and_nothing_else() -> None:
    try:
        int(CANARY)
    except ValueError as error:
        places = stack_of(error.__traceback__)

    assert len(places) == 1
    assert places[0].endswith(" test_stack_has_places_and_nothing_else")
    assert CANARY not in places[0]


def test_metrics_of_a_request_hold_nothing_of_the_previous_one(capsys: pytest.CaptureFixture[str]) -> None:
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


OBSERVED = {"RULES_TABLE": "rules", "DECISIONS_TABLE": "decisions", "AWS_REGION": "x", "SERVICE_NAME": "one-stack"}


def an_observer(**more: str) -> Observer:
    return Observer(Settings.from_environment(OBSERVED | more))


def some_notes(*judged: Judged) -> Notes:
    notes = Notes(at=datetime.now(UTC), request_id="a", function_request_id="a")
    notes.judged += judged
    return notes


def metrics_of(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, ...], list[float]]:
    """The values of each metric by its name and dimensions, as CloudWatch reads the lines."""
    found: dict[tuple[str, ...], list[float]] = {}
    for line in [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" in line]:
        for directive in line["_aws"]["CloudWatchMetrics"]:
            assert directive["Namespace"] == "InfusionOrders"
            for names, metric in product(directive["Dimensions"], directive["Metrics"]):
                assert names[0] == "service"
                values = tuple(line[name] for name in names)
                found.setdefault((metric["Name"], *values), []).extend(line[metric["Name"]])
    return found


def test_decisions_are_counted_by_outcome_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    an_observer().report(
        some_notes(Judged("accepted", 12, 4, 0.7), Judged("indeterminate", 12, 4, 0.9), Judged("accepted", 13, 0, 0.5)),
        status=200,
        duration_ms=1,
    )

    metrics = metrics_of(capsys)
    assert metrics["Decisions", "one-stack"] == [1, 1, 1]
    assert metrics["Decisions", "one-stack", "accepted"] == [1, 1]
    assert metrics["Decisions", "one-stack", "indeterminate"] == [1]
    assert metrics["Decisions", "one-stack", "12"] == [1, 1]
    assert metrics["Decisions", "one-stack", "accepted", "13"] == [1]
    assert metrics["Indeterminate", "one-stack"] == [0, 1, 0]
    assert metrics["Indeterminate", "one-stack", "13"] == [0]
    assert metrics["DecisionTime", "one-stack"] == [0.7, 0.9, 0.5]
    assert sorted(metrics["RuleSetAge", "one-stack"]) == [0, 4, 4]


def test_rules_that_are_not_met_or_failed_are_counted_by_their_id(capsys: pytest.CaptureFixture[str]) -> None:
    first = Judged("rejected", 1, 0, 1, not_met=("setting.a", "setting.a", "vendor.b"))
    second = Judged("rejected", 1, 0, 1, not_met=("vendor.b",), failed=("code.c",))

    an_observer().report(some_notes(first, second), status=200, duration_ms=1)

    metrics = metrics_of(capsys)
    assert {key: values for key, values in metrics.items() if key[0].startswith("Findings") and any(values)} == {
        ("FindingsNotMet", "one-stack", "setting.a"): [2],
        ("FindingsNotMet", "one-stack", "vendor.b"): [2],
        ("FindingsFailed", "one-stack", "code.c"): [1],
    }


def test_a_decision_is_counted_by_the_rules_that_it_reports(capsys: pytest.CaptureFixture[str]) -> None:
    notes = some_notes()
    decision = decision_of(an_order_document({"/caregiver/able": False}))
    notes.decided(decision, duration_ms=1)

    an_observer().report(notes, status=200, duration_ms=1)

    counted = {key[2]: values for key, values in metrics_of(capsys).items() if key[0] == "FindingsNotMet"}
    assert counted == {SETTING: [1]}
    assert {finding.verdict for finding in decision.findings} == {Verdict.NOT_MET}


def test_the_line_of_a_batch_counts_its_outcomes() -> None:
    notes = some_notes()
    notes.note(orders=3)
    for outcome in ("accepted", "rejected", "accepted"):
        decision = decision_of(an_order_document()).model_copy(update={"outcome": outcome})
        notes.decided(decision, duration_ms=1.0)

    assert notes.fields["outcomes"] == {"accepted": 2, "rejected": 1}
    assert "outcome" not in notes.fields


def test_a_rule_that_could_not_be_judged_is_counted_as_failed() -> None:
    decision = decision_of(an_order_document({"/caregiver/able": False}))
    (finding,) = decision.findings
    notes = some_notes()
    notes.decided(
        decision.model_copy(update={"findings": (finding.model_copy(update={"verdict": Verdict.ERROR}),)}),
        duration_ms=1,
    )

    assert [(one.not_met, one.failed) for one in notes.judged] == [((), (SETTING,))]


def test_shadow_is_counted_by_flip(capsys: pytest.CaptureFixture[str]) -> None:
    notes = some_notes()
    notes.shadowed += [Shadowed(2), Shadowed(2, "rejected -> needs_review"), Shadowed(2, failed=True)]

    an_observer().report(notes, status=200, duration_ms=1)

    metrics = metrics_of(capsys)
    assert metrics["ShadowDecisions", "one-stack", "2"] == [1, 1, 0]
    assert metrics["ShadowDifferences", "one-stack", "2"] == [0, 1, 0]
    assert metrics["ShadowDifferences", "one-stack", "2", "rejected -> needs_review"] == [1]
    assert metrics["ShadowFailures", "one-stack", "2"] == [0, 0, 1]


def test_order_without_findings_writes_one_line_of_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    an_observer().report(some_notes(Judged("accepted", 12, 4, 0.7)), status=200, duration_ms=1)

    assert capsys.readouterr().out.count("CloudWatchMetrics") == 1


def test_metrics_can_be_off(capsys: pytest.CaptureFixture[str]) -> None:
    an_observer(METRICS_ENABLED="false").report(some_notes(Judged("accepted", 12, 4, 0.7)), status=200, duration_ms=1)

    assert "_aws" not in capsys.readouterr().out
