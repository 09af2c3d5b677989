"""One log line and a few metrics for each request, with fields of an allow-list.

The list has ids, outcomes, rule ids, digests and durations, and nothing that an order holds.  Any other field is
dropped when the line is written.  Tracing the function needs no X-Ray SDK, so none is imported.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from infusion_orders.api.metrics import DECISION, FLIP, PROBLEM, RULE, SHADOW, Meter, Metric
from infusion_orders.decisions.decision import Outcome
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from types import TracebackType

    from infusion_orders.api.settings import Settings
    from infusion_orders.decisions.decision import Decision


class Event(StrEnum):
    """The only messages of log lines."""

    ANSWERED = "answered"
    REFUSED = "refused"
    FAULT = "fault"
    SHADOW = "shadow"


REQUEST_FIELDS = (
    "request_id",
    "function_request_id",
    "route",
    "status",
    "problem",
    "partner",
    "person",
    "change",
    "decision_id",
    "outcome",
    "outcomes",
    "rules",
    "ruleset_version",
    "ruleset_digest",
    "ruleset_age_seconds",
    "orders",
    "lines",
    "replayed",
    "reproduced",
    "duration_ms",
    "fault",
    "stack",
    "shadow_version",
    "shadow_outcome",
    "flips",
)
ALLOWED_FIELDS = frozenset({"level", "message", "timestamp", "service", "xray_trace_id", *REQUEST_FIELDS})


class AllowListFormatter(LambdaPowertoolsFormatter):
    """Writes the allowed fields, and the message only if it is an `Event`.

    Exception texts, source lines and accidental extras cannot reach the line.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON, built from the list instead of filtered from what Powertools would write."""
        given = record.__dict__
        known = self.log_format
        line = {
            "level": record.levelname,
            "message": record.msg if isinstance(record.msg, str) and record.msg in _EVENTS else "(dropped)",
            "timestamp": self.formatTime(record),
            "service": known.get("service"),
            "xray_trace_id": self._get_latest_trace_id(),
        }
        line |= {name: given[name] for name in REQUEST_FIELDS if name in given}
        return self.serialize({name: value for name, value in line.items() if value is not None})


_LINE = json.JSONEncoder(default=str, separators=(",", ":"))
_EVENTS = frozenset(str(event) for event in Event)


@dataclass(slots=True)
class Judged:
    """What the metrics count of one decided order; `not_met` and `failed` name the rule of each such finding."""

    outcome: str
    ruleset_version: int
    ruleset_age_seconds: int
    duration_ms: float
    not_met: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass(slots=True)
class Shadowed:
    """One order that was also decided under the shadow version.

    `flip` has both outcomes of the order, None if nothing differs; `fields` are for the log line of a difference;
    `failed` means that the shadow did not decide the order.
    """

    version: int
    flip: str | None = None
    failed: bool = False
    fields: dict[str, Any] | None = None


@dataclass(slots=True)
class Notes:
    """What is noted about one request while it is answered: fields for its log line, decided orders and problems.

    `at` is the time of the request, so that its day, its decision id and its record agree.
    """

    at: datetime
    request_id: str
    function_request_id: str
    fields: dict[str, Any] = field(default_factory=dict)
    judged: list[Judged] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    shadowed: list[Shadowed] = field(default_factory=list)

    def note(self, **fields: Any) -> None:
        """Add fields to the log line; those that are not in `ALLOWED_FIELDS` are dropped when it is written."""
        self.fields.update(fields)

    def decided(self, decision: Decision, *, duration_ms: float) -> None:
        """Note a recorded decision: its ids, its outcome, and the rules of its findings."""
        rule_set = decision.ruleset
        self.judged.append(
            Judged(
                str(decision.outcome),
                rule_set.version,
                rule_set.age_seconds,
                duration_ms,
                not_met=_rules(decision, Verdict.NOT_MET),
                failed=_rules(decision, Verdict.ERROR),
            )
        )
        self.note(
            ruleset_version=rule_set.version,
            ruleset_digest=rule_set.digest,
            ruleset_age_seconds=rule_set.age_seconds,
        )
        if "outcomes" in self.fields:
            self.fields["outcomes"][str(decision.outcome)] += 1
        elif "orders" in self.fields:
            self.note(outcomes=Counter([str(decision.outcome)]))
        else:
            self.note(
                decision_id=decision.decision_id,
                outcome=str(decision.outcome),
                lines=len(decision.lines),
                rules=list(dict.fromkeys(finding.rule for finding in decision.findings)),
            )


def _rules(decision: Decision, verdict: Verdict) -> tuple[str, ...]:
    return tuple([finding.rule for finding in decision.findings if finding.verdict is verdict])


class Observer:
    """Writes the log lines and metrics of one function to standard output, which Lambda sends to CloudWatch."""

    def __init__(self, settings: Settings) -> None:
        self._logger = Logger(
            service=settings.service_name,
            level=settings.log_level,
            logger_formatter=AllowListFormatter(
                log_record_order=["level", "message", "timestamp"],
                utc=True,
                use_rfc3339=True,
                location=None,
                json_serializer=_LINE.encode,
            ),
        )
        self._meter = Meter(settings)

    def report(self, notes: Notes, *, status: int, duration_ms: float) -> None:
        """Write the line and the metrics of one request."""
        event = _event(status, notes)
        write = self._logger.error if event is Event.FAULT else self._logger.info
        write(
            str(event),
            extra={
                "request_id": notes.request_id,
                "function_request_id": notes.function_request_id,
                "status": status,
                "duration_ms": round(duration_ms, 2),
                **notes.fields,
            },
        )
        self._measure_decisions(notes.judged)
        self._measure_problems(notes.problems)
        self._report_shadow(notes)

    def _report_shadow(self, notes: Notes) -> None:
        for one in notes.shadowed:
            version = {"shadow_version": str(one.version)}
            values = {
                Metric.SHADOW_DECISIONS: [int(not one.failed)],
                Metric.SHADOW_DIFFERENCES: [int(one.flip is not None)],
                Metric.SHADOW_FAILURES: [int(one.failed)],
            }
            if one.flip is None:
                self._meter.write(SHADOW, version, values)
            else:
                self._meter.write(FLIP, version | {"flip": one.flip}, values)
            if one.fields is not None:
                self._logger.info(str(Event.SHADOW), extra={"request_id": notes.request_id, **one.fields})

    def _measure_decisions(self, judged: Sequence[Judged]) -> None:
        """Write a line for each outcome and version, and for each rule that is not met or failed."""
        groups: dict[tuple[str, int], list[Judged]] = {}
        for one in judged:
            groups.setdefault((one.outcome, one.ruleset_version), []).append(one)
        for (outcome, version), group in groups.items():
            self._meter.write(
                DECISION,
                {"outcome": outcome, "ruleset_version": str(version)},
                {
                    Metric.DECISIONS: [1] * len(group),
                    Metric.INDETERMINATE: [int(outcome == Outcome.INDETERMINATE)] * len(group),
                    Metric.DECISION_TIME: [round(one.duration_ms, 3) for one in group],
                    Metric.RULE_SET_AGE: [group[-1].ruleset_age_seconds],
                },
            )
        not_met = Counter(rule for one in judged for rule in one.not_met)
        failed = Counter(rule for one in judged for rule in one.failed)
        for rule in sorted({*not_met, *failed}):
            values = {Metric.FINDINGS_NOT_MET: [not_met[rule]], Metric.FINDINGS_FAILED: [failed[rule]]}
            self._meter.write(RULE, {"rule": rule}, values)

    def _measure_problems(self, problems: Iterable[str]) -> None:
        for problem, count in sorted(Counter(problems).items()):
            self._meter.write(PROBLEM, {"problem": problem}, {Metric.PROBLEMS: [count]})


def _event(status: int, notes: Notes) -> Event:
    """The message of the line; a batch is answered with 200 even if one of its orders met a fault."""
    if status >= 500 or "fault" in notes.fields:
        return Event.FAULT
    return Event.ANSWERED if status < 400 else Event.REFUSED


def stack_of(traceback: TracebackType | None) -> list[str]:
    """Where a fault happened, innermost last: `module:line function`, without source text, variables or message."""
    places = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        module = traceback.tb_frame.f_globals.get("__name__", "?")
        places.append(f"{module}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places[-20:]
