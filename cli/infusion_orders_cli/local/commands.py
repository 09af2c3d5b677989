"""`infusion-orders serve` and `infusion-orders dynamodb`: the partner API, or only its tables, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infusion_orders_cli.options import Rules  # noqa: TC001 - read by typer
from infusion_orders_cli.terminal import REFUSED, console, fail, failures_explained, plain

if TYPE_CHECKING:
    from rich.console import Console

    from infusion_orders.rules.document import RuleSetDocument

EXAMPLE = Path("events", "orders", "remicade.json")
VALIDATE = "/v1/orders/validate"
LOOPBACK = "127.0.0.1"
DYNAMODB_PORT = 8000
"""The port that events/sam-local-env.json names."""

SERVE_EPILOG = """
Every request comes from the partner `local-partner` with every scope. To try other callers, send the headers
`X-Local-Client` (a client id; empty for no token) and `X-Local-Scopes` (separated by spaces); the deployed API ignores
them.

Examples:
infusion-orders serve --port 3001
curl -H 'Content-Type: application/json' --data @events/orders/remicade.json http://127.0.0.1:3000/v1/orders/validate
"""
DYNAMODB_EPILOG = """
`sam local` runs the function in a container, which reaches this machine as host.docker.internal: on Linux at the
address of Docker's bridge, elsewhere at 127.0.0.1. The server listens on both; other machines cannot reach either.

Examples:
infusion-orders dynamodb
infusion-orders dynamodb --host 0.0.0.0 --port 8001
infusion-orders validate --table RulesTable --endpoint-url http://127.0.0.1:8000 events/orders/remicade.json
"""


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = LOOPBACK,
    rules: Rules = None,
    example: Annotated[
        bool, typer.Option("--example/--no-example", help="Validate one example order once the API is up.")
    ] = True,
    once: Annotated[
        bool, typer.Option("--once", help="Stop after the example; exit code 1 if it was refused.")
    ] = False,
) -> None:
    """Run the partner API with tables in memory until Ctrl-C.  Recorded decisions are lost then."""
    if once and not example:
        fail("--once and --no-example exclude each other: there would be nothing to do.")
    from infusion_orders_cli.local.api import LocalApi, load_function
    from infusion_orders_cli.local.pages import documentation_pages
    from infusion_orders_cli.local.server import PortInUse, serving, stopped_by_signals, wait_for_signal, web_address
    from infusion_orders_cli.local.tables import embedded_tables, environment
    from infusion_orders_cli.rule_sources import TEMPLATE, document_from_files, project_root

    screen = console()
    with failures_explained(), stopped_by_signals():
        root = project_root()
        document = document_from_files(rules)
        with embedded_tables(root / TEMPLATE, document) as tables, environment(local_environment(tables.environment())):
            names = ("validate_orders", "manage_rules")
            handlers = {name: load_function(root / "functions" / name).handler for name in names}
            pages = documentation_pages(root)
            api = LocalApi(handlers, pages, lambda *request: _log(screen, *request))
            try:
                with serving(api, host, port) as taken:
                    address = web_address(host, taken)
                    screen.print(f"[bold]infusion-orders[/] on {address}, documentation on {address}/docs")
                    _print_rules(screen, document)
                    answered = not example or _show_example(screen, root, host, taken)
                    if not once:
                        wait_for_signal()
                    if not answered:
                        raise typer.Exit(REFUSED)
            except PortInUse as refused:
                fail(str(refused))
    screen.print("stopped")


def dynamodb(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = DYNAMODB_PORT,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on.", show_default="127.0.0.1, and Docker's bridge where there is one"),
    ] = None,
    rules: Rules = None,
) -> None:
    """Run a local table server with the default rule set and the local partner until Ctrl-C."""
    from infusion_orders_cli.local.server import PortInUse, container_bridge, stopped_by_signals, wait_for_signal
    from infusion_orders_cli.local.tables import served_tables
    from infusion_orders_cli.rule_sources import TEMPLATE, document_from_files, project_root

    screen = console()
    with failures_explained(), stopped_by_signals():
        root = project_root()
        document = document_from_files(rules)
        bridge = container_bridge() if host is None else None
        also = (bridge,) if bridge else ()
        try:
            with served_tables(root / TEMPLATE, document, host=host or LOOPBACK, port=port, also=also) as address:
                screen.print(f"[bold]DynamoDB[/] on {' and '.join((address, *also))}")
                _print_rules(screen, document)
                screen.print("\nIn a second terminal, after [bold]make build-local[/]:\n")
                for command in _commands_to_try(address):
                    screen.print(f"  {command}", soft_wrap=True)
                if port != DYNAMODB_PORT:
                    screen.print(f"\nFirst change the port in events/sam-local-env.json to {port}.")
                wait_for_signal()
        except PortInUse as refused:
            fail(str(refused))
    screen.print("stopped")


def local_environment(tables: dict[str, str]) -> dict[str, str]:
    """The environment of a function that runs here: only faults are logged, and there are no metrics."""
    return {
        **tables,
        "LOG_LEVEL": "ERROR",
        "SERVICE_NAME": "infusion-orders-local",
        "METRICS_ENABLED": "false",
    }


def _print_rules(screen: Console, document: RuleSetDocument) -> None:
    screen.print("Ctrl-C stops it; everything recorded is lost then", style="dim")
    screen.print(f"rules: {document.name}, {len(document.rules)} rules, {document.digest}", style="dim")


def _commands_to_try(address: str) -> tuple[str, ...]:
    from infusion_orders_cli.local.tables import RULES_TABLE

    sam = ".venv-sam/bin/sam local"
    template = "--template .aws-sam/local/template.yaml"
    return (
        f"{sam} invoke ValidateOrders {template} --event events/validate-order.json",
        f"{sam} start-api {template}",
        f".venv/bin/infusion-orders validate --table {RULES_TABLE} --endpoint-url {address} {EXAMPLE}",
    )


def _show_example(screen: Console, root: Path, host: str, port: int) -> bool:
    from http.client import HTTPConnection

    from infusion_orders.decisions.decision import Decision
    from infusion_orders_cli.orders.report import decision_report

    screen.print(f"\nPOST {EXAMPLE} to {VALIDATE}:")
    connection = HTTPConnection({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, timeout=30)  # noqa: S104
    connection.request("POST", VALIDATE, (root / EXAMPLE).read_bytes(), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    answered = answer.status == 200
    if answered:
        screen.print(decision_report(Decision.model_validate_json(body)))
    else:
        screen.print(plain(body.decode("utf-8", "replace")), style="red", markup=False)
    return answered


def _log(screen: Console, method: str, path: str, status: int, milliseconds: float) -> None:
    from datetime import UTC, datetime

    from rich.text import Text

    colour = "green" if status < 400 else "yellow" if status < 500 else "red"
    moment = datetime.now(UTC).strftime("%H:%M:%S")
    request = plain(f" {method} {path} ")
    screen.print(Text.assemble((moment, "dim"), request, (str(status), colour), f" {milliseconds:.1f} ms"))
