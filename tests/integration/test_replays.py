"""Replays from a table and from an export: pages, partners, days, what is kept on the way, and the command."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from infusion_orders.orders.vocabularies import LineOfBusiness
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders.store import recorded_decisions
from infusion_orders.store.partners import Partner, PartnerStore
from infusion_orders.store.recorded_decisions import TableSource, UnreadableExport, read_page, recorded_at
from infusion_orders_cli.local.tables import DECISIONS_TABLE, RULES_TABLE, embedded_tables
from infusion_orders_cli.main import app
from infusion_orders_cli.rules import replay_run
from infusion_orders_cli.rules.replay_run import ExportSource, OtherReplay, replay_pages
from tests.support.rules import FOLDER, SETTING, default_document, default_rules, reviewing_document
from tests.support.tables import NOON, record_example

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infusion_orders.decisions.replay_report import ReplayReport
    from infusion_orders_cli.local.tables import LocalTables

DAY = timedelta(days=1)
PARTNERS = ("local-partner", "second-partner")


REVIEWING = RuleSet.from_document(reviewing_document(), version=2, digest=reviewing_document().digest)


@pytest.fixture(scope="module")
def tables() -> Iterator[LocalTables]:
    """Version 1 decided 7 orders of each of two partners, one a day, of which every second is rejected."""
    with embedded_tables(FOLDER.parents[1] / "template.yaml", default_document()) as found:
        every = frozenset(map(str, LineOfBusiness))
        partners = PartnerStore(found.client, RULES_TABLE, refresh_seconds=0, clock=lambda: 0.0)
        partners.put(Partner(PARTNERS[1], "Second", "suspended", every))
        for partner in PARTNERS:
            for day in range(7):
                record_example(found, partner, NOON + day * DAY, able=day % 2 == 0)
        found.rule_sets.publish(reviewing_document(), by="ann", note="reviews", at=NOON)
        yield found


def pages_of(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables and exports are read so many decisions at a time."""
    for module in (recorded_decisions, replay_run):
        monkeypatch.setattr(module, "PAGE_SIZE", size)


def source(tables: LocalTables, *, days: int = 7) -> TableSource:
    return TableSource(tables.client, DECISIONS_TABLE, PARTNERS, NOON, NOON + (days - 1) * DAY)


def replayed(of: TableSource | ExportSource, *, state: Path | None = None, workers: int = 1) -> ReplayReport:
    return replay_pages(of, REVIEWING, state=state, workers=workers)


def test_report_does_not_depend_on_the_size_of_pages(tables: LocalTables, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = replayed(source(tables))
    assert (whole.replayed, whole.changed) == (14, 6)
    assert whole.by["partner"] == {(partner, "rejected -> needs_review"): 3 for partner in PARTNERS}
    for size in (1, 2, 7):
        pages_of(size, monkeypatch)
        assert replayed(source(tables)).plain() == whole.plain()


def test_several_processes_make_the_same_report(tables: LocalTables, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = replayed(source(tables)).plain()
    pages_of(2, monkeypatch)
    assert replayed(source(tables), workers=3).plain() == whole


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (NOON, NOON, 1),
        (NOON + timedelta(milliseconds=1), NOON + DAY, 1),
        (NOON, NOON + DAY - timedelta(milliseconds=1), 1),
        (NOON - DAY, NOON - timedelta(milliseconds=1), 0),
        (NOON, NOON + 100 * DAY, 7),
    ],
)
def test_days_include_their_first_and_last_millisecond(
    tables: LocalTables, since: datetime, until: datetime, found: int
) -> None:
    page = read_page(tables.client, DECISIONS_TABLE, PARTNERS[0], since=since, until=until)
    assert len(page.decisions) == found
    assert all(since.timestamp() <= recorded_at(one.decision_id) <= until.timestamp() for one in page.decisions)


class Killed(Exception):
    pass


