"""`infusion-orders rules list, show, diff, activate, rollback, shadow, history`: the versions of a rule set."""

from __future__ import annotations

import getpass
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infusion_orders.cli.terminal import console, escaped, fail, failures_explained, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.rules.document import RuleSetDocument
    from infusion_orders.store.rule_sets import RuleSetStore

REFUSED = 1

Table = Annotated[str, typer.Option(help="The stack's rules table (its output RulesTableName).")]
Endpoint = Annotated[str | None, typer.Option(help="Where the table is, if not at AWS: http://127.0.0.1:8000.")]
Person = Annotated[str | None, typer.Option(help="Who does this.", show_default="the name of your login")]
Name = Annotated[str, typer.Option(help="The rule set's name.")]
Why = Annotated[str, typer.Option(help="Why, for the record.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Version = Annotated[int, typer.Argument(min=1, help="The version's number.")]
RULE_SET = "home-infusion"

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
ACTIVATE_EPILOG = """
Exit codes: 0 it decides, 1 refused (somebody was first, its checks did not pass, too much would change), 2 it could not
be tried.

Examples:

infusion-orders rules activate 12 --table RulesTable --why "Vendors of December"

infusion-orders rules activate 12 --table RulesTable --why "Vendors of December" --max-flips 0.5%
--decisions DecisionsTable
"""
ROLLBACK_EPILOG = 'Example:\n\ninfusion-orders rules rollback --table RulesTable --why "Too many reviews"'
SHADOW_EPILOG = """
Examples:

infusion-orders rules shadow 13 --table RulesTable --why "Before January"

infusion-orders rules shadow off --table RulesTable --why "Seen enough"
"""
HISTORY_EPILOG = "Example:\n\ninfusion-orders rules history --table RulesTable"


def store_of(table: str, endpoint_url: str | None, name: str) -> RuleSetStore:
    """The rule set's versions in that table."""
    from infusion_orders.cli.rule_sources import client_of
    from infusion_orders.store.rule_sets import RuleSetStore

    return RuleSetStore(client_of(endpoint_url), table, name)


@contextmanager
def refusals_explained() -> Iterator[None]:
    """What the pointer refuses, and what to do then; beside the failures of every command."""
    from infusion_orders.store.activations import (
        ActivationConflict,
        ChecksNotPassed,
        NoRuleSet,
        NothingToDo,
        SamePerson,
    )
    from infusion_orders.store.rule_sets import NoSuchVersion

    with failures_explained():
        try:
            yield
        except ActivationConflict as conflict:
            fail(f"Nothing was changed: {conflict}. Look at it, and try again if yours is still right.", code=REFUSED)
        except NoRuleSet:
            fail("Nothing was changed: no version is active yet. Activate one first.", code=REFUSED)
        except (ChecksNotPassed, NoSuchVersion, NothingToDo, SamePerson) as refused:
            fail(f"Nothing was changed: {refused}.", code=REFUSED)


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
    from infusion_orders.rules.resolution import nearest
    from infusion_orders.rules.wording import rule_in_words

    found = {str(one["id"]): one for one in document.rules}
    if rule not in found:
        fail(f"This version has no rule {rule!r}{nearest(rule, found)}.", code=REFUSED)
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
    from infusion_orders.cli.versions_report import differences_report
    from infusion_orders.rules.differences import differences

    with refusals_explained():
        found = differences(*(_document(one, table, endpoint_url, name) for one in (before, after)))
    if json:
        _print_json(found.plain())
        return
    for part in differences_report(found):
        console().print(part)


def _document(wanted: str, table: str | None, endpoint_url: str | None, name: str) -> RuleSetDocument:
    from pathlib import Path

    from infusion_orders.cli.rule_sources import document_from_files

    if not wanted.isdecimal():
        folder = Path(wanted)
        if not folder.is_dir():
            fail(f"{wanted} is neither a version's number nor a folder.")
        return document_from_files(folder)
    if table is None:
        fail(f"Which table is version {wanted} in? Name it with --table.")
    return store_of(table, endpoint_url, name).document(int(wanted))


def activate(
    version: Version,
    table: Table,
    why: Why,
    force: Annotated[
        bool, typer.Option("--force", help="Though its checks did not pass; --why says why, and is kept.")
    ] = False,
    expected: Annotated[
        int | None, typer.Option(min=0, help="Only if this version is still the active one (0: none).")
    ] = None,
    four_eyes: Annotated[bool, typer.Option("--four-eyes", help="Not by the person who published it.")] = False,
    max_flips: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="Only if no more of the recorded decisions change, such as 0.5%."),
    ] = None,
    decisions: Annotated[str | None, typer.Option(help="For --max-flips: the stack's decisions table.")] = None,
    days: Annotated[int, typer.Option(min=1, max=400, help="For --max-flips: of so many days until today.")] = 30,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    by: Person = None,
) -> None:
    """Make a published version decide.  Of two people at once one wins, and the other is told who."""
    if max_flips is not None:
        _refuse_flips(version, max_flips, table, decisions, days, endpoint_url, name)
    with refusals_explained():
        store = store_of(table, endpoint_url, name)
        store.activations.activate(
            version, by=_person(by), why=why, at=datetime.now(UTC), forced=force, four_eyes=four_eyes, expected=expected
        )
    _told(name, version)


