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
from infusion_orders_cli.rules.export import write_folder
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


def test_a_version_goes_from_a_file_to_deciding_and_back(table: list[str], folder: Path) -> None:
    elders = {**ADULTS, "require": {"fact": "member.age", "at_least": 21}, "examples": []}
    elders["examples"] = [{"given": {"member.age": 21}, "expect": "satisfied"}]

    assert "home-infusion version 2 is published" in published(table, folder, elders, note="[red]21[/] now")
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


def test_a_version_whose_checks_found_errors_is_published_and_not_activated_but_by_force(
    table: list[str], folder: Path
) -> None:
    told = published(table, folder, TOOTHLESS)
    assert "Its checks found 1 errors" in told
    assert versions(table)["versions"][0]["errors"] == 1

    refused = run("rules", "activate", "2", "--why", "a slip", *table, code=1)
    assert "version 2 has 1 error" in refused
    assert versions(table)["active"] == 1
    run("rules", "activate", "2", "--why", "tonight's contract", "--force", *table)
    assert "activated by force" in run("rules", "history", *table)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["activate", "1", "--expected", "7", "--why", "a slip"], "activated version 1 at"),
        (["activate", "9", "--why", "a slip"], "there is no published version 9"),
        (
            ["activate", "1", "--four-eyes", "--by", "infusion-orders", "--why", "alone"],
            "another person must activate it",
        ),
        (["rollback", "--why", "a slip"], "nothing to roll back to"),
        (["shadow", "1", "--why", "a slip"], "version 1 is active already"),
        (["show", "9"], "there is no published version 9"),
        (["show", "1", "--rule", "some.adult"], "did you mean 'some.adults'?"),
    ],
)
def test_what_is_refused_says_why_and_changes_nothing(table: list[str], arguments: list[str], problem: str) -> None:
    before = run("rules", "history", "--json", *table)
    assert problem in " ".join(run("rules", *arguments, *table, code=1).split())
    assert run("rules", "history", "--json", *table) == before


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["shadow", "of", "--why", "a slip"], "neither a version's number nor off"),
        (["shadow", "0", "--why", "a slip"], "neither a version's number nor off"),
        (["diff", "1", "nowhere"], "neither a version's number nor a folder"),
    ],
)
def test_what_cannot_be_meant_is_told_apart_from_what_is_refused(
    table: list[str], arguments: list[str], problem: str
) -> None:
    assert problem in run("rules", *arguments, *table, code=2)


def test_a_version_is_not_looked_for_without_a_table() -> None:
    assert "Name it with --table" in run("rules", "diff", "1", "2", code=2)


def test_a_version_and_its_rules_are_shown(table: list[str]) -> None:
    told = run("rules", "show", "1", *table)
    assert "home-infusion version 1" in told
    assert "some.adults" in told
    shown = run("rules", "show", "1", "--rule", "some.adults", *table)
    assert "require: member.age at_least 18\n" in shown
    assert json.loads(run("rules", "show", "1", "--rule", "some.adults", "--json", *table))["id"] == "some.adults"
    assert json.loads(run("rules", "show", "1", "--json", *table))["rules"][0]["id"] == "some.adults"


def test_folders_are_compared_row_by_row_without_any_table(tmp_path: Path) -> None:
    document = default_document()
    (tmp_path / "tables").mkdir(parents=True)
    write(tmp_path, ADULTS)
    assert "removed setting.someone-can-give-it" in run("rules", "diff", str(FOLDER), str(tmp_path))
    told = run("rules", "diff", str(tmp_path), str(FOLDER))
    assert "table vendors" in told
    assert f"{len(document.tables['crosswalk']) - 1 - 40} more: --json has them all" in told


def test_a_version_is_written_back_to_the_files_that_it_could_have_come_from(table: list[str], tmp_path: Path) -> None:
    place = tmp_path / "drafts" / "home-infusion"
    told = run("rules", "export", "1", str(place), *table)
    assert "Version 1 is in" in told
    assert run("rules", "diff", "1", str(place), *table).strip() == "No difference."
    for version, folder, code, problem in (
        ("1", place, 1, "holds something already"),
        ("1", tmp_path / "other", 2, "would be right"),
        ("7", tmp_path / "7" / "home-infusion", 1, "no published version 7"),
    ):
        told = run("rules", "export", version, str(folder), *table, code=code)
        assert problem in " ".join(told.split())
    assert not (tmp_path / "7").exists()


def test_the_default_rules_are_written_and_read_again_with_their_digest(tmp_path: Path) -> None:
    (tmp_path / "home-infusion").mkdir()
    write_folder(default_document(), tmp_path / "home-infusion")
    assert load_directory(tmp_path / "home-infusion").digest == default_document().digest
    assert [path.name for path in tmp_path.iterdir()] == ["home-infusion"]
