"""`infusion-orders rules publish`: store a checked rule set as the next version."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - read by typer
from typing import Annotated

import typer

from infusion_orders_cli.rules_table import Endpoint, Person, Table  # noqa: TC001 - read by typer
from infusion_orders_cli.terminal import console, failures_explained

EPILOG = """
Example:

infusion-orders rules publish rules/home-infusion --table RulesTable --note "Vendors of December"
"""


def publish(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Rule-set folder.", exists=True, file_okay=False)],
    table: Table,
    note: Annotated[str, typer.Option(help="What is new in this version.")],
    endpoint_url: Endpoint = None,
    by: Person = None,
) -> None:
    """Check a rule set and publish it as the next version, which decides nothing until it is activated."""
    from infusion_orders_cli.rule_sources import document_from_files
    from infusion_orders_cli.rules.check import analysed
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
