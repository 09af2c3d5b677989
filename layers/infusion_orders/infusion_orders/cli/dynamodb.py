"""`infusion-orders dynamodb`: a local table server for `sam local`, with the default rule set published and active."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - read by typer
from typing import Annotated

import typer

from infusion_orders.cli.terminal import console, fail, failures_explained

PORT = 8000
"""The one that events/sam-local-env.json names."""

EPILOG = """
`sam local` runs the function in a container, which reaches this machine as host.docker.internal. On Linux that needs
`--host 172.17.0.1` here (Docker's bridge) and `--add-host host.docker.internal:172.17.0.1` there.

Examples:

infusion-orders dynamodb

infusion-orders validate --table RulesTable --endpoint-url http://127.0.0.1:8000 events/orders/remicade.json
"""


def dynamodb(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = PORT,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    rules: Annotated[
        Path | None,
        typer.Option(
            help="Rule-set folder to publish.", show_default="rules/home-infusion", exists=True, file_okay=False
        ),
    ] = None,
) -> None:
    """Run a local table server with the default rule set and the local partner, until Ctrl-C."""
    from infusion_orders.cli.checkout import MARK, project_root
    from infusion_orders.cli.embedded_table import RULES_TABLE, served_tables
    from infusion_orders.cli.listening import PortInUse, stopped_by_signals, wait
    from infusion_orders.cli.rule_sources import document_from_files

    screen = console()
    with failures_explained(), stopped_by_signals():
        root = project_root()
        document = document_from_files(rules)
        try:
            with served_tables(root / MARK, document, host=host, port=port) as address:
                screen.print(f"[bold]DynamoDB[/] on {address}; Ctrl-C stops it and forgets everything")
                screen.print(f"rules: {document.name}, {len(document.rules)} rules, {document.digest}", style="dim")
                screen.print("\nIn another terminal, after [bold]make build[/]:\n")
                for line in _uses(address, RULES_TABLE):
                    screen.print(f"  {line}", soft_wrap=True)
                if port != PORT:
                    screen.print(f"\nChange the port in events/sam-local-env.json to {port} first.")
                wait()
        except PortInUse as refused:
            fail(str(refused))
    screen.print("stopped")


def _uses(address: str, table: str) -> tuple[str, ...]:
    return (
        "sam local invoke ValidateOrders --env-vars events/sam-local-env.json --event events/validate-order.json",
        "sam local start-api --env-vars events/sam-local-env.json",
        f"infusion-orders validate --table {table} --endpoint-url {address} events/orders/remicade.json",
    )
