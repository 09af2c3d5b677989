"""Two steps of the replay job: replay one file of exported decisions, and merge the reports of all files.

The state machine in this folder calls the function once for each file of an export, and once at the end.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from infusion_orders.api.settings import Settings
from infusion_orders.decisions.replay_report import ReplayReport, report_of
from infusion_orders.store.dynamodb import aws_client, dynamodb_client
from infusion_orders.store.recorded_decisions import decisions_in_export, recorded_at
from infusion_orders.store.versions import RuleSetStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

settings = Settings.from_environment(os.environ)
bucket = settings.replay_bucket
rule_set_store = RuleSetStore(
    dynamodb_client(region=settings.aws_region, endpoint_url=settings.aws_endpoint_url_dynamodb),
    settings.rules_table,
    settings.rule_set,
)
objects: Any = aws_client("s3", region=settings.aws_region)


def handler(event: Mapping[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Run `{"do": "replay", "key", "version", "from", "to", "execution"}` or `{"do": "merge", "execution"}`."""
    if event["do"] == "merge":
        return merge_reports(str(event["execution"]))
    return replay_file(event)


def replay_file(event: Mapping[str, Any]) -> dict[str, Any]:
    """Write the report of one file and return its counts.  A repeated attempt writes the same report again.

    Raises UnreadableExport, and what the store raises for a version that it cannot load.
    """
    rule_set = rule_set_store.load(int(event["version"]))
    first = datetime.combine(date.fromisoformat(event["from"]), time.min, UTC)
    end = datetime.combine(date.fromisoformat(event["to"]), time.min, UTC) + timedelta(days=1)
    file = objects.get_object(Bucket=bucket, Key=event["key"])["Body"]
    decisions = decisions_in_export(gzip.GzipFile(fileobj=file))
    report = report_of(
        (one for one in decisions if first.timestamp() <= recorded_at(one.decision_id) < end.timestamp()), rule_set
    )
    name = hashlib.sha256(str(event["key"]).encode()).hexdigest()[:32]
    write(f"replays/{event['execution']}/files/{name}.json", report.plain())
    return {"replayed": report.replayed, "changed": report.changed}


def merge_reports(execution: str) -> dict[str, Any]:
    """Merge the reports of all files into `replays/<execution>/report.json` and return its place and counts."""
    report = ReplayReport()
    pages = objects.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"replays/{execution}/files/")
    for page in pages:
        for entry in page.get("Contents", ()):
            body = objects.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            report.merge(ReplayReport.from_plain(json.loads(body)))
    key = f"replays/{execution}/report.json"
    write(key, report.plain())
    plain = report.plain()
    counts = {name: plain[name] for name in ("replayed", "changed", "share_changed", "orders", "cannot_be_replayed")}
    return {"bucket": bucket, "key": key, **counts}


def write(key: str, plain: Mapping[str, Any]) -> None:
    """Write an object of JSON."""
    objects.put_object(Bucket=bucket, Key=key, Body=json.dumps(plain).encode(), ContentType="application/json")
