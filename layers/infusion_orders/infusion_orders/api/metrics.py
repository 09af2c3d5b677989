"""The metrics: their names and dimensions in one table, and the lines that CloudWatch makes them from.

A line is in CloudWatch's embedded metric format.  What it declares is the same for all lines of its kind, so it is
rendered once a process: a line costs some microseconds.  Every value of a dimension is one that the code or the rule
set names, never one that an order holds.
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
"""The dimension of every metric: one stack's, `infusion-orders-<stage>`."""


class Metric(StrEnum):
    """`INDETERMINATE` is 0 or 1 for each decision, so that it is there, and a share of all, without any."""

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
class Declared:
    """A metric's unit, and the sets of dimensions that it is counted by, each beside the service."""

    unit: str
    by: tuple[tuple[str, ...], ...] = ((),)


Kind = dict[Metric, Declared]
_EVERY_WAY = ((), ("outcome",), ("ruleset_version",), ("outcome", "ruleset_version"))
_BY_SHADOW = (("shadow_version",),)

DECISION: Kind = {
    Metric.DECISIONS: Declared(COUNT, _EVERY_WAY),
    Metric.INDETERMINATE: Declared(COUNT, ((), ("ruleset_version",))),
    Metric.DECISION_TIME: Declared(MILLISECONDS, ((), ("ruleset_version",))),
    Metric.RULE_SET_AGE: Declared(SECONDS),
}
RULE: Kind = {
    Metric.FINDINGS_NOT_MET: Declared(COUNT, (("rule",),)),
    Metric.FINDINGS_FAILED: Declared(COUNT, (("rule",),)),
}
PROBLEM: Kind = {Metric.PROBLEMS: Declared(COUNT, (("problem",),))}
SHADOW: Kind = {
    Metric.SHADOW_DECISIONS: Declared(COUNT, _BY_SHADOW),
    Metric.SHADOW_DIFFERENCES: Declared(COUNT, _BY_SHADOW),
    Metric.SHADOW_FAILURES: Declared(COUNT, _BY_SHADOW),
}
FLIP: Kind = SHADOW | {Metric.SHADOW_DIFFERENCES: Declared(COUNT, (*_BY_SHADOW, ("shadow_version", "flip")))}
KINDS = (DECISION, RULE, PROBLEM, SHADOW, FLIP)
"""All that is ever emitted; template.yaml's alarms and dashboard are held to it."""

_encoded = json.JSONEncoder(separators=(",", ":")).encode


class Meter:
    """Writes the metrics of one service to standard output, which Lambda hands to CloudWatch."""

    def __init__(self, settings: Settings) -> None:
        self._service = settings.service_name
        self._enabled = settings.metrics_enabled
        self._declared = {id(kind): _directives(settings.metrics_namespace, kind) for kind in KINDS}

    def write(self, kind: Kind, dimensions: Mapping[str, str], values: Mapping[Metric, Sequence[float]]) -> None:
        """One line: at most 100 values for each metric of the kind."""
        if not self._enabled:
            return
        said = _encoded({SERVICE: self._service, **dimensions, **values})
        about = f'{{"Timestamp":{time.time_ns() // 1_000_000},"CloudWatchMetrics":{self._declared[id(kind)]}}}'
        sys.stdout.write(f'{{"_aws":{about},{said[1:]}\n')


def _directives(namespace: str, kind: Kind) -> str:
    """Metrics that are counted by the same dimensions share a directive."""
    together: dict[tuple[tuple[str, ...], ...], list[dict[str, str]]] = {}
    for metric, declared in kind.items():
        together.setdefault(declared.by, []).append({"Name": metric, "Unit": declared.unit})
    return _encoded(
        [
            {"Namespace": namespace, "Dimensions": [[SERVICE, *names] for names in by], "Metrics": metrics}
            for by, metrics in together.items()
        ]
    )
