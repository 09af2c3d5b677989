"""The function and template.yaml agree on routes and scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders_cli.template_tables import read_template
from tests.support.partner import an_event
from tests.support.project import TEMPLATE

if TYPE_CHECKING:
    from tests.support.partner import World

FUNCTIONS = {"ValidateOrders": "partner", "ManageRules": "rules"}
"""The function in the template, and who calls it in the world."""
ROUTES: list[tuple[str, dict[str, Any]]] = [
    (caller, event["Properties"])
    for function, caller in FUNCTIONS.items()
    for event in read_template(TEMPLATE)["Resources"][function]["Properties"]["Events"].values()
]
IDS = [f"{route['Method']} {route['Path']}" for _, route in ROUTES]
EVERY_SCOPE = {"orders/validate", "decisions/read", "rules/read", "rules/write", "rules/activate"}
FILLED = {"{decision_id}": "01KAT7Q3V9M5R7T0ZJX2B8N4WC", "{rule_id}": "vendor.a-rule", "{version}": "9"}


def to(route: dict[str, Any], *, scope: str) -> dict[str, Any]:
    path = route["Path"]
    for part, value in FILLED.items():
        path = path.replace(part, value)
    event = an_event("validate-batch" if path.endswith("-batch") else "validate-order", scope=scope)
    return event | {"httpMethod": route["Method"], "resource": route["Path"], "path": path}


def test_every_function_of_the_template_is_looked_at() -> None:
    resources = read_template(TEMPLATE)["Resources"]
    assert set(FUNCTIONS) == {
        name
        for name, found in resources.items()
        if any(event["Type"] == "Api" for event in found["Properties"].get("Events", {}).values())
    }


@pytest.mark.parametrize(("caller", "route"), ROUTES, ids=IDS)
def test_a_token_with_the_scope_of_the_template_is_let_in(world: World, caller: str, route: dict[str, Any]) -> None:
    (scope,) = route["Auth"]["AuthorizationScopes"]

    answer = getattr(world, caller).send(to(route, scope=scope))

    assert answer.status not in (401, 403, 405)
    assert answer.status < 500
    assert answer.status != 404 or answer.json["detail"] != "There is nothing at this path."


@pytest.mark.parametrize(("caller", "route"), ROUTES, ids=IDS)
def test_the_function_refuses_every_other_scope_even_if_the_gateway_let_it_in(
    world: World, caller: str, route: dict[str, Any]
) -> None:
    others = EVERY_SCOPE - set(route["Auth"]["AuthorizationScopes"])

    answer = getattr(world, caller).send(to(route, scope=" ".join(sorted(others))))

    assert (answer.status, answer.problem) == (403, "missing-scope")


@pytest.mark.parametrize(("caller", "route"), ROUTES, ids=IDS)
def test_a_scope_that_merely_begins_alike_is_another_scope(world: World, caller: str, route: dict[str, Any]) -> None:
    (scope,) = route["Auth"]["AuthorizationScopes"]

    answer = getattr(world, caller).send(to(route, scope=f"{scope}ers x{scope}"))

    assert (answer.status, answer.problem) == (403, "missing-scope")


@pytest.mark.parametrize(("caller", "route"), ROUTES, ids=IDS)
def test_the_function_refuses_who_has_no_claims(world: World, caller: str, route: dict[str, Any]) -> None:
    event = to(route, scope="")
    event["requestContext"]["authorizer"] = None

    answer = getattr(world, caller).send(event)

    assert (answer.status, answer.problem) == (401, "unauthenticated")
