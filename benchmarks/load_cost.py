"""The cost of a million orders on AWS: the measured use of one order times list prices.

The prices are those of us-east-1 and us-west-2 without the free tier, in US dollars.  Check them against the current
lists before you rely on a sum: aws.amazon.com/lambda/pricing, /api-gateway/pricing, /dynamodb/pricing and
/cloudwatch/pricing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MILLION = 1_000_000
GIGABYTE = 10**9

LAMBDA_ARM64_GB_SECOND = 0.0000133334
LAMBDA_MILLION_REQUESTS = 0.20
API_GATEWAY_REST_MILLION_REQUESTS = 3.50
DYNAMODB_MILLION_WRITE_UNITS = 0.625
DYNAMODB_MILLION_READ_UNITS = 0.125
DYNAMODB_STORAGE_GB_MONTH = 0.25
DYNAMODB_BACKUP_GB_MONTH = 0.20
CLOUDWATCH_LOGS_GB = 0.50

ITEM_OVERHEAD_BYTES = 100
"""DynamoDB adds this to each item when it counts storage."""
PLATFORM_LOG_BYTES = 650
"""Lambda's START, END and REPORT lines and API Gateway's access log, per request."""
MONTHS = 84


@dataclass(slots=True)
class Used:
    """The total use of all requests of one kind."""

    requests: int = 0
    orders: int = 0
    billed_ms: int = 0
    write_units: int = 0
    read_units: float = 0.0
    stored_bytes: int = 0
    log_bytes: int = 0

    def add(self, other: Used) -> None:
        """Add what others used."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the size that DynamoDB counts for an item: its names and its values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "N":  # one byte for every two digits, and one more
        return math.ceil(len(content.strip("-0")) / 2) + 1
    return len(content) if kind == "B" else len(str(content).encode())


def write_units(size: int, *, in_transaction: bool = False) -> int:
    """Return the units of writing an item of this many bytes; in a transaction DynamoDB charges twice."""
    return max(1, math.ceil(size / 1024)) * (2 if in_transaction else 1)


def read_units(size: int, *, consistent: bool) -> float:
    """Return the units of a request that found this many bytes; finding nothing is charged as well."""
    return max(1, math.ceil(size / 4096)) * (1 if consistent else 0.5)


def cost_of_million(used: Used, memory_megabytes: int) -> dict[str, float]:
    """Return the dollars for a million orders that use what these did, without storage."""
    each = MILLION / used.orders
    requests = used.requests * each / MILLION
    gigabyte_seconds = used.billed_ms * each / 1000 * memory_megabytes / 1024
    logged = (used.log_bytes + used.requests * PLATFORM_LOG_BYTES) * each / GIGABYTE
    return {
        "API Gateway": requests * API_GATEWAY_REST_MILLION_REQUESTS,
        "Lambda": requests * LAMBDA_MILLION_REQUESTS + gigabyte_seconds * LAMBDA_ARM64_GB_SECOND,
        "DynamoDB writes": used.write_units * each / MILLION * DYNAMODB_MILLION_WRITE_UNITS,
        "DynamoDB reads": used.read_units * each / MILLION * DYNAMODB_MILLION_READ_UNITS,
        "CloudWatch logs": logged * CLOUDWATCH_LOGS_GB,
    }


def storage_of_million(used: Used, *, months: int = 1) -> float:
    """Return the dollars for storing what a million orders leave in DynamoDB, with its backup."""
    gigabytes = used.stored_bytes / used.orders * MILLION / GIGABYTE
    return gigabytes * months * (DYNAMODB_STORAGE_GB_MONTH + DYNAMODB_BACKUP_GB_MONTH)
