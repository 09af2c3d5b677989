"""The DynamoDB client of a process: its time limits, the meaning of its failures, and writes of several items."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

CONDITION_FAILED = frozenset({"ConditionalCheckFailedException", "ConditionalCheckFailed"})
"""The error code of a single write, and the cancellation reason of a transaction."""
TRANSACTION_CANCELLED = "TransactionCanceledException"
RETRIED_TRANSACTION_ERRORS = ("TransactionConflict", "TransactionInProgressException")
TRANSACTION_RETRY_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Pauses before another attempt at a transaction that met another one; a transaction takes about 10 ms."""
CLIENT_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "max_attempts": 3},
    tcp_keepalive=True,
)
"""One attempt takes at most 3 s, and the pause after it at most 2 s."""
LAST_ATTEMPT_SECONDS = 5.5
"""The longest time for an attempt, the pause after it and the answer: no attempt starts this close to the deadline."""
BATCH_SIZE = 25
REFUSALS_ALLOWED = 6
"""How many whole batches in a row DynamoDB may refuse before the write gives up."""
_DEADLINE: ContextVar[float] = ContextVar("deadline", default=math.inf)
"""The deadline of the current request, in seconds of the monotonic clock."""


class StoreUnavailable(Exception):
    """DynamoDB did not answer, or refused the request; the text is its error code and never holds an item."""

    retry_after_seconds = 2


class ConditionFailed(Exception):
    """The stored item did not meet the condition of the write, so nothing was written."""


class OutOfTime(BotoCoreError):
    """The deadline is too close for another attempt."""

    fmt = "no time is left for an attempt"


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Start no DynamoDB request in this block that could end later than this many seconds from now.

    A request that would start too late raises StoreUnavailable.  In nested blocks the earlier deadline counts.
    """
    before = _DEADLINE.set(min(_DEADLINE.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _DEADLINE.reset(before)


def _refuse_when_late(**_request: Any) -> None:
    if time.monotonic() > _DEADLINE.get() - LAST_ATTEMPT_SECONDS:
        raise OutOfTime


def dynamodb_client(*, region: str, endpoint_url: str | None) -> DynamoDBClient:
    """Return a low-level client that obeys `time_limit`; a boto3 resource would start more slowly and use threads."""
    client: DynamoDBClient = aws_client("dynamodb", region=region, endpoint_url=endpoint_url, config=CLIENT_CONFIG)
    client.meta.events.register_first("before-send.dynamodb", _refuse_when_late)
    return client


def aws_client(service: str, *, region: str, endpoint_url: str | None = None, config: Config | None = None) -> Any:
    """Return a client from botocore alone: importing boto3 takes as long as creating the client."""
    from botocore.session import Session  # slow to import: modules that need only the exceptions do not pay for it

    return Session().create_client(service, region_name=region, endpoint_url=endpoint_url or None, config=config)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise ConditionFailed or StoreUnavailable in place of botocore's errors."""
    try:
        yield
    except ClientError as error:
        codes = _error_codes(error)
        if not CONDITION_FAILED.isdisjoint(codes):
            raise ConditionFailed("ConditionalCheckFailed") from None
        raise StoreUnavailable(codes[0]) from None
    except BotoCoreError as error:
        raise StoreUnavailable(type(error).__name__) from None


def write_transaction(
    client: DynamoDBClient, writes: Sequence[TransactWriteItemTypeDef], *, token: str | None = None
) -> None:
    """Make all the writes or none; repeated with the same token, they happen once.

    DynamoDB cancels a transaction that meets another one, whatever its conditions are; such a transaction is repeated.
    Raises ConditionFailed, and StoreUnavailable when it is not certain that the writes happened.
    """
    token = token or str(uuid4())
    for pause in (*TRANSACTION_RETRY_SECONDS, None):
        try:
            with translated_errors():
                client.transact_write_items(ClientRequestToken=token, TransactItems=writes)
        except StoreUnavailable as refused:
            if pause is None or str(refused) not in RETRIED_TRANSACTION_ERRORS:
                raise
            time.sleep(pause)
        else:
            return


def write_in_batches(client: DynamoDBClient, table: str, items: Iterable[dict[str, Any]]) -> None:
    """Write the items, and repeat the writes that DynamoDB did not accept.

    Raises StoreUnavailable when it keeps refusing whole batches.
    """
    waiting = [{"PutRequest": {"Item": item}} for item in items]
    refused = 0
    while waiting:
        batch, waiting = waiting[:BATCH_SIZE], waiting[BATCH_SIZE:]
        with translated_errors():
            answer = client.batch_write_item(RequestItems={table: batch})  # type: ignore[dict-item]
        left: list[Any] = list(answer.get("UnprocessedItems", {}).get(table, []))
        refused = refused + 1 if len(left) == len(batch) else 0
        if refused > REFUSALS_ALLOWED:
            raise StoreUnavailable("UnprocessedItems")
        if left:
            time.sleep(0.05 * 2**refused)
        waiting = left + waiting


def _error_codes(error: ClientError) -> list[str]:
    """Return DynamoDB's code for the error; for a cancelled transaction, the reasons of the writes that failed."""
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    if code != TRANSACTION_CANCELLED:
        return [code]
    cancelled: list[dict[str, str]] = cast("dict[str, Any]", error.response).get("CancellationReasons", [])
    reasons = [reason["Code"] for reason in cancelled if reason.get("Code", "None") != "None"]
    return reasons or [code]
