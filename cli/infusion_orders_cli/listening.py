"""What every server of the command shares: a port of its own, and an end by Ctrl-C that is no failure."""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

BRIDGE = b"docker0"
GET_ADDRESS = 0x8915
"""Linux's SIOCGIFADDR."""
LONGEST_WAIT_SECONDS = 0.5


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


def container_bridge() -> str | None:
    """This machine's address in Docker's own network, where containers reach it; other machines do not.

    None where there is no such network: on a Mac or under Windows, containers reach 127.0.0.1 instead.
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
    """Until a signal comes.

    One that comes just before the wait begins does not end it, so each wait is short: none is missed for long.
    """
    from time import sleep

    while True:
        sleep(LONGEST_WAIT_SECONDS)
