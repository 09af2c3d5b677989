"""The DynamoDB tables as template.yaml declares them, so that local and test tables cannot drift from deployed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

CREATED = ("KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")


class _CloudFormation(yaml.SafeLoader):
    """YAML with CloudFormation's short intrinsic functions, kept as `{"Fn::<name>": value}`."""


def _intrinsic(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any = None
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    return {name if name == "Ref" else f"Fn::{name}": value}


_CloudFormation.add_multi_constructor("!", _intrinsic)


def read_template(template: Path) -> dict[str, Any]:
    """The template as plain mappings."""
    read: dict[str, Any] = yaml.load(template.read_text(encoding="utf-8"), Loader=_CloudFormation)  # noqa: S506 - safe
    return read


def table_definitions(template: Path) -> list[dict[str, Any]]:
    """Arguments of `create_table` for each table; the table's name is its logical id."""
    return [
        {"TableName": name, **{part: value for part, value in resource["Properties"].items() if part in CREATED}}
        for name, resource in read_template(template)["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::Table"
    ]
