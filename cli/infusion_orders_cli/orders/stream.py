"""The orders of a file or a pipe: one over several lines, or NDJSON with one on each line.

They are read a block at a time, so that another process can answer a block.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol

from infusion_orders.orders.parsing import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLOCK_BYTES = 262_144
"""The size of one read: some 150 orders, which one process answers at a time."""


class LineSource(Protocol):
    """Anything to read lines from."""

    def readline(self, size: int, /) -> bytes:
        """Return at most `size` bytes up to the end of the line; nothing at the end of the stream."""


class Body(NamedTuple):
    """The bytes of one order, and the number of the line that it begins on."""

    line: int
    content: bytes


class Blocks:
    """Lines of a stream that never wait for more bytes than the next line needs."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        """`read` returns at most so many bytes, waits only for the first of them, and returns none at the end."""
        self._read = read
        self._block = b""
        self._at = 0
        self.taken = 0
        """How many bytes were returned as lines."""

    def readline(self, size: int, /) -> bytes:
        """Return a line as a binary file does."""
        end = self._block.find(b"\n", self._at) + 1
        while not end and len(self._block) - self._at < size and (more := self._read(BLOCK_BYTES)):
            self._block, self._at = self._block[self._at :] + more, 0
            end = self._block.find(b"\n") + 1
        line = self._block[self._at : min(end or len(self._block), self._at + size)]
        self._at += len(line)
        self.taken += len(line)
        return line

    @property
    def has_line(self) -> bool:
        """Whether the next line has been read already, whole and not blank."""
        line = self._block[self._at : self._block.find(b"\n", self._at) + 1]
        return bool(line) and not line.isspace()


def blocks_of_bodies(lines: Blocks) -> Iterator[tuple[int, tuple[Body, ...]]]:
    """Yield the bodies of each block, and at which byte of the stream they end."""
    together: list[Body] = []
    for body in bodies(lines):
        together.append(body)
        if not lines.has_line:
            yield lines.taken, tuple(together)
            together.clear()
    if together:
        yield lines.taken, tuple(together)


def bodies(stream: LineSource) -> Iterator[Body]:
    """Yield the one order of the stream, or each line of NDJSON that is not blank.

    It is NDJSON if the first line is JSON, or if a line before the end of the first document is an order by itself.
    A body is cut just beyond the size that the API refuses.
    """
    lines = _lines(stream)
    first: list[Body] = []
    size = 0
    for line in lines:
        if not first and not line.content.strip():
            continue
        first.append(line)
        size += len(line.content)
        if size > MAX_BODY_BYTES or (len(first) == 1 and _is_json(line.content)):
            break
    whole = b"".join(line.content for line in first)
    if len(first) == 1 or (not _is_json(whole) and any(_is_order(line.content) for line in first)):
        yield from (Body(line.line, line.content.strip()) for line in chain(first, lines) if line.content.strip())
    elif first:
        yield Body(first[0].line, whole[: MAX_BODY_BYTES + 1])


def _lines(stream: LineSource) -> Iterator[Body]:
    number = 0
    while content := stream.readline(MAX_BODY_BYTES + 2):
        number += 1
        end = content
        while not end.endswith(b"\n") and (end := stream.readline(MAX_BODY_BYTES)):
            pass
        yield Body(number, content.removeprefix(BYTE_ORDER_MARK) if number == 1 else content)


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _is_order(content: bytes) -> bool:
    """A service line of an order has no `order_id`."""
    return content.lstrip().startswith(b"{") and b'"order_id"' in content and _is_json(content)
