"""`infusion-orders rules list, show, diff, history`: the versions of a rule set, and how they came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infusion_orders_cli.options import RULE_SET, AsJson, Endpoint, Name, Table, Version
from infusion_orders_cli.terminal import REFUSED, console, escaped, fail, print_json, print_table, refusals_explained

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LIST_EPILOG = "Example:\ninfusion-orders rules list --table RulesTable"
SHOW_EPILOG = """
Examples:
infusion-orders rules show 12 --table RulesTable
infusion-orders rules show 12 --rule setting.someone-can-give-it --table RulesTable
"""
DIFF_EPILOG = """
A number is a version in --table; anything else is a rule-set folder.

Examples:
infusion-orders rules diff 11 12 --table RulesTable
infusion-orders rules diff 12 rules/home-infusion --table RulesTable
"""
HISTORY_EPILOG = "Example:\ninfusion-orders rules history --table RulesTable"


def list_versions(table: Table, name: Name = RULE_SET, endpoint_url: Endpoint = None, json: AsJson = False) -> None:
    """List the published versions, the latest first, and which one decides."""
    from infusion_orders_cli.rule_sources import store_of

    with refusals_explained():
        store = store_of(table, endpoint_url, name)
        headers, pointer = store.headers(), store.activations.pointer(consistent=True)
    active, shadow = (None, None) if pointer is None else (pointer.version, pointer.shadow)
    if json:
        print_json({"active": active, "shadow": shadow, "versions": headers})
        return
    states = {shadow: "shadow", active: "[bold green]decides[/]"}
    rows = [
        (
            *(str(one.version), states.get(one.version, ""), _minute(one.at), escaped(one.by)),
            *(str(one.rules), _checks(one.errors), escaped(one.note)),
        )
        for one in headers
    ]
    print_table(("version", "", "published", "by", "rules", "checks", "note"), rows)


def show_version(
    version: Version,
    table: Table,
    rule: Annotated[str | None, typer.Option(help="Show this rule instead, in words.")] = None,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    json: AsJson = False,
) -> None:
    """Show one version and its rules, or one of its rules in words."""
    from infusion_orders_cli.rule_sources import store_of

    with refusals_explained():
        store = store_of(table, endpoint_url, name)
        header, document = store.header(version), store.document(version)
    rules = {str(one["id"]): one for one in document.rules}
    if rule is not None:
        _show_rule(rules, rule, json=json)
    elif json:
        print_json({"header": header, "rules": document.rules})
    else:
        console().print(
            f"[bold]{name} version {version}[/], published {_minute(header.at)} by {escaped(header.by)}: "
            f"{escaped(header.note)}\n{header.digest}, {len(document.tables)} tables, checks {_checks(header.errors)}"
        )
        rows = (
            (one.get("clause") or "-", rule_id, one.get("otherwise", {}).get("effect", "assigns"), one["title"])
            for rule_id, one in rules.items()
        )
        print_table(("clause", "rule", "effect", "title"), rows)


def _show_rule(rules: Mapping[str, Any], rule: str, *, json: bool) -> None:
    from infusion_orders.authoring.wording import rule_in_words
    from infusion_orders.orders.suggestions import did_you_mean

    if rule not in rules:
        fail(f"This version has no rule {rule!r}{did_you_mean(rule, rules)}.", code=REFUSED)
    if json:
        print_json(rules[rule])
        return
    for part, (first, *more) in rule_in_words(rules[rule]).items():
        console().print(f"[bold]{part}[/]: {escaped(first)}")
        for line in more:
            console().print(f"  {escaped(line)}")


def compare_versions(
    before: Annotated[str, typer.Argument(metavar="A", help="Version, or folder.")],
    after: Annotated[str, typer.Argument(metavar="B", help="Version, or folder.")],
    table: Annotated[str | None, typer.Option(help="The rules table with the versions.")] = None,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    json: AsJson = False,
) -> None:
    """Show what changes from A to B, by rule and by table row, in the words of the rules."""
    from infusion_orders.authoring.differences import differences
    from infusion_orders_cli.rule_sources import document_of
    from infusion_orders_cli.rules.differences import differences_report

    with refusals_explained():
        found = differences(*(document_of(one, table, endpoint_url, name) for one in (before, after)))
    if json:
        print_json(found.plain())
        return
    for part in differences_report(found):
        console().print(part)


def show_history(
    table: Table,
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many changes to show.")] = 50,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    json: AsJson = False,
) -> None:
    """Show who changed what, when and why, the latest first."""
    from infusion_orders_cli.rule_sources import store_of

    with refusals_explained():
        changes = store_of(table, endpoint_url, name).activations.history(limit=most)
    if json:
        print_json({"changes": changes})
        return
    rows = [
        (
            *(_minute(one.at), f"{one.action}{' by force' * one.forced}", str(one.version)),
            *(escaped(one.by), escaped(one.why)),
        )
        for one in changes
    ]
    print_table(("when", "what", "version", "who", "why"), rows)


def _checks(errors: int) -> str:
    return "passed" if not errors else f"{errors} error{'s' if errors > 1 else ''}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
