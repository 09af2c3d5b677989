"""`infusion-orders rules publish` and `rules export`: from a folder to a version in the table, and back."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infusion_orders_cli.options import RULE_SET, Endpoint, Name, Person, Table, Version, login_or
from infusion_orders_cli.terminal import REFUSED, console, fail, failures_explained, plain, refusals_explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infusion_orders.rules.document import RuleSetDocument

PUBLISH_EPILOG = """
Example:
infusion-orders rules publish rules/home-infusion --table RulesTable --note "Vendors of December"
"""
EXPORT_EPILOG = """
The folder gets one file per subject and a folder with the tables. Comments are not part of a version. If you publish
the folder unchanged, the new version has the same digest. The folder must have the name of the rule set.

Example:
infusion-orders rules export 12 drafts/home-infusion --table RulesTable
"""
LONGEST_LINE = 120


def publish_rules(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Rule-set folder.", exists=True, file_okay=False)],
    table: Table,
    note: Annotated[str, typer.Option(help="What is new in this version.")],
    endpoint_url: Endpoint = None,
    by: Person = None,
) -> None:
    """Check a rule set and publish it as the next version, which decides nothing until it is activated."""
    from infusion_orders_cli.rule_sources import document_from_files, store_of
    from infusion_orders_cli.rules.check import analysis_of

    with failures_explained():
        document = document_from_files(directory)
        errors = analysis_of(document).errors
        store = store_of(table, endpoint_url, document.name)
        version = store.publish(document, by=login_or(by), note=note, at=datetime.now(UTC), errors=errors)
    console().print(f"[bold green]Published {document.name} version {version}[/], {document.digest}")
    if errors:
        console().print(f"[bold red]The checks found {errors} errors[/]: infusion-orders rules check {directory}")
    console().print(f"To make it decide: infusion-orders rules activate {version} --table {table} --why ...")


def export_version(
    version: Version,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; it must be new or empty.")],
    table: Table,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
) -> None:
    """Write a published version to a folder, to continue from it."""
    from infusion_orders_cli.rule_sources import store_of

    if directory.name != name:
        fail(f"The folder must have the name of the rule set: use {directory / name}.")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        fail(f"{directory} is not empty: choose another folder.", code=REFUSED)
    with refusals_explained():
        document = store_of(table, endpoint_url, name).document(version)
    write_folder(document, directory)
    console().print(f"[bold green]Version {version} is in {plain(str(directory))}[/], {document.digest}")


def write_folder(document: RuleSetDocument, directory: Path) -> None:
    """Write the rules and tables as files: all of them or none."""
    from infusion_orders_cli.codes.draft import write_rows

    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".exporting-", dir=directory.parent) as place:
        written = Path(place, directory.name)
        (written / "tables").mkdir(parents=True)
        subjects: dict[str, list[Mapping[str, Any]]] = {}
        for rule in document.rules:
            subjects.setdefault(str(rule["id"]).split(".", maxsplit=1)[0], []).append(rule)
        for subject, rules in subjects.items():
            (written / f"{subject}.yaml").write_text("\n".join(map(_as_yaml, rules)), encoding="utf-8", newline="\n")
        for table, rows in document.tables.items():
            write_rows(written / "tables" / f"{table}.csv", rows)
        if directory.exists():
            directory.rmdir()
        written.rename(directory)


def _as_yaml(rule: Mapping[str, Any]) -> str:
    """Return the rule in the order in which authors write it, with one example per line."""
    import yaml

    from infusion_orders.rules.rule import Rule

    fields = [field.alias or name for name, field in Rule.model_fields.items()]
    ordered = {name: rule[name] for name in fields if name in rule and name != "examples"}
    text: str = yaml.safe_dump([ordered], sort_keys=False, allow_unicode=True, width=LONGEST_LINE)
    examples = [
        yaml.safe_dump(example, sort_keys=True, allow_unicode=True, default_flow_style=True, width=10_000).strip()
        for example in rule.get("examples", ())
    ]
    return text + ("  examples:\n" + "".join(f"    - {example}\n" for example in examples) if examples else "")
