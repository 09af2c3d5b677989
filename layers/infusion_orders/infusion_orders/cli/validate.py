"""`infusion-orders validate`: orders of a file or a pipe, decided by the code that the function runs."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path  # noqa: TC003 - read by typer
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from infusion_orders.cli.terminal import console, fail, failures_explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from infusion_orders.cli.results import LineSource, Result

SOME_PROBLEM = 1
LONG_INPUT_BYTES = 200_000

EPILOG = """
Exit codes: 0 every order was decided (whatever the outcome), 1 some order had a problem, 2 it could not be tried.

Examples:

infusion-orders validate events/orders/remicade.json

infusion-orders validate --json - < orders.ndjson | jq -r .outcome
"""


def validate(
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(metavar="FILE|-", help="One order, or NDJSON with one a line; - is stdin.")
    ],
    json: Annotated[
        bool, typer.Option("--json", help="Print one result a line: the decision, or a problem (RFC 9457).")
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Decide as of this day.", show_default="today, UTC"),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add every rule's verdict with the values under it.")
    ] = False,
    rules: Annotated[
        Path | None,
        typer.Option(
            help="Rule-set folder to decide with.", show_default="rules/home-infusion", exists=True, file_okay=False
        ),
    ] = None,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Decide though the rule set fails its checks, to see what a fault does.")
    ] = False,
    table: Annotated[
        str | None, typer.Option(help="Read the active rule set from this DynamoDB table instead.")
    ] = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="Where --table is, such as http://127.0.0.1:8000 for a local one.")
    ] = None,
) -> None:
    """Validate orders: a readable report, or JSON for machines.  Nothing is recorded."""
    if table is not None and rules is not None:
        fail("--rules and --table exclude each other: rules come from files or from a table.")
    if endpoint_url is not None and table is None:
        fail("--endpoint-url says where a table is: name it with --table.")
    from datetime import UTC

    from infusion_orders.cli.results import bodies, results
    from infusion_orders.cli.rule_sources import rule_set_from_files, rule_set_from_table

    day = None if as_of is None else as_of.date()
    with failures_explained():
        if table is None:
            rule_set = rule_set_from_files(rules, unchecked=unchecked)
        else:
            rule_set = rule_set_from_table(table, endpoint_url=endpoint_url, as_of=day)
    with _watched(file) as stream, _streams_that_fail():
        found = results(
            bodies(stream),
            rule_set,
            source=_source(file),
            as_of=day or datetime.now(UTC).date(),
            explain_all=explain,
        )
        counts = _print_json(found) if json else _print_reports(found)
    if not counts:
        fail(f"{_source(file)} holds no order.")
    if counts["problem"]:
        raise typer.Exit(SOME_PROBLEM)


@contextmanager
def _streams_that_fail() -> Iterator[None]:
    """A disk that is full is told as that, and not with the exit code of an order's problem."""
    try:
        yield
    except BrokenPipeError:
        raise  # nobody reads on, which typer ends quietly
    except OSError as error:
        _let_go_of_output()
        fail(f"Cannot read on or write on: {error.strerror or error}.")


def _let_go_of_output() -> None:
    """What could not be written would be tried again when Python ends, and fail with an exit code of its own."""
    import os

    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_json(found: Iterable[Result]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for result in found:
        sys.stdout.write(result.as_json() + "\n")
        counts["problem" if result.problem is not None else "decided"] += 1
    sys.stdout.flush()
    return counts


def _print_reports(found: Iterable[Result]) -> Counter[str]:
    from infusion_orders.cli.report import report, summary

    screen = console()
    kinds: Counter[str] = Counter()
    for result in found:
        screen.print(report(result))
        kinds["problem" if result.decision is None else str(result.decision.outcome)] += 1
    if kinds.total() > 1:
        screen.print(summary(kinds))
    return kinds


@contextmanager
def _watched(stream: BinaryIO) -> Iterator[LineSource]:
    """With a progress bar on standard error, if a person watches it and the answers go elsewhere."""
    size = _size(stream)
    if not sys.stderr.isatty() or sys.stdout.isatty() or (size is not None and size < LONG_INPUT_BYTES):
        yield stream
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("validating"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    screen = console(stderr=True)
    with Progress(*columns, console=screen, transient=True, redirect_stdout=False, redirect_stderr=False) as progress:
        task = progress.add_task("", total=size)
        yield _Counted(stream, lambda count: progress.advance(task, count))


@dataclass(frozen=True, slots=True)
class _Counted:
    """Lines of the stream, their bytes told as they are read."""

    stream: BinaryIO
    tell: Callable[[int], None]

    def readline(self, size: int, /) -> bytes:
        line = self.stream.readline(size)
        self.tell(len(line))
        return line


def _source(stream: BinaryIO) -> str:
    name = getattr(stream, "name", "-")
    return name if isinstance(name, str) and name not in {"-", "<stdin>"} else "stdin"


def _size(stream: BinaryIO) -> int | None:
    """Of a regular file; nobody knows how long a pipe is."""
    import os
    import stat

    try:
        status = os.fstat(stream.fileno())
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
