"""The `infusion-orders` command."""

from __future__ import annotations

import typer

from infusion_orders.cli import serve, validate

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


if __name__ == "__main__":
    app()
