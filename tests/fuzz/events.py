"""Send hostile events to the handlers: each answer is documented, in bounded time, and no log repeats the event.

`make fuzz` sends 100,000; `python -m tests.fuzz.events --seed 7 --only 1234` sends one of them again and prints it.
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
"""How many events a process sends to its own copy of the tables."""
PROCESSES = 2
FAILURES = Path(".cache") / "fuzz"

SECONDS = 2.0
SECONDS_FOR_EACH_ORDER = 0.2
"""Additional time for each order of a batch."""
MOST_BYTES_OF_A_PROBLEM = 200_000
MOST_BYTES_OF_A_LINE = 20_000
MOST_MEGABYTES = 300
"""How much a process may grow while it sends its events."""

METRICS = {"_aws", "service", *map(str, Metric)}
METRICS |= {name for kind in KINDS for declared in kind.values() for names in declared.by for name in names}
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
QUOTING = {"/v1/rulesets", "/v1/rulesets/check"}
"""Routes whose problems repeat names from a draft, so that its author finds the mistake."""
NO_ROUTE = {404, 405}


@dataclass
class Report:
    """`failures` has event numbers and what went wrong, `answers` counts statuses, `slowest` is in seconds."""

    events: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    slowest: tuple[float, int] = (0.0, -1)
    megabytes: float = 0.0

    def add(self, other: Report) -> None:
        """Add the numbers of another report."""
        self.events += other.events
        self.failures += other.failures
        for answer, count in other.answers.items():
            self.answers[answer] = self.answers.get(answer, 0) + count
        self.slowest = max(self.slowest, other.slowest)
        self.megabytes = max(self.megabytes, other.megabytes)


class Wrong(Exception):
    """An answer or a log line breaks a requirement."""


@dataclass(frozen=True)
class Deadline:
    """Lambda's context with the time that really remains."""

    ends: float
    aws_request_id: str = "5d3f2a0e-0000-4000-8000-000000000001"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.ends - time.monotonic()) * 1000))


def event_of(seed: int, number: int) -> Any:
    """Return the event with this number, which is always the same."""
    return Hostile(Random(f"{seed}:{number}")).event()


@cache
def documented() -> dict[str, dict[str, dict[int, str]]]:
    """Return the media type of each documented status, by path and method, from docs/openapi.json."""
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
    """Return the documented path and method of the event, if there is one."""
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
    """Send the event to the function that serves its path; return answer, standard output, error output and seconds."""
    path = event.get("path") if isinstance(event, dict) else None
    of_rules = isinstance(path, str) and path.startswith("/v1/rule")
    function = (world.rules if of_rules else world.partner).function
    output, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors), warnings.catch_warnings():
        warnings.simplefilter("always")
        started = time.process_time()  # unlike the wall clock, it excludes other processes
        answer = function.handler(event, Deadline(time.monotonic() + 20))
        seconds = time.process_time() - started
    return answer, output.getvalue(), errors.getvalue(), seconds


def check(event: Any, answer: Any, output: str, errors: str, seconds: float) -> None:
    """Raise Wrong if the answer or the log breaks a requirement."""
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
    """Check that status and media type are documented and that nothing of the request is repeated."""
    status, body = answer["statusCode"], answer["body"]
    media = ", ".join(answer["multiValueHeaders"]["Content-Type"])
    if status >= 500:
        raise Wrong(f"{status}: {body[:300]}")
    expected = documented()[route[0]][route[1]] if route else dict.fromkeys(NO_ROUTE, "application/problem+json")
    if expected.get(status) != media:
        raise Wrong(f"{status} {media} is not documented for {route}")
    if answer["isBase64Encoded"] is not False or not _is_text(body):
        raise Wrong("the body is not text")
    if status >= 400:
        check_refusal(body, status, quoting=route is not None and route[0] in QUOTING)
    elif route and route[0].endswith("-batch"):
        check_batch(json.loads(body))
    elif '"loads":false' in body and len(body) > MOST_BYTES_OF_A_PROBLEM:
        raise Wrong(f"an answer of {len(body)} bytes for a draft that does not load")


def check_refusal(body: str, status: int, *, quoting: bool) -> None:
    """Check that the answer is a short problem that repeats nothing of the request."""
    check_problem(json.loads(body), status)
    if len(body) > MOST_BYTES_OF_A_PROBLEM:
        raise Wrong(f"a problem of {len(body)} bytes")
    if CANARY in body and not quoting:
        raise Wrong("a problem repeats the request")


def check_batch(answer: Any) -> None:
    """Check the problems of the orders in a batch."""
    for entry in answer["problems"]:
        problem = entry["problem"]
        if problem["status"] >= 500:
            raise Wrong(f"an order failed: {problem}")
        check_refusal(json.dumps(problem), problem["status"], quoting=False)


def check_problem(plain: Any, status: int) -> None:
    """Check that this is an RFC 9457 problem with the documented members."""
    if set(plain) - {"errors"} != {"type", "title", "status", "detail", "instance"} or plain["status"] != status:
        raise Wrong(f"not a problem: {sorted(plain)}")


def check_log(output: str, status: int) -> None:
    """Check that each log line is JSON with allowed fields only and that none repeats the request."""
    requests = 0
    for line in output.removesuffix("\n").split("\n"):
        if CONTROL.search(line) or len(line) > MOST_BYTES_OF_A_LINE:
            raise Wrong(f"a line with control characters, or a long one: {line[:300]!r}")
        if CANARY in line:
            raise Wrong(f"a line repeats the request: {line[:300]}")
        try:
            entry = json.loads(line)
        except ValueError:
            raise Wrong(f"a line that is not JSON: {line[:300]!r}") from None
        allowed = METRICS if "_aws" in entry else ALLOWED_FIELDS
        if not set(entry) <= allowed:
            raise Wrong(f"a line with other fields: {sorted(set(entry) - allowed)}")
        requests += entry.get("status") == status
    if requests != 1:
        raise Wrong(f"{requests} lines report the request: {output[:300]!r}")


def _is_text(body: Any) -> bool:
    try:
        return isinstance(body, str) and bool(body.encode("utf-8"))
    except UnicodeEncodeError:
        return False


def run(world: World, seed: int, numbers: range) -> Report:
    """Send the events with these numbers and collect the failures."""
    report = Report()
    for number in numbers:
        event = event_of(seed, number)
        before = _megabytes()
        try:
            answer, output, errors, seconds = send(world, event)
            report.slowest = max(report.slowest, (seconds, number))
            route = route_of(event)
            name = f"{answer['statusCode']} {' '.join(reversed(route)) if route else '(no route)'}"
            report.answers[name] = report.answers.get(name, 0) + 1
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
    """Return the peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


_worlds: list[World] = []


def _run_in_child(task: tuple[int, range]) -> Report:
    return run(_worlds[-1], *task)


def run_in_parallel(seed: int, events: int) -> Iterator[Report]:
    """Yield one report per chunk; each runs in a new process whose tables are in their first state."""
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
    only: Annotated[int | None, typer.Option(help="Send only this event, and print it.")] = None,
) -> None:
    """Send hostile events; exit with 1 if an answer is wrong.  Example: python -m tests.fuzz.events --only 7"""
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
    for name, count in sorted(report.answers.items()):
        typer.echo(f"{count:7} {name}")
    seconds, number = report.slowest
    typer.echo(f"slowest: {seconds:.2f} s, event {number}; most memory gained by a process: {report.megabytes:.0f} MB")
    typer.echo(f"{report.events} events, seed {seed}: {len(report.failures)} failures")
    raise typer.Exit(1 if report.failures else 0)


if __name__ == "__main__":
    typer.run(main)
