"""The function and template.yaml agree on routes and scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.cli.template_tables import read_template
from tests.contract.partner_system import an_event
from tests.contract.world import TEMPLATE

if TYPE_CHECKING:
    from tests.contract.world import World

ROUTES: list[dict[str, Any]] = [
    event["Properties"]
    for event in read_template(TEMPLATE)["Resources"]["ValidateOrders"]["Properties"]["Events"].values()
]
IDS = [f"{route['Method']} {route['Path']}" for route in ROUTES]


def to(route: dict[str, Any], *, scope: str) -> dict[str, Any]:
    path = route["Path"].replace("{decision_id}", "01KAT7Q3V9M5R7T0ZJX2B8N4WC")
    event = an_event("validate-batch" if route["Path"].endswith("-batch") else "validate-order", scope=scope)
    return event | {"httpMethod": route["Method"], "resource": route["Path"], "path": path}


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_a_token_with_the_scope_of_the_template_is_let_in(world: World, route: dict[str, Any]) -> None:
    (scope,) = route["Auth"]["AuthorizationScopes"]

    answer = world.partner.send(to(route, scope=scope))

    assert answer.status == 200 or answer.json["detail"] == "You have no decision under this id."


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_the_function_refuses_every_other_scope_even_if_the_gateway_let_it_in(
    world: World, route: dict[str, Any]
) -> None:
    others = {"orders/validate", "decisions/read", "rules/read", "rules/write"} - set(
        route["Auth"]["AuthorizationScopes"]
    )

    answer = world.partner.send(to(route, scope=" ".join(sorted(others))))

    assert (answer.status, answer.problem) == (403, "missing-scope")
