"""What template.yaml must never lose: retained and encrypted tables, scopes, least privilege, quiet logs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infusion_orders.api.caller import TokenScope
from infusion_orders.api.routes import ROUTES as TABLE
from infusion_orders.api.settings import Settings
from infusion_orders_cli.local.tables import read_template, table_definitions

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
DOCUMENT = read_template(TEMPLATE)
TABLES = ["DecisionsTable", "RulesTable"]
QUIET = {
    "requestId",
    "requestTime",
    "resourcePath",
    "httpMethod",
    "status",
    "responseLatency",
    "authorizer.claims.client_id",
}
"""The fields of the access log: nothing that a partner wrote, and no path with an id."""


def of_type(resource_type: str) -> dict[str, dict[str, Any]]:
    return {name: found for name, found in DOCUMENT["Resources"].items() if found["Type"] == resource_type}


def camel_case(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["Resources"][name]["Properties"]
    return found


FUNCTIONS = sorted(of_type("AWS::Serverless::Function"))
LOG_GROUPS = sorted(of_type("AWS::Logs::LogGroup"))
ROUTES = [
    (function, event["Properties"])
    for function in FUNCTIONS
    for event in properties(function).get("Events", {}).values()
    if event["Type"] == "Api"
]
OF_THE_API = sorted({function for function, _ in ROUTES})
MACHINES = sorted(of_type("AWS::Serverless::StateMachine"))
STATEMENTS = [
    *[
        (function, statement)
        for function in FUNCTIONS
        for policy in properties(f"{function}Role")["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ],
    *[
        (machine, statement)
        for machine in MACHINES
        for policy in properties(machine)["Policies"]
        for statement in policy["Statement"]
    ],
]


# --- tables ---


def test_there_are_two_tables() -> None:
    assert sorted(of_type("AWS::DynamoDB::Table")) == TABLES


@pytest.mark.parametrize("table", TABLES)
def test_table_has_point_in_time_recovery_and_deletion_protection(table: str) -> None:
    assert properties(table)["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties(table)["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_encrypted_with_the_stacks_own_key(table: str) -> None:
    assert properties(table)["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": {"Fn::GetAtt": "TablesKey.Arn"},
    }


def test_the_key_is_rotated() -> None:
    assert properties("TablesKey")["EnableKeyRotation"] is True


@pytest.mark.parametrize("resource", [*TABLES, "TablesKey", "PartnerPool", *LOG_GROUPS])
def test_resources_with_records_outlive_the_stack(resource: str) -> None:
    assert DOCUMENT["Resources"][resource]["DeletionPolicy"] == "Retain"
    assert DOCUMENT["Resources"][resource]["UpdateReplacePolicy"] == "Retain"


def test_decisions_expire_and_rules_do_not() -> None:
    assert properties("DecisionsTable")["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert "TimeToLiveSpecification" not in properties("RulesTable")


def test_local_tables_have_the_keys_of_the_deployed_ones() -> None:
    definitions = {definition.pop("TableName"): definition for definition in table_definitions(TEMPLATE)}

    keys = {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
    }
    assert definitions == {"DecisionsTable": keys, "RulesTable": keys}


# --- routes ---


def test_events_match_the_table_of_routes() -> None:
    events = {
        (properties(function)["CodeUri"], name, of["Method"], of["Path"], *of["Auth"]["AuthorizationScopes"])
        for function in FUNCTIONS
        for name, event in properties(function).get("Events", {}).items()
        for of in [event["Properties"]]
    }

    assert events == {
        (f"functions/{route.function}", camel_case(route.name), route.method, route.path, str(route.scope))
        for route in TABLE
    }


def test_every_scope_that_a_route_asks_for_can_be_granted() -> None:
    servers = [found["Properties"] for found in of_type("AWS::Cognito::UserPoolResourceServer").values()]
    granted = {f"{server['Identifier']}/{scope['ScopeName']}" for server in servers for scope in server["Scopes"]}

    assert granted == set(map(str, TokenScope))


def test_every_route_uses_the_authorizer_of_the_api() -> None:
    auth = properties("PartnerApi")["Auth"]

    assert {route["Auth"]["Authorizer"] for _, route in ROUTES} == set(auth["Authorizers"]) == {"PartnerTokens"}
    assert auth["DefaultAuthorizer"] == "PartnerTokens"
    assert auth["Authorizers"]["PartnerTokens"]["UserPoolArn"] == {"Fn::GetAtt": "PartnerPool.Arn"}


def test_every_method_is_throttled() -> None:
    (every_method,) = properties("PartnerApi")["MethodSettings"]

    assert (every_method["ResourcePath"], every_method["HttpMethod"]) == ("/*", "*")
    assert every_method["ThrottlingRateLimit"] > 0
    assert every_method["ThrottlingBurstLimit"] >= every_method["ThrottlingRateLimit"]


@pytest.mark.parametrize("name", sorted(properties("PartnerApi")["GatewayResponses"]))
def test_answers_of_the_gateway_are_problems_that_echo_nothing(name: str) -> None:
    answer = properties("PartnerApi")["GatewayResponses"][name]

    problem = json.loads(answer["ResponseTemplates"]["application/json"])

    assert list(problem) == ["type", "title", "status", "detail", "instance"]
    assert problem["type"].startswith("https://infusion-orders.dev/problems/")
    assert problem["status"] == answer["StatusCode"]
    assert answer["ResponseParameters"]["Headers"]["Content-Type"] == "'application/problem+json'"
    assert re.findall(r"\$[\w.]+", json.dumps(problem)) == ["$context.requestId"]


# --- functions ---


def test_function_times_out_before_the_gateway() -> None:
    timeouts = [properties(name).get("Timeout", DOCUMENT["Globals"]["Function"]["Timeout"]) for name in OF_THE_API]

    assert max(timeouts) < 29
    assert OF_THE_API == ["ManageRules", "ValidateOrders"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_handler_exists_where_the_template_says(function: str) -> None:
    module, _, name = properties(function)["Handler"].partition(".")

    source = (ROOT / properties(function)["CodeUri"] / f"{module}.py").read_text(encoding="utf-8")

    assert re.search(rf"^(def {name}\(|{name} = )", source, re.MULTILINE)


@pytest.mark.parametrize(("function", "statement"), STATEMENTS, ids=[f"{f} {s['Sid']}" for f, s in STATEMENTS])
def test_a_policy_names_its_actions_and_one_resource(function: str, statement: dict[str, Any]) -> None:
    assert statement["Effect"] == "Allow"
    assert all(re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action) for action in statement["Action"])
    (kind,) = statement["Resource"]
    assert kind in ("Fn::GetAtt", "Fn::Sub")
    if kind == "Fn::Sub":
        resource = statement["Resource"]["Fn::Sub"]
        assert re.match(r"\$\{\w+\.Arn\}/|arn:\$\{AWS::Partition\}:states:.*infusion-orders-replay-", resource), (
            resource
        )


def test_exported_decisions_are_encrypted_private_and_expire_after_a_month() -> None:
    bucket = properties("ReplayBucket")
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": {"Fn::GetAtt": "TablesKey.Arn"},
    }
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert [rule["ExpirationInDays"] for rule in bucket["LifecycleConfiguration"]["Rules"]] == [30]
    (policy,) = properties("ReplayBucketPolicy")["PolicyDocument"]["Statement"]
    assert (policy["Effect"], policy["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_functions_get_exactly_the_variables_that_they_read() -> None:
    variables = set(DOCUMENT["Globals"]["Function"]["Environment"]["Variables"])
    variables |= {
        name for function in FUNCTIONS for name in properties(function).get("Environment", {}).get("Variables", {})
    }
    known = {name.upper() for name in Settings.model_fields}
    required = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}

    assert variables <= known
    assert required - variables == {"AWS_REGION"}  # Lambda sets it


def test_sam_local_overrides_only_what_the_template_declares() -> None:
    overrides = json.loads((ROOT / "events/sam-local-env.json").read_text(encoding="utf-8"))

    declared = set(DOCUMENT["Globals"]["Function"]["Environment"]["Variables"])

    assert set(overrides) <= set(FUNCTIONS)
    assert {variable for chosen in overrides.values() for variable in chosen} <= declared


def test_an_empty_endpoint_means_amazons_own() -> None:
    variables = DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]
    needed = {"RULES_TABLE": "rules", "DECISIONS_TABLE": "decisions", "AWS_REGION": "us-west-2"}

    settings = Settings.from_environment(needed | {"AWS_ENDPOINT_URL_DYNAMODB": variables["AWS_ENDPOINT_URL_DYNAMODB"]})

    assert settings.aws_endpoint_url_dynamodb is None


def test_tracing_is_off_by_default() -> None:
    assert DOCUMENT["Globals"]["Function"]["Tracing"] == {"Ref": "Tracing"}
    assert DOCUMENT["Parameters"]["Tracing"]["Default"] == "Disabled"


# --- logs ---


@pytest.mark.parametrize("group", LOG_GROUPS)
def test_logs_expire(group: str) -> None:
    assert properties(group)["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_writes_to_a_log_group_of_the_stack(function: str) -> None:
    assert properties(function)["LoggingConfig"]["LogGroup"]["Ref"] in LOG_GROUPS


def test_the_access_log_says_nothing_that_a_partner_wrote() -> None:
    access_log = properties("PartnerApi")["AccessLogSetting"]["Format"]

    logged = set(re.findall(r"\$([\w.]+)", access_log))

    assert logged == {f"context.{name}" for name in QUIET}
    assert isinstance(json.loads(access_log), dict)


def test_the_gateway_logs_no_bodies() -> None:
    for setting in properties("PartnerApi")["MethodSettings"]:
        assert setting["DataTraceEnabled"] is False
        assert setting["LoggingLevel"] == "OFF"
