"""`infusion-orders decisions`: recorded decisions removed before their time."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from infusion_orders_cli.rules_table import REFUSED, AsJson, Endpoint
from infusion_orders_cli.terminal import failures_explained

EPILOG = """
Example:

infusion-orders decisions erase 01KAT7Q3V9M5R7T0ZJX2B8N4WC --partner 7kq2example --table DecisionsTable
"""


def erase(
    decisions: Annotated[list[str], typer.Argument(help="Ids of decisions.")],
    partner: Annotated[str, typer.Option(help="The client id of the partner whose decisions they are.")],
    table: Annotated[str, typer.Option(help="The stack's decisions table (its output DecisionsTableName).")],
    endpoint_url: Endpoint = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove decisions with their facts and the records of their idempotency keys, for ever.

    They can be neither read nor replayed afterwards. Restorable copies stay for 35 days: see docs/data.md.
    """
    from infusion_orders.store.decisions import DecisionStore
    from infusion_orders_cli.rule_sources import client_of

    count = "one decision" if len(decisions) == 1 else f"{len(decisions)} decisions"
    if not yes:
        typer.confirm(f"Remove {count} of {partner} for ever?", abort=True, err=True)
    with failures_explained():
        store = DecisionStore(client_of(endpoint_url), table, retention_days=1)
        erased = {decision: store.erase(partner, decision) for decision in decisions}
    if as_json:
        typer.echo(json.dumps({"partner": partner, "erased": erased}))
    else:
        for decision, was_there in erased.items():
            typer.echo(f"{decision}  {'erased' if was_there else 'not there: is it this partner?'}")
    if not all(erased.values()):
        raise typer.Exit(REFUSED)
