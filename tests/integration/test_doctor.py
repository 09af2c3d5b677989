"""`infusion-orders doctor`: each check on a stack that is right, and on one where just that is wrong."""

from __future__ import annotations

import io
import json
import socket
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.store.dynamodb import dynamodb_client
from infusion_orders.store.partners import Partner, PartnerStore
from infusion_orders.store.versions import RuleSetStore
from infusion_orders_cli.local.tables import (
    CREDENTIALS,
    REGION,
    environment,
    read_template,
    served_tables,
    table_definitions,
)
from infusion_orders_cli.main import app
from infusion_orders_cli.operations import health
from tests.support.rules import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from infusion_orders.rules.document import RuleSetDocument

TEMPLATE = FOLDER.parents[1] / "template.yaml"
FUNCTIONS = {"ValidateOrders": 20, "ManageRules": 28, "ReplayExport": 900}
STACK = "the-stack"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
RULE = {
    "id": "some.adults",
    "title": "Adults only",
    "scope": "line",
    "require": {"fact": "member.age", "at_least": 18},
    "otherwise": {"effect": "reject", "message": "Too young."},
    "citation": {"document": "A manual", "basis": "manual"},
    "examples": [{"given": {"member.age": 18}, "expect": "satisfied"}],
}
SETTINGS = ("encryption", "point-in-time recovery", "deletion protection")
RIGHT = [
    "rules table",
    *(f"rules table: {setting}" for setting in SETTINGS),
    "decisions table",
    *(f"decisions table: {setting}" for setting in (*SETTINGS, "expiry")),
    "clock",
    "active version",
    "active version: digest",
    "active version: loads",
    "shadow version 2",
    "partners",
    "time-out of ManageRules",
    "time-out of ReplayExport",
    "time-out of ValidateOrders",
]


@dataclass(frozen=True)
class Stack:
    """A deployed stack as moto knows it, to be broken."""

    dynamodb: Any
    rule_sets: RuleSetStore
    key: str

    def pointer(self, **changes: dict[str, Any]) -> None:
        """The pointer's item, altered behind everybody's back."""
        key = {"PK": {"S": "RULESET#home-infusion"}, "SK": {"S": "ACTIVE"}}
        item = self.dynamodb.get_item(TableName="RulesTable", Key=key)["Item"]
        self.dynamodb.put_item(TableName="RulesTable", Item=item | changes)

    def spoil(self, version: int) -> None:
        """Rules of the version, readable and together, are not what was published: they are gone."""
        found = self.dynamodb.scan(TableName="RulesTable")["Items"]
        parts = [item for item in found if item["PK"]["S"] == f"RULESET#home-infusion#{version:06d}"]
        assert parts, sorted({item["PK"]["S"] for item in found})
        for part in parts:
            if part["SK"]["S"].startswith("RULE"):
                self.dynamodb.delete_item(TableName="RulesTable", Key={name: part[name] for name in ("PK", "SK")})


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> RuleSetDocument:
    folder: Path = tmp_path_factory.mktemp("rules") / "home-infusion"
    folder.mkdir()
    (folder / "some.yaml").write_text(yaml.safe_dump([RULE]), "utf-8")
    return load_directory(folder)


@pytest.fixture
def stack(document: RuleSetDocument) -> Iterator[Stack]:
    """Everything as template.yaml has it: version 1 decides, version 2 is in its shadow, one partner."""
    with environment(CREDENTIALS), mock_aws():
        key = client("kms").create_key()["KeyMetadata"]
        dynamodb = dynamodb_client(region=REGION, endpoint_url=None)
        for definition in table_definitions(TEMPLATE):
            create_table(dynamodb, definition, key["Arn"])
        PartnerStore(dynamodb, "RulesTable", refresh_seconds=0, clock=lambda: 0.0).put(
            Partner("a-partner", "A partner", "active", frozenset({"medi_cal"}))
        )
        rule_sets = RuleSetStore(dynamodb, "RulesTable", document.name)
        for note in ("first", "second"):
            rule_sets.publish(document, by="ann", note=note, at=NOW)
        rule_sets.activations.activate(1, by="bob", why="first", at=NOW)
        rule_sets.activations.set_shadow(2, by="bob", why="to see", at=NOW)
        for function, timeout in FUNCTIONS.items():
            create_function(f"the-{function}", timeout)
        create_stack(
            RulesTableName="RulesTable",
            DecisionsTableName="DecisionsTable",
            **{f"{function}Function": f"the-{function}" for function in FUNCTIONS},
        )
        yield Stack(dynamodb, rule_sets, key["KeyId"])


