"""`infusion-orders docs`: the documents and schemas that are made from code."""

from __future__ import annotations

from typing import Annotated

import typer

from infusion_orders_cli.terminal import console, failures_explained

STALE = 1

EPILOG = """
Writes docs/facts.md, docs/openapi.json, docs/traceability.md, rules/rule-file.schema.json and the fingerprint of the
rule language (rules/language_fingerprint.py in the package).

Exit codes: 0 up to date, 1 some file is stale (with --check), 2 it could not be tried.

Examples:

infusion-orders docs

infusion-orders docs --check
"""


def docs(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file is not up to date.")] = False,
) -> None:
    """Write the generated documents, or check that they are up to date."""
    from infusion_orders_cli.checkout import project_root
    from infusion_orders_cli.docs.generated import stale_files, write_files

    with failures_explained():
        root = project_root()
        changed = stale_files(root) if check else write_files(root)
    screen = console(stderr=check)
    for path in changed:
        screen.print(f"{path} is not up to date" if check else f"wrote {path}")
    if check and changed:
        screen.print("Run [bold]make generate[/] and commit what it wrote.")
        raise typer.Exit(STALE)
    if not changed:
        console().print("All generated files are up to date.")
