"""Rule-set folders: `*.yaml` with rules and `tables/*.csv` with rows.  No other module of the core reads files."""

from __future__ import annotations

import csv
from datetime import date
from typing import TYPE_CHECKING, Any

import yaml

from infusion_orders.authoring.checks import check_document
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.rules.problems import RuleProblem, RuleSetErrors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST_FILE = 2 * 1024 * 1024
"""Bytes of one file of rules.  Reading YAML takes a thousand times the memory of the file."""
LARGEST_TABLE = 64 * 1024 * 1024
LONGEST_NUMBER = 64
MOST_NODES = 200_000
"""Values in one file.  So many take a few seconds to read."""


class _Loader(yaml.SafeLoader):
    """A safe YAML loader that also refuses aliases, duplicate keys, very many values and very long numbers."""

    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases, because a few nested ones expand to gigabytes, and files with too many values."""
        if self.check_event(yaml.AliasEvent):
            message = "aliases (`*name`) are not allowed; repeat the value"
            raise yaml.constructor.ConstructorError(None, None, message, None)
        self.nodes += 1
        if self.nodes > MOST_NODES:
            message = f"the file has more than {MOST_NODES} values; split it"
            raise yaml.constructor.ConstructorError(None, None, message, None)
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith((":int", ":float")):
            self._refuse_long(node)
        return node

    def _refuse_long(self, node: yaml.ScalarNode) -> None:
        if len(node.value) > LONGEST_NUMBER:
            message = f"a number has more than {LONGEST_NUMBER} characters"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that is written twice, because YAML would silently drop one of the two."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                message = f"the key {key.value!r} is written twice"
                raise yaml.constructor.ConstructorError(None, None, message, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_directory(folder: Path) -> RuleSetDocument:
    """Return the checked document, named after the folder.  Raises RuleSetErrors with every problem."""
    document, files = read_directory(folder)
    check_document(document, files=files)
    return document


def read_directory(folder: Path) -> tuple[RuleSetDocument, Mapping[str, str]]:
    """Return the unchecked document, and each rule's file by its id.  Raises RuleSetErrors for unreadable files."""
    problems: list[RuleProblem] = []
    rules: list[dict[str, Any]] = []
    files: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            found = _rules_of(path)
        except RuleSetErrors as errors:
            problems += errors.problems
            continue
        rules += found
        files.update({str(rule.get("id", "?")): path.name for rule in found})
    tables = {}
    for path in sorted(folder.glob("tables/*.csv")):
        try:
            _refuse_large(path, f"tables/{path.name}", LARGEST_TABLE)
            with path.open(encoding="utf-8", newline="") as lines:
                tables[path.stem] = [row for row in csv.reader(lines, strict=True) if row]
        except (csv.Error, UnicodeDecodeError) as broken:
            problems.append(RuleProblem(f"tables/{path.name}", "", "", f"the file is not valid CSV in UTF-8: {broken}"))
        except RuleSetErrors as errors:
            problems += errors.problems
    if not rules and not problems:
        problems.append(
            RuleProblem(folder.name, "", "", "the folder has no rules; name a folder with rule files (*.yaml)")
        )
    if problems:
        raise RuleSetErrors(tuple(problems))
    return RuleSetDocument(folder.name, tuple(sorted(rules, key=lambda rule: str(rule.get("id")))), tables), files


def _refuse_large(path: Path, name: str, most: int) -> None:
    if path.stat().st_size > most:
        raise RuleSetErrors((RuleProblem(name, "", "", f"the file is larger than {most} bytes"),))


def _rules_of(path: Path) -> list[dict[str, Any]]:
    _refuse_large(path, path.name, LARGEST_FILE)
    try:
        content = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError, LookupError, AttributeError) as broken:
        raise RuleSetErrors(
            (RuleProblem(path.name, "", "", f"the file is not valid YAML: {_reason(broken, path)}"),)
        ) from None
    if not isinstance(content, list) or not all(isinstance(rule, dict) for rule in content):
        raise RuleSetErrors(
            (RuleProblem(path.name, "", "", "the file must be a list of rules, each beginning with `- id:`"),)
        )
    return [_plain(rule) for rule in content]


def _reason(broken: Exception, path: Path) -> str:
    return str(broken).replace("<byte string>", path.name)


def _plain(value: Any) -> Any:
    """Return dates and fractions as text, because stored rules are plain JSON without floats."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value
