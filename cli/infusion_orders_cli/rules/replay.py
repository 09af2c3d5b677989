"""`infusion-orders rules replay`: recorded decisions decided again under a candidate version."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path  # noqa: TC003 - read by typer
from typing import TYPE_CHECKING, Annotated

import typer

from infusion_orders_cli.rules_table import RULE_SET, Endpoint, Name, refusals_explained
from infusion_orders_cli.terminal import console, escaped, fail, table_of
from infusion_orders_cli.workers import Workers, processors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infusion_orders.decisions.replay_report import ReplayReport
    from infusion_orders.rules.rule_set import RuleSet
    from infusion_orders.store.recorded_decisions import TableSource

TOO_MANY = 1
MOST_SHOWN = 20
EPILOG = """
The recorded facts are decided again, by the rules and tables of the candidate: a version's number, or a folder.
--state keeps how far the replay came: started again with the same options, it goes on from there.

Exit codes: 0 done, 1 more decisions changed than --max-flips allows, 2 it could not be tried.

Examples:

infusion-orders rules replay --candidate 13 --from 2026-10-01 --to 2026-10-31 --table RulesTable
--decisions DecisionsTable --max-flips 0.5%

infusion-orders rules replay --candidate rules/home-infusion --export data/a7.json.gz --export data/b2.json.gz
"""


def replay(
    candidate: Annotated[str, typer.Option(metavar="V|DIR", help="The version to decide by, or a rule-set folder.")],
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day that decisions were made on, UTC."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, itself included.")
    ] = None,
    table: Annotated[str | None, typer.Option(help="The stack's rules table (its output RulesTableName).")] = None,
    decisions: Annotated[str | None, typer.Option(help="The stack's decisions table (DecisionsTableName).")] = None,
    export: Annotated[
        list[Path] | None,
        typer.Option(help="A file of DynamoDB's export to S3 instead of the table; may be repeated.", exists=True),
    ] = None,
    partner: Annotated[
        list[str] | None, typer.Option(help="Only this partner's; may be repeated.", show_default="all")
    ] = None,
    max_flips: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Fail beyond this share, such as 0.5%.")
    ] = None,
    state: Annotated[Path | None, typer.Option(help="Keep how far it came here, and go on from there.")] = None,
    workers: Workers = None,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Decide recorded decisions again under a candidate, and list what would come out another way."""
    import json as encoder

    from infusion_orders.store.recorded_decisions import UnreadableExport
    from infusion_orders_cli.rules.replay_run import OtherReplay, run, watched
    from infusion_orders_cli.rules.replay_sources import ExportSource

    allowed = None if max_flips is None else share_of(max_flips)
    with refusals_explained():
        rule_set = candidate_of(candidate, table, endpoint_url, name)
        if export:
            first, last = whole_days(since, until)
            names = None if partner is None else tuple(partner)
            source: ExportSource | TableSource = ExportSource(tuple(export), first, last, names)
        elif table and decisions and since and until:
            source = table_source(table, decisions, endpoint_url, since=since, until=until, partners=partner)
        else:
            fail("Which decisions? Give --table, --decisions, --from and --to, or files with --export.")
        try:
            with watched() as progress:
                report = run(source, rule_set, state=state, workers=workers or processors(), progress=progress)
        except (UnreadableExport, OtherReplay) as problem:
            fail(f"{problem}")
    if json:
        typer.echo(encoder.dumps(report.plain()))
    else:
        print_report(report)
    if allowed is not None and report.share_changed > allowed:
        fail(f"{report.share_changed:.2%} of the decisions change: more than {max_flips}.", code=TOO_MANY)


def replay_of_days(
    version: int, table: str, decisions: str, days: int, endpoint_url: str | None, name: str
) -> ReplayReport:
    """Of the last so many days until today (UTC), all partners'; with a progress bar."""
    from infusion_orders_cli.rules.replay_run import run, watched

    rule_set = candidate_of(str(version), table, endpoint_url, name)
    now = datetime.now(UTC)
    source = table_source(
        table, decisions, endpoint_url, since=now - timedelta(days=days - 1), until=now, partners=None
    )
    with watched() as progress:
        return run(source, rule_set, state=None, workers=processors(), progress=progress)


def table_source(
    table: str,
    decisions: str,
    endpoint_url: str | None,
    *,
    since: datetime,
    until: datetime,
    partners: Iterable[str] | None,
) -> TableSource:
    """The decisions of those days (UTC), of some partners or of all.  Raises StoreUnavailable."""
    from infusion_orders.store.partners import PartnerStore
    from infusion_orders.store.recorded_decisions import TableSource
    from infusion_orders_cli.rule_sources import client_of

    client = client_of(endpoint_url)
    names = tuple(partners or PartnerStore(client, table, refresh_seconds=0, clock=lambda: 0.0).client_ids())
    first, last = whole_days(since, until)
    return TableSource(client, decisions, names, first or since, last or until)


def whole_days(since: datetime | None, until: datetime | None) -> tuple[datetime | None, datetime | None]:
    """The first and the last millisecond of the days, in UTC."""
    return (
        None if since is None else datetime.combine(since, time.min, UTC),
        None if until is None else datetime.combine(until, time.min, UTC) + timedelta(days=1, milliseconds=-1),
    )


def candidate_of(candidate: str, table: str | None, endpoint_url: str | None, name: str) -> RuleSet:
    """A published version, or the checked rules of a folder."""
    from pathlib import Path

    from infusion_orders.rules.rule_set import RuleSet
    from infusion_orders_cli.rule_sources import document_from_files
    from infusion_orders_cli.rules_table import store_of

    if candidate.isdecimal():
        if table is None:
            fail(f"Which table is version {candidate} in? Name it with --table.")
        return store_of(table, endpoint_url, name).load(int(candidate))
    if not Path(candidate).is_dir():
        fail(f"{candidate} is neither a version's number nor a folder.")
    document = document_from_files(Path(candidate))
    return RuleSet.from_document(document, version=0, digest=document.digest)


def share_of(text: str) -> float:
    """`0.5%` and `0.005` alike."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        fail(f"{text!r} is no share: write it as 0.5% or 0.005.")
    return share


def print_report(report: ReplayReport) -> None:
    """The counts, then what flipped by each dimension, with examples, then what could not be replayed."""
    screen = console()
    screen.print(
        f"[bold]{report.replayed} decisions replayed[/]: {report.changed} would change ({report.share_changed:.2%})"
    )
    counts = [("orders", report.orders), ("lines", report.lines), ("responsible party of lines", report.parties)]
    rows = [(what, flip, str(count)) for what, counted in counts for flip, count in counted.most_common(MOST_SHOWN)]
    if rows:
        screen.print(table_of(("", "flip", "how many"), rows))
    for dimension, counter in report.by.items():
        ranked = sorted(counter.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST_SHOWN]
        if ranked:
            examples = report.examples
            screen.print(
                table_of(
                    (dimension, "flip", "decisions", "such as"),
                    (
                        (escaped(value), flip, str(count), ", ".join(examples.get(flip, ())[:1]))
                        for (value, flip), count in ranked
                    ),
                )
            )
    for obstacle, count in report.obstacles.most_common():
        screen.print(f"[yellow]{count} cannot be replayed[/]: {obstacle}, such as {report.examples[obstacle][0]}")
