"""`infusion-orders rules activate, rollback, shadow`: which version decides, and which one runs in its shadow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from infusion_orders_cli.rules.replay import replay_of_days, share_of
from infusion_orders_cli.rules_table import (
    REFUSED,
    RULE_SET,
    Endpoint,
    Name,
    Person,
    Table,
    Version,
    Why,
    person_of,
    refusals_explained,
    store_of,
)
from infusion_orders_cli.terminal import console, fail

ACTIVATE_EPILOG = """
Exit codes: 0 it decides, 1 refused (somebody was first, its checks did not pass, too much would change), 2 it could not
be tried.

Examples:

infusion-orders rules activate 12 --table RulesTable --why "Vendors of December"

infusion-orders rules activate 12 --table RulesTable --why "Vendors of December" --max-flips 0.5%
--decisions DecisionsTable
"""
ROLLBACK_EPILOG = 'Example:\n\ninfusion-orders rules rollback --table RulesTable --why "Too many reviews"'
SHADOW_EPILOG = """
Examples:

infusion-orders rules shadow 13 --table RulesTable --why "Before January"

infusion-orders rules shadow off --table RulesTable --why "Seen enough"
"""


def activate(
    version: Version,
    table: Table,
    why: Why,
    force: Annotated[
        bool, typer.Option("--force", help="Though its checks did not pass; --why says why, and is kept.")
    ] = False,
    expected: Annotated[
        int | None, typer.Option(min=0, help="Only if this version is still the active one (0: none).")
    ] = None,
    four_eyes: Annotated[bool, typer.Option("--four-eyes", help="Not by the person who published it.")] = False,
    max_flips: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="Only if no more of the recorded decisions change, such as 0.5%."),
    ] = None,
    decisions: Annotated[str | None, typer.Option(help="For --max-flips: the stack's decisions table.")] = None,
    days: Annotated[int, typer.Option(min=1, max=400, help="For --max-flips: of so many days until today.")] = 30,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    by: Person = None,
) -> None:
    """Make a published version decide.  Of two people at once one wins, and the other is told who."""
    if max_flips is not None:
        _refuse_flips(version, max_flips, table, decisions, days, endpoint_url, name)
    with refusals_explained():
        store = store_of(table, endpoint_url, name)
        store.activations.activate(
            version,
            by=person_of(by),
            why=why,
            at=datetime.now(UTC),
            forced=force,
            four_eyes=four_eyes,
            expected=expected,
        )
    _told(name, version)


def _refuse_flips(
    version: int, max_flips: str, table: str, decisions: str | None, days: int, endpoint_url: str | None, name: str
) -> None:
    """Replays the last days under the version, and ends the command where too much would change."""
    allowed = share_of(max_flips)
    if decisions is None:
        fail("Which decisions does --max-flips count? Name their table with --decisions.")
    with refusals_explained():
        report = replay_of_days(version, table, decisions, days, endpoint_url, name)
    if not report.replayed:
        fail(f"Nothing was changed: no decision of the last {days} days can be replayed to count flips.", code=REFUSED)
    if report.share_changed > allowed:
        fail(
            f"Nothing was changed: {report.changed} of {report.replayed} decisions of the last {days} days would "
            f"change ({report.share_changed:.2%}), more than {max_flips}. `rules replay` lists them.",
            code=REFUSED,
        )
    console().print(f"{report.changed} of {report.replayed} decisions of the last {days} days would change.")


def rollback(table: Table, why: Why, name: Name = RULE_SET, endpoint_url: Endpoint = None, by: Person = None) -> None:
    """Make the version decide that did before; a second roll back undoes the first."""
    with refusals_explained():
        store = store_of(table, endpoint_url, name)
        pointer = store.activations.roll_back(by=person_of(by), why=why, at=datetime.now(UTC))
    _told(name, pointer.version)


def shadow(
    version: Annotated[str, typer.Argument(metavar="V|off", help="The version's number, or off.")],
    table: Table,
    why: Why,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    by: Person = None,
) -> None:
    """Decide each live order under this version too, after its answer is given; or end that."""
    if version != "off" and not (version.isdecimal() and int(version)):
        fail(f"{version!r} is neither a version's number nor off.")
    number = None if version == "off" else int(version)
    with refusals_explained():
        store = store_of(table, endpoint_url, name)
        pointer = store.activations.set_shadow(number, by=person_of(by), why=why, at=datetime.now(UTC))
    runs = "no version runs" if number is None else f"version {number} runs"
    console().print(f"[bold green]{runs} in the shadow[/] of version {pointer.version}, within half a minute.")


def _told(name: str, version: int) -> None:
    console().print(f"[bold green]{name} version {version} decides now[/]; functions follow within half a minute.")
