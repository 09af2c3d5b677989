"""The rules table that a command works on: its options, and what it refuses, for people."""

from __future__ import annotations

import getpass
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from infusion_orders_cli.terminal import fail, failures_explained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.store.versions import RuleSetStore

REFUSED = 1

Table = Annotated[str, typer.Option(help="The stack's rules table (its output RulesTableName).")]
Endpoint = Annotated[str | None, typer.Option(help="Where the table is, if not at AWS: http://127.0.0.1:8000.")]
Person = Annotated[str | None, typer.Option(help="Who does this.", show_default="the name of your login")]
Name = Annotated[str, typer.Option(help="The rule set's name.")]
Why = Annotated[str, typer.Option(help="Why, for the record.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Version = Annotated[int, typer.Argument(min=1, help="The version's number.")]
RULE_SET = "home-infusion"


def store_of(table: str, endpoint_url: str | None, name: str) -> RuleSetStore:
    """The rule set's versions in that table."""
    from infusion_orders.store.versions import RuleSetStore
    from infusion_orders_cli.rule_sources import client_of

    return RuleSetStore(client_of(endpoint_url), table, name)


@contextmanager
def refusals_explained() -> Iterator[None]:
    """What the pointer refuses, and what to do then; beside the failures of every command."""
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
            fail(f"Nothing was changed: {conflict}. Look at it, and try again if yours is still right.", code=REFUSED)
        except NoRuleSet:
            fail("Nothing was changed: no version is active yet. Activate one first.", code=REFUSED)
        except (ChecksNotPassed, NoSuchVersion, NothingToDo, SamePerson) as refused:
            fail(f"Nothing was changed: {refused}.", code=REFUSED)


def person_of(by: str | None) -> str:
    """The one named, else the one whose login this is."""
    return by or getpass.getuser()
