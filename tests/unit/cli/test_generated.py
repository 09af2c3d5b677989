"""Files made from code: written, compared, and true of the rules that they describe."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from jsonschema import Draft202012Validator

from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders_cli.docs.facts import facts_document
from infusion_orders_cli.docs.generated import generated_files, update_files
from infusion_orders_cli.rule_sources import OutsideCheckout, project_root
from tests.support.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = PROJECT
RULE_FILES = sorted((ROOT / "rules" / "home-infusion").glob("*.yaml"))


@cache
def generated() -> Mapping[Path, str]:
    return generated_files(ROOT)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for part in ("rules", "events", "tests"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "*.schema.json"))
    return tmp_path


def test_written_files_are_up_to_date_until_something_changes(checkout: Path) -> None:
    written = update_files(checkout, write=True)

    assert written == list(generated())
    assert update_files(checkout, write=False) == []
    assert update_files(checkout, write=True) == []

    (checkout / "docs" / "facts.md").write_text("changed by hand")
    (checkout / "tests" / "test_new.py").write_text("@pytest.mark.clause('M-5')\ndef test_new(): ...\n")

    assert update_files(checkout, write=False) == [Path("docs", "facts.md"), Path("docs", "traceability.md")]


def test_every_fact_is_documented_with_its_pointers() -> None:
    text = facts_document()

    for fact in CATALOGUE.facts.values():
        section = text.split(f"### `{fact.name}`\n")[1].split("\n### ")[0]
        assert fact.description in section
        assert all(f"`{pointer.replace('{line}', 'N')}`" in section for pointer in CATALOGUE.pointers(fact.name))


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_editor_schema_accepts_the_default_rules(path: Path) -> None:
    schema = json.loads(generated()[Path("rules", "rule-file.schema.json")])
    rules = json.loads(json.dumps(yaml.safe_load(path.read_text("utf-8")), default=str))

    assert [error.message for error in Draft202012Validator(schema).iter_errors(rules)] == []


def test_editor_schema_refuses_a_misspelt_field() -> None:
    schema = json.loads(generated()[Path("rules", "rule-file.schema.json")])
    rules = json.loads(json.dumps(yaml.safe_load(RULE_FILES[0].read_text("utf-8")), default=str))
    rules[0]["titel"] = rules[0].pop("title")

    assert list(Draft202012Validator(schema).iter_errors(rules))


def test_checkout_is_found_from_a_folder_inside_it(tmp_path: Path) -> None:
    (tmp_path / "checkout" / "functions").mkdir(parents=True)
    (tmp_path / "checkout" / "template.yaml").touch()
    below = tmp_path / "checkout" / "functions"

    assert project_root(tmp_path / "elsewhere", below) == tmp_path / "checkout"
    with pytest.raises(OutsideCheckout, match="Go into the checkout"):
        project_root(tmp_path / "elsewhere")
