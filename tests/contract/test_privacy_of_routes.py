"""Canaries in every part of a request, on every route and for every failure: none of them appears anywhere.

The places are log lines, metrics, what is sent to X-Ray, error output, both tables with their keys, and the answer
unless it is about the caller's own order.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.api.routes import ROUTES, ApiRoute
from infusion_orders.store.dynamodb import StoreUnavailable
from infusion_orders_cli.local.tables import RULES_TABLE
from tests.support.orders import CANARY, a_canary_order
from tests.support.partner import World, decided_world
from tests.support.routes import event_to, good_requests

if TYPE_CHECKING:
    from collections.abc import Iterator

DECISION = "01KAT7Q3V9M5R7T0ZJX2B8N4WC"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with decided_world() as built:
        draft = good_requests(DECISION)["POST /v1/rulesets"].body
        assert built.rules.call("POST", "/v1/rulesets", draft, scope="rules/write").status == 201
        yield built


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket at the address that the X-Ray SDK would send segments to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.setblocking(False)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{daemon.getsockname()[1]}")
        monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
        yield daemon


def sent_to(daemon: socket.socket) -> str:
    try:
        return daemon.recv(65_536).decode()
    except BlockingIOError:
        return ""


def everything(world: World, capsys: pytest.CaptureFixture[str], daemon: socket.socket) -> str:
    """Everything that the request left behind, without its answer."""
    written = capsys.readouterr()
    pages = world.function.resources.client.get_paginator("scan").paginate(TableName=RULES_TABLE)
    rules = [item for page in pages for item in page["Items"]]
    return "\n".join([written.out, written.err, sent_to(daemon), repr(world.items()), repr(rules)])


def an_order_where_one_is_sent(route: ApiRoute) -> Any:
    """The body of the good request, with a canary in each field of an order that holds a member's data."""
    body = good_requests(DECISION)[str(route)].body
    if route.path.endswith(("/validate", "/decide")):
        return a_canary_order()
    if route.path.endswith("/validate-batch"):
        return {"orders": [a_canary_order(), {"CANARY-60": "CANARY-61"}, "CANARY-62", a_canary_order()]}
    return body


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_request_that_is_answered_leaves_no_canary(
    world: World, capsys: pytest.CaptureFixture[str], traces: socket.socket, route: ApiRoute
) -> None:
    request = good_requests(DECISION)[str(route)]
    event = event_to(
        route, request, headers={"User-Agent": "CANARY-63", "X-Member": "CANARY-64", "Cookie": "CANARY-65"}
    )
    event["body"] = json.dumps(an_order_where_one_is_sent(route)) if request.body is not None else None
    event["requestContext"]["identity"] = {"sourceIp": "CANARY-66", "userAgent": "CANARY-67"}

    answer = world.send(route, event)

    assert answer.status < 500
    assert CANARY not in answer.text + everything(world, capsys, traces)


