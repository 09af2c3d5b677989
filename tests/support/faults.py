"""A real engine behind a connection that fails on purpose: an HTTP proxy between the store and DynamoDB.

A fault says which operation it meets and how often; whatever it does, it does on the wire, below boto3.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Meeting = Callable[["Exchange"], None]

ANY = "*"
ALWAYS = 10**9


@dataclass
class Exchange:
    """One request of the client, which a fault may answer, pass on, alter, or drop."""

    operation: str
    body: dict[str, Any]
    pass_on: Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]
    answer: Callable[[int, dict[str, Any]], None]
    drop: Callable[[], None]


@dataclass
class Fault:
    """Meets the operation's next `times` requests."""

    operation: str
    meet: Meeting
    times: int = ALWAYS


@dataclass
class FaultyConnection:
    """`faults` may be changed at any time; `asked` counts what arrived, whether it was answered or not."""

    address: str
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def taken(self, operation: str) -> Meeting | None:
        """What meets this request."""
        for fault in self.faults:
            if fault.operation in (operation, ANY) and fault.times > 0:
                fault.times -= 1
                return fault.meet
        return None

    def mend(self) -> None:
        """No faults any more."""
        self.faults.clear()


@contextmanager
def faulty_connection(engine: str) -> Iterator[FaultyConnection]:
    """A proxy before the engine at that address, without faults as yet."""
    place = urlsplit(engine)
    connection = FaultyConnection("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            connection.asked.append(operation)
            meet = connection.taken(operation) or pass_unharmed
            with contextlib.suppress(OSError):  # a client that gave up
                meet(Exchange(operation, body, self.passed_on, self.answered, self.dropped))

        def passed_on(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            behind = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
            names = ("X-Amz-Target", "Authorization", "X-Amz-Date", "Content-Type")
            headers = {name: self.headers[name] for name in names if name in self.headers}
            behind.request("POST", "/", json.dumps(body).encode(), headers)
            answer = behind.getresponse()
            plain = json.loads(answer.read())
            behind.close()
            return answer.status, plain

        def answered(self, status: int, plain: dict[str, Any]) -> None:
            content = json.dumps(plain).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def dropped(self) -> None:
            """As a load balancer that dies does: a reset, not an orderly end."""
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    connection.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield connection
    finally:
        server.shutdown()
        server.server_close()


def pass_unharmed(exchange: Exchange) -> None:
    """No fault."""
    exchange.answer(*exchange.pass_on(exchange.body))


def no_answer(exchange: Exchange) -> None:
    """Arrives nowhere, and nobody says so: the client's time-out ends it."""
    time.sleep(3)
    exchange.drop()


def lost_answer(exchange: Exchange) -> None:
    """The engine did it, and the connection broke before it could say so."""
    exchange.pass_on(exchange.body)
    exchange.drop()


def reset(exchange: Exchange) -> None:
    """The connection breaks before anything happened."""
    exchange.drop()


def slow(seconds: float) -> Meeting:
    """An answer that takes its time, but comes."""

    def meet(exchange: Exchange) -> None:
        time.sleep(seconds)
        pass_unharmed(exchange)

    return meet


def refused(status: int, code: str) -> Meeting:
    """DynamoDB's own refusal, with its name for it."""
    return lambda exchange: exchange.answer(
        status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "CANARY of the engine"}
    )


def small_pages(exchange: Exchange) -> None:
    """A query's items come ten a page."""
    exchange.answer(*exchange.pass_on(exchange.body | {"Limit": 10}))


def takes_a_half(exchange: Exchange) -> None:
    """A batch of which the engine takes the first half only."""
    ((table, writes),) = exchange.body["RequestItems"].items()
    taken, left = writes[: len(writes) // 2], writes[len(writes) // 2 :]
    status, plain = exchange.pass_on(exchange.body | {"RequestItems": {table: taken}}) if taken else (200, {})
    exchange.answer(status, plain | {"UnprocessedItems": {table: left}})
