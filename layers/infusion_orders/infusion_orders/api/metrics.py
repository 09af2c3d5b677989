"""The metrics: a table of their names and dimensions, and the lines that CloudWatch derives them from.

A line has CloudWatch's embedded metric format.  Its declarations are the same for all lines of a kind and are rendered
once per process.  The values of dimensions come from the code or the rule set, never from an order.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infusion_orders.api.settings import Settings

COUNT, MILLISECONDS, SECONDS = "Count", "Milliseconds", "Seconds"
SERVICE = "service"
"""The dimension that every metric has: the stack, `infusion-orders-<stage>`."""


class Metric(StrEnum):
    """The names of all metrics.  `INDETERMINATE` is 0 or 1 for each decision, so that its average is a share."""

    DECISIONS = "Decisions"
    INDETERMINATE = "Indeterminate"
    DECISION_TIME = "DecisionTime"
    RULE_SET_AGE = "RuleSetAge"
    FINDINGS_NOT_MET = "FindingsNotMet"
    FINDINGS_FAILED = "FindingsFailed"
    PROBLEMS = "Problems"
    SHADOW_DECISIONS = "ShadowDecisions"
    SHADOW_DIFFERENCES = "ShadowDifferences"
    SHADOW_FAILURES = "ShadowFailures"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A metric's unit, and the sets of dimensions that it is counted by in addition to the service."""

    unit: str
    by: tuple[tuple[str, ...], ...] = ((),)


MetricKind = dict[Metric, Declaration]
_EVERY_WAY = ((), ("outcome",), ("ruleset_version",), ("outcome", "ruleset_version"))
_BY_SHADOW = (("shadow_version",),)

DECISION: MetricKind = {
    Metric.DECISIONS: Declaration(COUNT, _EVERY_WAY),
    Metric.INDETERMINATE: Declaration(COUNT, ((), ("ruleset_version",))),
    Metric.DECISION_TIME: Declaration(MILLISECONDS, ((), ("ruleset_version",))),
    Metric.RULE_SET_AGE: Declaration(SECONDS),
}
RULE: MetricKind = {
    Metric.FINDINGS_NOT_MET: Declaration(COUNT, (("rule",),)),
    Metric.FINDINGS_FAILED: Declaration(COUNT, (("rule",),)),
}
PROBLEM: MetricKind = {Metric.PROBLEMS: Declaration(COUNT, (("problem",),))}
SHADOW: MetricKind = {
    Metric.SHADOW_DECISIONS: Declaration(COUNT, _BY_SHADOW),
    Metric.SHADOW_DIFFERENCES: Declaration(COUNT, _BY_SHADOW),
    Metric.SHADOW_FAILURES: Declaration(COUNT, _BY_SHADOW),
}
FLIP: MetricKind = SHADOW | {Metric.SHADOW_DIFFERENCES: Declaration(COUNT, (*_BY_SHADOW, ("shadow_version", "flip")))}
KINDS = (DECISION, RULE, PROBLEM, SHADOW, FLIP)
"""Every kind of line.  A test holds the alarms and the dashboard of template.yaml to it."""

_encoded = json.JSONEncoder(separators=(",", ":")).encode


class Meter:
    """Writes the metrics of one service to standard output, which Lambda sends to CloudWatch."""

    def __init__(self, settings: Settings) -> None:
        self._service = settings.service_name
        self._enabled = settings.metrics_enabled
        self._declared = {id(kind): _directives(settings.metrics_namespace, kind) for kind in KINDS}

    def write(self, kind: MetricKind, dimensions: Mapping[str, str], values: Mapping[Metric, Sequence[float]]) -> None:
        """Write one line, with at most 100 values for each metric of the kind."""
        if not self._enabled:
            return
        measured = _encoded({SERVICE: self._service, **dimensions, **values})
        about = f'{{"Timestamp":{time.time_ns() // 1_000_000},"CloudWatchMetrics":{self._declared[id(kind)]}}}'
        sys.stdout.write(f'{{"_aws":{about},{measured[1:]}\n')


def _directives(namespace: str, kind: MetricKind) -> str:
    """The directives of a kind: metrics with the same dimensions share one."""
    together: dict[tuple[tuple[str, ...], ...], list[dict[str, str]]] = {}
    for metric, declared in kind.items():
        together.setdefault(declared.by, []).append({"Name": metric, "Unit": declared.unit})
    return _encoded(
        [
            {"Namespace": namespace, "Dimensions": [[SERVICE, *names] for names in by], "Metrics": metrics}
            for by, metrics in together.items()
        ]
    )
