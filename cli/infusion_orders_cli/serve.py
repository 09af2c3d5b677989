"""`infusion-orders serve`: the partner API on this machine, through the handler that Lambda runs."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infusion_orders_cli.terminal import console, fail, failures_explained, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from werkzeug.serving import BaseWSGIServer

EXAMPLE = Path("events", "orders", "remicade.json")
VALIDATE = "/v1/orders/validate"
REFUSED = 1

EPILOG = """
Everyone is the partner `local-partner` with every scope. For other callers send the headers `X-Local-Client` (a client
id; empty for no token) and `X-Local-Scopes` (separated by spaces); they mean nothing to the deployed API.

Examples:

infusion-orders serve --port 3001

curl -H 'Content-Type: application/json' --data @events/orders/remicade.json http://127.0.0.1:3000/v1/orders/validate
"""


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    rules: Annotated[
        Path | None,
        typer.Option(
            help="Rule-set folder to decide with.", show_default="rules/home-infusion", exists=True, file_okay=False
        ),
    ] = None,
    example: Annotated[
        bool, typer.Option("--example/--no-example", help="Validate one example order once the API is up.")
    ] = True,
    once: Annotated[
        bool, typer.Option("--once", help="Stop after the example; exit code 1 if it was refused.")
    ] = False,
) -> None:
    """Run the partner API with an embedded table, until Ctrl-C.  What is recorded is forgotten then."""
    if once and not example:
        fail("--once and --no-example exclude each other: nothing would be done.")
    from infusion_orders_cli.checkout import MARK, project_root
    from infusion_orders_cli.documentation_pages import documentation_pages
    from infusion_orders_cli.embedded_table import embedded_tables, environment
    from infusion_orders_cli.listening import PortInUse, stopped_by_signals, wait, web_address
    from infusion_orders_cli.local_api import LocalApi, listen, load_handler
    from infusion_orders_cli.rule_sources import document_from_files

    screen = console()
    with failures_explained(), stopped_by_signals():
        root = project_root()
        document = document_from_files(rules)
        with embedded_tables(root / MARK, document) as tables, environment(local_environment(tables.environment())):
            handler, manage_rules = (
                load_handler(root / "functions" / name / "app.py") for name in ("validate_orders", "manage_rules")
            )
            pages = documentation_pages(lambda: _describe(root))
            api = LocalApi(handler, pages, manage_rules, lambda *told: _log(screen, *told))
            try:
                server = listen(api, host, port)
            except PortInUse as refused:
                fail(str(refused))
            with _serving(server):
                taken = server.server_address[1]
                address = web_address(host, taken)
                screen.print(f"[bold]infusion-orders[/] on {address}, documentation on {address}/docs; Ctrl-C stops it")
                screen.print(f"rules: {document.name}, {len(document.rules)} rules, {document.digest}", style="dim")
                answered = not example or _show_example(screen, root, host, taken)
                if not once:
                    wait()
                if not answered:
                    raise typer.Exit(REFUSED)
    screen.print("stopped")


def local_environment(tables: dict[str, str]) -> dict[str, str]:
    """Faults are logged; of answered requests the local API tells, and nobody collects metrics here."""
    return {
        **tables,
        "LOG_LEVEL": "ERROR",
        "SERVICE_NAME": "infusion-orders-local",
        "METRICS_ENABLED": "false",
    }


def _describe(root: Path) -> dict[str, object]:
    from infusion_orders_cli.openapi import openapi_document

    return openapi_document(root)


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


@contextmanager
def _serving(server: BaseWSGIServer) -> Iterator[None]:
    """Requests are answered on a thread of their own, one at a time, until the block ends."""
    from threading import Thread

    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="local-api", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()