@cache
def client(service: str) -> Any:
    make: Any = boto3.client
    return make(service, region_name=REGION)


def create_table(dynamodb: Any, definition: dict[str, Any], key: str | None) -> None:
    table = definition["TableName"]
    sse = {} if key is None else {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}}
    dynamodb.create_table(**definition, **sse, DeletionProtectionEnabled=True)
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    if table == "DecisionsTable":
        dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
        )


def create_function(name: str, timeout: int) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    iam = client("iam")
    role = iam.create_role(RoleName=f"role-of-{name}", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        Timeout=timeout,
    )


def create_stack(name: str = STACK, **outputs: str) -> None:
    body = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(body))


def run(*arguments: str, code: int = 0) -> Any:
    result = CliRunner(env={"NO_COLOR": "1"}).invoke(app, ["doctor", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def checked(*arguments: str, code: int = 0) -> dict[str, dict[str, str]]:
    found = json.loads(run(*arguments, "--json", code=code).stdout)
    assert found["right"] is (code == 0)
    return {line["check"]: line for line in found["checks"]}


def test_stack_as_in_the_template_passes_every_check(stack: Stack) -> None:
    lines = checked("--stack", STACK)

    assert {check: line["found"] for check, line in lines.items() if line["state"] != "right"} == {}
    assert list(lines) == RIGHT


def test_time_outs_of_this_test_match_the_template() -> None:
    document = read_template(TEMPLATE)
    default = document["Globals"]["Function"]["Timeout"]

    assert FUNCTIONS == {
        name: found["Properties"].get("Timeout", default)
        for name, found in document["Resources"].items()
        if found["Type"] == "AWS::Serverless::Function"
    }


@pytest.mark.parametrize("output", [f"{function}Function" for function in FUNCTIONS])
def test_stack_outputs_name_the_checked_functions(output: str) -> None:
    assert read_template(TEMPLATE)["Outputs"][output]["Value"] == {"Ref": output.removesuffix("Function")}


def test_report_for_people_names_what_is_wrong(stack: Stack) -> None:
    assert "version 1, since 2026-11-25 00:00 by bob" in run("--stack", STACK).stdout

    stack.dynamodb.update_table(TableName="RulesTable", DeletionProtectionEnabled=False)
    wrong = run("--stack", STACK, code=1).stdout
    assert "1 of 18 checks" in wrong
    assert "rules table: deletion protection: off\n  Deploy" in wrong


def without_key(stack: Stack) -> None:
    (definition,) = [one for one in table_definitions(TEMPLATE) if one["TableName"] == "DecisionsTable"]
    stack.dynamodb.update_table(TableName="DecisionsTable", DeletionProtectionEnabled=False)
    stack.dynamodb.delete_table(TableName="DecisionsTable")
    create_table(stack.dynamodb, definition, None)


def no_recovery(stack: Stack) -> None:
    stack.dynamodb.update_continuous_backups(
        TableName="RulesTable", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )


def no_expiry(stack: Stack) -> None:
    stack.dynamodb.update_time_to_live(
        TableName="DecisionsTable", TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"}
    )


def other_expiry(stack: Stack) -> None:
    no_expiry(stack)
    stack.dynamodb.update_time_to_live(
        TableName="DecisionsTable", TimeToLiveSpecification={"Enabled": True, "AttributeName": "made_at"}
    )


def no_partner(stack: Stack) -> None:
    stack.dynamodb.delete_item(TableName="RulesTable", Key={"PK": {"S": "PARTNER#a-partner"}, "SK": {"S": "PROFILE"}})


def timeout(function: str, seconds: int) -> Callable[[Stack], None]:
    def change(_stack: Stack) -> None:
        client("lambda").update_function_configuration(FunctionName=f"the-{function}", Timeout=seconds)

    return change


@pytest.mark.parametrize(
    ("spoil", "wrong", "found", "do"),
    [
        (without_key, "decisions table: encryption", "DynamoDB's own key", "Deploy"),
        (
            lambda stack: client("kms").disable_key(KeyId=stack.key),
            "rules table: encryption",
            "the stack's key is Disabled",
            "Enable the key",
        ),
        (
            lambda stack: client("kms").schedule_key_deletion(KeyId=stack.key, PendingWindowInDays=7),
            "decisions table: encryption",
            "the stack's key is PendingDeletion",
            "cancel its deletion",
        ),
        (no_recovery, "rules table: point-in-time recovery", "DISABLED", "Deploy"),
        (no_expiry, "decisions table: expiry", "DISABLED", "Deploy"),
        (other_expiry, "decisions table: expiry", "by made_at", "Deploy"),
        (no_partner, "partners", "0 registered", "partners add"),
        (
            lambda stack: stack.pointer(digest={"S": "sha256:another"}),
            "active version: digest",
            "sha256:",
            "rules rollback",
        ),
        (
            lambda stack: stack.pointer(version={"N": "7"}),
            "active version: loads",
            "there is no published version 7",
            "rules rollback",
        ),
        (
            lambda stack: stack.pointer(version={"S": "two"}),
            "active version",
            "the pointer to the active version cannot be read",
            "remove the item ACTIVE of RulesTable",
        ),
        (lambda stack: stack.spoil(1), "active version: digest", "its digest differs", "rules rollback"),
        (lambda stack: stack.spoil(1), "active version: loads", "its digest differs", "rules rollback"),
        (lambda stack: stack.spoil(2), "shadow version 2", "its digest differs", "rules shadow off"),
        (timeout("ValidateOrders", 25), "time-out of ValidateOrders", "template.yaml says 20 s", "Deploy"),
        (timeout("ManageRules", 29), "time-out of ManageRules", "29 s", "Deploy"),
        (timeout("ReplayExport", 300), "time-out of ReplayExport", "template.yaml says 900 s", "Deploy"),
        (
            lambda _: client("lambda").delete_function(FunctionName="the-ManageRules"),
            "time-out of ManageRules",
            "ResourceNotFoundException",
            "",
        ),
    ],
)
def test_each_fault_is_reported_with_what_to_do(
    stack: Stack, spoil: Callable[[Stack], None], wrong: str, found: str, do: str
) -> None:
    spoil(stack)

    line = checked("--stack", STACK, code=1)[wrong]

    assert line["state"] == "wrong"
    assert found in line["found"]
    assert do in line["do"]


def test_key_managed_by_aws_is_wrong(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    managed = {"KeyManager": "AWS", "KeyState": "Enabled"}
    answers = type("Kms", (), {"describe_key": lambda _self, **_asked: {"KeyMetadata": managed}})()
    original = health._client
    monkeypatch.setattr(health, "_client", lambda service, of: answers if service == "kms" else original(service, of))

    assert checked("--stack", STACK, code=1)["rules table: encryption"]["found"] == "a key that AWS manages"


def test_without_active_version_its_rules_are_not_checked(stack: Stack) -> None:
    stack.dynamodb.delete_item(
        TableName="RulesTable", Key={"PK": {"S": "RULESET#home-infusion"}, "SK": {"S": "ACTIVE"}}
    )

    lines = checked("--stack", STACK, code=1)

    assert (lines["active version"]["state"], lines["active version"]["found"]) == ("wrong", "none")
    assert "rules activate" in lines["active version"]["do"]
    assert "active version: loads" not in lines


def test_missing_shadow_is_skipped(stack: Stack) -> None:
    stack.rule_sets.activations.set_shadow(None, by="bob", why="seen", at=NOW + timedelta(minutes=1))

    assert checked("--stack", STACK)["shadow version"]["state"] == "skipped"


def test_table_that_is_still_updating_is_wrong(stack: Stack) -> None:
    def updating(parsed: dict[str, Any], **_more: Any) -> None:
        parsed["Table"]["TableStatus"] = "UPDATING"

    stack.dynamodb.meta.events.register("after-call.dynamodb.DescribeTable", updating)
    deployment = health.Deployment(stack.dynamodb, "RulesTable", "DecisionsTable", "home-infusion", local=False)

    wrong = {line.check: line for line in health.checks(deployment) if line.state is health.State.WRONG}

    assert set(wrong) == {"rules table", "decisions table"}
    assert wrong["rules table"].found == "RulesTable is UPDATING"


@pytest.mark.parametrize(("seconds", "code"), [(30, 0), (-30, 0), (120, 1), (-120, 1)])
def test_clock_is_wrong_beyond_a_minute(stack: Stack, monkeypatch: pytest.MonkeyPatch, seconds: int, code: int) -> None:
    monkeypatch.setattr(health, "now", lambda: datetime.now(UTC) + timedelta(seconds=seconds))

    assert checked("--stack", STACK, code=code)["clock"]["state"] == ("wrong" if code else "right")


def test_missing_rules_table_is_reported_once(stack: Stack) -> None:
    lines = checked("--table", "NoTable", code=1)

    assert [check for check, line in lines.items() if line["state"] == "wrong"] == ["rules table"]
    assert "ResourceNotFoundException" in lines["rules table"]["found"]
    assert list(lines)[1:] == ["decisions table", "clock", "active version", "partners", "time-outs"]


def test_missing_decisions_table_does_not_stop_other_checks(stack: Stack) -> None:
    lines = checked("--table", "RulesTable", "--decisions-table", "NoTable", code=1)

    assert [check for check, line in lines.items() if line["state"] == "wrong"] == ["decisions table"]
    assert lines["active version: loads"]["state"] == "right"


@pytest.mark.parametrize(
    ("operation", "wrong"),
    [
        ("dynamodb.DescribeContinuousBackups", {"rules table: point-in-time recovery"}),
        ("dynamodb.GetItem", {"active version"}),
        ("dynamodb.Scan", {"partners"}),
    ],
)
def test_denied_access_is_wrong_and_says_why(stack: Stack, operation: str, wrong: set[str]) -> None:
    def refused(**_request: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)

    stack.dynamodb.meta.events.register(f"before-call.{operation}", refused)
    deployment = health.Deployment(stack.dynamodb, "RulesTable", None, "home-infusion", local=False)

    found = {line.check: line for line in health.checks(deployment) if line.state is health.State.WRONG}

    assert set(found) == wrong
    assert {(line.found, bool(line.do)) for line in found.values()} == {("AccessDeniedException", True)}


def test_tables_are_checked_without_their_stack(stack: Stack) -> None:
    lines = checked("--table", "RulesTable", "--decisions-table", "DecisionsTable")

    assert {check for check, line in lines.items() if line["state"] == "skipped"} == {"time-outs"}
    assert [*lines][:-1] == RIGHT[:-3]


def test_local_tables_skip_checks_that_do_not_apply(document: RuleSetDocument) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served_tables(TEMPLATE, document, host="127.0.0.1", port=port) as address:
        lines = checked("--endpoint-url", address)

    skipped = {check: line["found"] for check, line in lines.items() if line["state"] == "skipped"}
    skipped.pop("shadow version")
    assert set(skipped.values()) == {health.NOT_LOCAL}
    assert set(skipped) == {check for check in RIGHT if ": " in check and "active" not in check} | {"time-outs"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--stack", "no-stack"), "no-stack does not exist"),
        (("--stack", "other"), "has no output 'RulesTableName'"),
        (("--stack", STACK, "--table", "RulesTable"), "--stack"),
        (("--endpoint-url", "https://dynamodb.example"), "Which table?"),
    ],
)
def test_unusable_arguments_exit_with_2(stack: Stack, arguments: tuple[str, ...], says: str) -> None:
    create_stack("other", SomethingElse="x")

    assert says in " ".join(run(*arguments, code=2).stderr.split())
