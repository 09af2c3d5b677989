"""`infusion-orders validate`: decide the orders of a file or a pipe with the code that the function runs."""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from infusion_orders_cli.options import DAY, Rules, Workers
from infusion_orders_cli.terminal import REFUSED, console, fail, failures_explained, progress_bar
from infusion_orders_cli.workers import done_in_order, processors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infusion_orders_cli.orders.results import PrintedBlock
    from infusion_orders_cli.orders.stream import Body

LONG_INPUT_BYTES = 200_000
"""A progress bar is shown for a file of this size or more, and for a pipe."""

EPILOG = """
Exit codes: 0 every order was decided (whatever the outcome), 1 some order had a problem, 2 the command could not run.

Examples:
infusion-orders validate events/orders/remicade.json
infusion-orders validate --json - < orders.ndjson | jq -r .outcome
infusion-orders validate --json --workers 4 orders.ndjson > answers.ndjson
"""


def validate_orders(
    file: Annotated[
        typer.FileBinaryRead,
        typer.Argument(metavar="FILE|-", help="One order, or NDJSON with one order on each line; - reads stdin."),
    ],
    json: Annotated[
        bool, typer.Option("--json", help="Print one line per order: the decision, or a problem (RFC 9457).")
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=DAY, help="Decide as of this day.", show_default="today, UTC"),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add the verdict of every rule with the values behind it.")
    ] = False,
    rules: Rules = None,
    unchecked: Annotated[
        bool,
        typer.Option("--unchecked", help="Decide even if the rule set fails its checks, to see what a fault does."),
    ] = False,
    table: Annotated[
        str | None, typer.Option(help="Read the active rule set from this DynamoDB table instead.")
    ] = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="URL of the server of --table, such as http://127.0.0.1:8000.")
    ] = None,
    workers: Workers = None,
) -> None:
    """Validate orders and print a report, or JSON for machines.  Nothing is recorded.

    All processors share the work. Answers come in the order of the input, and memory stays flat.
    """
    if table is not None and rules is not None:
        fail("--rules and --table exclude each other: rules come from files or from a table.")
    if endpoint_url is not None and table is None:
        fail("--endpoint-url needs --table.")
    from infusion_orders_cli.orders.report import summary
    from infusion_orders_cli.orders.results import PROBLEM, as_lines, as_reports, results
    from infusion_orders_cli.rule_sources import active_rule_set, rule_set_from_files

    day = None if as_of is None else as_of.date()
    with failures_explained():
        if table is None:
            rule_set = rule_set_from_files(rules, unchecked=unchecked)
        else:
            rule_set = active_rule_set(table, endpoint_url=endpoint_url, as_of=day)
    source, decided_on = _name_of(file), day or datetime.now(UTC).date()
    printed = as_lines if json else as_reports

    def answers(bodies: tuple[Body, ...]) -> PrintedBlock:
        return printed(results(bodies, rule_set, source=source, as_of=decided_on, explain_all=explain))

    with failures_explained(), _broken_streams_explained():
        counts = _print_answers(file, answers, workers or processors())
    if not json and counts.total() > 1:
        console().print(summary(counts))
    if not counts:
        fail(f"{source} holds no order.")
    if counts[PROBLEM]:
        raise typer.Exit(REFUSED)


def _print_answers(stream: BinaryIO, answers: Callable[[tuple[Body, ...]], PrintedBlock], workers: int) -> Counter[str]:
    """Return how many orders met each outcome, or a problem.  This process answers the first block itself."""
    from infusion_orders_cli.orders.stream import Blocks, blocks_of_bodies

    counts: Counter[str] = Counter()
    size = _size_of(stream)
    shown = not sys.stdout.isatty() and (size is None or size >= LONG_INPUT_BYTES)
    work = blocks_of_bodies(Blocks(_reader_of(stream)))
    with (
        closing(done_in_order(work, answers, workers=workers, alone=1)) as done,
        progress_bar("validating", "orders", shown=shown) as progress,
    ):
        for end, (text, kinds) in done:
            sys.stdout.write(text)
            sys.stdout.flush()
            counts += kinds
            progress(end, size, counts.total())
    return counts


@contextmanager
def _broken_streams_explained() -> Iterator[None]:
    """Report a full disk as what it is, not with the exit code of a problem with an order."""
    try:
        yield
    except BrokenPipeError:
        raise  # nobody reads on, and typer ends the command quietly
    except OSError as error:
        try:
            sys.stdout.flush()
        except OSError:  # Python would try again at its end, and fail with an exit code of its own
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        fail(f"Cannot read on or write on: {error.strerror or error}.")


def _reader_of(stream: BinaryIO) -> Callable[[int], bytes]:
    """Bypass Python's own buffer where there is a file: a thread that waits in it would keep Python from ending."""
    try:
        file = stream.fileno()
    except OSError:
        return stream.read
    return lambda size: os.read(file, size)


def _name_of(stream: BinaryIO) -> str:
    name = getattr(stream, "name", "-")
    return name if isinstance(name, str) and name not in {"-", "<stdin>"} else "stdin"


def _size_of(stream: BinaryIO) -> int | None:
    """Return the size of a regular file; nobody knows how long a pipe is."""
    import stat

    try:
        status = os.fstat(stream.fileno())
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
