"""A rule-set folder: `*.yaml` with rules, `tables/*.csv` with rows.  The only module of the core that reads files."""

from __future__ import annotations

import csv
from datetime import date
from typing import TYPE_CHECKING, Any

import yaml

from infusion_orders.authoring.checks import check
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.rules.problems import RuleProblem, RuleSetErrors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST_FILE = 2 * 1024 * 1024
"""Of rules; reading YAML takes a thousand times the memory of the file."""
LARGEST_TABLE = 64 * 1024 * 1024
LONGEST_NUMBER = 64
MOST_NODES = 200_000
"""Values of one file; as many take a few seconds."""


class _Loader(yaml.SafeLoader):
    """YAML without anchors' copies growing beyond the file, and without keys given twice."""

    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuses aliases (a few nested ones can stand for gigabytes), more values than rules have, long numbers."""
        if self.check_event(yaml.AliasEvent):
            message = "aliases are not allowed"
            raise yaml.constructor.ConstructorError(None, None, message, None)
        self.nodes += 1
        if self.nodes > MOST_NODES:
            message = f"there are more than {MOST_NODES} values"
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
        """Refuses a key that is given twice: one of the two would be lost in silence."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                message = f"the key {key.value!r} is given twice"
                raise yaml.constructor.ConstructorError(None, None, message, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_directory(folder: Path) -> RuleSetDocument:
    """The checked document; its name is the folder's.  Raises RuleSetErrors with every problem: nothing half-loads."""
    document, files = read_directory(folder)
    check(document, files=files)
    return document


def read_directory(folder: Path) -> tuple[RuleSetDocument, Mapping[str, str]]:
    """What the files hold, unchecked, and which file each rule is in.  Raises RuleSetErrors for unreadable files."""
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
            problems.append(RuleProblem(f"tables/{path.name}", "", "", f"is no UTF-8 CSV file: {broken}"))
        except RuleSetErrors as errors:
            problems += errors.problems
    if not rules and not problems:
        problems.append(RuleProblem(folder.name, "", "", "holds no rules: is this a rule-set folder?"))
    if problems:
        raise RuleSetErrors(tuple(problems))
    return RuleSetDocument(folder.name, tuple(sorted(rules, key=lambda rule: str(rule.get("id")))), tables), files


def _refuse_large(path: Path, name: str, most: int) -> None:
    if path.stat().st_size > most:
        raise RuleSetErrors((RuleProblem(name, "", "", f"is larger than {most} bytes"),))


def _rules_of(path: Path) -> list[dict[str, Any]]:
    _refuse_large(path, path.name, LARGEST_FILE)
    try:
        content = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError, LookupError, AttributeError) as broken:
        raise RuleSetErrors(
            (RuleProblem(path.name, "", "", f"is no YAML file: {str(broken).replace('<byte string>', path.name)}"),)
        ) from None
    if not isinstance(content, list) or not all(isinstance(rule, dict) for rule in content):
        raise RuleSetErrors((RuleProblem(path.name, "", "", "must be a list of rules, each beginning with `- id:`"),))
    return [_plain(rule) for rule in content]


def _plain(value: Any) -> Any:
    """YAML's dates and fractions as text: what is stored is plain JSON without floats."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value
