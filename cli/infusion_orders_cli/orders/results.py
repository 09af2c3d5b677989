"""Orders of a file or a pipe, one after the other: each becomes a decision or a problem, and memory stays flat.

They are read and answered a block at a time, so that a block can be answered by another process.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import quote

from infusion_orders.api.problems import Problem, problem_of
from infusion_orders.decisions import decide
from infusion_orders.decisions.decision import Decision
from infusion_orders.orders.parsing import MAX_BODY_BYTES, InvalidOrder, MalformedJson, TooLarge, parse_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date

    from infusion_orders.rules.rule_set import RuleSet


class LineSource(Protocol):
    """Anything to read lines from."""

    def readline(self, size: int, /) -> bytes:
        """Up to the end of the line, at most so many bytes; nothing at the end."""


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PROBLEM = "problem"
BLOCK_BYTES = 262_144
"""As much as one read asks for: some 150 orders, and what a process is given at a time."""


class Fault(Exception):
    """A fault of ours kept an order from being answered; the text is its place."""


class Body(NamedTuple):
    """One order as it was sent, and the number of the line that it begins on; cheap to pickle."""

    line: int
    content: bytes


class Answers(NamedTuple):
    """What is printed for the orders of a block, and how many met each outcome, or a problem."""

    text: str
    kinds: Counter[str]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one order: a decision or a problem; `place` is where it stands, as a relative reference."""

    place: str
    answer: Decision | Problem

    @property
    def decision(self) -> Decision | None:
        """None if there was a problem."""
        return self.answer if isinstance(self.answer, Decision) else None

    @property
    def problem(self) -> Problem | None:
        """None if it was decided."""
        return self.answer if isinstance(self.answer, Problem) else None

    def as_json(self) -> str:
        """On one line, as the API would answer; a problem's `instance` is the place."""
        if isinstance(self.answer, Problem):
            return self.answer.body(self.place)
        return self.answer.model_dump_json(by_alias=True, exclude_none=True)


def results(
    bodies: Iterable[Body], rule_set: RuleSet, *, source: str, as_of: date, explain_all: bool = False
) -> Iterator[Result]:
    """In the order of the input; a fault of ours is raised as Fault, because here a person can read its traceback."""
    file = quote(source)
    for body in bodies:
        place = f"{file}#line-{body.line}"
        answer: Decision | Problem
        try:
            order = parse_order(body.content)
            answer = decide(order, rule_set, as_of=as_of, explain_all=explain_all).decision
        except (MalformedJson, TooLarge, InvalidOrder) as error:
            answer = problem_of(error)
        except Exception as fault:
            raise Fault(place) from fault
        yield Result(place, answer)


def as_lines(found: Iterable[Result]) -> Answers:
    """A line of JSON for each."""
    lines, kinds = [], Counter[str]()
    for result in found:
        lines.append(result.as_json() + "\n")
        kinds[_kind(result)] += 1
    return Answers("".join(lines), kinds)


def as_reports(found: Iterable[Result]) -> Answers:
    """In words, as wide and as colourful as standard output is."""
    from infusion_orders_cli.orders.report import report
    from infusion_orders_cli.terminal import console

    screen, kinds = console(), Counter[str]()
    with screen.capture() as printed:
        for result in found:
            screen.print(report(result))
            kinds[_kind(result)] += 1
    return Answers(printed.get(), kinds)


def _kind(result: Result) -> str:
    return PROBLEM if result.decision is None else result.decision.outcome.value


class Blocks:
    """Lines of a stream, read as many bytes at a time as are there, so that a slow pipe is not waited for."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        """`read` gives at most so many bytes, waits only for the first of them, and gives none at the end."""
        self._read = read
        self._block = b""
        self._at = 0
        self.taken = 0
        """Bytes that were given out."""

    def readline(self, size: int, /) -> bytes:
        """As of a binary file."""
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
        """Whether the next line is there, whole and not blank."""
        line = self._block[self._at : self._block.find(b"\n", self._at) + 1]
        return bool(line) and not line.isspace()


def blocks_of_bodies(lines: Blocks) -> Iterator[tuple[int, tuple[Body, ...]]]:
    """The bodies, as many together as a block holds; with them how many bytes of the stream they end at."""
    together: list[Body] = []
    for body in bodies(lines):
        together.append(body)
        if not lines.has_line:
            yield lines.taken, tuple(together)
            together.clear()
    if together:
        yield lines.taken, tuple(together)


def bodies(stream: LineSource) -> Iterator[Body]:
    """One order over several lines, or NDJSON: one a line, blank lines left out.

    It is NDJSON if the first line is JSON of its own, or if any line that is read while looking for the end of the
    first order is an order of its own.  A body is cut just beyond the size that the API refuses.
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
    """A line of an order's own object has no `order_id` of its own."""
    return content.lstrip().startswith(b"{") and b'"order_id"' in content and _is_json(content)
