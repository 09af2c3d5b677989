"""A twentieth of `make fuzz`, always the same events: every answer is documented, and every route is reached."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.api.caller import TokenScope, authenticate, authenticate_staff
from infusion_orders.api.errors import Unauthenticated
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
from tests.support.partner import an_event

if TYPE_CHECKING:
    from tests.support.partner import World

EVENTS = 5_000

UNANSWERED = {
    "GET /v1/decisions/{decision_id}",
    "GET /v1/rules/{rule_id}",
    "POST /v1/rulesets",
    "PUT /v1/rulesets/shadow",
}
"""Routes that no event succeeds at: none names a stored decision or rule, a whole rule set, or a second version."""

VALIDATE = an_event("validate-order")
PROBLEM = {"type": "x", "title": "x", "status": 400, "detail": "x", "instance": "x"}
LINE = '{"level":"INFO","message":"answered","status":400}\n'


@pytest.fixture(scope="module")
def report() -> Report:
    whole = Report()
    for part in run_in_parallel(SEED, EVENTS):
        whole.add(part)
    return whole


def test_every_hostile_event_gets_a_correct_answer(report: Report) -> None:
    assert report.events == EVENTS
    assert report.failures == []


def test_events_reach_every_route_and_every_status_of_a_refusal(report: Report) -> None:
    reached = {tuple(answer.split(" ", 1)) for answer in report.answers}
    routes = {f"{method} {path}" for path, methods in documented().items() for method in methods}
    assert {route for status, route in reached if status == "422"} >= routes
    answered = {route for status, route in reached if status == "200"}
    assert routes - answered <= UNANSWERED
    statuses = {status for status, _ in reached}
    assert statuses >= {"200", "400", "401", "403", "404", "405", "409", "413", "415", "422"}


def test_events_cover_the_documented_routes_and_no_other() -> None:
    assert {(path, method) for method, path in ROUTES} == {
        (path, method) for path, methods in documented().items() for method in methods
    }


def test_an_event_number_always_gives_the_same_event() -> None:
    assert [event_of(SEED, number) for number in range(20)] == [event_of(SEED, number) for number in range(20)]


def an_answer(body: Any = PROBLEM, *, status: int = 400, media: str = "application/problem+json") -> dict[str, Any]:
    return {
        "statusCode": status,
        "multiValueHeaders": {"Content-Type": [media]},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def test_check_accepts_a_correct_answer() -> None:
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
def test_check_rejects_a_wrong_answer(answer: dict[str, Any], output: str, errors: str, seconds: float) -> None:
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
def test_a_malformed_event_is_refused_like_an_incomplete_one(world: World, event: Any, status: int) -> None:
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
def test_the_log_repeats_nothing_of_the_event(world: World, change: dict[str, Any]) -> None:
    answer, output, *_ = send(world, VALIDATE | change)

    assert CANARY not in output
    assert CANARY not in answer["body"]


def test_the_log_names_the_route_as_the_template_does(world: World) -> None:
    _, output, *_ = send(world, VALIDATE)
    _, of_another, *_ = send(world, an_event("get-decision"))

    assert json.loads(output.splitlines()[0])["route"] == "POST /v1/orders/validate"
    assert json.loads(of_another.splitlines()[0])["route"] == "GET /v1/decisions/{decision_id}"


@pytest.mark.parametrize("client_id", ["", " ", "x" * 129, "a\nb", "a b", INJECTION, None, 5, ["x"], "\ud800"])
def test_a_client_id_that_no_user_pool_issues_is_unauthenticated(world: World, client_id: Any) -> None:
    event = an_event("validate-order", client_id=client_id)

    with pytest.raises(Unauthenticated):
        authenticate(event, world.function.resources.partners, TokenScope.VALIDATE)


@pytest.mark.parametrize("username", ["x" * 129, "a\nb", INJECTION, 5, ["x"], "\ud800"])
def test_a_user_name_that_no_user_pool_issues_is_unauthenticated(username: Any) -> None:
    event = an_event("validate-order", scope="rules/read")
    event["requestContext"]["authorizer"]["claims"]["username"] = username

    with pytest.raises(Unauthenticated):
        authenticate_staff(event, TokenScope.READ_RULES)


def test_an_unknown_decision_id_is_404_and_not_405(world: World) -> None:
    event = an_event("get-decision") | {"path": "/v1/decisions/\u20ac\"'"}

    answer, *_ = send(world, event)

    assert answer["statusCode"] == 404


def test_a_long_content_type_is_refused_quickly(world: World) -> None:
    event = an_event("validate-order", headers={"Content-Type": "application/json" + " " * 30_000 + "x"})

    answer, _, _, seconds = send(world, event)

    assert answer["statusCode"] == 415
    assert seconds < 0.5


def test_many_unknown_parameters_are_one_error(world: World) -> None:
    query = {f"{CANARY}{number}": "1" for number in range(5000)}

    answer, *_ = send(world, an_event("validate-order", query=query))

    assert len(json.loads(answer["body"])["errors"]) == 1


@pytest.mark.parametrize("path", ["/v1/rulesets", "/v1/rulesets/check"])
def test_a_long_name_in_a_draft_is_shortened_in_the_answer(world: World, path: str) -> None:
    rule = {"id": "x" * 400_000, **{f"field{number}{'y' * 5000}": 1 for number in range(90)}}
    event = an_event("validate-order", body=json.dumps({"note": "n", "rules": [rule]}), scope="rules/write")

    answer, *_ = send(world, event | {"path": path, "resource": path})

    assert answer["statusCode"] == (200 if path.endswith("check") else 422)
    assert "there is no field" in answer["body"]
    assert len(answer["body"]) < MOST_BYTES_OF_A_PROBLEM


def test_an_unknown_field_of_a_rule_authors_request_is_not_repeated(world: World) -> None:
    body = json.dumps({"version": 1, "why": "w", CANARY: 1, "tables": {CANARY: 1}})
    event = an_event("validate-order", body=body, scope="rules/activate")
    event |= {"path": "/v1/rulesets/active", "resource": "/v1/rulesets/active", "httpMethod": "PUT"}

    answer, *_ = send(world, event)

    assert {error["pointer"] for error in json.loads(answer["body"])["errors"]} == {"/tables", "/(unknown)"}


def test_the_log_names_each_broken_rule_once(world: World) -> None:
    repeated = 0
    for number in range(30):
        answer, output, *_ = send(world, an_event("validate-order", body=json.dumps(document_of(SEED, number))))
        found = [finding["rule"] for finding in json.loads(answer["body"])["findings"]]
        repeated += len(found) - len(set(found))
        assert json.loads(output.splitlines()[0])["rules"] == list(dict.fromkeys(found))

    assert repeated


def test_trailing_slashes_do_not_change_the_route() -> None:
    assert route_of({"path": "/v1/rules//", "httpMethod": "get"}) == ("/v1/rules", "GET")


@pytest.mark.parametrize("name", ["note", "remove", "tables"])
def test_a_number_instead_of_a_text_is_refused(world: World, name: str) -> None:
    wrong = {"note": 1.5, "remove": [1.5], "tables": {"codes": [[1.5]]}}[name]
    event = an_event("validate-order", body=json.dumps({name: wrong}), scope="rules/write")

    answer, *_ = send(world, event | {"path": "/v1/rulesets/check", "resource": "/v1/rulesets/check"})

    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["errors"][0]["pointer"].startswith(f"/{name}")
