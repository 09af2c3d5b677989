"""What `sam build` built, under the Lambda runtime emulator and on DynamoDB Local: every route, every status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.api.observability import ALLOWED_FIELDS
from infusion_orders.api.routes import ROUTES, ApiRoute
from infusion_orders.orders.parsing import MAX_BODY_BYTES
from infusion_orders_cli.local.tables import DECISIONS_TABLE, LOCAL_PARTNER
from tests.support.orders import CANARY, a_canary_order, an_order_document
from tests.support.partner import an_event, read_event
from tests.support.project import PROJECT
from tests.support.routes import event_to, good_requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.end_to_end.conftest import Stack
    from tests.support.partner import Answer, PartnerSystem

pytestmark = pytest.mark.end_to_end

DOCUMENTED = json.loads((PROJECT / "docs" / "openapi.json").read_text(encoding="utf-8"))["paths"]


@pytest.fixture(scope="module")
def decision_id(stack: Stack) -> str:
    with stack.cold("ValidateOrders") as (partner, _function):
        return str(partner.validate(an_order_document()).json["decision_id"])


@pytest.fixture(scope="module")
def partner(stack: Stack) -> Iterator[PartnerSystem]:
    """The function of the orders, warm."""
    with stack.cold("ValidateOrders") as (partner, _function):
        yield partner


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_route_answers_cold_and_warm(stack: Stack, decision_id: str, route: ApiRoute) -> None:
    request = good_requests(decision_id)[str(route)]
    event = event_to(route, request)
    stack.as_it_was()

    with stack.cold(route.function.title().replace("_", "")) as (caller, function):
        first, second = caller.send(event), caller.send(event)
        lines = function.lines()

    assert (first.status, second.status) == (request.status, request.again), first.text + second.text
    assert first.headers["Content-Type"] == "application/json"
    assert {first.status, second.status} <= {
        int(status) for status in DOCUMENTED[route.path][route.method.lower()]["responses"]
    }
    told = [line for line in lines if "_aws" not in line]
    assert [line["status"] for line in told] == [first.status, second.status]
    assert all(set(line) <= ALLOWED_FIELDS for line in told)
    assert {line["route"] for line in told} == {str(route)}


def test_built_function_answers_like_the_source_cold_and_warm(stack: Stack) -> None:
    order = an_order_document()
    expected = json.loads((PROJECT / "events" / "orders" / "remicade.json").read_text(encoding="utf-8"))
    answers = []
    for _start in range(2):
        with stack.cold("ValidateOrders") as (partner, _function):
            answers += [partner.validate(order), partner.validate(expected)]
    receipts = [answer.json["receipt"] for answer in answers]
    assert receipts[0] == receipts[2]
    assert receipts[1] == receipts[3]


def get_decision(decision_id: str, **changes: Any) -> dict[str, Any]:
    return an_event("get-decision", **changes) | {"path": f"/v1/decisions/{decision_id}"}


REFUSALS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "a body that is no JSON": (400, "malformed-json", read_event("validate-order-malformed")),
    "no claims": (401, "unauthenticated", read_event("validate-order-unauthenticated")),
    "another scope": (403, "missing-scope", read_event("validate-order-missing-scope")),
    "an unknown client": (403, "missing-scope", an_event("validate-order", client_id="nobody")),
    "a suspended partner": (403, "missing-scope", an_event("validate-order", client_id="suspended-partner")),
    "another line of business": (403, "missing-scope", an_event("validate-order", client_id="commercial-partner")),
    "a day before all rules": (
        404,
        "not-found",
        an_event("validate-order", query={"as_of": "1999-01-01"}),
    ),
    "a decision that is not there": (404, "not-found", get_decision("01KAT7Q3V9M5R7T0ZJX2B8N4WC")),
    "a path that is not there": (404, "not-found", an_event("validate-order") | {"path": "/v1/nothing"}),
    "another method": (405, "not-found", an_event("validate-order") | {"httpMethod": "DELETE"}),
    "too large a body": (413, "too-large", an_event("validate-order", body=" " * (MAX_BODY_BYTES + 1))),
    "a form": (415, "unsupported-media-type", read_event("validate-order-form-encoded")),
    "an order that does not follow the contract": (422, "invalid-order", read_event("validate-order-invalid")),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_refused_request_gets_its_problem_cold_and_warm(stack: Stack, what: str) -> None:
    status, problem, event = REFUSALS[what]

    with stack.cold("ValidateOrders") as (partner, _function):
        answers = [partner.send(event), partner.send(event)]

    assert [(answer.status, answer.problem) for answer in answers] == [(status, problem)] * 2, answers


def test_idempotency_key_of_another_order_returns_409(partner: PartnerSystem) -> None:
    key = {"Idempotency-Key": "one-key"}
    first = partner.validate(an_order_document(), headers=key)
    again = partner.validate(an_order_document(), headers=key)
    other = partner.validate(an_order_document({"/caregiver/able": False}), headers=key)

    assert (first.status, again.status, again.text) == (200, 200, first.text)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status, other.problem) == (409, "idempotency-conflict")


def test_decision_of_another_partner_returns_404(partner: PartnerSystem, decision_id: str) -> None:
    assert partner.decision(decision_id).status == 200
    assert partner.decision(decision_id, client_id="another-partner").status == 404


def test_missing_rule_set_or_table_returns_503(stack: Stack) -> None:
    def refused(answer: Answer) -> tuple[int, str, bool]:
        return answer.status, answer.problem, int(answer.headers["Retry-After"]) > 0

    with stack.cold("ValidateOrders", RULE_SET="another") as (partner, _function):
        assert refused(partner.validate(an_order_document())) == (503, "no-ruleset", True)
    with stack.cold("ValidateOrders", DECISIONS_TABLE="NoSuchTable") as (partner, _function):
        assert refused(partner.validate(an_order_document())) == (503, "internal", True)


def test_internal_error_returns_500_without_details(stack: Stack, partner: PartnerSystem) -> None:
    """A recorded decision that somebody damaged: nothing that the code expects."""
    item = {"PK": {"S": f"PARTNER#{LOCAL_PARTNER}"}, "SK": {"S": "DECISION#01KAT7Q3V9M5R7T0ZJX2B8N4WD"}}
    stack.tables.client.put_item(TableName=DECISIONS_TABLE, Item=item)

    answer = partner.decision("01KAT7Q3V9M5R7T0ZJX2B8N4WD")

    assert (answer.status, answer.problem) == (500, "internal")
    assert "Traceback" not in answer.text
    assert "KeyError" not in answer.text


def test_runtime_logs_nothing_of_a_member(stack: Stack) -> None:
    with stack.cold("ValidateOrders", LOG_LEVEL="DEBUG") as (partner, function):
        answers = [
            partner.validate(a_canary_order()),
            partner.validate(a_canary_order() | {"CANARY-20": "CANARY-21"}),
            partner.validate_batch([a_canary_order(), "CANARY-22"]),
            partner.send(an_event("validate-order", body='{"CANARY-23": CANARY-24')),
        ]
        log = function.log()

    assert [answer.status for answer in answers] == [200, 422, 200, 400]
    assert log.count("REPORT RequestId") >= 3  # the last may still be on its way
    assert CANARY not in log + "".join(answer.text for answer in answers)


def test_every_operation_documents_429() -> None:
    """429 comes from the stage and its usage plan, not from a function (tests/infrastructure/test_template.py)."""
    assert all("429" in operation["responses"] for item in DOCUMENTED.values() for operation in item.values())
