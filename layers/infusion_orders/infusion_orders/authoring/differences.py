"""How one version of a rule set differs from another, by rule and by table row, in the words of the rule."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.row_changes import table_changes
from infusion_orders.authoring.wording import rule_in_words
from infusion_orders.reference.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infusion_orders.authoring.row_changes import RowChange
    from infusion_orders.rules.document import RuleSetDocument

ADDED, REMOVED, CHANGED = "added", "removed", "changed"


@dataclass(frozen=True, slots=True)
class PartChange:
    """One part of a rule, as lines before and after; no lines where the part is new or gone."""

    part: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleChange:
    """`kind` is `added`, `removed` or `changed`; only a changed rule has parts, and only those that differ.

    A changed rule without parts says the same in other letters, such as a number in quotes.
    """

    kind: str
    rule: str
    title: str
    parts: tuple[PartChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Differences:
    """Rules by their ids; of the tables only those that differ, by their names."""

    rules: tuple[RuleChange, ...]
    tables: Mapping[str, tuple[RowChange, ...]]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.rules or self.tables)

    def plain(self) -> dict[str, Any]:
        """JSON."""
        tables = {name: [asdict(change) for change in changes] for name, changes in self.tables.items()}
        return {"rules": [asdict(change) for change in self.rules], "tables": tables}


def differences(before: RuleSetDocument, after: RuleSetDocument) -> Differences:
    """From one checked document to another."""
    old = {str(rule["id"]): rule for rule in before.rules}
    new = {str(rule["id"]): rule for rule in after.rules}
    rules = [_rule_change(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys())]
    tables = {}
    for name, schema in TABLES.items():
        one, other = ([tuple(row) for row in document.tables.get(name, ())[1:]] for document in (before, after))
        if one != other:
            tables[name] = table_changes(schema, one, other)
    return Differences(
        tuple(change for change in rules if change is not None),
        {name: changes for name, changes in tables.items() if changes},
    )


def _rule_change(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> RuleChange | None:
    if old == new:
        return None
    if old is None or new is None:
        rule = old or new or {}
        return RuleChange(ADDED if old is None else REMOVED, name, str(rule.get("title", "")))
    before, after = rule_in_words(old), rule_in_words(new)
    parts = [
        PartChange(part, tuple(before.get(part, ())), tuple(after.get(part, ())))
        for part in dict.fromkeys((*before, *after))
        if before.get(part) != after.get(part)
    ]
    return RuleChange(CHANGED, name, str(new.get("title", "")), tuple(parts))
