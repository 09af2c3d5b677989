"""A rule set's versions, as a person at a terminal sees and moves them."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from typer.testing import CliRunner

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders_cli.local.tables import served_tables
from infusion_orders_cli.main import app
from infusion_orders_cli.rules.publication import write_folder
from tests.support.rules import FOLDER, default_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADULTS = {
    "id": "some.adults",
    "clause": "M-1",
    "title": "Adults only",
    "scope": "line",
    "require": {"fact": "member.age", "at_least": 18},
    "otherwise": {"effect": "reject", "message": "Too young."},
    "citation": {"document": "A manual", "basis": "manual"},
    "examples": [{"given": {"member.age": 18}, "expect": "satisfied"}],
}
TOOTHLESS = {
    **ADULTS,
    "id": "some.toothless",
    "when": {"fact": "member.age", "at_least": 21},
    "examples": [{"given": {"member.age": 21}, "expect": "satisfied"}],
}


def write(folder: Path, *rules: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "some.yaml").write_text(yaml.safe_dump(list(rules)), "utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "home-infusion", ADULTS)


@pytest.fixture
def table(folder: Path) -> Iterator[list[str]]:
    """Version 1 decides; the options that lead to its table."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served_tables(FOLDER.parents[1] / "template.yaml", load_directory(folder), host="127.0.0.1", port=port) as at:
        yield ["--table", "RulesTable", "--endpoint-url", at]


def run(*arguments: str, code: int = 0) -> str:
    """What the command prints, on whichever stream."""
    result = CliRunner(env={"NO_COLOR": "1"}).invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def published(table: list[str], folder: Path, *rules: dict[str, Any], note: str = "a note") -> str:
    return run("rules", "publish", str(write(folder, *rules)), "--note", note, "--by", "ann", *table)


def versions(table: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("rules", "list", "--json", *table))
    return found


def test_version_is_published_activated_and_rolled_back(table: list[str], folder: Path) -> None:
    elders = {**ADULTS, "require": {"fact": "member.age", "at_least": 21}, "examples": []}
    elders["examples"] = [{"given": {"member.age": 21}, "expect": "satisfied"}]

    assert "home-infusion version 2" in published(table, folder, elders, note="[red]21[/] now")
    told = run("rules", "diff", "1", "2", *table)
    assert "changed some.adults  Adults only" in told
    assert "  require: member.age at_least 18 -> member.age at_least 21\n" in told
    assert "  example 1: member.age 18: satisfied -> member.age 21: satisfied\n" in told
    assert run("rules", "diff", "2", str(folder), *table).strip() == "No difference."

    run("rules", "shadow", "2", "--why", "to see", "--by", "bob", *table)
    assert (versions(table)["active"], versions(table)["shadow"]) == (1, 2)
    run("rules", "activate", "2", "--why", "the law", "--by", "bob", "--expected", "1", *table)
    assert (versions(table)["active"], versions(table)["shadow"]) == (2, None)
    assert "version 1 decides now" in run("rules", "rollback", "--why", "too early", "--by", "eve", *table)

    listed = run("rules", "list", *table)
    assert "[red]21[/] now" in listed
    changes = json.loads(run("rules", "history", "--json", *table))["changes"]
    assert [(change["action"], change["version"], change["by"]) for change in changes][:4] == [
        ("rolled back", 1, "eve"),
        ("activated", 2, "bob"),
        ("shadowed", 2, "bob"),
        ("published", 2, "ann"),
    ]
    assert "too early" in run("rules", "history", *table)


def test_version_with_errors_is_activated_only_by_force(table: list[str], folder: Path) -> None:
    published(table, folder, TOOTHLESS)
    assert versions(table)["versions"][0]["errors"] == 1

    run("rules", "activate", "2", "--why", "a slip", *table, code=1)
    assert versions(table)["active"] == 1
    run("rules", "activate", "2", "--why", "tonight's contract", "--force", *table)
    newest = json.loads(run("rules", "history", "--json", *table))["changes"][0]
    assert (newest["action"], newest["version"], newest["forced"]) == ("activated", 2, True)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["activate", "1", "--expected", "7", "--why", "a slip"], "version 1"),
        (["activate", "9", "--why", "a slip"], "version 9"),
        (["activate", "1", "--four-eyes", "--by", "infusion-orders", "--why", "alone"], "infusion-orders"),
        (["rollback", "--why", "a slip"], ""),
        (["shadow", "1", "--why", "a slip"], "version 1"),
        (["show", "9"], "version 9"),
        (["show", "1", "--rule", "some.adult"], "some.adults"),
    ],
)
def test_refused_change_exits_with_1_and_changes_nothing(table: list[str], arguments: list[str], problem: str) -> None:
    before = run("rules", "history", "--json", *table)
    assert problem in " ".join(run("rules", *arguments, *table, code=1).split())
    assert run("rules", "history", "--json", *table) == before


@pytest.mark.parametrize(
    "arguments",
    [["shadow", "of", "--why", "a slip"], ["shadow", "0", "--why", "a slip"], ["diff", "1", "nowhere"]],
    ids=" ".join,
)
def test_unusable_version_exits_with_2(table: list[str], arguments: list[str]) -> None:
    run("rules", *arguments, *table, code=2)


def test_version_without_table_exits_with_2() -> None:
    assert "--table" in run("rules", "diff", "1", "2", code=2)


def test_show_prints_a_version_or_one_of_its_rules(table: list[str]) -> None:
    told = run("rules", "show", "1", *table)
    assert "home-infusion version 1" in told
    assert "some.adults" in told
    shown = run("rules", "show", "1", "--rule", "some.adults", *table)
    assert "require: member.age at_least 18\n" in shown
    assert json.loads(run("rules", "show", "1", "--rule", "some.adults", "--json", *table))["id"] == "some.adults"
    assert json.loads(run("rules", "show", "1", "--json", *table))["rules"][0]["id"] == "some.adults"


def test_folders_are_compared_row_by_row(tmp_path: Path) -> None:
    document = default_document()
    (tmp_path / "tables").mkdir(parents=True)
    write(tmp_path, ADULTS)
    assert "removed setting.someone-can-give-it" in run("rules", "diff", str(FOLDER), str(tmp_path))
    told = run("rules", "diff", str(tmp_path), str(FOLDER))
    assert "table vendors" in told
    assert f"{len(document.tables['crosswalk']) - 1 - 40} more" in told


def test_exported_version_does_not_differ_from_the_stored_one(table: list[str], tmp_path: Path) -> None:
    place = tmp_path / "drafts" / "home-infusion"
    run("rules", "export", "1", str(place), *table)
    assert run("rules", "diff", "1", str(place), *table).strip() == "No difference."
    for version, folder, code in (
        ("1", place, 1),
        ("1", tmp_path / "other", 2),
        ("7", tmp_path / "7" / "home-infusion", 1),
    ):
        run("rules", "export", version, str(folder), *table, code=code)
    assert not (tmp_path / "7").exists()


def test_default_rules_keep_their_digest_when_written_and_read(tmp_path: Path) -> None:
    (tmp_path / "home-infusion").mkdir()
    write_folder(default_document(), tmp_path / "home-infusion")
    assert load_directory(tmp_path / "home-infusion").digest == default_document().digest
    assert [path.name for path in tmp_path.iterdir()] == ["home-infusion"]
