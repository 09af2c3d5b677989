"""The `infusion-orders` command: every command, its function and its examples."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import typer

from infusion_orders_cli.codes import imports
from infusion_orders_cli.docs import command as docs
from infusion_orders_cli.local import commands as local
from infusion_orders_cli.operations import decisions, doctor, partners
from infusion_orders_cli.orders import validate
from infusion_orders_cli.rules import activation, check, examples, publication, replay, search, versions
from infusion_orders_cli.terminal import fail

if TYPE_CHECKING:
    from collections.abc import Callable

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


def version() -> None:
    """Print the version of the package."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        typer.echo(f"infusion-orders {installed('infusion-orders')}")
    except PackageNotFoundError:
        fail("The package is not installed: run `make setup`, then .venv/bin/infusion-orders.")


def _add(group: typer.Typer, name: str, command: Callable[..., None], epilog: str) -> None:
    """Add a command.  The paragraphs of its epilog are wrapped anew, and each example begins a line."""
    parts = re.split(r"\n\n|\n(?=infusion-orders |curl )", epilog.strip())
    group.command(name, epilog="\n\n".join(" ".join(part.split()) for part in parts))(command)


_add(app, "serve", local.serve, local.SERVE_EPILOG)
_add(app, "validate", validate.validate_orders, validate.EPILOG)
_add(app, "dynamodb", local.dynamodb, local.DYNAMODB_EPILOG)
_add(app, "doctor", doctor.check_deployment, doctor.EPILOG)
_add(app, "docs", docs.generate_documents, docs.EPILOG)
_add(app, "version", version, "Example:\ninfusion-orders version")

rules = typer.Typer(help="Search, check, publish, compare, replay, activate and roll back rule sets.")
_add(rules, "search", search.search_rules, search.EPILOG)
_add(rules, "check", check.check_rules, check.EPILOG)
_add(rules, "test", examples.run_examples, examples.EPILOG)
_add(rules, "publish", publication.publish_rules, publication.PUBLISH_EPILOG)
_add(rules, "list", versions.list_versions, versions.LIST_EPILOG)
_add(rules, "show", versions.show_version, versions.SHOW_EPILOG)
_add(rules, "diff", versions.compare_versions, versions.DIFF_EPILOG)
_add(rules, "export", publication.export_version, publication.EXPORT_EPILOG)
_add(rules, "replay", replay.replay_decisions, replay.EPILOG)
_add(rules, "shadow", activation.shadow_version, activation.SHADOW_EPILOG)
_add(rules, "activate", activation.activate_version, activation.ACTIVATE_EPILOG)
_add(rules, "rollback", activation.roll_back, activation.ROLLBACK_EPILOG)
_add(rules, "history", versions.show_history, versions.HISTORY_EPILOG)

codes = typer.Typer(help="Bring the code tables up to date.")
releases = typer.Typer(help="Read a release of a code set, and show or write what it changes.")
_add(releases, "hcpcs", imports.import_hcpcs, imports.HCPCS_EPILOG)
_add(releases, "ndc", imports.import_ndc, imports.NDC_EPILOG)
_add(releases, "dofr", imports.import_dofr, imports.DOFR_EPILOG)
_add(releases, "icd-10-cm", imports.import_icd_10_cm, imports.ICD_10_CM_EPILOG)
codes.add_typer(releases, name="import", no_args_is_help=True)

recorded = typer.Typer(help="Recorded decisions.")
_add(recorded, "erase", decisions.erase_decisions, decisions.EPILOG)
callers = typer.Typer(help="The partner systems that may call the API.")
_add(callers, "add", partners.add_partner, partners.EPILOG)

for name, group in {"rules": rules, "codes": codes, "decisions": recorded, "partners": callers}.items():
    app.add_typer(group, name=name, no_args_is_help=True)


if __name__ == "__main__":
    app()
