"""The template after SAM's transformation: the rights of each role, encryption, retention, and who may call.

`make template` installs what the transformation needs.
"""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infusion_orders.api.routes import ROUTES

ROOT = Path(__file__).parents[2]
SAM_PYTHON = ROOT / ".venv-sam" / "bin" / "python"


@cache
def resources() -> dict[str, dict[str, Any]]:
    if not SAM_PYTHON.exists():
        pytest.skip("run make template first: it installs the transformation")
    script = ROOT / "scripts" / "transform_template.py"
    command = [str(SAM_PYTHON), str(script), str(ROOT / "template.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603 - our own
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)["Resources"]
    return found


def of_type(name: str) -> dict[str, dict[str, Any]]:
    return {key: found["Properties"] for key, found in resources().items() if found["Type"] == name}


def place(resource: Any) -> str:
    """The resource of a statement in a short form, such as `Table` or `Bucket/*`."""
    (text,) = [resource] if isinstance(resource, str) else resource.values()
    text = text if isinstance(text, str) else ".".join(text)
    return re.sub(r"\$\{(\w+)\.Arn\}", r"\1", text).removesuffix(".Arn")


def rights(role: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for policy in resources()[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            actions = statement["Action"]
            found.setdefault(place(statement["Resource"]), set()).update(
                [actions] if isinstance(actions, str) else actions
            )
    return found


KEY = {"kms:Decrypt", "kms:GenerateDataKey"}
READ = {"dynamodb:GetItem", "dynamodb:Query"}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
MACHINE = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"
RIGHTS = {
    "ValidateOrdersRole": {
        "RulesTable": READ,
        "DecisionsTable": {"dynamodb:GetItem", "dynamodb:PutItem"},
        "ValidateOrdersLog": LOG,
        "TablesKey": KEY,
    },
    "ManageRulesRole": {
        "RulesTable": READ | {"dynamodb:Scan", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"},
        "DecisionsTable": {"dynamodb:Query"},
        "ManageRulesLog": LOG,
        "TablesKey": KEY,
    },
    "ReplayExportRole": {
        "RulesTable": READ,
        "ReplayBucket/*": {"s3:GetObject"},
        "ReplayBucket/replays/*": {"s3:PutObject"},
        "ReplayBucket": {"s3:ListBucket"},
        "ReplayExportLog": LOG,
        "TablesKey": KEY,
    },
    "ReplayMachineRole": {
        "ReplayExport": {"lambda:InvokeFunction"},
        "DecisionsTable": {"dynamodb:ExportTableToPointInTime"},
        "DecisionsTable/export/*": {"dynamodb:DescribeExport"},
        "ReplayBucket/exports/*": {"s3:PutObject", "s3:AbortMultipartUpload"},
        "ReplayBucket": {"s3:ListBucket"},
        f"{MACHINE}:stateMachine:infusion-orders-replay-${{StageName}}": {"states:StartExecution"},
        f"{MACHINE}:execution:infusion-orders-replay-${{StageName}}*": {
            "states:DescribeExecution",
            "states:StopExecution",
        },
        "TablesKey": KEY,
    },
}
"""Every right of every role; wildcards follow only the name of a resource of this stack."""


def test_rights_cover_all_roles() -> None:
    assert set(of_type("AWS::IAM::Role")) == {*RIGHTS, "ApiGatewayLogWriter"}


@pytest.mark.parametrize("role", RIGHTS)
def test_role_has_exactly_these_rights(role: str) -> None:
    assert rights(role) == RIGHTS[role]


@pytest.mark.parametrize("role", RIGHTS)
def test_role_has_no_managed_policies(role: str) -> None:
    assert not resources()[role]["Properties"].get("ManagedPolicyArns")


def test_a_function_runs_in_its_own_role() -> None:
    roles = {name: function["Role"] for name, function in of_type("AWS::Lambda::Function").items()}
    assert roles == {name: {"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in roles}


@pytest.mark.parametrize("role", RIGHTS)
def test_role_trusts_only_one_service(role: str) -> None:
    (trusted,) = resources()[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    service = "states" if role == "ReplayMachineRole" else "lambda"
    assert trusted["Principal"] == {"Service": [f"{service}.amazonaws.com"]}


def test_validate_may_call_exactly_what_its_code_calls() -> None:
    """The sources name the operations of the client; a transaction of puts needs the right to put."""
    calls = {"get_item": "GetItem", "put_item": "PutItem", "transact_write_items": "PutItem", "query": "Query"}
    store = ROOT / "layers/infusion_orders/infusion_orders/store"
    modules = ("decisions.py", "rule_set_table.py", "partners.py", "dynamodb.py")
    sources = "".join((store / name).read_text(encoding="utf-8") for name in modules)
    used = {f"dynamodb:{right}" for call, right in calls.items() if re.search(rf"{call}\b", sources)}
    assert used == set().union(*RIGHTS["ValidateOrdersRole"].values()) - KEY - LOG


def test_only_the_gateway_of_this_stack_may_call_a_function() -> None:
    allowed = of_type("AWS::Lambda::Permission")
    assert allowed
    for name, permission in allowed.items():
        assert permission["Principal"] == "apigateway.amazonaws.com", name
        api = permission["SourceArn"]["Fn::Sub"][1]["__ApiId__"]
        assert api == {"Ref": "PartnerApi"}, name


def operations() -> dict[str, dict[str, Any]]:
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    return {
        f"{method.upper()} {path}": operation
        for path, item in api["Body"]["paths"].items()
        for method, operation in item.items()
    }


def test_gateway_requires_the_scope_of_each_route() -> None:
    built = {route: operation["security"] for route, operation in operations().items()}
    assert built == {str(route): [{"PartnerTokens": [str(route.scope)]}] for route in ROUTES}


@pytest.mark.parametrize("table", ["RulesTable", "DecisionsTable"])
def test_table_is_encrypted_restorable_and_protected(table: str) -> None:
    found = resources()[table]
    held = found["Properties"]
    assert held["SSESpecification"]["KMSMasterKeyId"] == {"Fn::GetAtt": ["TablesKey", "Arn"]}
    assert held["SSESpecification"]["SSEType"] == "KMS"
    assert held["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert held["DeletionProtectionEnabled"] is True
    assert found["DeletionPolicy"] == found["UpdateReplacePolicy"] == "Retain"
    assert "ResourcePolicy" not in held
    assert ("TimeToLiveSpecification" in held) == (table == "DecisionsTable")


def test_every_log_expires_and_every_function_has_one() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())
    functions = of_type("AWS::Lambda::Function")
    assert len(functions) == 3
    assert all(function["LoggingConfig"]["LogGroup"]["Ref"] in groups for function in functions.values())


def test_stage_logs_no_bodies_and_no_traces() -> None:
    (stage,) = of_type("AWS::ApiGateway::Stage").values()
    assert {(each["DataTraceEnabled"], each["LoggingLevel"]) for each in stage["MethodSettings"]} == {(False, "OFF")}
    assert not re.search(r"requestBody|input|\.body|path\b|querystring|header", stage["AccessLogSetting"]["Format"])


def test_functions_use_the_regular_endpoint_of_dynamodb() -> None:
    """Only the address of a local engine lacks TLS, and the deployed functions get no such address."""
    for function in of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["AWS_ENDPOINT_URL_DYNAMODB"] == ""


class TestFirewall:
    def rules(self) -> dict[str, dict[str, Any]]:
        (firewall,) = of_type("AWS::WAFv2::WebACL").values()
        return {rule["Name"]: rule for rule in firewall["Rules"]}

    def test_firewall_protects_the_stage_of_the_api(self) -> None:
        (association,) = of_type("AWS::WAFv2::WebACLAssociation").values()
        assert association["WebACLArn"] == {"Fn::GetAtt": ["Firewall", "Arn"]}
        assert association["ResourceArn"]["Fn::Sub"].endswith("/restapis/${PartnerApi}/stages/${StageName}")

    def test_managed_rules_block_except_two_that_count(self) -> None:
        groups = {
            rule["Statement"]["ManagedRuleGroupStatement"]["Name"]: rule
            for rule in self.rules().values()
            if "ManagedRuleGroupStatement" in rule["Statement"]
        }
        assert set(groups) == {
            "AWSManagedRulesAmazonIpReputationList",
            "AWSManagedRulesKnownBadInputsRuleSet",
            "AWSManagedRulesCommonRuleSet",
        }
        assert all(rule["OverrideAction"] == {"None": {}} for rule in groups.values())
        common = groups["AWSManagedRulesCommonRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
        assert {each["Name"] for each in common["RuleActionOverrides"]} == {
            "SizeRestrictions_BODY",
            "NoUserAgent_HEADER",
        }

    def test_each_caller_has_its_own_limit_and_gets_429(self) -> None:
        rule = self.rules()["EachCallersShare"]
        share = rule["Statement"]["RateBasedStatement"]
        assert share["Limit"] == {"Ref": "CallerRequestsPerMinute"}
        assert [key["Header"]["Name"] for key in share["CustomKeys"]] == ["authorization"]
        refusal = rule["Action"]["Block"]["CustomResponse"]
        assert refusal["ResponseCode"] == 429
        assert "Retry-After" in {header["Name"] for header in refusal["ResponseHeaders"]}

    @pytest.mark.parametrize(
        ("length", "blocked"),
        [("0", False), ("262144", False), ("5999999", False), ("6000000", True), ("9999999", True), ("10000000", True)],
    )
    def test_body_over_the_limit_of_lambda_is_blocked(self, length: str, blocked: bool) -> None:
        pattern = self.rules()["BodiesOverSixMegabytes"]["Statement"]["RegexMatchStatement"]["RegexString"]
        assert bool(re.search(pattern, length)) is blocked

    def test_no_request_is_sampled(self) -> None:
        (firewall,) = of_type("AWS::WAFv2::WebACL").values()
        settings = [firewall["VisibilityConfig"], *[rule["VisibilityConfig"] for rule in firewall["Rules"]]]
        assert {setting["SampledRequestsEnabled"] for setting in settings} == {False}
        assert not of_type("AWS::WAFv2::LoggingConfiguration")

    def test_answers_of_the_firewall_are_problems(self) -> None:
        (firewall,) = of_type("AWS::WAFv2::WebACL").values()
        problems = [json.loads(body["Content"]) for body in firewall["CustomResponseBodies"].values()]
        assert sorted(problem["status"] for problem in problems) == [413, 429]
        assert all(problem["type"].startswith("https://infusion-orders.dev/problems/") for problem in problems)
