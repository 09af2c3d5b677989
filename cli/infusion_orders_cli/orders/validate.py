"""`infusion-orders validate`: orders of a file or a pipe, decided by the code that the function runs."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path  # noqa: TC003 - read by typer
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from infusion_orders_cli.terminal import console, fail, failures_explained
from infusion_orders_cli.workers import Workers, done_in_order, processors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infusion_orders_cli.orders.results import Answers, Body

    Progress = Callable[[int, int], None]
    """Told the bytes that are done, from the beginning, and how many orders that were."""

SOME_PROBLEM = 1
LONG_INPUT_BYTES = 200_000
BLOCKS_ALONE = 1
"""Is sooner answered than processes are started."""

EPILOG = """
Exit codes: 0 every order was decided (whatever the outcome), 1 some order had a problem, 2 it could not be tried.

Examples:

infusion-orders validate events/orders/remicade.json

infusion-orders validate --json - < orders.ndjson | jq -r .outcome

infusion-orders validate --json --workers 4 orders.ndjson > answers.ndjson
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
    workers: Workers = None,
) -> None:
    """Validate orders: a readable report, or JSON for machines.  Nothing is recorded.

    Many orders are shared out to all processors and answered in their order; memory stays flat.
    """
    if table is not None and rules is not None:
        fail("--rules and --table exclude each other: rules come from files or from a table.")
    if endpoint_url is not None and table is None:
        fail("--endpoint-url says where a table is: name it with --table.")
    from datetime import UTC

    from infusion_orders_cli.orders.results import PROBLEM, as_lines, as_reports, results
    from infusion_orders_cli.rule_sources import rule_set_from_files, rule_set_from_table

    day = None if as_of is None else as_of.date()
    with failures_explained():
        if table is None:
            rule_set = rule_set_from_files(rules, unchecked=unchecked)
        else:
            rule_set = rule_set_from_table(table, endpoint_url=endpoint_url, as_of=day)
    source, decided_on = _source(file), day or datetime.now(UTC).date()
    printed = as_lines if json else as_reports

    def answers(bodies: tuple[Body, ...]) -> Answers:
        return printed(results(bodies, rule_set, source=source, as_of=decided_on, explain_all=explain))

    with failures_explained(), _streams_that_fail():
        counts = _print_answers(file, answers, workers or processors())
    if not json and counts.total() > 1:
        _print_summary(counts)
    if not counts:
        fail(f"{source} holds no order.")
    if counts[PROBLEM]:
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


def _print_answers(stream: BinaryIO, answers: Callable[[tuple[Body, ...]], Answers], workers: int) -> Counter[str]:
    """How many orders met each outcome, or a problem."""
    from infusion_orders_cli.orders.results import Blocks, blocks_of_bodies

    counts: Counter[str] = Counter()
    work = blocks_of_bodies(Blocks(_reading(stream)))
    with (
        closing(done_in_order(work, answers, workers=workers, alone=BLOCKS_ALONE)) as done,
        _watched(stream) as progress,
    ):
        for end, (text, kinds) in done:
            sys.stdout.write(text)
            sys.stdout.flush()
            counts += kinds
            if progress is not None:
                progress(end, counts.total())
    return counts


def _print_summary(counts: Counter[str]) -> None:
    from infusion_orders_cli.orders.report import summary

    console().print(summary(counts))


def _reading(stream: BinaryIO) -> Callable[[int], bytes]:
    """Past Python's own buffer where there is a file: a thread that waits in it would keep Python from ending."""
    import os

    try:
        file = stream.fileno()
    except OSError:
        return stream.read
    return lambda size: os.read(file, size)


@contextmanager
def _watched(stream: BinaryIO) -> Iterator[Progress | None]:
    """A progress bar with rate and time left, if a person watches it and the answers go elsewhere."""
    size = _size(stream)
    if not sys.stderr.isatty() or sys.stdout.isatty() or (size is not None and size < LONG_INPUT_BYTES):
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("validating"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[orders]:,} orders, {task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(),
    )
    screen = console(stderr=True)
    with Progress(*columns, console=screen, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task("", total=size, orders=0, rate=0.0)

        def tell(done: int, orders: int) -> None:
            bar.update(task, completed=done, orders=orders, rate=orders / (bar.tasks[0].elapsed or 1.0))

        yield tell


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
