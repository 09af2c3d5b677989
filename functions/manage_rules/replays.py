"""Orders under a version that need not be active: try one, replay recorded decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import TYPE_CHECKING

from infusion_orders.api.application import json_response
from infusion_orders.api.errors import InvalidRequest, WrongPart
from infusion_orders.api.live_decisions import decision_json
from infusion_orders.api.requests import json_body, refuse_parameters, version_number
from infusion_orders.api.rule_bodies import ReplayOrder, read_body
from infusion_orders.decisions import decide
from infusion_orders.decisions.replay_report import ReplayReport, report_of
from infusion_orders.orders.parsing import parse_order
from infusion_orders.store.recorded_decisions import Position, TableSource
from rule_answers import plain_response

if TYPE_CHECKING:
    from infusion_orders.api.application import Response
    from infusion_orders.api.requests import Request
    from infusion_orders.api.resources import Resources
    from infusion_orders.rules.rule_set import RuleSet

RESERVED_MILLISECONDS = 8_000
"""With less time left a replay stops; one page of decisions and the answer take less."""


def try_order(request: Request, resources: Resources) -> Response:
    """Decide an order under a version, with every rule's verdict; nothing is recorded."""
    request.authenticate_staff()
    refuse_parameters(request.event)
    order = parse_order(json_body(request.event))
    rule_set = resources.rule_sets.version(version_number(request.path_parameters["version"]))
    decision = decide(order, rule_set, as_of=request.notes.at.date(), explain_all=True).decision
    request.notes.note(ruleset_version=rule_set.version, outcome=str(decision.outcome))
    return json_response(decision_json(decision))


def replay_version(request: Request, resources: Resources) -> Response:
    """Replay recorded decisions under a version; if time runs out, `after` says where the next request continues."""
    request.authenticate_staff()
    refuse_parameters(request.event)
    wanted = read_body(json_body(request.event), ReplayOrder)
    rule_set = resources.rule_sets.version(version_number(request.path_parameters["version"]))
    source = source_of(wanted, resources)
    after = None if wanted.after is None else Position(0, wanted.after.at, 0.0)
    report, mark = replay_while_time_is_left(source, rule_set, after, request)
    rest = None if mark is None else {"partner": source.partners[mark.part], "at": mark.at}
    request.notes.note(ruleset_version=rule_set.version, orders=report.replayed)
    return plain_response(
        {"version": rule_set.version, "complete": mark is None, "after": rest, "report": report.plain()}
    )


def source_of(wanted: ReplayOrder, resources: Resources) -> TableSource:
    """The decisions of whole days (UTC), of the partners whose replay is not complete.  Raises InvalidRequest."""
    first = datetime.combine(wanted.since, time_of_day.min, UTC)
    last = datetime.combine(wanted.until, time_of_day.min, UTC) + timedelta(days=1, milliseconds=-1)
    if last < first:
        raise InvalidRequest(WrongPart("parameter", "to", "must not be before `from`"))
    names = sorted(wanted.partners) if wanted.partners is not None else resources.partners.client_ids()
    left = tuple(name for name in names if wanted.after is None or name >= wanted.after.partner)
    return TableSource(resources.client, resources.settings.decisions_table, left, first, last)


def replay_while_time_is_left(
    source: TableSource, rule_set: RuleSet, after: Position | None, request: Request
) -> tuple[ReplayReport, Position | None]:
    """Replay while there is time.  The mark says where to continue; it is None when everything was replayed."""
    report = ReplayReport()
    for decisions, mark in source.pages(after):
        report.merge(report_of(decisions, rule_set))
        if mark.part == len(source.partners):
            break
        if request.milliseconds_left() < RESERVED_MILLISECONDS:
            return report, mark
    return report, None
