"""`infusion-orders dynamodb`: a local table server for `sam local`, with the default rule set published and active."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - read by typer
from typing import Annotated

import typer

from infusion_orders_cli.terminal import console, fail, failures_explained

LOOPBACK = "127.0.0.1"
PORT = 8000
"""The one that events/sam-local-env.json names."""

EPILOG = """
`sam local` runs the function in a container, which reaches this machine as host.docker.internal: on Linux at the
address of Docker's bridge, elsewhere at 127.0.0.1. Both are listened on, and no other machine reaches either.

Examples:

infusion-orders dynamodb

infusion-orders dynamodb --host 0.0.0.0 --port 8001

infusion-orders validate --table RulesTable --endpoint-url http://127.0.0.1:8000 events/orders/remicade.json
"""


def dynamodb(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = PORT,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on.", show_default="127.0.0.1, and Docker's bridge where there is one"),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            help="Rule-set folder to publish.", show_default="rules/home-infusion", exists=True, file_okay=False
        ),
    ] = None,
) -> None:
    """Run a local table server with the default rule set and the local partner, until Ctrl-C."""
    from infusion_orders_cli.checkout import MARK, project_root
    from infusion_orders_cli.embedded_table import RULES_TABLE, served_tables
    from infusion_orders_cli.listening import PortInUse, container_bridge, stopped_by_signals, wait
    from infusion_orders_cli.rule_sources import document_from_files

    screen = console()
    with failures_explained(), stopped_by_signals():
        root = project_root()
        document = document_from_files(rules)
        bridge = container_bridge() if host is None else None
        also = (bridge,) if bridge else ()
        try:
            with served_tables(root / MARK, document, host=host or LOOPBACK, port=port, also=also) as address:
                places = " and ".join((address, *also))
                screen.print(f"[bold]DynamoDB[/] on {places}; Ctrl-C stops it and forgets everything")
                screen.print(f"rules: {document.name}, {len(document.rules)} rules, {document.digest}", style="dim")
                screen.print("\nIn another terminal, after [bold]make build-local[/]:\n")
                for line in _uses(address, RULES_TABLE):
                    screen.print(f"  {line}", soft_wrap=True)
                if port != PORT:
                    screen.print(f"\nChange the port in events/sam-local-env.json to {port} first.")
                wait()
        except PortInUse as refused:
            fail(str(refused))
    screen.print("stopped")


def _uses(address: str, table: str) -> tuple[str, ...]:
    sam = ".venv-sam/bin/sam local"
    template = "--template .aws-sam/local/template.yaml"
    return (
        f"{sam} invoke ValidateOrders {template} --event events/validate-order.json",
        f"{sam} start-api {template}",
        f".venv/bin/infusion-orders validate --table {table} --endpoint-url {address} events/orders/remicade.json",
    )
