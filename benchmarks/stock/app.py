"""Validate an order the way the libraries' own guides do it: the yardstick for our cold start.

Powertools validates request and answer against the package's pydantic models; its logger and metrics and boto3's
resource are set up as usual.  The handler looks up the caller, reads the active version's rules and tables on the
first request, and records a decision before it answers.  It does less than ours: it judges no rule (every line needs
review), verifies no digest and keeps no facts.
"""

import gzip
import json
import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
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

from infusion_orders.decisions.decision import Decision, LineDecision, Outcome, Receipt, RuleSetReference
from infusion_orders.orders.order import Order

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

RULE_SET = os.environ["RULE_SET"]
SERVICE = os.environ["SERVICE_NAME"]
RETENTION = timedelta(days=2555)

app = APIGatewayRestResolver(enable_validation=True, json_body_deserializer=partial(json.loads, parse_float=Decimal))
logger = Logger(service=SERVICE)
metrics = Metrics(namespace="Stock", service=SERVICE)
dynamodb: Any = boto3.resource("dynamodb")
rules_table = dynamodb.Table(os.environ["RULES_TABLE"])
decisions_table = dynamodb.Table(os.environ["DECISIONS_TABLE"])


@app.post("/v1/orders/validate")
def validate_order(order: Order) -> Decision:
    """Decide one order and record the decision."""
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
        lines=tuple(LineDecision(line_id=line.line_id, outcome=Outcome.NEEDS_REVIEW) for line in order.lines),
        receipt=Receipt(facts="", decision=sha256(body.encode()).hexdigest()),
    )
    record(claims["client_id"], decision)
    metrics.add_metric(name="Decisions", unit=MetricUnit.Count, value=1)
    logger.info("answered", extra={"decision_id": decision.decision_id, "outcome": decision.outcome.value})
    return decision


@cache
def rule_set() -> tuple[RuleSetReference, list[Any], dict[str, Any]]:
    """Return the active version, its rules, and its tables by name."""
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
    """Return all items of a partition in the order of their keys."""
    pages = dynamodb.meta.client.get_paginator("query").paginate(
        TableName=rules_table.name, KeyConditionExpression=Key("PK").eq(partition), ConsistentRead=True
    )
    return [item for page in pages for item in page["Items"]]


@cache
def partner(client_id: str) -> dict[str, Any]:
    """Return the caller's profile.  Raises ForbiddenError for an unknown caller."""
    item = rules_table.get_item(Key={"PK": f"PARTNER#{client_id}", "SK": "PROFILE"}).get("Item")
    if item is None or item["status"] != "active":
        raise ForbiddenError("unknown partner")
    return dict(item)


def record(client_id: str, decision: Decision) -> None:
    """Write the decision unless its key exists."""
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
            "expires_at": int((now + RETENTION).timestamp()),
        },
        ConditionExpression=Attr("PK").not_exists(),
    )


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Answer an API Gateway REST proxy event."""
    return app.resolve(event, context)
