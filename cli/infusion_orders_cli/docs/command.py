"""`infusion-orders docs`: write the documents and schemas that are generated from the code."""

from __future__ import annotations

from typing import Annotated

import typer

from infusion_orders_cli.terminal import REFUSED, console, failures_explained

EPILOG = """
Writes docs/facts.md, docs/openapi.json, docs/traceability.md, rules/rule-file.schema.json and the fingerprint of the
rule language (rules/language_fingerprint.py in the package).

Exit codes: 0 up to date, 1 some file is stale (with --check), 2 the command could not run.

Examples:
infusion-orders docs
infusion-orders docs --check
"""


def generate_documents(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file is not up to date.")] = False,
) -> None:
    """Write the generated documents, or check that they are up to date."""
    from infusion_orders_cli.docs.generated import update_files
    from infusion_orders_cli.rule_sources import project_root

    with failures_explained():
        changed = update_files(project_root(), write=not check)
    screen = console(stderr=check)
    for path in changed:
        screen.print(f"{path} is not up to date" if check else f"wrote {path}")
    if check and changed:
        screen.print("Run [bold]make generate[/] and commit what it wrote.")
        raise typer.Exit(REFUSED)
    if not changed:
        console().print("All generated files are up to date.")
