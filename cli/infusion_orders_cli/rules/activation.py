"""`infusion-orders rules activate, rollback, shadow`: which version decides, and which one runs as its shadow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from infusion_orders_cli.options import RULE_SET, Endpoint, Name, Person, Table, Version, Why, login_or
from infusion_orders_cli.rules.replay import replay_of_days, share_of
from infusion_orders_cli.terminal import REFUSED, console, fail, refusals_explained

ACTIVATE_EPILOG = """
Exit codes: 0 the version decides, 1 refused (another change came first, the checks did not pass, too many decisions
would change), 2 the command could not run.

Examples:
infusion-orders rules activate 12 --table RulesTable --why "Vendors of December"
infusion-orders rules activate 12 --table RulesTable --why "Vendors of December" --max-flips 0.5%
--decisions DecisionsTable
"""
ROLLBACK_EPILOG = 'Example:\ninfusion-orders rules rollback --table RulesTable --why "Too many reviews"'
SHADOW_EPILOG = """
Examples:
infusion-orders rules shadow 13 --table RulesTable --why "Before January"
infusion-orders rules shadow off --table RulesTable --why "Seen enough"
"""


def activate_version(
    version: Version,
    table: Table,
    why: Why,
    force: Annotated[
        bool, typer.Option("--force", help="Activate even if the checks did not pass; --why is recorded.")
    ] = False,
    expected: Annotated[
        int | None, typer.Option(min=0, help="Only if this version is still the active one (0: none).")
    ] = None,
    four_eyes: Annotated[bool, typer.Option("--four-eyes", help="Refuse the person who published it.")] = False,
    max_flips: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="Only if at most this share of recorded decisions changes, such as 0.5%."),
    ] = None,
    decisions: Annotated[str | None, typer.Option(help="For --max-flips: the stack's decisions table.")] = None,
    days: Annotated[int, typer.Option(min=1, max=400, help="For --max-flips: how many days until today.")] = 30,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    by: Person = None,
) -> None:
    """Make a published version decide.  If two people try at once, one succeeds and the other learns who it was."""
    from infusion_orders_cli.rule_sources import store_of

    if max_flips is not None:
        _refuse_flips(version, max_flips, table, decisions, days, endpoint_url, name)
    with refusals_explained():
        activations = store_of(table, endpoint_url, name).activations
        person, now = login_or(by), datetime.now(UTC)
        activations.activate(version, by=person, why=why, at=now, forced=force, four_eyes=four_eyes, expected=expected)
    _announce(name, version)


def _refuse_flips(
    version: int, max_flips: str, table: str, decisions: str | None, days: int, endpoint_url: str | None, name: str
) -> None:
    """Replay the last days under the version, and end the command if too many decisions would change."""
    allowed = share_of(max_flips)
    if decisions is None:
        fail("--max-flips needs the table of recorded decisions: name it with --decisions.")
    with refusals_explained():
        report = replay_of_days(version, table, decisions, days, endpoint_url, name)
    if not report.replayed:
        fail(f"Nothing was changed: no decision of the last {days} days can be replayed.", code=REFUSED)
    counted = f"{report.changed} of {report.replayed} decisions of the last {days} days would change"
    if report.share_changed > allowed:
        fail(
            f"Nothing was changed: {counted} ({report.share_changed:.2%}), more than {max_flips}. "
            "`rules replay` lists them.",
            code=REFUSED,
        )
    console().print(f"{counted}.")


def roll_back(table: Table, why: Why, name: Name = RULE_SET, endpoint_url: Endpoint = None, by: Person = None) -> None:
    """Make the previous version decide again; a second roll back undoes the first."""
    from infusion_orders_cli.rule_sources import store_of

    with refusals_explained():
        activations = store_of(table, endpoint_url, name).activations
        pointer = activations.roll_back(by=login_or(by), why=why, at=datetime.now(UTC))
    _announce(name, pointer.version)


def shadow_version(
    version: Annotated[str, typer.Argument(metavar="V|off", help="The version's number, or off.")],
    table: Table,
    why: Why,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    by: Person = None,
) -> None:
    """Decide each live order under this version too, after the order is answered; or stop that."""
    from infusion_orders_cli.rule_sources import store_of

    if version != "off" and not (version.isdecimal() and int(version)):
        fail(f"{version!r} is neither a version number nor off.")
    number = None if version == "off" else int(version)
    with refusals_explained():
        activations = store_of(table, endpoint_url, name).activations
        pointer = activations.set_shadow(number, by=login_or(by), why=why, at=datetime.now(UTC))
    shadow = "no version" if number is None else f"version {number}"
    console().print(
        f"[bold green]Version {pointer.version} decides, with {shadow} as its shadow[/]; "
        "functions follow within half a minute."
    )


def _announce(name: str, version: int) -> None:
    console().print(f"[bold green]{name} version {version} decides now[/]; functions follow within half a minute.")
