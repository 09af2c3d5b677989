"""The validate handler as one writes it with Powertools and boto3 alone: what ours is compared with.

Powertools' validation of request and answer against pydantic models, its logger and metrics, and boto3's resource; a
caller is looked up, the active version's items are read and unpacked on the first request, and the decision is
recorded before it is given out.  Kinder than a real one: it evaluates no rule (every line needs review), checks no
digest of what it reads, and keeps no facts.
"""

import gzip
import json
import os
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.exceptions import ForbiddenError
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from boto3.dynamodb.conditions import Attr, Key

from .models import Decision, LineDecision, Order, Outcome, Receipt, RuleSetReference

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

RULE_SET = os.environ["RULE_SET"]
SERVICE = os.environ["SERVICE_NAME"]

app = APIGatewayRestResolver(enable_validation=True)
logger = Logger(service=SERVICE)
metrics = Metrics(namespace="Stock", service=SERVICE)
dynamodb: Any = boto3.resource("dynamodb")
rules_table = dynamodb.Table(os.environ["RULES_TABLE"])
decisions_table = dynamodb.Table(os.environ["DECISIONS_TABLE"])


@cache
def rule_set() -> tuple[RuleSetReference, list[Any], dict[str, Any]]:
    """The active version, its rules, and its tables by name."""
    pointer = rules_table.get_item(Key={"PK": f"RULESET#{RULE_SET}", "SK": "ACTIVE"})["Item"]
    version = int(pointer["version"])
    rules: list[Any] = []
    packed: dict[str, bytes] = {}
    for item in items_of(f"RULESET#{RULE_SET}#{version:06d}"):
        if item["SK"].startswith("RULE#"):
            rules.append(json.loads(item["rule"]))
        elif item["SK"].startswith("TABLE#"):
            name = item["SK"].split("#")[1]
            packed[name] = packed.get(name, b"") + item["rows"].value
    tables = {name: json.loads(gzip.decompress(rows)) for name, rows in packed.items()}
    return RuleSetReference(name=RULE_SET, version=version, digest=pointer["digest"]), rules, tables


def items_of(partition: str) -> list[dict[str, Any]]:
    """All of a partition, in the order of their keys."""
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = rules_table.query(KeyConditionExpression=Key("PK").eq(partition), ConsistentRead=True, **more)
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return found
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


@cache
def partner(client_id: str) -> dict[str, Any]:
    """Who calls.  Raises ForbiddenError for somebody unknown."""
    item = rules_table.get_item(Key={"PK": f"PARTNER#{client_id}", "SK": "PROFILE"}).get("Item")
    if item is None or item["status"] != "active":
        raise ForbiddenError("unknown partner")
    return dict(item)


@app.post("/v1/orders/validate")
def validate_order(order: Order) -> Decision:
    """One order, recorded."""
    claims = app.current_event.raw_event["requestContext"]["authorizer"]["claims"]
    if "orders/validate" not in claims["scope"].split():
        raise ForbiddenError("missing scope")
    caller = partner(claims["client_id"])
    if order.member.line_of_business and order.member.line_of_business.value not in caller["lines_of_business"]:
        raise ForbiddenError("another line of business")
    version, _rules, _tables = rule_set()
    body = app.current_event.body or ""
    decision = Decision(
        decision_id=str(uuid4()),
        order_id=order.order_id,
        as_of=date.today(),
        outcome=Outcome.NEEDS_REVIEW,
        ruleset=version,
        lines=[LineDecision(line_id=line.line_id, outcome=Outcome.NEEDS_REVIEW) for line in order.lines],
        receipt=Receipt(facts="", decision=sha256(body.encode()).hexdigest()),
    )
    record(claims["client_id"], decision)
    metrics.add_metric(name="Decisions", unit=MetricUnit.Count, value=1)
    logger.info("answered", extra={"decision_id": decision.decision_id, "outcome": decision.outcome.value})
    return decision


def record(client_id: str, decision: Decision) -> None:
    """Written once."""
    now = datetime.now(UTC)
    decisions_table.put_item(
        Item={
            "PK": f"PARTNER#{client_id}",
            "SK": f"DECISION#{decision.decision_id}",
            "decision": decision.model_dump_json(exclude_none=True),
            "decision_id": decision.decision_id,
            "outcome": decision.outcome.value,
            "as_of": decision.as_of.isoformat(),
            "ruleset_version": decision.ruleset.version,
            "ruleset_digest": decision.ruleset.digest,
            "recorded_at": now.isoformat(),
            "expires_at": int((now + timedelta(days=2555)).timestamp()),
        },
        ConditionExpression=Attr("PK").not_exists(),
    )


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """An API Gateway REST proxy event in, its answer out."""
    return app.resolve(event, context)
