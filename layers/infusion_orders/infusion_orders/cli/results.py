"""Orders of a file or a pipe, one after the other: each becomes a decision or a problem, and memory stays flat."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from infusion_orders.api.problems import Problem, problem_of
from infusion_orders.decisions import decide
from infusion_orders.decisions.decision import Decision
from infusion_orders.orders.reading import MAX_BODY_BYTES, InvalidOrder, MalformedJson, TooLarge, read_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from infusion_orders.rules.rule_set import RuleSet


class LineSource(Protocol):
    """Anything to read lines from."""

    def readline(self, size: int, /) -> bytes:
        """Up to the end of the line, at most so many bytes; nothing at the end."""


BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Body:
    """One order as it was sent, and the number of the line that it begins on."""

    line: int
    content: bytes


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
    """In the order of the input; a fault of ours is raised, because here a person can read its traceback."""
    for body in bodies:
        place = f"{quote(source)}#line-{body.line}"
        try:
            order = read_order(body.content)
        except (MalformedJson, TooLarge, InvalidOrder) as error:
            yield Result(place, problem_of(error))
            continue
        yield Result(place, decide(order, rule_set, as_of=as_of, explain_all=explain_all).decision)


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
