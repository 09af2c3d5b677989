"""Standard output for answers, standard error for everything else, in colour where a person reads it."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console
    from rich.table import Table

USAGE = 2
"""Exit code: the command cannot do what it was asked to."""
WIDTH_OF_FILES = 110
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def console(*, stderr: bool = False) -> Console:
    """Where nobody watches, lines are of one width, whatever the terminal that the command was started from."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else WIDTH_OF_FILES)


def plain(text: str) -> str:
    """Without control characters: what an order says must not steer the terminal that it is shown on."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def escaped(text: str) -> str:
    """Somebody's words, to stand among ours: they neither steer the terminal nor colour it."""
    from rich.markup import escape

    return escape(plain(text))


def table_of(headings: Iterable[str], rows: Iterable[Iterable[str]] = ()) -> Table:
    """A table without lines; cells may hold markup."""
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*row)
    return table


@contextmanager
def watched(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on standard error, to be told how many of how many are done; None where nobody watches."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def fail(*messages: str, code: int = USAGE) -> NoReturn:
    """Says why on standard error and ends the command."""
    from rich.text import Text

    for message in messages:
        console(stderr=True).print(Text.assemble(("Error: ", "bold red"), plain(message)))
    raise typer.Exit(code)


@contextmanager
def failures_explained() -> Iterator[None]:
    """Turns what a person can mend into messages: no checkout, rules that do not load, a table that does not answer."""
    from botocore.exceptions import BotoCoreError

    from infusion_orders.rules.problems import RuleSetErrors
    from infusion_orders.store.activations import NoRuleSet
    from infusion_orders.store.dynamodb import StoreUnavailable
    from infusion_orders.store.rule_set_table import DamagedRuleSet
    from infusion_orders.store.versions import NoSuchVersion
    from infusion_orders_cli.checkout import OutsideCheckout
    from infusion_orders_cli.workers import WorkerLost

    try:
        yield
    except (OutsideCheckout, WorkerLost) as told:
        fail(str(told))
    except RuleSetErrors as errors:
        fail(*map(str, errors.problems))
    except (NoRuleSet, NoSuchVersion):
        fail("The table holds no active rule set. Publish one and activate it, or leave --table out.")
    except DamagedRuleSet as damaged:
        fail(f"What is in the table is not as it was written: {damaged}. See `infusion-orders doctor`.")
    except StoreUnavailable as error:
        fail(f"The table does not answer ({error}): is its name right, does it run, may you read it?")
    except BotoCoreError as error:
        fail(str(error))
