"""What a million orders cost on AWS: what one of them was measured to use, times list prices.

The prices are those of us-east-1 and us-west-2 without the free tier, in US dollars.  Check them against the current
lists before you rely on a sum: aws.amazon.com/lambda/pricing, /api-gateway/pricing, /dynamodb/pricing, /kms/pricing and
/cloudwatch/pricing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MILLION = 1_000_000
GIGABYTE = 10**9

LAMBDA_ARM64_GB_SECOND = 0.0000133334
LAMBDA_MILLION_REQUESTS = 0.20
API_GATEWAY_REST_MILLION_REQUESTS = 3.50
DYNAMODB_MILLION_WRITE_UNITS = 0.625
DYNAMODB_MILLION_READ_UNITS = 0.125
DYNAMODB_STORAGE_GB_MONTH = 0.25
DYNAMODB_POINT_IN_TIME_GB_MONTH = 0.20
KMS_TEN_THOUSAND_REQUESTS = 0.03
CLOUDWATCH_LOGS_GB = 0.50

WRITE_UNIT_BYTES, READ_UNIT_BYTES = 1024, 4096
TRANSACTION_FACTOR = 2
"""DynamoDB prepares each write of a transaction, then commits it."""
STORED_BESIDE_ITEM = 100
"""Bytes that DynamoDB adds to each item when it counts storage."""
PLATFORM_LOG_BYTES = 350
"""Lambda's own START, END and REPORT lines, which no local server writes."""
ACCESS_LOG_BYTES = 300
"""The line of API Gateway's access log, in the form that template.yaml gives it."""
KEY_CALLS_EVERY_SECONDS, TABLES_WITH_KEY = 300, 2
"""DynamoDB asks KMS for a table's key at most once in five minutes for each caller."""


@dataclass(slots=True)
class Used:
    """What the requests of one kind used, all together.

    `duration_ms` is what the log lines say, `billed_ms` the same in whole milliseconds of each request, `processor_ms`
    what a processor was busy for: the rest was spent waiting for the table, or for a processor that others had.
    """

    requests: int = 0
    orders: int = 0
    duration_ms: float = 0.0
    billed_ms: int = 0
    processor_ms: float = 0.0
    write_units: int = 0
    read_units: float = 0.0
    stored_bytes: int = 0
    log_bytes: int = 0

    def add(self, other: Used) -> None:
        """Takes what others used in."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """The size that DynamoDB counts: names, values, and a little for what holds others."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "N":
        return number_bytes(held)
    if kind == "L":
        return 3 + sum(1 + _value_bytes(one) for one in held)
    if kind == "M":
        return 3 + len(held) + item_bytes(held)
    if kind in ("SS", "BS", "NS"):
        return sum(_value_bytes({kind[0]: one}) for one in held)
    return len(held.encode() if isinstance(held, str) else held)


def number_bytes(number: str) -> int:
    """Two digits a byte, one for the exponent and one for a minus."""
    digits = number.lstrip("-").replace(".", "").strip("0")
    return math.ceil(len(digits) / 2) + 1 + number.startswith("-")


def write_units(item: Mapping[str, Mapping[str, Any]], *, in_transaction: bool = False) -> int:
    """Of one put at most: a refused one counts by what stands there.  There are no secondary indexes."""
    units = max(1, math.ceil(item_bytes(item) / WRITE_UNIT_BYTES))
    return units * TRANSACTION_FACTOR if in_transaction else units


def read_units(items: Iterable[Mapping[str, Mapping[str, Any]]], *, consistent: bool) -> float:
    """Of one request that found these items; one that finds nothing still counts."""
    units = max(1, math.ceil(sum(map(item_bytes, items)) / READ_UNIT_BYTES))
    return units if consistent else units / 2


def percentile(counts: Mapping[int, int], share: float) -> int:
    """The smallest value that is not exceeded by this share of all; 0 of nothing."""
    needed = share * sum(counts.values())
    reached = 0
    for value in sorted(counts):
        reached += counts[value]
        if reached >= needed:
            return value
    return 0


def growth_percent(first: float, then: float) -> float:
    """How much more `then` is, in percent of the first."""
    return (then / first - 1) * 100 if first else 0.0


def cost_of_million(used: Used, *, memory_megabytes: int, orders_a_second: float) -> dict[str, float]:
    """Dollars for a million orders that use what these did; storage and its backup are for the first month."""
    each = MILLION / used.orders
    requests = used.requests * each / MILLION
    gigabyte_seconds = used.billed_ms * each / 1000 * memory_megabytes / 1024
    stored = used.stored_bytes * each / GIGABYTE
    logged = (used.log_bytes + used.requests * (PLATFORM_LOG_BYTES + ACCESS_LOG_BYTES)) * each / GIGABYTE
    key_calls = math.ceil(MILLION / orders_a_second / KEY_CALLS_EVERY_SECONDS) * TABLES_WITH_KEY
    return {
        "API Gateway, requests": requests * API_GATEWAY_REST_MILLION_REQUESTS,
        "Lambda, requests": requests * LAMBDA_MILLION_REQUESTS,
        "Lambda, duration": gigabyte_seconds * LAMBDA_ARM64_GB_SECOND,
        "DynamoDB, writes": used.write_units * each / MILLION * DYNAMODB_MILLION_WRITE_UNITS,
        "DynamoDB, reads": used.read_units * each / MILLION * DYNAMODB_MILLION_READ_UNITS,
        "DynamoDB, a month stored": stored * DYNAMODB_STORAGE_GB_MONTH,
        "DynamoDB, its backup": stored * DYNAMODB_POINT_IN_TIME_GB_MONTH,
        "KMS, requests": key_calls / 10_000 * KMS_TEN_THOUSAND_REQUESTS,
        "CloudWatch, logs": logged * CLOUDWATCH_LOGS_GB,
    }
