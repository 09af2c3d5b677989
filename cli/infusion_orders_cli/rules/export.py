"""`infusion-orders rules export`: a published version as the folder of files that it could have come from."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infusion_orders_cli.rules_table import (
    REFUSED,
    RULE_SET,
    Endpoint,
    Name,
    Table,
    Version,
    refusals_explained,
    store_of,
)
from infusion_orders_cli.terminal import console, fail, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infusion_orders.rules.document import RuleSetDocument

EPILOG = """
One file for each subject, the tables beside them. Comments were never part of a version. Published again as it is, the
folder has the version's digest; the folder is called as the rule set is.

Example:

infusion-orders rules export 12 drafts/home-infusion --table RulesTable
"""
LONGEST_LINE = 120


def export(
    version: Version,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; it must not hold anything yet.")],
    table: Table,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
) -> None:
    """Write a published version to a folder, to go on from it."""
    if directory.name != name:
        fail(f"A rule set's folder is called as it is: {directory / name} would be right.")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        fail(f"{directory} holds something already: choose another folder.", code=REFUSED)
    with refusals_explained():
        document = store_of(table, endpoint_url, name).document(version)
    write_folder(document, directory)
    console().print(f"[bold green]Version {version} is in {plain(str(directory))}[/], {document.digest}")


def write_folder(document: RuleSetDocument, directory: Path) -> None:
    """Whole or not at all."""
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
    """In the order in which authors write a rule, examples one a line."""
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
