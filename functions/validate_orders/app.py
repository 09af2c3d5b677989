"""Partners' orders: decide one order or a batch, and read a recorded decision again."""

from __future__ import annotations

import os

from infusion_orders.api.application import Application, Response, json_response, noted_problem
from infusion_orders.api.batch import BatchAnswer, digest_of_order, read_batch
from infusion_orders.api.caller import TokenScope, require_line_of_business, require_scope
from infusion_orders.api.live_decisions import decide_now, record_decision, reproduce_decision
from infusion_orders.api.requests import (
    Request,
    decision_query,
    idempotency_key,
    json_body,
    refuse_parameters,
    require_ulid,
)
from infusion_orders.api.resources import Resources, open_resources
from infusion_orders.api.settings import Settings
from infusion_orders.orders.parsing import order_from_json, parse_order
from infusion_orders.rules.digests import digest
from infusion_orders.store.decisions import IdempotencyKey


def validate_order(request: Request, resources: Resources) -> Response:
    """Decide one order and record the decision, or reproduce a past decision."""
    partner = request.authenticate(resources.partners)
    query = decision_query(request.event, today=request.notes.at.date())
    if query.reproduces:
        require_scope(request.event, TokenScope.READ_DECISIONS)
    body = json_body(request.event)
    key = idempotency_key(request.event)
    order = parse_order(body)
    require_line_of_business(partner, order)
    if query.reproduces:
        return json_response(reproduce_decision(order, query, request, resources))
    decision = decide_now(order, request, resources, explain_all=query.explain_all)
    idempotency = None if key is None else IdempotencyKey(key, digest(body))
    recorded = record_decision(decision, partner, idempotency, request, resources)
    return json_response(recorded.body, headers={"Idempotent-Replayed": "true"} if recorded.replayed else None)


def validate_batch(request: Request, resources: Resources) -> Response:
    """Decide and record 1 to 50 orders, each on its own: a failed order becomes a problem at its index."""
    partner = request.authenticate(resources.partners)
    refuse_parameters(request.event)
    documents = read_batch(json_body(request.event))
    key = idempotency_key(request.event)
    request.notes.note(orders=len(documents))
    answer = BatchAnswer()
    for index, document in enumerate(documents):
        try:
            order = order_from_json(document)
            require_line_of_business(partner, order)
            answer.require_room(milliseconds_left=request.milliseconds_left())
            decision = decide_now(order, request, resources)
            idempotency = None if key is None else IdempotencyKey(f"{key}#{index}", digest_of_order(document))
            answer.add_decision(index, record_decision(decision, partner, idempotency, request, resources).body)
        except Exception as error:
            answer.add_problem(index, noted_problem(error, request.notes).body(request.notes.request_id))
    return json_response(answer.json())


def get_decision(request: Request, resources: Resources) -> Response:
    """Read a decision as it was sent."""
    partner = request.authenticate(resources.partners)
    refuse_parameters(request.event)
    decision_id = require_ulid(request.path_parameters["decision_id"])
    body = resources.decisions.read(partner.client_id, decision_id)
    request.notes.note(decision_id=decision_id)
    return json_response(body)


resources = open_resources(Settings.from_environment(os.environ))
resources.load_rules()
handler = Application("validate_orders", resources, validate_order, validate_batch, get_decision).answer
