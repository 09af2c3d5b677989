"""An HTTP server in this process: it listens on its own port until Ctrl-C or SIGTERM ends it."""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import time
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any, NoReturn

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication

BRIDGE = b"docker0"
GET_ADDRESS = 0x8915
"""Linux's SIOCGIFADDR."""
LONGEST_SLEEP_SECONDS = 0.5


class PortInUse(OSError):
    """The port is taken, or the address is not one of this machine; the text names --port."""


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Write nothing: whoever runs the server reports its requests."""


@contextmanager
def serving(application: WSGIApplication, host: str, port: int, *, threaded: bool = False) -> Iterator[int]:
    """Answer requests on a thread of its own while the block lasts; the value is the port, a free one for port 0.

    Raises PortInUse.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        why = os.strerror(error.errno or 0) if error.errno and error.errno > 0 else "no such address"
        raise PortInUse(f"Cannot listen on {host}:{port} ({why}). Choose another port with --port.") from None
    with listening:
        number: int = listening.getsockname()[1]
        server = make_server(
            host, number, application, threaded=threaded, request_handler=_QuietHandler, fd=listening.fileno()
        )
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield number
        finally:
            server.shutdown()
            thread.join(timeout=5)
            server.server_close()


def web_address(host: str, port: int) -> str:
    """`http://host:port`, an IPv6 address in brackets."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def container_bridge() -> str | None:
    """This machine's address in Docker's own network, where containers reach it and other machines do not.

    None without such a network: on macOS and Windows containers reach 127.0.0.1 instead.
    """
    if sys.platform != "linux":
        return None
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            answer = fcntl.ioctl(asking.fileno(), GET_ADDRESS, struct.pack("256s", BRIDGE))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """End the block without an error on Ctrl-C or SIGTERM."""

    def stop(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def wait_for_signal() -> NoReturn:
    """Sleep until a signal arrives.  Each sleep is short, because a signal just before one does not end it."""
    while True:
        time.sleep(LONGEST_SLEEP_SECONDS)
