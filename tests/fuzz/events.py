"""Hostile events at the handlers: only documented answers, in bounded time, and nothing of them in a log.

`make fuzz` sends 100,000; `python -m tests.fuzz.events --seed 7 --only 1234` sends one again and shows it.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import re
import resource
import sys
import time
import traceback
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import track

from infusion_orders.api.metrics import KINDS, Metric
from infusion_orders.api.observability import ALLOWED_FIELDS
from tests.fuzz.generator import CANARY
from tests.fuzz.hostile import Hostile
from tests.support.partner import decided_world
from tests.support.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.partner import World

SEED = 20261125
CHUNK = 250
"""Events that one process sends, to tables that only it changes."""
PROCESSES = 2
FAILURES = Path(".cache") / "fuzz"

SECONDS = 2.0
SECONDS_FOR_EACH_ORDER = 0.2
"""More of it for each order of a batch."""
MOST_BYTES_OF_A_PROBLEM = 200_000
MOST_BYTES_OF_A_LINE = 20_000
MOST_MEGABYTES = 300
"""What a process may grow by while it sends its events."""

METRICS = {"_aws", "service", *map(str, Metric)}
METRICS |= {name for kind in KINDS for declared in kind.values() for names in declared.by for name in names}
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
QUOTING = {"/v1/rulesets", "/v1/rulesets/check"}
"""Routes whose problems repeat names that a rule author wrote, so that the slip is found."""
NO_ROUTE = {404, 405}


@dataclass
class Report:
    """`failures`: event number and what went wrong; `answers`: how many of each status; `slowest` in seconds."""

    events: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    slowest: tuple[float, int] = (0.0, -1)
    megabytes: float = 0.0

    def add(self, other: Report) -> None:
        """Takes another report in."""
        self.events += other.events
        self.failures += other.failures
        for answer, count in other.answers.items():
            self.answers[answer] = self.answers.get(answer, 0) + count
        self.slowest = max(self.slowest, other.slowest)
        self.megabytes = max(self.megabytes, other.megabytes)


class Wrong(Exception):
    """What does not hold of an answer."""


@dataclass(frozen=True)
class Deadline:
    """Lambda's context with the time that the function really has."""

    ends: float
    aws_request_id: str = "5d3f2a0e-0000-4000-8000-000000000001"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.ends - time.monotonic()) * 1000))


def event_of(seed: int, number: int) -> Any:
    """The event of that number: the same for ever."""
    return Hostile(Random(f"{seed}:{number}")).event()


@cache
def documented() -> dict[str, dict[str, dict[int, str]]]:
    """By path and method: the media type of each status in docs/openapi.json."""
    document = json.loads((PROJECT / "docs" / "openapi.json").read_text("utf-8"))
    found: dict[str, dict[str, dict[int, str]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = {}
            for status, answer in operation["responses"].items():
                name = answer.get("$ref", "").rpartition("/")[2]
                (media,) = (document["components"]["responses"][name] if name else answer)["content"]
                answers[int(status)] = media
            found.setdefault(path, {})[method.upper()] = answers
    return found


def route_of(event: Any) -> tuple[str, str] | None:
    """The documented path and method that the event is of."""
    path, method = (event.get("path"), event.get("httpMethod")) if isinstance(event, dict) else (None, None)
    if not isinstance(path, str) or not isinstance(method, str):
        return None
    path, method = path.rstrip("/"), method.upper()
    fixed_first = sorted(documented(), key=lambda template: template.count("{"))
    for template in fixed_first:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path, re.DOTALL) and method in documented()[template]:
            return template, method
    return None


def send(world: World, event: Any) -> tuple[Any, str, str, float]:
    """To the handler of the function that has the path: its answer, standard output, error output, and seconds."""
    path = event.get("path") if isinstance(event, dict) else None
    of_rules = isinstance(path, str) and path.startswith("/v1/rule")
    function = (world.rules if of_rules else world.partner).function
    output, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors), warnings.catch_warnings():
        warnings.simplefilter("always")
        started = time.process_time()  # not what passes while others have the processor
        answer = function.handler(event, Deadline(time.monotonic() + 20))
        seconds = time.process_time() - started
    return answer, output.getvalue(), errors.getvalue(), seconds


def check(event: Any, answer: Any, output: str, errors: str, seconds: float) -> None:
    """Raises Wrong for what does not hold."""
    route = route_of(event)
    status = answer["statusCode"]
    check_answer(route, answer)
    check_log(output, status)
    if errors:
        raise Wrong(f"error output: {errors[:300]}")
    orders = answer["body"].count('"index":') if route and route[0].endswith("-batch") and status == 200 else 0
    if seconds > SECONDS + orders * SECONDS_FOR_EACH_ORDER:
        raise Wrong(f"took {seconds:.1f} s")


def check_answer(route: tuple[str, str] | None, answer: Any) -> None:
    """Documented, of the type that is documented, and without anything of the request."""
    status, body = answer["statusCode"], answer["body"]
    media = ", ".join(answer["multiValueHeaders"]["Content-Type"])
    if status >= 500:
        raise Wrong(f"{status}: {body[:300]}")
    expected = documented()[route[0]][route[1]] if route else dict.fromkeys(NO_ROUTE, "application/problem+json")
    if expected.get(status) != media:
        raise Wrong(f"{status} {media} is not documented for {route}")
    if answer["isBase64Encoded"] is not False or not _is_text(body):
        raise Wrong("the body is no text")
    if status >= 400:
        check_refusal(body, status, quoting=route is not None and route[0] in QUOTING)
    elif route and route[0].endswith("-batch"):
        check_batch(json.loads(body))
    elif '"loads":false' in body and len(body) > MOST_BYTES_OF_A_PROBLEM:
        raise Wrong(f"an answer of {len(body)} bytes for a draft that does not load")


