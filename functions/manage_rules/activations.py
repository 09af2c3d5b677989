"""Which version is active: activate one, roll back, set a shadow, and list who changed what."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from infusion_orders.api.errors import TooManyFlips
from infusion_orders.api.requests import json_body, refuse_parameters
from infusion_orders.api.rule_bodies import Activation, ReplayOrder, RollBack, ShadowChange, read_body
from replays import replay_while_time_is_left, source_of
from rule_answers import plain_pointer, plain_record, plain_response

if TYPE_CHECKING:
    from decimal import Decimal

    from infusion_orders.api.application import Response
    from infusion_orders.api.requests import Request
    from infusion_orders.api.resources import Resources


def activate_version(request: Request, resources: Resources) -> Response:
    """Activate a published version.  If two people activate at once, one is refused and told who was first."""
    person = request.authenticate_staff()
    refuse_parameters(request.event)
    wanted = read_body(json_body(request.event), Activation)
    if wanted.max_flips is not None:
        _require_few_flips(wanted, wanted.max_flips, request, resources)
    pointer = resources.rule_set_store.activations.activate(
        wanted.version,
        by=person,
        why=wanted.why,
        at=request.notes.at,
        forced=wanted.force,
        four_eyes=resources.settings.four_eyes,
        expected=wanted.expected,
    )
    request.notes.note(change="activated", ruleset_version=pointer.version)
    return plain_response(plain_pointer(pointer))


def roll_back(request: Request, resources: Resources) -> Response:
    """Activate the previous version again."""
    person = request.authenticate_staff()
    refuse_parameters(request.event)
    wanted = read_body(json_body(request.event), RollBack)
    pointer = resources.rule_set_store.activations.roll_back(by=person, why=wanted.why, at=request.notes.at)
    request.notes.note(change="rolled back", ruleset_version=pointer.version)
    return plain_response(plain_pointer(pointer))


def set_shadow(request: Request, resources: Resources) -> Response:
    """Set the version that live orders are also decided under, or remove it."""
    person = request.authenticate_staff()
    refuse_parameters(request.event)
    wanted = read_body(json_body(request.event), ShadowChange)
    activations = resources.rule_set_store.activations
    pointer = activations.set_shadow(wanted.version, by=person, why=wanted.why, at=request.notes.at)
    request.notes.note(change="shadow", ruleset_version=pointer.version)
    return plain_response(plain_pointer(pointer))


def list_changes(request: Request, resources: Resources) -> Response:
    """List who changed what, when and why; the latest change comes first."""
    request.authenticate_staff()
    refuse_parameters(request.event)
    changes = resources.rule_set_store.activations.history()
    return plain_response({"changes": [plain_record(change) for change in changes]})


def _require_few_flips(wanted: Activation, most: Decimal, request: Request, resources: Resources) -> None:
    """Raise TooManyFlips if more recorded decisions would change than allowed, or if the number is not known."""
    today = request.notes.at.date()
    days = ReplayOrder(since=today - timedelta(days=wanted.days - 1), until=today)
    rule_set = resources.rule_sets.version(wanted.version)
    report, rest = replay_while_time_is_left(source_of(days, resources), rule_set, None, request)
    period = f"of the last {wanted.days} days"
    if rest is not None:
        raise TooManyFlips(
            f"one request cannot replay all decisions {period}. Replay them with "
            "`infusion-orders rules replay` or as a job, then activate without max_flips"
        )
    if not report.replayed:
        raise TooManyFlips(f"no decision {period} can be replayed, so the number of changes is not known")
    if report.share_changed > most:
        raise TooManyFlips(f"{report.changed} of {report.replayed} decisions {period} would change")