SPOILT: dict[str, dict[str, Any]] = {
    "invalid JSON": {"body": '{"order_id": CANARY-70'},
    "another type": {"body": '"CANARY-71"'},
    "unknown fields": {"body": '{"CANARY-72": {"CANARY-73": "CANARY-74"}}'},
    "a list": {"body": '["CANARY-75"]'},
    "invalid UTF-8": {"body": "CANARY-76 \ud800"},
    "invalid base64": {"body": "CANARY-77 !", "isBase64Encoded": True},
    "a body of another kind": {"body": {"CANARY-78": "CANARY-79"}},
    "an unknown parameter": {"queryStringParameters": {"CANARY-80": "CANARY-81"}},
    "every known parameter": {
        "queryStringParameters": {
            name: f"CANARY-82 {name}"
            for name in ("as_of", "explain", "ruleset_version", "q", "effect", "from", "table")
        }
    },
    "headers": {"headers": {"Content-Type": "CANARY-83", "Idempotency-Key": "CANARY 84", "CANARY-85": "CANARY-86"}},
    "a path": {"path": "/v1/CANARY-87/CANARY-88", "resource": "/{proxy+}"},
    "a method": {"httpMethod": "CANARY-89"},
    "ids": {"requestContext": {"requestId": "CANARY 90\n{}", "authorizer": {"claims": {}}}},
    "a scope": {"requestContext": {"authorizer": {"claims": {"client_id": "x", "scope": "CANARY-91"}}}},
    "no authorizer": {"requestContext": {"authorizer": "CANARY-92", "stage": "CANARY-93"}},
}


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_request_that_is_refused_leaves_no_canary(
    world: World, capsys: pytest.CaptureFixture[str], traces: socket.socket, route: ApiRoute, spoilt: str
) -> None:
    event = event_to(route, good_requests(DECISION)[str(route)])
    changes = dict(SPOILT[spoilt])
    if "queryStringParameters" in changes:
        changes["multiValueQueryStringParameters"] = {
            name: [value] for name, value in changes["queryStringParameters"].items()
        }

    answer = world.send(route, event | changes)

    assert answer.status < 500
    assert CANARY not in answer.text + everything(world, capsys, traces)


@pytest.mark.parametrize("name", ["decision_id", "rule_id", "version"])
def test_values_of_a_path_are_not_repeated(
    world: World, capsys: pytest.CaptureFixture[str], traces: socket.socket, name: str
) -> None:
    for route in ROUTES:
        if f"{{{name}}}" not in route.path:
            continue
        event = event_to(route, good_requests(DECISION)[str(route)])
        path = route.path.replace(f"{{{name}}}", "CANARY-50")
        answer = world.send(route, event | {"path": path, "pathParameters": {name: "CANARY-50"}})
        assert answer.status == 404
        assert CANARY not in answer.text + everything(world, capsys, traces)


FAULTS = {
    "of the store": StoreUnavailable("CANARY-51"),
    "unexpected": RuntimeError("CANARY-52"),
    "with data in its arguments": KeyError("CANARY-53", {"member": "CANARY-54"}),
    "of a condition": ZeroDivisionError("CANARY-55"),
    "of memory": MemoryError("CANARY-56"),
    "of recursion": RecursionError("CANARY-57"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_text_of_an_exception_appears_nowhere(
    world: World,
    capsys: pytest.CaptureFixture[str],
    traces: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    route: ApiRoute,
    fault: str,
) -> None:
    def fail(*_arguments: Any, **_named: Any) -> None:
        raise FAULTS[fault] from ValueError("CANARY-58")

    for name in ("authenticate", "authenticate_staff"):
        monkeypatch.setattr(f"infusion_orders.api.requests.{name}", fail)

    answer = world.send(route, event_to(route, good_requests(DECISION)[str(route)]))

    assert answer.status in (500, 503)
    left = everything(world, capsys, traces)
    assert CANARY not in answer.text + left
    assert fault == "of the store" or type(FAULTS[fault]).__name__ in left  # the log names its type


def test_search_finds_a_canary_in_each_place(
    world: World, capsys: pytest.CaptureFixture[str], traces: socket.socket
) -> None:
    """The search covers every place: a canary in each of them is found."""
    key = {"PK": {"S": "CANARY-A"}, "SK": {"S": "x"}}
    world.function.resources.client.put_item(TableName=RULES_TABLE, Item=key)
    print("CANARY-B")  # noqa: T201 - what a careless developer would do
    host, port = traces.getsockname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as careless:
        careless.sendto(b"CANARY-C", (host, port))

    found = everything(world, capsys, traces)
    world.function.resources.client.delete_item(TableName=RULES_TABLE, Key=key)

    assert {name for name in ("CANARY-A", "CANARY-B", "CANARY-C") if name in found} == {
        "CANARY-A",
        "CANARY-B",
        "CANARY-C",
    }
