"""The job that replays all recorded decisions: its definition is linted, and it runs on moto.

Three things differ from AWS: an inline map over a listing replaces the distributed map, which moto does not support;
waiting takes no time; and a Lambda invocation calls the real handler.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess  # fixed commands, no shell
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from infusion_orders.store.recorded_decisions import UnreadableExport
from infusion_orders_cli.local.tables import (
    CREDENTIALS,
    DECISIONS_TABLE,
    LOCAL_PARTNER,
    REGION,
    environment,
    local_tables,
)
from tests.support.partner import load_function
from tests.support.rules import FOLDER, default_document, reviewing_document
from tests.support.tables import NOON, record_example

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = FOLDER.parents[1]
DEFINITION = ROOT / "functions" / "replay_decisions" / "state_machine.asl.json"
BUCKET = "replay-bucket"
MACHINE_ROLE = "arn:aws:iam::123456789012:role/replay"
FUNCTION = f"arn:aws:lambda:{REGION}:123456789012:function:replay"
KEY = f"arn:aws:kms:{REGION}:123456789012:key/replay"


def definition(table_arn: str = f"arn:aws:dynamodb:{REGION}:123456789012:table/{DECISIONS_TABLE}") -> dict[str, Any]:
    """Return the deployed state machine with names filled in for the template's placeholders."""
    text = DEFINITION.read_text("utf-8")
    names = {
        "DecisionsTableArn": table_arn,
        "ReplayBucketName": BUCKET,
        "TablesKeyArn": KEY,
        "ReplayExportArn": FUNCTION,
    }
    for name, value in names.items():
        assert f"${{{name}}}" in text
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text
    plain: dict[str, Any] = json.loads(text)
    return plain


LISTED = {"Prefix": "exports/AWSDynamoDB/"}
"""Moto writes an export under another id than it reports, so the test lists all exports; there is only one."""


def inline_equivalent(plain: dict[str, Any]) -> dict[str, Any]:
    """Replace the item reader by a task that lists the files, and the distributed map by an inline one."""
    replaying = plain["States"]["ReplayFiles"]
    reader = replaying.pop("ItemReader")
    replaying["ItemProcessor"]["ProcessorConfig"] = {"Mode": "INLINE"}
    replaying["ItemsPath"] = "$.listed.Contents"
    plain["States"]["ListFiles"] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:listObjectsV2",
        "Parameters": {**LISTED, "Bucket": reader["Parameters"]["Bucket"]},
        "ResultPath": "$.listed",
        "Next": "ReplayFiles",
    }
    plain["States"]["CheckExportStatus"]["Choices"][0]["Next"] = "ListFiles"
    plain["States"]["WaitForExport"]["Seconds"] = 0
    return plain


def lint(path: Path, plain: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"RoleArn": MACHINE_ROLE, "DefinitionString": json.dumps(plain)},
    }
    path.write_text(json.dumps({"Resources": {"Machine": machine}}), "utf-8")
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", REGION, "--", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the command is ours


def test_definition_passes_the_linter_and_a_broken_one_fails(tmp_path: Path) -> None:
    found = lint(tmp_path / "machine.json", definition())
    assert found.returncode == 0, found.stdout
    broken = definition()
    del broken["States"]["ReplayFiles"]["ItemProcessor"]
    assert lint(tmp_path / "machine.json", broken).returncode != 0


def test_every_state_is_reached_and_has_a_successor() -> None:
    states = definition()["States"]
    targets = {definition()["StartAt"]}
    for state in states.values():
        ways = [state.get("Next"), state.get("Default"), *(choice["Next"] for choice in state.get("Choices", ()))]
        targets |= {way for way in ways if way}
        assert any(ways) or state.get("End") or state["Type"] == "Fail"
    assert targets == set(states)


