"""A tenth of `make fuzz`, always the same events: every answer is a documented one, and all routes are reached."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.api.caller import TokenScope, authenticate, authenticate_staff
from infusion_orders.api.errors import Unauthenticated
from tests.contract.partner_system import an_event
from tests.fuzz.events import (
    MOST_BYTES_OF_A_LINE,
    MOST_BYTES_OF_A_PROBLEM,
    SECONDS,
    SEED,
    Report,
    Wrong,
    check,
    documented,
    event_of,
    route_of,
    run_in_parallel,
    send,
)
from tests.fuzz.generator import CANARY
from tests.fuzz.hostile import INJECTION, ROUTES
from tests.fuzz.orders import document_of

if TYPE_CHECKING:
    from tests.contract.world import World

EVENTS = 10_000

UNANSWERED = {
    "GET /v1/decisions/{decision_id}",
    "GET /v1/rules/{rule_id}",
    "POST /v1/rulesets",
    "PUT /v1/rulesets/shadow",
}
"""No event names a decision or a rule that is there, brings a whole rule set, or has a version to set as a shadow."""

VALIDATE = an_event("validate-order")
PROBLEM = {"type": "x", "title": "x", "status": 400, "detail": "x", "instance": "x"}
LINE = '{"level":"INFO","message":"answered","status":400}\n'


@pytest.fixture(scope="module")
def report() -> Report:
    whole = Report()
    for part in run_in_parallel(SEED, EVENTS):
        whole.add(part)
    return whole


def test_no_hostile_event_has_a_wrong_answer(report: Report) -> None:
    assert report.events == EVENTS
    assert report.failures == []


def test_the_events_reach_every_route_and_every_answer_that_a_request_can_cause(report: Report) -> None:
    told = {tuple(answer.split(" ", 1)) for answer in report.answers}
    routes = {f"{method} {path}" for path, methods in documented().items() for method in methods}
    assert {route for status, route in told if status == "422"} >= routes
    answered = {route for status, route in told if status == "200"}
    assert routes - answered <= UNANSWERED
    statuses = {status for status, _ in told}
    assert statuses >= {"200", "400", "401", "403", "404", "405", "409", "413", "415", "422"}


def test_every_documented_route_is_tried_and_no_other() -> None:
    assert {(path, method) for method, path in ROUTES} == {
        (path, method) for path, methods in documented().items() for method in methods
    }


def test_an_event_is_the_same_for_ever() -> None:
    assert [event_of(SEED, number) for number in range(20)] == [event_of(SEED, number) for number in range(20)]


def an_answer(body: Any = PROBLEM, *, status: int = 400, media: str = "application/problem+json") -> dict[str, Any]:
    return {
        "statusCode": status,
        "multiValueHeaders": {"Content-Type": [media]},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def test_a_right_answer_passes_the_check() -> None:
    check(VALIDATE, an_answer(), LINE, "", 0.1)


@pytest.mark.parametrize(
    ("answer", "output", "errors", "seconds"),
    [
        (an_answer(PROBLEM | {"status": 500}, status=500), LINE.replace("400", "500"), "", 0.1),
        (an_answer(PROBLEM | {"status": 418}, status=418), LINE.replace("400", "418"), "", 0.1),
        (an_answer(media="application/json"), LINE, "", 0.1),
        (an_answer(PROBLEM | {"status": 401}), LINE, "", 0.1),
        (an_answer(PROBLEM | {"detail": CANARY}), LINE, "", 0.1),
        (an_answer(PROBLEM | {"more": 1}), LINE, "", 0.1),
        (an_answer(PROBLEM | {"detail": "x" * MOST_BYTES_OF_A_PROBLEM}), LINE, "", 0.1),
        (an_answer() | {"body": '"\ud800"'}, LINE, "", 0.1),
        (an_answer(), "", "", 0.1),
        (an_answer(), LINE * 2, "", 0.1),
        (an_answer(), LINE + "a line\n", "", 0.1),
        (an_answer(), LINE.replace("answered", CANARY), "", 0.1),
        (an_answer(), LINE.replace('"level"', '"body"'), "", 0.1),
        (an_answer(), LINE.replace("answered", "\x1b[31m"), "", 0.1),
        (an_answer(), LINE.replace("answered", "x" * MOST_BYTES_OF_A_LINE), "", 0.1),
        (an_answer(), LINE, "Traceback", 0.1),
        (an_answer(), LINE, "", SECONDS + 0.1),
    ],
)
def test_a_wrong_answer_does_not(answer: dict[str, Any], output: str, errors: str, seconds: float) -> None:
    with pytest.raises(Wrong):
        check(VALIDATE, answer, output, errors, seconds)


def without(name: str) -> dict[str, Any]:
    return {field: value for field, value in VALIDATE.items() if field != name}


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (None, 404),
        ([], 404),
        ("event", 404),
        ({}, 404),
        (without("path"), 404),
        (VALIDATE | {"path": None}, 404),
        (VALIDATE | {"path": ["/v1/orders/validate"]}, 404),
        (VALIDATE | {"path": "/v1/orders/validate\n"}, 404),
        (without("httpMethod"), 405),
        (VALIDATE | {"httpMethod": 5}, 405),
        (without("requestContext"), 401),
        (VALIDATE | {"requestContext": "x"}, 401),
        (VALIDATE | {"requestContext": {"authorizer": []}}, 401),
        (VALIDATE | {"requestContext": {"authorizer": {"claims": "x"}}}, 401),
        (without("headers"), 415),
        (VALIDATE | {"headers": None}, 415),
        (VALIDATE | {"headers": {"Content-Type": ["application/json"], "x": None}}, 415),
        (VALIDATE | {"headers": {"Content-Type": "application/json", "Idempotency-Key": ["a"]}}, 200),
        (without("body"), 400),
        (VALIDATE | {"body": {"order_id": "x"}}, 400),
        (VALIDATE | {"body": 5}, 400),
        (VALIDATE | {"body": "{}", "isBase64Encoded": True}, 400),
        (VALIDATE | {"isBase64Encoded": "false"}, 200),
        (VALIDATE | {"multiValueQueryStringParameters": {"as_of": 5}}, 422),
        (VALIDATE | {"multiValueQueryStringParameters": {"as_of": [5]}}, 422),
        (VALIDATE | {"queryStringParameters": {"as_of": None}}, 422),
        (VALIDATE | {"queryStringParameters": ["as_of"], "multiValueQueryStringParameters": "as_of"}, 200),
    ],
)
def test_what_no_gateway_sends_is_refused_as_what_is_missing(world: World, event: Any, status: int) -> None:
    answer, output, errors, seconds = send(world, event)

    assert answer["statusCode"] == status
    check(event, answer, output, errors, seconds)


@pytest.mark.parametrize(
    "change",
    [
        {"httpMethod": INJECTION},
        {"resource": INJECTION},
        {"requestContext": VALIDATE["requestContext"] | {"requestId": INJECTION}},
        {"requestContext": VALIDATE["requestContext"] | {"requestId": CANARY + "x" * 200}},
    ],
)
def test_nothing_of_the_event_gets_into_the_log(world: World, change: dict[str, Any]) -> None:
    answer, output, *_ = send(world, VALIDATE | change)

    assert CANARY not in output
    assert CANARY not in answer["body"]


def test_the_log_names_the_route_of_the_template(world: World) -> None:
    _, output, *_ = send(world, VALIDATE)
    _, of_another, *_ = send(world, an_event("get-decision"))

    assert json.loads(output.splitlines()[0])["route"] == "POST /v1/orders/validate"
    assert json.loads(of_another.splitlines()[0])["route"] == "GET /v1/decisions/{decision_id}"


@pytest.mark.parametrize("client_id", ["", " ", "x" * 129, "a\nb", "a b", INJECTION, None, 5, ["x"], "\ud800"])
def test_a_client_id_that_no_user_pool_makes_is_no_caller(world: World, client_id: Any) -> None:
    event = an_event("validate-order", client_id=client_id)

    with pytest.raises(Unauthenticated):
        authenticate(event, world.function.resources.partners, TokenScope.VALIDATE)


@pytest.mark.parametrize("username", ["x" * 129, "a\nb", INJECTION, 5, ["x"], "\ud800"])
def test_a_user_name_that_no_user_pool_has_is_nobody(username: Any) -> None:
    event = an_event("validate-order", scope="rules/read")
    event["requestContext"]["authorizer"]["claims"]["username"] = username

    with pytest.raises(Unauthenticated):
        authenticate_staff(event, TokenScope.READ_RULES)


def test_a_path_that_a_method_is_served_at_is_not_said_to_lack_it(world: World) -> None:
    event = an_event("get-decision") | {"path": "/v1/decisions/\u20ac\"'"}

    answer, *_ = send(world, event)

    assert answer["statusCode"] == 404


def test_a_long_content_type_takes_no_time(world: World) -> None:
    event = an_event("validate-order", headers={"Content-Type": "application/json" + " " * 30_000 + "x"})

    answer, _, _, seconds = send(world, event)

    assert answer["statusCode"] == 415
    assert seconds < 0.5


def test_many_unknown_parameters_are_told_once(world: World) -> None:
    query = {f"{CANARY}{number}": "1" for number in range(5000)}

    answer, *_ = send(world, an_event("validate-order", query=query))

    assert len(json.loads(answer["body"])["errors"]) == 1


@pytest.mark.parametrize("path", ["/v1/rulesets", "/v1/rulesets/check"])
def test_a_long_name_in_a_draft_is_not_told_in_full(world: World, path: str) -> None:
    rule = {"id": "x" * 400_000, **{f"field{number}{'y' * 5000}": 1 for number in range(90)}}
    event = an_event("validate-order", body=json.dumps({"note": "n", "rules": [rule]}), scope="rules/write")

    answer, *_ = send(world, event | {"path": path, "resource": path})

    assert answer["statusCode"] == (200 if path.endswith("check") else 422)
    assert "there is no field" in answer["body"]
    assert len(answer["body"]) < MOST_BYTES_OF_A_PROBLEM


def test_an_unknown_field_of_what_rule_authors_post_is_not_repeated(world: World) -> None:
    body = json.dumps({"version": 1, "why": "w", CANARY: 1, "tables": {CANARY: 1}})
    event = an_event("validate-order", body=body, scope="rules/activate")
    event |= {"path": "/v1/rulesets/active", "resource": "/v1/rulesets/active", "httpMethod": "PUT"}

    answer, *_ = send(world, event)

    assert {error["pointer"] for error in json.loads(answer["body"])["errors"]} == {"/tables", "/(unknown)"}


def test_the_log_names_a_rule_once_however_often_it_was_not_met(world: World) -> None:
    repeated = 0
    for number in range(30):
        answer, output, *_ = send(world, an_event("validate-order", body=json.dumps(document_of(SEED, number))))
        found = [finding["rule"] for finding in json.loads(answer["body"])["findings"]]
        repeated += len(found) - len(set(found))
        assert json.loads(output.splitlines()[0])["rules"] == list(dict.fromkeys(found))

    assert repeated


def test_a_trailing_slash_is_the_same_route() -> None:
    assert route_of({"path": "/v1/rules//", "httpMethod": "get"}) == ("/v1/rules", "GET")


@pytest.mark.parametrize("name", ["note", "remove", "tables"])
def test_a_fraction_in_place_of_a_text_is_refused(world: World, name: str) -> None:
    wrong = {"note": 1.5, "remove": [1.5], "tables": {"codes": [[1.5]]}}[name]
    event = an_event("validate-order", body=json.dumps({name: wrong}), scope="rules/write")

    answer, *_ = send(world, event | {"path": "/v1/rulesets/check", "resource": "/v1/rulesets/check"})

    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["errors"][0]["pointer"].startswith(f"/{name}")
