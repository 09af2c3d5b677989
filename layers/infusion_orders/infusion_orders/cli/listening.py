"""What every server of the command shares: a port of its own, and an end by Ctrl-C that is no failure."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator


class PortInUse(OSError):
    """Something else listens there, or the address is not this machine's; the text names --port."""


def bound_socket(host: str, port: int) -> socket.socket:
    """Listening already, on any free port for 0.  Raises PortInUse."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        why = os.strerror(error.errno or 0) if error.errno and error.errno > 0 else "no such address"
        raise PortInUse(f"Cannot listen on {host}:{port} ({why}). Choose another port with --port.") from None


def web_address(host: str, port: int) -> str:
    """`http://host:port`, an IPv6 address in brackets."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Ctrl-C, and what stops a service, end the block."""

    def stop(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def wait() -> NoReturn:
    """Until a signal comes."""
    from threading import Event

    never = Event()
    while True:
        never.wait(3600)
