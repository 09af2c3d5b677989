"""`infusion-orders decisions erase`: remove recorded decisions before their time."""

from __future__ import annotations

from typing import Annotated

import typer

from infusion_orders_cli.options import AsJson, Endpoint  # noqa: TC001 - read by typer
from infusion_orders_cli.terminal import REFUSED, failures_explained, print_json

EPILOG = """
Example:
infusion-orders decisions erase 01KAT7Q3V9M5R7T0ZJX2B8N4WC --partner 7kq2example --table DecisionsTable
"""


def erase_decisions(
    decisions: Annotated[list[str], typer.Argument(help="Ids of the decisions.")],
    partner: Annotated[str, typer.Option(help="The client id of the partner that sent the orders.")],
    table: Annotated[str, typer.Option(help="The stack's decisions table (its output DecisionsTableName).")],
    endpoint_url: Endpoint = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    json: AsJson = False,
) -> None:
    """Remove decisions for good, with their facts and the records of their idempotency keys.

    They can be neither read nor replayed afterwards. Restorable copies remain for 35 days: see docs/data.md.
    """
    from infusion_orders.store.decisions import DecisionStore
    from infusion_orders_cli.rule_sources import client_of

    count = "one decision" if len(decisions) == 1 else f"{len(decisions)} decisions"
    if not yes:
        typer.confirm(f"Remove {count} of {partner} for good?", abort=True, err=True)
    with failures_explained():
        store = DecisionStore(client_of(endpoint_url), table, retention_days=1)
        erased = {decision: store.erase(partner, decision) for decision in decisions}
    if json:
        print_json({"partner": partner, "erased": erased})
    else:
        for decision, was_erased in erased.items():
            typer.echo(f"{decision}  {'erased' if was_erased else 'not found: is it a decision of this partner?'}")
    if not all(erased.values()):
        raise typer.Exit(REFUSED)
