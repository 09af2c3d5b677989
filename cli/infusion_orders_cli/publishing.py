"""`infusion-orders rules publish`, `infusion-orders partners add`: what a deployed stack starts with."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - read by typer
from typing import Annotated

import typer

from infusion_orders.orders.vocabularies import LineOfBusiness
from infusion_orders_cli.rules_table import Endpoint, Person, Table  # noqa: TC001 - read by typer
from infusion_orders_cli.terminal import console, failures_explained

PUBLISH_EPILOG = """
Example:

infusion-orders rules publish rules/home-infusion --table RulesTable --note "Vendors of December"
"""
ADD_EPILOG = """
Example:

infusion-orders partners add 7kq2example --name "Valley Medical Group" --table RulesTable --line-of-business medi_cal
"""

partners_app = typer.Typer(help="The partner systems that may call.", no_args_is_help=True)


def publish(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Rule-set folder.", exists=True, file_okay=False)],
    table: Table,
    note: Annotated[str, typer.Option(help="What is new in this version.")],
    endpoint_url: Endpoint = None,
    by: Person = None,
) -> None:
    """Check a rule set and publish it as the next version, which decides nothing until it is activated."""
    from infusion_orders_cli.checking import analysed
    from infusion_orders_cli.rule_sources import document_from_files
    from infusion_orders_cli.rules_table import store_of

    with failures_explained():
        document = document_from_files(directory)
        errors = analysed(document).errors
        store = store_of(table, endpoint_url, document.name)
        version = store.publish(document, by=by or getpass.getuser(), note=note, at=datetime.now(UTC), errors=errors)
    console().print(f"[bold green]{document.name} version {version} is published[/], {document.digest}")
    if errors:
        console().print(f"[bold red]Its checks found {errors} errors[/]: infusion-orders rules check {directory}")
    console().print(
        f"It decides once it is activated: infusion-orders rules activate {version} --table {table} --why ..."
    )


@partners_app.command(epilog=ADD_EPILOG)
def add(
    client_id: Annotated[str, typer.Argument(help="The id of the partner's Cognito client.")],
    table: Table,
    name: Annotated[str, typer.Option(help="The partner's name.")],
    line_of_business: Annotated[
        list[LineOfBusiness] | None, typer.Option(help="A line it may send; may be repeated.", show_default="all")
    ] = None,
    suspended: Annotated[bool, typer.Option("--suspended", help="Known, but may not call.")] = False,
    endpoint_url: Endpoint = None,
) -> None:
    """Register a partner, or replace its profile."""
    from infusion_orders.store.partners import Partner, PartnerStore
    from infusion_orders_cli.rule_sources import client_of

    lines = frozenset(line.value for line in (line_of_business or LineOfBusiness))
    status = "suspended" if suspended else "active"
    with failures_explained():
        partners = PartnerStore(client_of(endpoint_url), table, refresh_seconds=0, clock=lambda: 0.0)
        partners.put(Partner(client_id, name, status, lines))
    console().print(f"[bold green]{name} is {status}[/] for {', '.join(sorted(lines))}")
