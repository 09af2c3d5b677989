"""`make build-local` makes the built template fit for `sam local` and changes nothing else."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from infusion_orders_cli.local.tables import LOCAL_PARTNER, read_template
from scripts.local_authorizer import handler
from scripts.local_template import AUTHORIZER, local_defaults, local_template

TEMPLATE = read_template(Path(__file__).parents[2] / "template.yaml")
HERE = {"Runtime": "python3.12", "Architecture": "x86_64"}


def properties(template: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def test_parameters_of_the_build_are_the_defaults() -> None:
    local = local_template(TEMPLATE, HERE)

    assert {name: local["Parameters"][name]["Default"] for name in HERE} == HERE
    assert TEMPLATE["Parameters"]["Architecture"]["Default"] == "arm64"


def test_local_authorizer_replaces_every_authorizer_and_scope() -> None:
    local = local_template(TEMPLATE, HERE)

    asked = properties(local, "PartnerApi")["Auth"]["Authorizers"]
    assert set(asked) == set(properties(TEMPLATE, "PartnerApi")["Auth"]["Authorizers"])
    assert {authorizer["FunctionArn"]["Fn::GetAtt"][0] for authorizer in asked.values()} == {AUTHORIZER}
    routes = properties(local, "ValidateOrders")["Events"].values()
    assert [route["Properties"]["Auth"] for route in routes] == [{"Authorizer": "PartnerTokens"}] * len(routes)


def test_local_authorizer_has_no_layer() -> None:
    local = local_template(TEMPLATE, HERE)

    assert properties(local, "ValidateOrders")["Layers"] == TEMPLATE["Globals"]["Function"]["Layers"]
    assert "Layers" not in {**local["Globals"]["Function"], **properties(local, AUTHORIZER)}


def test_the_token_is_the_client_with_every_scope() -> None:
    answer: Any = handler({"authorizationToken": f"Bearer {LOCAL_PARTNER}", "methodArn": "arn:method"}, None)

    assert answer["policyDocument"]["Statement"][0]["Resource"] == "arn:method"
    assert answer["context"]["claims"] == {
        "client_id": LOCAL_PARTNER,
        "token_use": "access",
        "scope": "orders/validate decisions/read rules/read rules/write rules/activate",
    }


def test_options_of_sam_local_are_next_to_the_template(tmp_path: Path) -> None:
    options = tomllib.loads(local_defaults(tmp_path / "a folder" / "variables.json"))["default"]

    for command in ("local_invoke", "local_start_api"):
        assert options[command]["parameters"] == {
            "env_vars": str(tmp_path / "a folder" / "variables.json"),
            "add_host": ["host.docker.internal:host-gateway"],
        }


def test_deployed_stack_has_no_local_authorizer() -> None:
    assert AUTHORIZER not in TEMPLATE["Resources"]
