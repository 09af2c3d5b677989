"""Each route accepts only tokens with its scope, even if the gateway lets others through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infusion_orders.api.application import Application
from infusion_orders.api.caller import TokenScope
from infusion_orders.api.routes import ROUTES, ApiRoute, find_route
from tests.support.routes import event_to, good_requests

if TYPE_CHECKING:
    from tests.support.partner import World

REQUESTS = good_requests("01KAT7Q3V9M5R7T0ZJX2B8N4WC")
every_route = pytest.mark.parametrize("route", ROUTES, ids=str)


@every_route
def test_token_with_the_scope_of_the_route_is_accepted(world: World, route: ApiRoute) -> None:
    answer = world.send(route, event_to(route, REQUESTS[str(route)], scope=route.scope))

    assert answer.status not in (401, 403, 405)
    assert answer.status < 500


@every_route
def test_token_with_all_other_scopes_is_refused(world: World, route: ApiRoute) -> None:
    others = " ".join(sorted(set(TokenScope) - {route.scope}))

    answer = world.send(route, event_to(route, REQUESTS[str(route)], scope=others))

    assert (answer.status, answer.problem) == (403, "missing-scope")


@every_route
def test_scope_with_the_same_beginning_is_refused(world: World, route: ApiRoute) -> None:
    answer = world.send(route, event_to(route, REQUESTS[str(route)], scope=f"{route.scope}ers x{route.scope}"))

    assert (answer.status, answer.problem) == (403, "missing-scope")


@every_route
def test_request_without_claims_is_unauthenticated(world: World, route: ApiRoute) -> None:
    event = event_to(route, REQUESTS[str(route)])
    event["requestContext"]["authorizer"] = None

    answer = world.send(route, event)

    assert (answer.status, answer.problem) == (401, "unauthenticated")


def test_function_does_not_start_without_a_handler_for_each_route(world: World) -> None:
    with pytest.raises(LookupError, match="get_decision, validate_batch, validate_order"):
        Application("validate_orders", world.function.resources)


@every_route
def test_no_earlier_route_answers_in_place_of_a_later_one(route: ApiRoute) -> None:
    path = route.path.replace("{", "").replace("}", "")

    found = find_route(ROUTES, route.method, path)

    assert found is not None
    assert found[0] is route
