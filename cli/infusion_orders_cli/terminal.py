"""What a person sees: tables, progress and errors.  Only answers go to standard output."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console
    from rich.table import Table

    Progress = Callable[..., None]
    """Called with what is done, the whole (None if nobody knows it) and, if that is not what is done, a count."""

REFUSED = 1
"""Exit code: the command did its work, and the answer is no."""
USAGE = 2
"""Exit code: the command could not do its work."""
WIDTH_OF_FILES = 110
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def console(*, stderr: bool = False) -> Console:
    """Return a console.  Lines that go to a file are WIDTH_OF_FILES wide, whatever the width of the terminal."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else WIDTH_OF_FILES)


def plain(text: str) -> str:
    """Replace control characters, so that the text of an order cannot steer the terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def escaped(text: str) -> str:
    """Return somebody else's text for use inside our markup: it neither steers nor colours the terminal."""
    from rich.markup import escape

    return escape(plain(text))


def table_of(headings: Iterable[str], rows: Iterable[Iterable[Any]] = (), *, numbers: Iterable[str] = ()) -> Table:
    """Return a table without lines; cells may hold markup.  The columns `numbers` are aligned to the right."""
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, justify="right" if heading in numbers else "left")
    for row in rows:
        table.add_row(*row)
    return table


def print_table(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print a table to standard output."""
    console().print(table_of(headings, rows))


def print_json(value: Any) -> None:
    """Print one line of JSON; dataclasses become objects, moments ISO 8601, other values text."""
    import json

    typer.echo(json.dumps(value, default=_jsonable))


def _jsonable(value: Any) -> Any:
    from dataclasses import asdict, is_dataclass
    from datetime import date

    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if isinstance(value, date) else str(value)


@contextmanager
def progress_bar(what: str, things: str, *, shown: bool = True) -> Iterator[Progress]:
    """Show a bar on standard error, with how many `things` are done and how fast, if a person watches."""
    screen = console(stderr=True)
    if not (shown and screen.is_terminal):
        yield lambda *_: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(what),
        BarColumn(),
        TextColumn("{task.fields[count]:,} {task.fields[things]}, {task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task("", total=None, count=0, things=things, rate=0.0)

        def advance(done: float, whole: float | None, count: int | None = None) -> None:
            number = int(done) if count is None else count
            rate = number / (bar.tasks[0].elapsed or 1.0)
            bar.update(task, completed=done, total=whole, count=number, rate=rate)

        yield advance


def fail(*messages: str, code: int = USAGE) -> NoReturn:
    """Print the errors and end the command."""
    from rich.text import Text

    for message in messages:
        console(stderr=True).print(Text.assemble(("Error: ", "bold red"), plain(message)))
    raise typer.Exit(code)


@contextmanager
def failures_explained() -> Iterator[None]:
    """Turn what a person can fix into messages: no checkout, rules that do not load, a table that does not answer."""
    from botocore.exceptions import BotoCoreError

    from infusion_orders.rules.problems import RuleSetErrors
    from infusion_orders.store.activations import NoRuleSet
    from infusion_orders.store.dynamodb import StoreUnavailable
    from infusion_orders.store.rule_set_table import DamagedRuleSet
    from infusion_orders.store.versions import NoSuchVersion
    from infusion_orders_cli.rule_sources import OutsideCheckout
    from infusion_orders_cli.workers import WorkerLost

    try:
        yield
    except (OutsideCheckout, WorkerLost, BotoCoreError) as error:
        fail(str(error))
    except RuleSetErrors as errors:
        fail(*map(str, errors.problems))
    except (NoRuleSet, NoSuchVersion):
        fail("The table has no active rule set. Publish and activate one, or leave --table out.")
    except DamagedRuleSet as damaged:
        fail(f"The stored rule set is damaged: {damaged}. Run `infusion-orders doctor`.")
    except StoreUnavailable as error:
        fail(f"The table does not answer ({error}). Check its name, that it is running, and that you may read it.")


@contextmanager
def refusals_explained() -> Iterator[None]:
    """Explain what the active pointer refuses as well, with the exit code REFUSED."""
    from infusion_orders.store.activations import (
        ActivationConflict,
        ChecksNotPassed,
        NoRuleSet,
        NothingToDo,
        SamePerson,
    )
    from infusion_orders.store.versions import NoSuchVersion

    with failures_explained():
        try:
            yield
        except ActivationConflict as conflict:
            fail(f"Nothing was changed: {conflict}. Look at that change, then try again if needed.", code=REFUSED)
        except NoRuleSet:
            fail("Nothing was changed: no version is active yet. Activate one first.", code=REFUSED)
        except (ChecksNotPassed, NoSuchVersion, NothingToDo, SamePerson) as refused:
            fail(f"Nothing was changed: {refused}.", code=REFUSED)
