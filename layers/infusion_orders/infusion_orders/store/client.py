"""The one DynamoDB client of a process, and what its failures mean."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

CONDITION_FAILED = frozenset({"ConditionalCheckFailedException", "ConditionalCheckFailed"})
"""Of a single write, and among the reasons of a cancelled transaction."""
TRANSACTION_CANCELLED = "TransactionCanceledException"
MET_ANOTHER = "TransactionConflict"
IN_PROGRESS = "TransactionInProgressException"
WAITS = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds between attempts at a transaction that met another one; a transaction takes some 10 ms."""
PATIENCE = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "max_attempts": 3},
    tcp_keepalive=True,
)
"""An attempt takes 3 s at most, the pause behind it 2 s."""
LAST_ATTEMPT_SECONDS = 5.5
"""What an attempt takes at worst with the pause behind it and the answer: none begins that much before the end."""
VARIANTS = (["fips"], ["dualstack"], ["dualstack", "fips"])
"""Of an endpoint, as the environment may ask for: `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`."""
_END: ContextVar[float] = ContextVar("end", default=math.inf)
"""Of what runs now, on the monotonic clock: not a global, because it is the request's own."""


class StoreUnavailable(Exception):
    """DynamoDB did not answer, or refused; the text is its error code, never an item."""

    retry_after_seconds = 2


class OutOfTime(BotoCoreError):
    """There is no time left for one more attempt."""

    fmt = "no time is left for an attempt"


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    """No attempt at DynamoDB begins that might outlast these seconds: what is asked for too late is StoreUnavailable.

    Inside of one another the nearer end counts.
    """
    before = _END.set(min(_END.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _END.reset(before)


def _refuse_too_late(**_request: Any) -> None:
    if time.monotonic() > _END.get() - LAST_ATTEMPT_SECONDS:
        raise OutOfTime


def dynamodb_client(*, region: str, endpoint_url: str | None) -> DynamoDBClient:
    """A low-level client: resources cost start-up time and threads.  It minds `answered_within`."""
    client: DynamoDBClient = aws_client("dynamodb", region=region, endpoint_url=endpoint_url, config=PATIENCE)
    client.meta.events.register_first("before-send.dynamodb", _refuse_too_late)
    return client


def aws_client(service: str, *, region: str, endpoint_url: str | None = None, config: Config | None = None) -> Any:
    """The client that boto3 would give, from botocore: importing boto3 takes a start as long as making the client."""
    from botocore.session import Session  # slow to import too: what only needs the exceptions does not pay for it

    session = Session()
    session.register_component("data_loader", _service_data(service))
    return session.create_client(service, region_name=region, endpoint_url=endpoint_url or None, config=config)


class ServiceData(Loader):
    """Reads botocore's descriptions of one service, each file once a process.

    Botocore looks through the folders of all 400 services, several times over, for whether one is among them.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def list_available_services(self, type_name: str) -> list[str]:
        """The one that a client is made for."""
        return [self._service]


class DynamoDBData(ServiceData):
    """Leaves out the largest file, of the endpoints that all services had before each came with rules for its own.

    A client whose service has such rules takes from that file the partition of its region, and how to sign where the
    service says nothing else: DynamoDB says nothing else.
    """

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """What `endpoints` has for a service that it does not know, from the file of partitions that is read anyway."""
        if name != "endpoints":
            return super().load_data_with_path(name)
        data, path = super().load_data_with_path("partitions")
        try:
            return {"version": 3, "partitions": [_as_endpoints(partition) for partition in data["partitions"]]}, path
        except (LookupError, TypeError):  # another botocore, whose files say it in another way
            return super().load_data_with_path(name)


def _as_endpoints(partition: Mapping[str, Any]) -> dict[str, Any]:
    """In the old file's form.  The host names are not used: the service's own rules name the host."""
    host, suffix = "{service}.{region}.{dnsSuffix}", partition["outputs"]["dnsSuffix"]
    variants = [{"hostname": host, "dnsSuffix": suffix, "tags": tags} for tags in VARIANTS]
    return {
        "partition": partition["id"],
        "dnsSuffix": suffix,
        "regionRegex": partition["regionRegex"],
        "regions": partition["regions"],
        "defaults": {"hostname": host, "protocols": ["https"], "signatureVersions": ["v4"], "variants": variants},
        "services": {},
    }


@cache
def _service_data(service: str) -> ServiceData:
    return DynamoDBData(service) if service == "dynamodb" else ServiceData(service)


class ConditionFailed(Exception):
    """What is stored is not as the write demanded, so nothing was written."""


@contextmanager
def named_failures() -> Iterator[None]:
    """Turns botocore's errors into ConditionFailed and StoreUnavailable."""
    try:
        yield
    except ClientError as error:
        reasons = _reasons(error)
        if not CONDITION_FAILED.isdisjoint(reasons):
            raise ConditionFailed("ConditionalCheckFailed") from None
        raise StoreUnavailable(reasons[0]) from None
    except BotoCoreError as error:
        raise StoreUnavailable(type(error).__name__) from None


def write_together(
    client: DynamoDBClient, writes: Sequence[TransactWriteItemTypeDef], *, token: str | None = None
) -> None:
    """All of the writes or none; with the same token they happen once, however often they are sent.

    DynamoDB also cancels a transaction that merely meets another one, whatever its conditions would have said: that
    is tried again.  Raises ConditionFailed, and StoreUnavailable when it is not certain that they happened.
    """
    token = token or str(uuid4())
    for wait in (*WAITS, None):
        try:
            with named_failures():
                client.transact_write_items(ClientRequestToken=token, TransactItems=writes)
        except StoreUnavailable as refused:
            if wait is None or str(refused) not in (MET_ANOTHER, IN_PROGRESS):
                raise
            time.sleep(wait)
        else:
            return


def _reasons(error: ClientError) -> list[str]:
    """DynamoDB's name for the error; of a cancelled transaction, for what each of its writes met."""
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    if code != TRANSACTION_CANCELLED:
        return [code]
    cancelled: list[dict[str, str]] = cast("dict[str, Any]", error.response).get("CancellationReasons", [])
    met = [reason["Code"] for reason in cancelled if reason.get("Code", "None") != "None"]
    return met or [code]
