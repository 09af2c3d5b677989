"""The one DynamoDB client of a process, and what its failures mean."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

CONDITION_FAILED = "ConditionalCheckFailedException"
TRANSACTION_CANCELLED = "TransactionCanceledException"
PATIENCE = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "max_attempts": 3},
    tcp_keepalive=True,
)
"""Three attempts of at most 3 s and their pauses end well before the function's 20 s, and API Gateway's 29 s."""


class StoreUnavailable(Exception):
    """DynamoDB did not answer, or refused; the text is its error code, never an item."""

    retry_after_seconds = 2


def dynamodb_client(*, region: str, endpoint_url: str | None) -> DynamoDBClient:
    """A low-level client: resources cost start-up time and threads."""
    import boto3  # half of the start-up time: what only needs the exceptions does not pay for it

    return boto3.client("dynamodb", region_name=region, endpoint_url=endpoint_url or None, config=PATIENCE)


@contextmanager
def named_failures() -> Iterator[None]:
    """Turns botocore's errors into StoreUnavailable; those of a condition pass, because only the caller knows them."""
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        if code in (CONDITION_FAILED, TRANSACTION_CANCELLED):
            raise
        raise StoreUnavailable(code) from None
    except BotoCoreError as error:
        raise StoreUnavailable(type(error).__name__) from None


def condition_failed(error: ClientError) -> bool:
    """Whether a condition was the reason: a transaction is also cancelled by others at work, and by throttling."""
    if error_code(error) == CONDITION_FAILED:
        return True
    reasons = error.response.get("CancellationReasons", [])
    return any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons)


def error_code(error: ClientError) -> str:
    """DynamoDB's name for the error."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))
