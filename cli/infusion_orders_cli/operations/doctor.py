"""`infusion-orders doctor`: is a stack, deployed or local, as it must be for orders to be decided?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infusion_orders_cli.rules_table import REFUSED, RULE_SET, AsJson, Name
from infusion_orders_cli.terminal import console, escaped, fail, failures_explained, table_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infusion_orders_cli.operations.health import Deployment, Line

EPILOG = """
It only reads. Without --stack and --table: the local server that `infusion-orders dynamodb` starts.

Exit codes: 0 all is right, 1 something is wrong, 2 it could not be looked at.

Examples:

infusion-orders doctor --stack infusion-orders

infusion-orders doctor --table RulesTable --endpoint-url http://127.0.0.1:8000
"""


def doctor(
    stack: Annotated[str | None, typer.Option(help="The CloudFormation stack; its tables and functions.")] = None,
    table: Annotated[str | None, typer.Option(help="Instead of a stack: the rules table.")] = None,
    decisions_table: Annotated[str | None, typer.Option(help="Beside --table: the decisions table.")] = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="Where the tables are, if not at AWS.", show_default="with no table named: local")
    ] = None,
    name: Name = RULE_SET,
    json: AsJson = False,
) -> None:
    """Check tables, keys, the active version, its digest, partners, time-outs and the clock; say what to do."""
    from infusion_orders_cli.operations.health import State, examined

    if stack is not None and (table or decisions_table or endpoint_url):
        fail("--stack says where its tables are: leave --table, --decisions-table and --endpoint-url out.")
    with failures_explained():
        deployment = _of_tables(table, decisions_table, endpoint_url, name) if stack is None else _of_stack(stack, name)
        lines = tuple(examined(deployment))
    wrong = sum(line.state is State.WRONG for line in lines)
    if json:
        _print_json(lines, wrong)
    else:
        _print_table(lines, wrong)
    if wrong:
        raise typer.Exit(REFUSED)


def _of_tables(table: str | None, decisions_table: str | None, endpoint_url: str | None, name: str) -> Deployment:
    from urllib.parse import urlsplit

    from infusion_orders_cli.local.commands import DYNAMODB_PORT, LOOPBACK
    from infusion_orders_cli.local.tables import DECISIONS_TABLE, RULES_TABLE
    from infusion_orders_cli.operations.health import Deployment
    from infusion_orders_cli.rule_sources import THIS_MACHINE, client_of

    if table is None and endpoint_url is None:
        endpoint_url = f"http://{LOOPBACK}:{DYNAMODB_PORT}"
    local = endpoint_url is not None and urlsplit(endpoint_url).hostname in THIS_MACHINE
    if local:
        table, decisions_table = table or RULES_TABLE, decisions_table or DECISIONS_TABLE
    if table is None:
        fail("Which table? Name it with --table, or the stack with --stack.")
    return Deployment(client_of(endpoint_url), table, decisions_table, name, local)


def _of_stack(stack: str, name: str) -> Deployment:
    from infusion_orders_cli.operations.health import Deployment
    from infusion_orders_cli.rule_sources import client_of

    client = client_of(None)
    outputs = _outputs(stack, client.meta.region_name)
    functions = {
        key.removesuffix("Function"): value for key, value in sorted(outputs.items()) if key.endswith("Function")
    }
    try:
        tables = outputs["RulesTableName"], outputs["DecisionsTableName"]
    except KeyError as absent:
        fail(f"The stack {stack} has no output {absent}: is it one of infusion-orders, and is it deployed whole?")
    return Deployment(client, *tables, name, local=False, functions=functions)


def _outputs(stack: str, region: str) -> dict[str, str]:
    import boto3
    from botocore.exceptions import ClientError

    make: Any = boto3.client
    try:
        (found,) = make("cloudformation", region_name=region).describe_stacks(StackName=stack)["Stacks"]
    except ClientError as refused:
        fail(f"The stack cannot be looked at in {region}: {refused.response['Error']['Message']}.")
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def _print_table(lines: Sequence[Line], wrong: int) -> None:
    from infusion_orders_cli.operations.health import State

    style = {State.RIGHT: "green", State.WRONG: "bold red", State.SKIPPED: "dim"}
    rows = [(f"[{style[line.state]}]{line.state}[/]", line.check, escaped(line.found)) for line in lines]
    screen = console()
    screen.print(table_of(("", "check", "found"), rows))
    for line in lines:
        if line.state is State.WRONG:
            screen.print(f"\n[bold red]{line.check}[/]: {escaped(line.found)}\n  {escaped(line.do)}")
    looked = sum(line.state is not State.SKIPPED for line in lines)
    told = f"[bold red]{wrong} of {looked} checks found something wrong[/]" if wrong else "[bold green]all is right[/]"
    screen.print(f"\n{told}")


def _print_json(lines: Sequence[Line], wrong: int) -> None:
    import json as encoder
    from dataclasses import asdict

    typer.echo(encoder.dumps({"right": not wrong, "checks": [asdict(line) for line in lines]}))