def check_refusal(body: str, status: int, *, quoting: bool) -> None:
    """A problem, short, and without anything of the request."""
    check_problem(json.loads(body), status)
    if len(body) > MOST_BYTES_OF_A_PROBLEM:
        raise Wrong(f"a problem of {len(body)} bytes")
    if CANARY in body and not quoting:
        raise Wrong("a problem repeats the request")


def check_batch(answer: Any) -> None:
    """The same of the problems of a batch's orders."""
    for entry in answer["problems"]:
        problem = entry["problem"]
        if problem["status"] >= 500:
            raise Wrong(f"an order met a fault: {problem}")
        check_refusal(json.dumps(problem), problem["status"], quoting=False)


def check_problem(plain: Any, status: int) -> None:
    """RFC 9457, with the members that are documented."""
    if set(plain) - {"errors"} != {"type", "title", "status", "detail", "instance"} or plain["status"] != status:
        raise Wrong(f"no problem: {sorted(plain)}")


def check_log(output: str, status: int) -> None:
    """One line of JSON for each thing told, of the allowed fields, and nothing of the request."""
    requests = 0
    for line in output.removesuffix("\n").split("\n"):
        if CONTROL.search(line) or len(line) > MOST_BYTES_OF_A_LINE:
            raise Wrong(f"a line with control characters, or a long one: {line[:300]!r}")
        if CANARY in line:
            raise Wrong(f"a line repeats the request: {line[:300]}")
        try:
            told = json.loads(line)
        except ValueError:
            raise Wrong(f"a line that is no JSON: {line[:300]!r}") from None
        allowed = METRICS if "_aws" in told else ALLOWED_FIELDS
        if not set(told) <= allowed:
            raise Wrong(f"a line with other fields: {sorted(set(told) - allowed)}")
        requests += told.get("status") == status
    if requests != 1:
        raise Wrong(f"{requests} lines tell of the request: {output[:300]!r}")


def _is_text(body: Any) -> bool:
    try:
        return isinstance(body, str) and bool(body.encode("utf-8"))
    except UnicodeEncodeError:
        return False


def run(world: World, seed: int, numbers: range) -> Report:
    """Sends the events of these numbers; a failure is kept, and the next event is sent."""
    report = Report()
    for number in numbers:
        event = event_of(seed, number)
        before = _megabytes()
        try:
            answer, output, errors, seconds = send(world, event)
            report.slowest = max(report.slowest, (seconds, number))
            route = route_of(event)
            told = f"{answer['statusCode']} {' '.join(reversed(route)) if route else '(no route)'}"
            report.answers[told] = report.answers.get(told, 0) + 1
            check(event, answer, output, errors, seconds)
        except Wrong as wrong:
            report.failures.append((number, str(wrong)))
        except Exception:
            report.failures.append((number, traceback.format_exc()))
        report.events += 1
        report.megabytes += _megabytes() - before
    if report.megabytes > MOST_MEGABYTES:
        report.failures.append((numbers.start, f"{report.megabytes:.0f} MB more after {len(numbers)} events"))
    return report


def _megabytes() -> float:
    """The most that this process ever used."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


_worlds: list[World] = []


def _run_in_child(task: tuple[int, range]) -> Report:
    return run(_worlds[-1], *task)


def run_in_parallel(seed: int, events: int) -> Iterator[Report]:
    """A report a chunk, each from a process of its own, whose tables are as they were at the start."""
    chunks = [(seed, range(first, min(first + CHUNK, events))) for first in range(0, events, CHUNK)]
    with decided_world() as world:
        _worlds.append(world)
        try:
            with multiprocessing.get_context("fork").Pool(PROCESSES, maxtasksperchild=1) as pool:
                yield from pool.imap_unordered(_run_in_child, chunks, chunksize=1)
        finally:
            _worlds.pop()


def main(
    events: Annotated[int, typer.Option(help="How many events.")] = 100_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same events.")] = SEED,
    only: Annotated[int | None, typer.Option(help="Send this event alone, and print it.")] = None,
) -> None:
    """Sends hostile events, and ends with 1 if any answer is wrong.  Example: python -m tests.fuzz.events --only 7"""
    report = Report()
    if only is not None:
        typer.echo(json.dumps(event_of(seed, only), indent=2))
        with decided_world() as world:
            report = run(world, seed, range(only, only + 1))
    else:
        for part in track(run_in_parallel(seed, events), "sending", total=-(-events // CHUNK)):
            report.add(part)
    for number, what in report.failures[:20]:
        FAILURES.mkdir(parents=True, exist_ok=True)
        kept = FAILURES / f"event-{seed}-{number}.json"
        kept.write_text(json.dumps(event_of(seed, number), indent=2), encoding="utf-8")
        typer.echo(f"event {number} ({kept}; --seed {seed} --only {number}): {what}")
    for told, count in sorted(report.answers.items()):
        typer.echo(f"{count:7} {told}")
    seconds, number = report.slowest
    typer.echo(f"slowest: {seconds:.2f} s, event {number}; most memory gained by a process: {report.megabytes:.0f} MB")
    typer.echo(f"{report.events} events, seed {seed}: {len(report.failures)} failures")
    raise typer.Exit(1 if report.failures else 0)


if __name__ == "__main__":
    typer.run(main)
