"""The built steps of the replay job in the Lambda runtime emulator, with moto instead of S3."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from infusion_orders_cli.local.tables import DECISIONS_TABLE, REGION
from scripts.lambda_emulator import emulated
from tests.support.orders import an_order_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.end_to_end.conftest import Stack

pytestmark = pytest.mark.end_to_end

BUCKET = "replays-of-a-test"
FILE = "exports/AWSDynamoDB/01/data/one.json.gz"


@pytest.fixture
def s3() -> Iterator[tuple[str, Any]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=address, region_name=REGION)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield address, client
    server.stop()


def test_exported_file_is_replayed_and_reports_are_merged(stack: Stack, s3: tuple[str, Any]) -> None:
    address, objects = s3
    with stack.cold("ValidateOrders") as (partner, _function):
        for _order in range(3):
            assert partner.validate(an_order_document({"/caregiver/able": False})).json["outcome"] == "rejected"
    items = stack.tables.client.scan(TableName=DECISIONS_TABLE)["Items"]
    lines = "".join(json.dumps({"Item": item}) + "\n" for item in items if item["SK"]["S"].startswith("DECISION#"))
    objects.put_object(Bucket=BUCKET, Key=FILE, Body=gzip.compress(lines.encode()))
    variables = stack.tables.environment(stack.address) | {"AWS_ENDPOINT_URL_S3": address, "REPLAY_BUCKET": BUCKET}
    days = {"from": "2026-01-01", "to": "2099-01-01", "execution": "one"}

    with emulated(stack.build, "ReplayExport", variables) as function:
        replayed = function.invoke({"do": "replay", "key": FILE, "version": 2, **days}).answer
        merged = function.invoke({"do": "merge", "execution": "one"}).answer

    assert replayed == {"replayed": 3, "changed": 3}
    assert merged["orders"] == {"rejected -> needs_review": 3}
    report = json.loads(objects.get_object(Bucket=BUCKET, Key=merged["key"])["Body"].read())
    assert report["replayed"] == 3
