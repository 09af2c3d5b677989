"""`infusion-orders rules replay`: decide recorded decisions again under a candidate version."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path  # noqa: TC003 - read by typer
from typing import TYPE_CHECKING, Annotated

import typer

from infusion_orders_cli.options import DAY, RULE_SET, AsJson, Endpoint, Name, Workers
from infusion_orders_cli.terminal import (
    REFUSED,
    console,
    escaped,
    fail,
    print_json,
    print_table,
    progress_bar,
    refusals_explained,
)
from infusion_orders_cli.workers import processors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infusion_orders.decisions.replay_report import ReplayReport
    from infusion_orders.store.recorded_decisions import TableSource
    from infusion_orders_cli.rules.replay_run import ExportSource

MOST_SHOWN = 20
EPILOG = """
The candidate is a version's number or a rule-set folder. Its rules and tables decide the recorded facts again. With
--state, a replay that was stopped continues when it is started with the same options.

Exit codes: 0 done, 1 more decisions change than --max-flips allows, 2 the command could not run.

Examples:
infusion-orders rules replay --candidate 13 --from 2026-10-01 --to 2026-10-31 --table RulesTable
--decisions DecisionsTable --max-flips 0.5%
infusion-orders rules replay --candidate rules/home-infusion --export data/a7.json.gz --export data/b2.json.gz
"""


def replay_decisions(
    candidate: Annotated[str, typer.Option(metavar="V|DIR", help="The version to decide by, or a rule-set folder.")],
    since: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="First day on which decisions were made, UTC.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Last day, inclusive.")] = None,
    table: Annotated[str | None, typer.Option(help="The stack's rules table (its output RulesTableName).")] = None,
    decisions: Annotated[str | None, typer.Option(help="The stack's decisions table (DecisionsTableName).")] = None,
    export: Annotated[
        list[Path] | None,
        typer.Option(help="Instead of the table: a file of DynamoDB's export to S3; may be repeated.", exists=True),
    ] = None,
    partner: Annotated[
        list[str] | None, typer.Option(help="Only decisions of this partner; may be repeated.", show_default="all")
    ] = None,
    max_flips: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Fail if more than this share changes, such as 0.5%.")
    ] = None,
    state: Annotated[Path | None, typer.Option(help="Keep the progress in this file, and continue from it.")] = None,
    workers: Workers = None,
    name: Name = RULE_SET,
    endpoint_url: Endpoint = None,
    json: AsJson = False,
) -> None:
    """Decide recorded decisions again under a candidate, and list what would change."""
    from infusion_orders.store.recorded_decisions import UnreadableExport
    from infusion_orders_cli.rule_sources import rule_set_of
    from infusion_orders_cli.rules.replay_run import ExportSource, OtherReplay, replay_pages

    allowed = None if max_flips is None else share_of(max_flips)
    with refusals_explained():
        rule_set = rule_set_of(candidate, table, endpoint_url, name)
        if export:
            names = None if partner is None else tuple(partner)
            source: ExportSource | TableSource = ExportSource(tuple(export), *whole_days(since, until), names)
        elif table and decisions and since and until:
            source = _table_source(table, decisions, endpoint_url, since=since, until=until, partners=partner)
        else:
            fail("Which decisions? Give --table, --decisions, --from and --to, or files with --export.")
        try:
            with progress_bar("replaying", "decisions") as bar:
                report = replay_pages(source, rule_set, state=state, workers=workers or processors(), progress=bar)
        except (UnreadableExport, OtherReplay) as problem:
            fail(f"{problem}")
    if json:
        print_json(report.plain())
    else:
        print_report(report)
    if allowed is not None and report.share_changed > allowed:
        fail(f"{report.share_changed:.2%} of the decisions change: more than {max_flips}.", code=REFUSED)


def replay_of_days(
    version: int, table: str, decisions: str, days: int, endpoint_url: str | None, name: str
) -> ReplayReport:
    """Replay all partners' decisions of the last days, today included (UTC)."""
    from infusion_orders_cli.rule_sources import rule_set_of
    from infusion_orders_cli.rules.replay_run import replay_pages

    rule_set = rule_set_of(str(version), table, endpoint_url, name)
    now = datetime.now(UTC)
    first = now - timedelta(days=days - 1)
    source = _table_source(table, decisions, endpoint_url, since=first, until=now, partners=None)
    with progress_bar("replaying", "decisions") as bar:
        return replay_pages(source, rule_set, state=None, workers=processors(), progress=bar)


def _table_source(
    table: str,
    decisions: str,
    endpoint_url: str | None,
    *,
    since: datetime,
    until: datetime,
    partners: Iterable[str] | None,
) -> TableSource:
    """Return the decisions of those days, of some partners or of all.  Raises StoreUnavailable."""
    from infusion_orders.store.partners import PartnerStore
    from infusion_orders.store.recorded_decisions import TableSource
    from infusion_orders_cli.rule_sources import client_of

    client = client_of(endpoint_url)
    names = tuple(partners or PartnerStore(client, table, refresh_seconds=0, clock=lambda: 0.0).client_ids())
    first, last = whole_days(since, until)
    return TableSource(client, decisions, names, first or since, last or until)


def whole_days(since: datetime | None, until: datetime | None) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last millisecond of the days, in UTC."""
    return (
        None if since is None else datetime.combine(since, time.min, UTC),
        None if until is None else datetime.combine(until, time.min, UTC) + timedelta(days=1, milliseconds=-1),
    )


def share_of(text: str) -> float:
    """Read `0.5%` or `0.005`."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        fail(f"{text!r} is not a share: write 0.5% or 0.005.")
    return share


def print_report(report: ReplayReport) -> None:
    """Print the counts, then the flips by each dimension with an example, then what could not be replayed."""
    screen = console()
    screen.print(
        f"[bold]{report.replayed} decisions replayed[/]: {report.changed} would change ({report.share_changed:.2%})"
    )
    counts = [("orders", report.orders), ("lines", report.lines), ("responsible party of lines", report.parties)]
    rows = [(what, flip, str(count)) for what, counted in counts for flip, count in counted.most_common(MOST_SHOWN)]
    if rows:
        print_table(("", "flip", "how many"), rows)
    for dimension, counter in report.by.items():
        ranked = sorted(counter.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST_SHOWN]
        if ranked:
            rows_of_dimension = (
                (escaped(value), flip, str(count), ", ".join(report.examples.get(flip, ())[:1]))
                for (value, flip), count in ranked
            )
            print_table((dimension, "flip", "decisions", "example"), rows_of_dimension)
    for obstacle, count in report.obstacles.most_common():
        screen.print(f"[yellow]{count} cannot be replayed[/]: {obstacle}; example: {report.examples[obstacle][0]}")
