"""The `infusion-orders` command."""

from __future__ import annotations

import typer

from infusion_orders_cli import (
    activating,
    checking,
    codes,
    docs,
    doctor,
    dynamodb,
    erasing,
    exporting,
    publishing,
    replaying,
    rules,
    serve,
    testing,
    validate,
    versions,
)
from infusion_orders_cli.terminal import fail

app = typer.Typer(
    name="infusion-orders",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="rich",
)


@app.callback()
def _commands() -> None:
    """Home-infusion orders under a health plan's rules: validate them, and run the partner API on this machine."""


app.command(epilog=serve.EPILOG)(serve.serve)
app.command(epilog=validate.EPILOG)(validate.validate)
app.command(epilog=dynamodb.EPILOG)(dynamodb.dynamodb)
app.command(epilog=doctor.EPILOG)(doctor.doctor)
app.command(epilog=docs.EPILOG)(docs.docs)
rules.app.command(epilog=checking.EPILOG)(checking.check)
rules.app.command("test", epilog=testing.EPILOG)(testing.try_examples)
rules.app.command(epilog=publishing.PUBLISH_EPILOG)(publishing.publish)
rules.app.command("list", epilog=versions.LIST_EPILOG)(versions.list_versions)
rules.app.command(epilog=versions.SHOW_EPILOG)(versions.show)
rules.app.command(epilog=versions.DIFF_EPILOG)(versions.diff)
rules.app.command(epilog=exporting.EPILOG)(exporting.export)
rules.app.command(epilog=replaying.EPILOG)(replaying.replay)
rules.app.command(epilog=activating.SHADOW_EPILOG)(activating.shadow)
rules.app.command(epilog=activating.ACTIVATE_EPILOG)(activating.activate)
rules.app.command(epilog=activating.ROLLBACK_EPILOG)(activating.rollback)
rules.app.command(epilog=versions.HISTORY_EPILOG)(versions.history)
app.add_typer(rules.app, name="rules")
app.add_typer(codes.app, name="codes")
app.add_typer(erasing.app, name="decisions")
app.add_typer(publishing.partners_app, name="partners")


@app.command(epilog="Example:\n\ninfusion-orders version")
def version() -> None:
    """Print the version of the package."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        typer.echo(f"infusion-orders {installed('infusion-orders')}")
    except PackageNotFoundError:
        fail("The package is not installed: run `make setup`, then .venv/bin/infusion-orders.")


if __name__ == "__main__":
    app()