@pytest.fixture
def function() -> Iterator[ModuleType]:
    """The replay function; version 1 decided five orders in November, one just before and one just after."""
    config: Any = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
    with ExitStack() as stack:
        stack.enter_context(environment(CREDENTIALS))
        stack.enter_context(mock_aws(config=config))
        tables = local_tables(ROOT / "template.yaml", default_document(), endpoint_url=None)
        tables.rule_sets.publish(reviewing_document(), by="ann", note="reviews", at=NOON)
        for number in range(5):
            record_example(tables, (LOCAL_PARTNER, "other")[number % 2], NOON, able=number % 2 == 0)
        for outside in (datetime(2026, 10, 31, 23, 59, 59, 999_000, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)):
            record_example(tables, LOCAL_PARTNER, outside, able=False)
        tables.client.update_continuous_backups(
            TableName=DECISIONS_TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        s3: Any = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield load_function("replay_decisions", {**tables.environment(), "REPLAY_BUCKET": BUCKET})


def call_the_real_handler(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let moto's simple Lambda, which returns a constant, call the real handler."""
    from moto.awslambda_simple.models import LambdaSimpleBackend

    def invoke(_self: Any, _name: str, _qualifier: Any, body: Any, _headers: Any, response_headers: Any) -> bytes:
        try:
            return json.dumps(function.handler(json.loads(body), None)).encode()
        except Exception as problem:
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps({"errorType": type(problem).__name__, "errorMessage": str(problem)}).encode()

    monkeypatch.setattr(LambdaSimpleBackend, "invoke", invoke)


def execution_of(plain: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Run a state machine to its end and return its execution."""
    machines: Any = boto3.client("stepfunctions", region_name=REGION)
    machine = machines.create_state_machine(name="replay", definition=json.dumps(plain), roleArn=MACHINE_ROLE)
    execution = machines.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(given))
    for _ in range(600):
        found: dict[str, Any] = machines.describe_execution(executionArn=execution["executionArn"])
        if found["status"] != "RUNNING":
            return found
        time.sleep(0.05)
    raise AssertionError("the job did not end within 30 s")


def run(version: int) -> dict[str, Any]:
    """Run the whole job in its inline equivalent."""
    table: Any = boto3.client("dynamodb", region_name=REGION).describe_table(TableName=DECISIONS_TABLE)
    plain = inline_equivalent(definition(table["Table"]["TableArn"]))
    return execution_of(plain, {"version": version, "from": "2026-11-01", "to": "2026-11-30"})


def test_files_of_an_export_are_listed_under_its_id(function: ModuleType) -> None:
    reader = definition()["States"]["ReplayFiles"]["ItemReader"]["Parameters"]
    plain = {"StartAt": "Name", "States": {"Name": {"Type": "Pass", "Parameters": reader, "End": True}}}
    arn = f"arn:aws:dynamodb:{REGION}:123456789012:table/DecisionsTable/export/01695097218000-d6299cbd"
    found = execution_of(plain, {"export": {"arn": arn, "status": "COMPLETED"}})
    prefix = "exports/AWSDynamoDB/01695097218000-d6299cbd/data/"
    assert json.loads(found["output"]) == {"Bucket": BUCKET, "Prefix": prefix}


def test_job_exports_replays_and_merges(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    call_the_real_handler(function, monkeypatch)

    found = run(2)

    assert found["status"] == "SUCCEEDED", found
    output = json.loads(found["output"])
    assert (output["replayed"], output["changed"]) == (5, 2)
    report = json.loads(function.objects.get_object(Bucket=BUCKET, Key=output["key"])["Body"].read())
    assert report["orders"] == {"rejected -> needs_review": 2}
    assert report["by"]["partner"] == [{"value": "other", "flip": "rejected -> needs_review", "decisions": 2}]


def test_unknown_version_fails_the_job(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    call_the_real_handler(function, monkeypatch)
    found = run(9)
    assert found["status"] == "FAILED"


def put(function: ModuleType, key: str, content: bytes) -> None:
    function.objects.put_object(Bucket=BUCKET, Key=key, Body=content)


def step(key: str, **more: Any) -> dict[str, Any]:
    days = {"version": 2, "from": "2026-11-01", "to": "2026-11-30"}
    return {"do": "replay", "key": key, "execution": "job-1", **days, **more}


def exported_lines(function: ModuleType) -> list[bytes]:
    """Return the lines of a DynamoDB export of the table."""

    def plain(value: dict[str, Any]) -> dict[str, Any]:
        return {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value

    client: Any = boto3.client("dynamodb", region_name=REGION)
    items = client.scan(TableName=DECISIONS_TABLE)["Items"]
    return [json.dumps({"Item": {name: plain(value) for name, value in item.items()}}).encode() for item in items]


def test_repeated_step_counts_once(function: ModuleType) -> None:
    one, *others = exported_lines(function)
    put(function, "exports/a.json.gz", gzip.compress(one))
    put(function, "exports/b.json.gz", gzip.compress(b"\n".join(others)))
    for key in ("exports/a.json.gz", "exports/b.json.gz", "exports/b.json.gz"):
        function.handler(step(key), None)
    assert function.handler({"do": "merge", "execution": "job-1"}, None)["replayed"] == 5
    assert function.handler({"do": "merge", "execution": "job-2"}, None)["replayed"] == 0


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b'{"Item": {"SK": {"S": "DECISION#1"}}}', mtime=0)])
def test_file_that_is_not_an_export_fails_its_step(function: ModuleType, content: bytes) -> None:
    put(function, "exports/a.json.gz", content)
    with pytest.raises(UnreadableExport, match=r"^after 0 decisions: \w+$"):
        function.handler(step("exports/a.json.gz"), None)
