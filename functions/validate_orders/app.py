"""POST /v1/orders/validate and its batch: does this order stand under the plan's rules?  GET: what did we answer?"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from ulid import ULID

from infusion_orders.api.starting import started  # isort: skip - before all that it makes faster
from infusion_orders.api.batch import answer_batch, digest_of, read_batch
from infusion_orders.api.caller import Scope, caller, require_line_of_business
from infusion_orders.api.partner_api import json_answer, partner_api
from infusion_orders.api.reproduction import rule_set_asked_for
from infusion_orders.api.requests import asked, digest_of_body, idempotency_key, json_body, known_form, no_parameters
from infusion_orders.api.settings import Settings
from infusion_orders.api.shadowing import decide_in_shadow
from infusion_orders.api.stores import stores_of
from infusion_orders.decisions import decide
from infusion_orders.orders.reading import order_from, read_order
from infusion_orders.store.activations import NoRuleSet
from infusion_orders.store.decisions import DecisionStore, IdempotencyKey
from infusion_orders.store.dynamodb import time_limit

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from infusion_orders.api.requests import Asked
    from infusion_orders.decisions import Decided
    from infusion_orders.decisions.decision import Decision
    from infusion_orders.orders.order import Order
    from infusion_orders.store.decisions import Recorded
    from infusion_orders.store.partners import Partner

START_SECONDS = 9
"""Lambda ends a start after 10 s and begins anew: then the first order would wait for two."""

settings = Settings.from_environment(os.environ)
client, rule_set_store, rule_sets, partners = stores_of(settings)
decisions = DecisionStore(client, settings.decisions_table, retention_days=settings.decision_retention_days)
app = partner_api(settings)

with contextlib.suppress(NoRuleSet), time_limit(START_SECONDS):
    rule_sets.active()  # read while the function starts, so that the first order does not wait for it
started()


@app.post("/v1/orders/validate")
def validate_order() -> Response[str]:
    """One order; recorded, unless a past decision is asked for again."""
    partner = partner_of(Scope.VALIDATE)
    request = asked(app.event, today=app.notes.at.date())
    if request.reproduces:
        partner_of(Scope.READ_DECISIONS)
    body = json_body(app.event)
    key = idempotency_key(app.event)
    order = read_order(body)
    require_line_of_business(partner, order)
    if request.reproduces:
        return json_answer(reproduced(order, request))
    made = made_now(order, explain_all=request.explain_all)
    recorded = given_out(partner, made, None if key is None else IdempotencyKey(key, digest_of_body(body)))
    return json_answer(recorded.body, headers={"Idempotent-Replayed": "true"} if recorded.replayed else None)


@app.post("/v1/orders/validate-batch")
def validate_batch() -> Response[str]:
    """1 to 50 orders, each decided and recorded on its own; pointers are those of the single order."""
    partner = partner_of(Scope.VALIDATE)
    no_parameters(app.event)
    orders = read_batch(json_body(app.event))
    key = idempotency_key(app.event)
    app.notes.note(orders=len(orders))

    def read_one(document: Any) -> tuple[Order, str | None]:
        order = order_from(document)
        require_line_of_business(partner, order)
        return order, None if key is None else digest_of(document)

    def decide_one(read: tuple[Order, str | None]) -> tuple[Made, str | None]:
        order, digest = read
        return made_now(order), digest

    def record_one(index: int, decided: tuple[Made, str | None]) -> str:
        made, digest = decided
        own_key = None if digest is None else IdempotencyKey(f"{key}#{index}", digest)
        return given_out(partner, made, own_key).body

    left = app.lambda_context.get_remaining_time_in_millis
    return json_answer(
        answer_batch(orders, read_one, decide_one, record_one, app.problem_entry, milliseconds_left=left)
    )


@app.get("/v1/decisions/<decision_id>")
def get_decision(decision_id: str) -> Response[str]:
    """The decision as it was given out; another partner's is not there."""
    partner = partner_of(Scope.READ_DECISIONS)
    no_parameters(app.event)
    body = decisions.read(partner.client_id, known_form(decision_id))
    app.notes.note(decision_id=decision_id)
    return json_answer(body)


def partner_of(scope: Scope) -> Partner:
    """The caller of the current request; noted, so that its line says whose it was."""
    partner = caller(app.event, partners, scope)
    app.notes.note(partner=partner.client_id)
    return partner


class Made(NamedTuple):
    """A decision that nobody has seen: it is given out once it is recorded."""

    order: Order
    decision_id: str
    decided: Decided
    body: str
    seconds: float


def made_now(order: Order, *, explain_all: bool = False) -> Made:
    """Under the active rules, as of today (UTC)."""
    started = time.perf_counter()
    at = app.notes.at
    active = rule_sets.active()
    decision_id = str(ULID.from_datetime(at))
    decided = decide(
        order,
        active.rule_set,
        as_of=at.date(),
        explain_all=explain_all,
        decision_id=decision_id,
        age_seconds=active.age_seconds,
    )
    body = rendered(decided.decision)
    return Made(order, decision_id, decided, body, time.perf_counter() - started)


def given_out(partner: Partner, made: Made, key: IdempotencyKey | None) -> Recorded:
    """The decision, now recorded, or the one that the same key and order already have."""
    started = time.perf_counter()
    decision = made.decided.decision
    recorded = decisions.record(
        partner.client_id,
        made.decided,
        decision_id=made.decision_id,
        key=key,
        at=app.notes.at,
        body=made.body,
    )
    if recorded.replayed:
        app.notes.note(replayed=True)
    else:
        app.notes.decided(decision, duration_ms=(made.seconds + time.perf_counter() - started) * 1000)
        decide_in_shadow(
            made.order,
            decision,
            rule_sets,
            app.notes,
            sample_percent=settings.shadow_sample_percent,
            milliseconds_left=app.lambda_context.get_remaining_time_in_millis,
        )
    return recorded


def reproduced(order: Order, request: Asked) -> str:
    """Decided again under the rules and on the day asked for: same receipt, no id, nothing recorded."""
    now = app.notes.at
    rule_set = rule_set_asked_for(request, rule_set_store, rule_sets, now=now)
    decided = decide(order, rule_set, as_of=request.as_of or now.date(), explain_all=request.explain_all)
    app.notes.note(reproduced=True, outcome=str(decided.decision.outcome), ruleset_version=rule_set.version)
    return rendered(decided.decision)


def rendered(decision: Decision) -> str:
    """The answer's JSON, made once: what is recorded is what is sent."""
    return decision.model_dump_json(by_alias=True, exclude_none=True)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An API Gateway REST proxy event in, its answer out."""
    return app.resolve(event, context)
