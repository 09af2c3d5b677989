"""`infusion-orders partners add`: register the partner systems that may call."""

from __future__ import annotations

from typing import Annotated

import typer

from infusion_orders.orders.vocabularies import LineOfBusiness
from infusion_orders_cli.options import Endpoint, Table  # noqa: TC001 - read by typer
from infusion_orders_cli.terminal import console, escaped, failures_explained

EPILOG = """
Example:
infusion-orders partners add 7kq2example --name "Valley Medical Group" --table RulesTable --line-of-business medi_cal
"""


def add_partner(
    client_id: Annotated[str, typer.Argument(help="The id of the partner's Cognito client.")],
    table: Table,
    name: Annotated[str, typer.Option(help="The partner's name.")],
    line_of_business: Annotated[
        list[LineOfBusiness] | None,
        typer.Option(help="A line of business that it may send; may be repeated.", show_default="all"),
    ] = None,
    suspended: Annotated[bool, typer.Option("--suspended", help="Register it, but refuse its calls.")] = False,
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
    console().print(f"[bold green]{escaped(name)} is {status}[/] for {', '.join(sorted(lines))}")
