"""The `infusion-orders` command: every command, its function and its examples."""

from __future__ import annotations

import typer

from infusion_orders_cli.codes import imports
from infusion_orders_cli.docs import command as docs
from infusion_orders_cli.local import commands as local
from infusion_orders_cli.operations import decisions, doctor, partners
from infusion_orders_cli.orders import validate
from infusion_orders_cli.rules import activation, check, examples, export, publication, replay, search, versions
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
    """Validate home-infusion orders under a health plan's rules, manage the rules, and run the partner API locally."""


app.command(epilog=local.SERVE_EPILOG)(local.serve)
app.command(epilog=validate.EPILOG)(validate.validate)
app.command(epilog=local.DYNAMODB_EPILOG)(local.dynamodb)
app.command(epilog=doctor.EPILOG)(doctor.doctor)
app.command(epilog=docs.EPILOG)(docs.docs)

rules = typer.Typer(help="Search, check, publish, compare, replay, activate and roll back rule sets.")
rules.command(epilog=search.EPILOG)(search.search)
rules.command(epilog=check.EPILOG)(check.check)
rules.command("test", epilog=examples.EPILOG)(examples.try_examples)
rules.command(epilog=publication.EPILOG)(publication.publish)
rules.command("list", epilog=versions.LIST_EPILOG)(versions.list_versions)
rules.command(epilog=versions.SHOW_EPILOG)(versions.show)
rules.command(epilog=versions.DIFF_EPILOG)(versions.diff)
rules.command(epilog=export.EPILOG)(export.export)
rules.command(epilog=replay.EPILOG)(replay.replay)
rules.command(epilog=activation.SHADOW_EPILOG)(activation.shadow)
rules.command(epilog=activation.ACTIVATE_EPILOG)(activation.activate)
rules.command(epilog=activation.ROLLBACK_EPILOG)(activation.rollback)
rules.command(epilog=versions.HISTORY_EPILOG)(versions.history)

codes = typer.Typer(help="Bring the code tables up to date.")
releases = typer.Typer(help="Read a release of a code set, and show or write what it changes.")
releases.command(epilog=imports.HCPCS_EPILOG)(imports.hcpcs)
releases.command(epilog=imports.NDC_EPILOG)(imports.ndc)
releases.command(epilog=imports.DOFR_EPILOG)(imports.dofr)
releases.command("icd-10-cm", epilog=imports.ICD_10_CM_EPILOG)(imports.icd_10_cm)
codes.add_typer(releases, name="import", no_args_is_help=True)

recorded = typer.Typer(help="Recorded decisions.")
recorded.command(epilog=decisions.EPILOG)(decisions.erase)
callers = typer.Typer(help="The partner systems that may call the API.")
callers.command(epilog=partners.EPILOG)(partners.add)

for name, group in {"rules": rules, "codes": codes, "decisions": recorded, "partners": callers}.items():
    app.add_typer(group, name=name, no_args_is_help=True)


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