def _refuse_flips(
    version: int, max_flips: str, table: str, decisions: str | None, days: int, endpoint_url: str | None, name: str
) -> None:
    """Replays the last days under the version, and ends the command where too much would change."""
    from infusion_orders.cli.replaying import replay_of_days, share_of

    allowed = share_of(max_flips)
    if decisions is None:
        fail("Which decisions does --max-flips count? Name their table with --decisions.")
    with refusals_explained():
        report = replay_of_days(version, table, decisions, days, endpoint_url, name)
    if not report.replayed:
        fail(f"Nothing was changed: no decision of the last {days} days can be replayed to count flips.", code=REFUSED)
    if report.share_changed > allowed:
        fail(
            f"Nothing was changed: {report.changed} of {report.replayed} decisions of the last {days} days would "
            f"change ({report.share_changed:.2%}), more than {max_flips}. `rules replay` lists them.",
            code=REFUSED,
        )
    console().print(f"{report.changed} of {report.replayed} decisions of the last {days} days would change.")


def rollback(table: Table, why: Why, name: Name = RULE_SET, endpoint_url: Endpoint = None, by: Person = None) -> None:
    """Make the version decide that did before; a second roll back undoes the first."""
    with refusals_explained():
        store = store_of(table, endpoint_url, name)
        pointer = store.activations.roll_back(by=_person(by), why=why, at=datetime.now(UTC))
    _told(name, pointer.version)


def shadow(
    version: Annotated[str, typer.Argument(metavar="V|off", help="The version's number, or off.")],
    table: Table,
    why: Why,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    by: Person = None,
) -> None:
    """Decide each live order under this version too, after its answer is given; or end that."""
    if version != "off" and not (version.isdecimal() and int(version)):
        fail(f"{version!r} is neither a version's number nor off.")
    number = None if version == "off" else int(version)
    with refusals_explained():
        store = store_of(table, endpoint_url, name)
        pointer = store.activations.set_shadow(number, by=_person(by), why=why, at=datetime.now(UTC))
    runs = "no version runs" if number is None else f"version {number} runs"
    console().print(f"[bold green]{runs} in the shadow[/] of version {pointer.version}, within half a minute.")


def history(
    table: Table,
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many changes.")] = 50,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    json: AsJson = False,
) -> None:
    """Who changed what, when and why, the latest first."""
    with refusals_explained():
        changes = store_of(table, endpoint_url, name).activations.history(most=most)
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


def _told(name: str, version: int) -> None:
    console().print(f"[bold green]{name} version {version} decides now[/]; functions follow within half a minute.")


def _person(by: str | None) -> str:
    return by or getpass.getuser()


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
