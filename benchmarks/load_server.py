"""One process of the local API, for the load test: the real handler behind LocalApi, on connections that stay open.

It answers one request at a time, as one environment of a function does, and adds up what each used.  It is started by
benchmarks/load.py: `begin` on standard input makes its sums zero, `tell` asks for them, the end of the input ends it.
"""

from __future__ import annotations

import io
import json
import math
import re
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import Lock, Thread
from time import thread_time
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

from benchmarks.load_cost import STORED_BESIDE_ITEM, Used, item_bytes, read_units, write_units
from infusion_orders_cli.local.api import LocalApi, load_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

    from mypy_boto3_dynamodb import DynamoDBClient

APP = Path(__file__).parents[1] / "functions" / "validate_orders" / "app.py"
DURATION = re.compile(r'"duration_ms":([0-9.]+)')
DECIDED = re.compile(r'\{"index":\d+,"decision":')


class Kind(StrEnum):
    """Of a request, by what it uses."""

    ORDER = "one order"
    KEYED = "one order with a key"
    REPEATED = "the same key again"
    BATCH = "in a batch of ten"
    KEYED_BATCH = "in a batch with a key"
    READ = "a decision read again"


BATCHES = (Kind.BATCH, Kind.KEYED_BATCH)


@dataclass
class Sums:
    """By kind: what requests used, and how many took so many tenths of a millisecond."""

    used: dict[Kind, Used] = field(default_factory=dict)
    tenths: dict[Kind, Counter[int]] = field(default_factory=dict)

    def count(self, kind: Kind, used: Used) -> None:
        """One request."""
        self.used.setdefault(kind, Used()).add(used)
        self.tenths.setdefault(kind, Counter())[round(used.duration_ms * 10)] += 1

    def add(self, other: Sums) -> None:
        """Takes another process's sums in."""
        for kind, used in other.used.items():
            self.used.setdefault(kind, Used()).add(used)
            self.tenths.setdefault(kind, Counter()).update(other.tenths[kind])

    def orders(self) -> int:
        """Those that were decided, or found decided."""
        return sum(used.orders for kind, used in self.used.items() if kind is not Kind.READ)

    def written(self) -> str:
        """One line of JSON."""
        used = {kind: asdict(one) for kind, one in self.used.items()}
        return json.dumps({"used": used, "tenths": self.tenths}) + "\n"

    @classmethod
    def read(cls, line: str) -> Sums:
        """What `written` gave."""
        told = json.loads(line)
        used = {Kind(kind): Used(**one) for kind, one in told["used"].items()}
        tenths = {
            Kind(kind): Counter({int(value): count for value, count in counts.items()})
            for kind, counts in told["tenths"].items()
        }
        return cls(used, tenths)


class MeteredOutput(io.TextIOBase):
    """Standard output of the function: counted, looked through for the duration, and dropped."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def write(self, text: str) -> int:
        """Log lines are ASCII: a character is a byte."""
        current = self._meter.current
        current.log_bytes += len(text)
        found = DURATION.search(text)
        if found is not None:
            current.duration_ms = float(found[1])
            current.billed_ms = math.ceil(current.duration_ms)
        return len(text)


class Meter:
    """What the request that is being answered uses; only one is at a time."""

    def __init__(self) -> None:
        self.sums = Sums()
        self.current = Used()
        self._consistent = False

    def watch(self, client: DynamoDBClient) -> None:
        """Counts what the client sends and finds; a write that is sent again counts once."""
        events = client.meta.events
        events.register("provide-client-params.dynamodb.PutItem", self._put)
        events.register("provide-client-params.dynamodb.TransactWriteItems", self._transaction)
        for read in ("GetItem", "Query"):
            events.register(f"provide-client-params.dynamodb.{read}", self._asked)
            events.register(f"after-call.dynamodb.{read}", self._found)

    def metered(
        self, handler: Callable[[dict[str, Any], Any], dict[str, Any]]
    ) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
        """The handler, each of its answers added to the sums."""

        def answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
            self.current = Used(requests=1)
            started = thread_time()
            answered = handler(event, context)
            self.current.processor_ms = (thread_time() - started) * 1000
            kind = kind_of(event, answered)
            self.current.orders = len(DECIDED.findall(answered["body"])) if kind in BATCHES else 1
            if kind is Kind.REPEATED:
                self.current.stored_bytes = 0  # the write was refused, and paid for
            self.sums.count(kind, self.current)
            return answered

        return answer

    def _put(self, params: Mapping[str, Any], **_event: Any) -> None:
        self._written(params["Item"], in_transaction=False)

    def _transaction(self, params: Mapping[str, Any], **_event: Any) -> None:
        for write in params["TransactItems"]:
            self._written(write["Put"]["Item"], in_transaction=True)

    def _written(self, item: Mapping[str, Any], *, in_transaction: bool) -> None:
        self.current.write_units += write_units(item, in_transaction=in_transaction)
        self.current.stored_bytes += item_bytes(item) + STORED_BESIDE_ITEM

    def _asked(self, params: Mapping[str, Any], **_event: Any) -> None:
        self._consistent = bool(params.get("ConsistentRead"))

    def _found(self, parsed: Mapping[str, Any], **_event: Any) -> None:
        items: Sequence[Mapping[str, Any]] = [parsed["Item"]] if "Item" in parsed else parsed.get("Items", [])
        self.current.read_units += read_units(items, consistent=self._consistent)


def kind_of(event: Mapping[str, Any], answer: Mapping[str, Any]) -> Kind:
    """Of an answered request."""
    if event["httpMethod"] == "GET":
        return Kind.READ
    keyed = "Idempotency-Key" in event["headers"]
    if event["path"].endswith("-batch"):
        return Kind.KEYED_BATCH if keyed else Kind.BATCH
    if not keyed:
        return Kind.ORDER
    return Kind.REPEATED if "Idempotent-Replayed" in answer["multiValueHeaders"] else Kind.KEYED


class OneAtATime:
    """A WSGI application whose requests wait for each other."""

    def __init__(self, api: LocalApi) -> None:
        self._api = api
        self._lock = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """One request, answered whole."""
        with self._lock:
            return list(self._api(environ, start_response))


class StaysOpen(WSGIRequestHandler):
    """werkzeug's handler closes every connection after one answer; this one leaves that to the client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def run_wsgi(self) -> None:
        """One request; its answer has its length, because LocalApi's answers do."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _failure: Any = None) -> Any:
            started.append((status, headers))

        body = b"".join(self.server.app(self.make_environ(), start_response))
        status, headers = started[-1]
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: the clients count."""


def main() -> None:
    """Serve until the input ends; the first line of the output is the port."""
    said, meter = sys.stdout, Meter()
    sys.stdout = MeteredOutput(meter)
    function = load_function(APP.parent)
    meter.watch(function.resources.client)
    api = LocalApi({"validate_orders": meter.metered(function.handler)})
    server = make_server("127.0.0.1", 0, OneAtATime(api), threaded=True, request_handler=StaysOpen)
    Thread(target=server.serve_forever, daemon=True).start()
    said.write(f"{server.server_address[1]}\n")
    said.flush()
    for line in sys.stdin:
        if line == "begin\n":
            meter.sums = Sums()
        said.write(meter.sums.written())
        said.flush()


if __name__ == "__main__":
    main()
