"""`infusion-orders doctor`: check that a stack, deployed or local, is set up to decide orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infusion_orders_cli.options import RULE_SET, AsJson, Name
from infusion_orders_cli.terminal import REFUSED, console, escaped, fail, failures_explained, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infusion_orders_cli.operations.health import Check, Deployment

EPILOG = """
The command only reads. Without --stack and --table it checks the local server of `infusion-orders dynamodb`.

Exit codes: 0 everything is right, 1 something is wrong, 2 the command could not run.

Examples:
infusion-orders doctor --stack infusion-orders
infusion-orders doctor --table RulesTable --endpoint-url http://127.0.0.1:8000
"""


def check_deployment(
    stack: Annotated[str | None, typer.Option(help="The CloudFormation stack: its tables and functions.")] = None,
    table: Annotated[str | None, typer.Option(help="Instead of a stack: the rules table.")] = None,
    decisions_table: Annotated[str | None, typer.Option(help="With --table: the decisions table.")] = None,
    endpoint_url: Annotated[
        str | None,
        typer.Option(help="URL of the tables' server, if it is not AWS.", show_default="local, if no table is named"),
    ] = None,
    name: Name = RULE_SET,
    json: AsJson = False,
) -> None:
    """Check tables, keys, the active version, its digest, partners, time-outs and the clock, and say what to fix."""
    from infusion_orders_cli.operations.health import State, checks

    if stack is not None and (table or decisions_table or endpoint_url):
        fail("--stack names its own tables: leave out --table, --decisions-table and --endpoint-url.")
    with failures_explained():
        deployment = _of_tables(table, decisions_table, endpoint_url, name) if stack is None else _of_stack(stack, name)
        made = tuple(checks(deployment))
    wrong = sum(check.state is State.WRONG for check in made)
    if json:
        print_json({"right": not wrong, "checks": made})
    else:
        _print_report(made, wrong)
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
        fail("Which table? Name it with --table, or name the stack with --stack.")
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
    except KeyError as missing:
        fail(f"The stack {stack} has no output {missing}: is it a stack of infusion-orders, fully deployed?")
    return Deployment(client, *tables, name, local=False, functions=functions)


def _outputs(stack: str, region: str) -> dict[str, str]:
    import boto3
    from botocore.exceptions import ClientError

    make: Any = boto3.client
    try:
        (found,) = make("cloudformation", region_name=region).describe_stacks(StackName=stack)["Stacks"]
    except ClientError as refused:
        fail(f"Cannot describe the stack in {region}: {refused.response['Error']['Message']}.")
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def _print_report(made: Sequence[Check], wrong: int) -> None:
    from infusion_orders_cli.operations.health import State

    style = {State.RIGHT: "green", State.WRONG: "bold red", State.SKIPPED: "dim"}
    print_table(
        ("", "check", "found"),
        ((f"[{style[each.state]}]{each.state}[/]", each.check, escaped(each.found)) for each in made),
    )
    screen = console()
    for each in made:
        if each.state is State.WRONG:
            screen.print(f"\n[bold red]{each.check}[/]: {escaped(each.found)}\n  {escaped(each.do)}")
    count = sum(each.state is not State.SKIPPED for each in made)
    if wrong:
        screen.print(f"\n[bold red]{wrong} of {count} checks found something wrong[/]")
    else:
        screen.print("\n[bold green]everything is right[/]")
