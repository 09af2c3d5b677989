"""What became of each order, a decision or a problem, and how it is printed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from infusion_orders.api.problems import Problem, problem_of
from infusion_orders.decisions import decide
from infusion_orders.decisions.decision import Decision
from infusion_orders.orders.parsing import InvalidOrder, MalformedJson, TooLarge, parse_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from infusion_orders.rules.rule_set import RuleSet
    from infusion_orders_cli.orders.stream import Body

PROBLEM = "problem"


class UndecidedOrder(Exception):
    """Our code failed on an order; the text says where the order is."""


class PrintedBlock(NamedTuple):
    """The text for the orders of a block, and how many met each outcome, or a problem."""

    text: str
    kinds: Counter[str]


@dataclass(frozen=True, slots=True)
class Result:
    """The decision on one order, or the problem with it; `place` is where the order is, as a relative reference."""

    place: str
    answer: Decision | Problem

    @property
    def decision(self) -> Decision | None:
        """None if there was a problem."""
        return self.answer if isinstance(self.answer, Decision) else None

    @property
    def problem(self) -> Problem | None:
        """None if the order was decided."""
        return self.answer if isinstance(self.answer, Problem) else None

    @property
    def kind(self) -> str:
        """The outcome, or `problem`."""
        return self.answer.outcome.value if isinstance(self.answer, Decision) else PROBLEM

    def as_json(self) -> str:
        """Return one line, as the API would answer; a problem's `instance` is the place."""
        if isinstance(self.answer, Problem):
            return self.answer.body(self.place)
        return self.answer.model_dump_json(by_alias=True, exclude_none=True)


def results(
    bodies: Iterable[Body], rule_set: RuleSet, *, source: str, as_of: date, explain_all: bool = False
) -> Iterator[Result]:
    """Decide the orders one by one.  Raises UndecidedOrder for a fault of ours, whose traceback a person can read."""
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
            raise UndecidedOrder(place) from fault
        yield Result(place, answer)


def as_lines(found: Iterable[Result]) -> PrintedBlock:
    """Print each result as a line of JSON."""
    lines, kinds = [], Counter[str]()
    for result in found:
        lines.append(result.as_json() + "\n")
        kinds[result.kind] += 1
    return PrintedBlock("".join(lines), kinds)


def as_reports(found: Iterable[Result]) -> PrintedBlock:
    """Print each result for a person, in the width and the colours of standard output."""
    from infusion_orders_cli.orders.report import report
    from infusion_orders_cli.terminal import console

    screen, kinds = console(), Counter[str]()
    with screen.capture() as printed:
        for result in found:
            screen.print(report(result))
            kinds[result.kind] += 1
    return PrintedBlock(printed.get(), kinds)
