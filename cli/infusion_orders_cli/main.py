"""The `infusion-orders` command: every command, its function and its examples."""

from __future__ import annotations

import typer

from infusion_orders_cli.codes import imports
from infusion_orders_cli.docs import command as docs
from infusion_orders_cli.local import commands as local
from infusion_orders_cli.operations import decisions, doctor, partners
from infusion_orders_cli.orders import validate
from infusion_orders_cli.rules import activation, check, examples, publication, replay, search, versions
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


app.command("serve", epilog=local.SERVE_EPILOG)(local.serve)
app.command("validate", epilog=validate.EPILOG)(validate.validate_orders)
app.command("dynamodb", epilog=local.DYNAMODB_EPILOG)(local.dynamodb)
app.command("doctor", epilog=doctor.EPILOG)(doctor.check_deployment)
app.command("docs", epilog=docs.EPILOG)(docs.generate_documents)

rules = typer.Typer(help="Search, check, publish, compare, replay, activate and roll back rule sets.")
rules.command("search", epilog=search.EPILOG)(search.search_rules)
rules.command("check", epilog=check.EPILOG)(check.check_rules)
rules.command("test", epilog=examples.EPILOG)(examples.run_examples)
rules.command("publish", epilog=publication.PUBLISH_EPILOG)(publication.publish_rules)
rules.command("list", epilog=versions.LIST_EPILOG)(versions.list_versions)
rules.command("show", epilog=versions.SHOW_EPILOG)(versions.show_version)
rules.command("diff", epilog=versions.DIFF_EPILOG)(versions.compare_versions)
rules.command("export", epilog=publication.EXPORT_EPILOG)(publication.export_version)
rules.command("replay", epilog=replay.EPILOG)(replay.replay_decisions)
rules.command("shadow", epilog=activation.SHADOW_EPILOG)(activation.shadow_version)
rules.command("activate", epilog=activation.ACTIVATE_EPILOG)(activation.activate_version)
rules.command("rollback", epilog=activation.ROLLBACK_EPILOG)(activation.roll_back)
rules.command("history", epilog=versions.HISTORY_EPILOG)(versions.show_history)

codes = typer.Typer(help="Bring the code tables up to date.")
releases = typer.Typer(help="Read a release of a code set, and show or write what it changes.")
releases.command("hcpcs", epilog=imports.HCPCS_EPILOG)(imports.import_hcpcs)
releases.command("ndc", epilog=imports.NDC_EPILOG)(imports.import_ndc)
releases.command("dofr", epilog=imports.DOFR_EPILOG)(imports.import_dofr)
releases.command("icd-10-cm", epilog=imports.ICD_10_CM_EPILOG)(imports.import_icd_10_cm)
codes.add_typer(releases, name="import", no_args_is_help=True)

recorded = typer.Typer(help="Recorded decisions.")
recorded.command("erase", epilog=decisions.EPILOG)(decisions.erase_decisions)
callers = typer.Typer(help="The partner systems that may call the API.")
callers.command("add", epilog=partners.EPILOG)(partners.add_partner)

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