@pytest.mark.parametrize("pages", range(1, 9))
def test_killed_replay_continues_after_its_last_page(
    tables: LocalTables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    pages_of(2, monkeypatch)
    whole = replayed(source(tables)).plain()
    state = tmp_path / "state.json"
    told: list[int] = []

    def die(_share: float, _whole: float, decisions: int) -> None:
        told.append(decisions)
        if len(told) == pages:
            raise Killed

    with pytest.raises(Killed):
        replay_pages(source(tables), REVIEWING, state=state, workers=1, progress=die)
    again: list[int] = []
    report = replay_pages(
        source(tables), REVIEWING, state=state, workers=1, progress=lambda _share, _whole, done: again.append(done)
    )

    assert report.plain() == whole
    assert [*told, *again] == sorted([*told, *again])  # nothing was replayed twice
    assert not list(tmp_path.glob("*.new"))


def test_finished_replay_is_not_run_again(tables: LocalTables, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    first = replayed(source(tables), state=state)
    assert replayed(source(tables), state=state).plain() == first.plain()


def test_state_of_another_replay_is_refused(tables: LocalTables, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    replayed(source(tables), state=state)
    with pytest.raises(OtherReplay, match="another replay"):
        replayed(source(tables, days=3), state=state)
    with pytest.raises(OtherReplay, match="another replay"):
        replay_pages(source(tables), default_rules(), state=state, workers=1)
    state.write_text("{}")
    with pytest.raises(OtherReplay, match="not the state"):
        replayed(source(tables), state=state)


# --- exports


def exported(tables: LocalTables, path: Path) -> Path:
    """The table as DynamoDB exports it: binary as base64, one item a line."""
    import base64

    def plain(value: dict[str, Any]) -> dict[str, Any]:
        return {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value

    items = tables.client.scan(TableName=DECISIONS_TABLE)["Items"]
    lines = [json.dumps({"Item": {name: plain(dict(value)) for name, value in item.items()}}) for item in items]
    with gzip.open(path, "wt", encoding="utf-8") if path.suffix == ".gz" else path.open("w", encoding="utf-8") as file:
        file.write("\n".join([*lines, ""]))
    return path


@pytest.mark.parametrize("name", ["export.json", "export.json.gz"])
def test_export_is_replayed_like_the_table(
    tables: LocalTables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pages_of(3, monkeypatch)
    files = ExportSource((exported(tables, tmp_path / name),))
    assert replayed(files).plain() == replayed(source(tables)).plain()
    shares: list[float] = []
    state = tmp_path / "state.json"
    replay_pages(files, REVIEWING, state=state, workers=1, progress=lambda share, *_: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert replayed(files, state=state).replayed == 14


def test_days_and_partners_select_from_an_export(tables: LocalTables, tmp_path: Path) -> None:
    path = exported(tables, tmp_path / "export.json")
    command = ("rules", "replay", "--candidate", "2", "--table", RULES_TABLE, "--export", str(path), "--json")

    def counted(*options: str) -> int:
        return int(json.loads(invoke(*command, *options))["replayed"])

    assert counted() == 14
    assert counted("--from", "2026-11-02", "--to", "2026-11-03") == 4
    assert counted("--from", "2026-11-07") == 2
    assert counted("--to", "2026-11-01", "--partner", PARTNERS[1]) == 1


@pytest.mark.parametrize("content", [b"nothing\n", b'{"Item": {}}\n', b"\x1f\x8b\x08\x00broken"])
def test_file_that_is_not_an_export_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ("export.json.gz" if content[:2] == b"\x1f\x8b" else "export.json")
    path.write_bytes(content)
    with pytest.raises(UnreadableExport, match=r"export\.json.* after 0 decisions"):
        replayed(ExportSource((path,)))


def test_compressed_facts_are_read_from_an_export(tables: LocalTables, tmp_path: Path) -> None:
    path = exported(tables, tmp_path / "export.json")
    import base64

    item = json.loads(path.read_text().splitlines()[0])["Item"]
    item["facts"] = {"B": base64.b64encode(gzip.compress(item["facts"]["S"].encode())).decode()}
    path.write_text(json.dumps({"Item": item}) + "\n")
    report = replayed(ExportSource((path,)))
    assert (report.replayed, dict(report.obstacles)) == (1, {})


# --- the command


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner(env={"NO_COLOR": "1"}).invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


WHERE = ("--table", RULES_TABLE, "--decisions", DECISIONS_TABLE)
DAYS = ("--from", "2026-11-01", "--to", "2026-11-07")


def test_command_prints_flips_as_tables_and_as_json(tables: LocalTables) -> None:
    told = invoke("rules", "replay", "--candidate", "2", *WHERE, *DAYS, "--workers", "1")
    assert "14 decisions replayed: 6 would change (42.86%)" in told
    for heading in ("line of business", "therapy", "rule", "partner"):
        assert heading in told
    report = json.loads(invoke("rules", "replay", "--candidate", "2", *WHERE, *DAYS, "--workers", "2", "--json"))
    assert report["orders"] == {"rejected -> needs_review": 6}
    assert report["by"]["rule"][0] == {"value": SETTING, "flip": "rejected -> needs_review", "decisions": 6}


def test_command_fails_beyond_the_allowed_share(tables: LocalTables) -> None:
    command = ("rules", "replay", "--candidate", "2", *WHERE, *DAYS, "--workers", "1", "--max-flips")
    assert "42.86%" in invoke(*command, "0.5%", code=1)
    invoke(*command, "0.43")
    invoke(*command, "many", code=2)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--candidate", "2", *WHERE, "--from", "2026-11-01"), "--export"),
        (("--candidate", "2", "--export", str(FOLDER)), "--table"),
        (("--candidate", "nowhere", *WHERE, *DAYS), "nowhere"),
    ],
)
def test_missing_options_exit_with_2(tables: LocalTables, arguments: tuple[str, ...], problem: str) -> None:
    assert problem in invoke("rules", "replay", *arguments, code=2)


def test_activation_is_refused_when_too_many_decisions_would_change(tables: LocalTables) -> None:
    command = ("rules", "activate", "2", "--why", "reviews", *WHERE, "--days", "400", "--max-flips")
    refused = " ".join(invoke(*command, "0.5%", code=1).split())
    assert "6 of 14 decisions" in refused
    pointer = tables.rule_sets.activations.pointer()
    assert pointer is not None
    assert pointer.version == 1
    told = invoke("rules", "activate", "2", "--why", "reviews", "--table", RULES_TABLE, "--max-flips", "1%", code=2)
    assert "--decisions" in told
    invoke(*command, "50%")
    pointer = tables.rule_sets.activations.pointer()
    assert pointer is not None
    assert pointer.version == 2
