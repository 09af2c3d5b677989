"""A rule-set folder loads as a whole or not at all, and each problem names its file."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.authoring import rule_files
from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.rules.document import RuleSetDocument, digest_of_parts
from infusion_orders.rules.problems import RuleProblem, RuleSetErrors
from tests.support.rules import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

RULE = """
- id: {id}
  title: A rule
  scope: line
  effective: {{from: 2024-07-01}}
  require: {{fact: clinical.weight, at_least: {weight}}}
  otherwise: {{effect: reject, message: Too light.}}
  citation: {{document: A manual, updated: 2024-07-01, basis: manual}}
  examples:
    - {{given: {{clinical.weight: 80}}, expect: satisfied}}
"""


def rule_yaml(name: str = "some.rule", weight: str = "70.5") -> str:
    return RULE.format(id=name, weight=weight)


def a_folder(path: Path, **files: str | bytes) -> Path:
    """Write a rule-set folder `some`.  In the names, `__` is a slash, and `_yaml` and `_csv` are endings."""
    folder = path / "some"
    (folder / "tables").mkdir(parents=True)
    for name, content in files.items():
        file = folder / name.replace("__", "/").replace("_yaml", ".yaml").replace("_csv", ".csv")
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def problems(folder: Path) -> tuple[RuleProblem, ...]:
    with pytest.raises(RuleSetErrors) as raised:
        load_directory(folder)
    return raised.value.problems


def the_problem(folder: Path) -> RuleProblem:
    (found,) = problems(folder)
    return found


def values_in(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [found for part in value.values() for found in values_in(part)]
    return [found for part in value for found in values_in(part)] if isinstance(value, list) else [value]


def test_folder_loads_with_its_name_rules_and_tables(tmp_path: Path) -> None:
    header = "county,whole_child_model,valid_from,valid_to,basis\n"
    folder = a_folder(
        tmp_path,
        a_yaml=rule_yaml("z.rule"),
        b_yaml=rule_yaml("a.rule"),
        tables__counties_csv=header + "\nMerced,yes,2018-07-01,,regulation\n",
    )
    document = load_directory(folder)
    assert document.name == "some"
    assert [rule["id"] for rule in document.rules] == ["a.rule", "z.rule"]
    assert [row[0] for row in document.tables["counties"]] == ["county", "Merced"]


def test_dates_and_fractions_become_text(tmp_path: Path) -> None:
    (rule,) = load_directory(a_folder(tmp_path, some_yaml=rule_yaml())).rules
    assert rule["effective"] == {"from": "2024-07-01"}
    assert rule["citation"]["updated"] == "2024-07-01"
    assert rule["require"]["at_least"] == "70.5"
    assert {type(value) for value in values_in(rule)} <= {str, int, bool}


def test_digest_depends_on_the_content_and_not_on_file_names(tmp_path: Path) -> None:
    one = load_directory(a_folder(tmp_path / "1", a_yaml=rule_yaml("a.rule"), b_yaml=rule_yaml("b.rule")))
    other = load_directory(a_folder(tmp_path / "2", x_yaml=rule_yaml("b.rule") + rule_yaml("a.rule")))
    changed = load_directory(a_folder(tmp_path / "3", a_yaml=rule_yaml("a.rule"), b_yaml=rule_yaml("b.rule", "71")))
    assert one.digest == other.digest
    assert one.digest != changed.digest
    assert one.digest.startswith("sha256:")
    assert len(one.digest) == len("sha256:") + 64


def test_default_rules_have_one_digest_under_other_file_names(tmp_path: Path) -> None:
    copied = tmp_path / FOLDER.name
    shutil.copytree(FOLDER, copied)
    for number, path in enumerate(sorted(copied.glob("*.yaml"), reverse=True)):
        path.rename(copied / f"part-{number}.yaml")
    assert load_directory(copied).digest == load_directory(FOLDER).digest


def test_document_is_restored_from_its_parts(tmp_path: Path) -> None:
    document = load_directory(a_folder(tmp_path, a_yaml=rule_yaml("a.rule") + rule_yaml("b.rule")))
    parts = document.parts()
    assert sorted(parts) == ["RULE#a.rule", "RULE#b.rule"]
    assert RuleSetDocument.from_parts("some", dict(reversed(parts.items()))) == document
    assert digest_of_parts("some", dict(reversed(parts.items()))) == document.digest
    assert digest_of_parts("other", parts) != document.digest
    assert digest_of_parts("some", {"RULE#a.rule": parts["RULE#a.rule"]}) != document.digest


def test_digest_covers_tables() -> None:
    header = ["county", "whole_child_model"]
    one = RuleSetDocument("some", (), {"counties": [header, ["Merced", "yes"]]})
    other = RuleSetDocument("some", (), {"counties": [header, ["Merced", "no"]]})
    assert one.digest != other.digest
    assert RuleSetDocument.from_parts("some", one.parts()) == one


def test_yaml_aliases_are_refused(tmp_path: Path) -> None:
    names = "bcdefghijklmnopqrstuvwxyz"
    bomb = "a: &a [x, x]\n" + "".join(
        f"{name}: &{name} [*{before}, *{before}]\n" for before, name in zip("a" + names, names, strict=False)
    )
    found = the_problem(a_folder(tmp_path, some_yaml=bomb))
    assert found.file == "some.yaml"
    assert "aliases (`*name`) are not allowed" in found.problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (rule_yaml() + "  title: Again\n", "the key 'title' is written twice"),
        ("id: some.rule\n", "must be a list of rules, each beginning with `- id:`"),
        ("- some.rule\n", "must be a list of rules, each beginning with `- id:`"),
        ("", "must be a list of rules, each beginning with `- id:`"),
        ("- {id: [", "the file is not valid YAML: "),
        ("- !!python/object/apply:os.getcwd []", "the file is not valid YAML: "),
        (b"- id: \xff\xfe\xff", "the file is not valid YAML: "),
        ("- {on: 2024-02-30}", "the file is not valid YAML: "),
        ("- " + "[" * 100_000, "the file is not valid YAML: "),
        ("- {? [a] : b}", "the file is not valid YAML: "),
    ],
    ids=["key twice", "no list", "no rules", "empty", "broken", "python", "bytes", "no date", "deep", "list as key"],
)
def test_file_without_rules_is_a_problem(tmp_path: Path, content: str | bytes, problem: str) -> None:
    found = the_problem(a_folder(tmp_path, some_yaml=content, good_yaml=rule_yaml("good.rule")))
    assert (found.file, found.rule, found.path) == ("some.yaml", "", "")
    assert problem in found.problem


@pytest.mark.parametrize("content", [b"county\n\xff\xfe\n", b'county\n"Merced'], ids=["no UTF-8", "open quote"])
def test_invalid_csv_file_is_a_problem(tmp_path: Path, content: bytes) -> None:
    found = the_problem(a_folder(tmp_path, some_yaml=rule_yaml(), tables__counties_csv=content))
    assert found.file == "tables/counties.csv"
    assert "the file is not valid CSV" in found.problem


def test_empty_folder_is_a_problem(tmp_path: Path) -> None:
    assert the_problem(a_folder(tmp_path)).problem.startswith("the folder has no rules")


def test_file_above_the_size_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_files, "LARGEST_FILE", len(rule_yaml()) - 1)
    found = the_problem(a_folder(tmp_path, some_yaml=rule_yaml()))
    assert "the file is larger than" in found.problem
    monkeypatch.setattr(rule_files, "LARGEST_FILE", len(rule_yaml()))
    assert load_directory(tmp_path / "some").rules


def test_every_invalid_file_is_reported_and_nothing_loads(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, a_yaml="x", b_yaml=rule_yaml(), c_yaml="- {", tables__codes_csv=b"\xff")
    assert [problem.file for problem in problems(folder)] == ["a.yaml", "c.yaml", "tables/codes.csv"]


def test_invalid_rule_is_reported_with_its_file(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, a_yaml=rule_yaml("a.rule"), b_yaml=rule_yaml("b.rule", "heavy"))
    found = the_problem(folder)
    assert (found.file, found.rule, found.path) == ("b.yaml", "b.rule", "require.at_least")
    assert os.linesep not in str(found)
