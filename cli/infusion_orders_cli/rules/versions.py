"""`infusion-orders rules list, show, diff, history`: the versions of a rule set, and how they came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infusion_orders_cli.rules_table import (
    REFUSED,
    RULE_SET,
    AsJson,
    Endpoint,
    Name,
    Table,
    Version,
    refusals_explained,
    store_of,
)
from infusion_orders_cli.terminal import console, escaped, fail, table_of

if TYPE_CHECKING:
    from datetime import datetime

    from infusion_orders.rules.document import RuleSetDocument

LIST_EPILOG = "Example:\n\ninfusion-orders rules list --table RulesTable"
SHOW_EPILOG = """
Examples:

infusion-orders rules show 12 --table RulesTable

infusion-orders rules show 12 --rule setting.someone-can-give-it --table RulesTable
"""
DIFF_EPILOG = """
A version that is a number is read from --table; anything else is a rule-set folder.

Examples:

infusion-orders rules diff 11 12 --table RulesTable

infusion-orders rules diff 12 rules/home-infusion --table RulesTable
"""
HISTORY_EPILOG = "Example:\n\ninfusion-orders rules history --table RulesTable"


def list_versions(table: Table, name: Name = RULE_SET, endpoint_url: Endpoint = None, json: AsJson = False) -> None:
    """The published versions, the latest first, and which one decides."""
    with refusals_explained():
        store = store_of(table, endpoint_url, name)
        headers, pointer = store.headers(), store.activations.pointer(consistent=True)
    active, shadow = (None, None) if pointer is None else (pointer.version, pointer.shadow)
    if json:
        _print_json({"active": active, "shadow": shadow, "versions": [_plain(header) for header in headers]})
        return
    rows = []
    for one in headers:
        state = "[bold green]decides[/]" if one.version == active else "shadow" if one.version == shadow else ""
        said = (_minute(one.at), escaped(one.by), str(one.rules), _checks(one.errors), escaped(one.note))
        rows.append((str(one.version), state, *said))
    console().print(table_of(("version", "", "published", "by", "rules", "checks", "note"), rows))


def show(
    version: Version,
    table: Table,
    rule: Annotated[str | None, typer.Option(help="Show this rule instead, in words.")] = None,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    json: AsJson = False,
) -> None:
    """One version: what is said of it and its rules; or one rule of it, in words."""
    with refusals_explained():
        store = store_of(table, endpoint_url, name)
        header, document = store.header(version), store.document(version)
    if rule is not None:
        _show_rule(document, rule, json=json)
        return
    if json:
        _print_json({"header": _plain(header), "rules": list(document.rules)})
        return
    console().print(
        f"[bold]{name} version {version}[/], published {_minute(header.at)} by {escaped(header.by)}: "
        f"{escaped(header.note)}\n{header.digest}, {len(document.tables)} tables, checks {_checks(header.errors)}"
    )
    rows = ((one.get("clause") or "-", str(one["id"]), _effect(one), str(one["title"])) for one in document.rules)
    console().print(table_of(("clause", "rule", "effect", "what it says"), rows))


def _show_rule(document: RuleSetDocument, rule: str, *, json: bool) -> None:
    from infusion_orders.authoring.wording import rule_in_words
    from infusion_orders.orders.suggestions import did_you_mean

    found = {str(one["id"]): one for one in document.rules}
    if rule not in found:
        fail(f"This version has no rule {rule!r}{did_you_mean(rule, found)}.", code=REFUSED)
    if json:
        _print_json(found[rule])
        return
    for part, lines in rule_in_words(found[rule]).items():
        first, *more = lines
        console().print(f"[bold]{part}[/]: {escaped(first)}")
        for line in more:
            console().print(f"  {escaped(line)}")


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="Version, or folder.")],
    after: Annotated[str, typer.Argument(metavar="B", help="Version, or folder.")],
    table: Annotated[str | None, typer.Option(help="The rules table that the versions are in.")] = None,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    json: AsJson = False,
) -> None:
    """What B decides by that A does not, by rule and by table row, in the words of the rules."""
    from infusion_orders.authoring.differences import differences
    from infusion_orders_cli.rules.differences import differences_report

    with refusals_explained():
        found = differences(*(_document(one, table, endpoint_url, name) for one in (before, after)))
    if json:
        _print_json(found.plain())
        return
    for part in differences_report(found):
        console().print(part)


def _document(wanted: str, table: str | None, endpoint_url: str | None, name: str) -> RuleSetDocument:
    from pathlib import Path

    from infusion_orders_cli.rule_sources import document_from_files

    if not wanted.isdecimal():
        folder = Path(wanted)
        if not folder.is_dir():
            fail(f"{wanted} is neither a version's number nor a folder.")
        return document_from_files(folder)
    if table is None:
        fail(f"Which table is version {wanted} in? Name it with --table.")
    return store_of(table, endpoint_url, name).document(int(wanted))


def history(
    table: Table,
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many changes.")] = 50,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    json: AsJson = False,
) -> None:
    """Who changed what, when and why, the latest first."""
    with refusals_explained():
        changes = store_of(table, endpoint_url, name).activations.history(limit=most)
    if json:
        _print_json({"changes": [_plain(change) for change in changes]})
        return
    rows = (
        (
            _minute(one.at),
            f"{one.action}{' by force' * one.forced}",
            str(one.version),
            escaped(one.by),
            escaped(one.why),
        )
        for one in changes
    )
    console().print(table_of(("when", "what", "version", "who", "why"), rows))


def _checks(errors: int) -> str:
    return "passed" if not errors else f"{errors} error{'s' if errors > 1 else ''}"


def _effect(rule: dict[str, Any]) -> str:
    return str(rule["otherwise"]["effect"]) if rule.get("otherwise") else "assigns"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _plain(record: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(record)


def _print_json(found: Any) -> None:
    import json as encoder

    typer.echo(encoder.dumps(found, default=lambda value: value.isoformat()))
