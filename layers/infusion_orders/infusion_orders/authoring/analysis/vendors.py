"""Whether the vendor that a rule sends an order to accepts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.authoring.analysis.findings import Finding, Kind
from infusion_orders.authoring.analysis.samples import COMPLETE
from infusion_orders.rules.expression import Comparison, Every

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.authoring.analysis.orders import OrderSearch
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.rule_set import RuleSet


def vendor_findings(rule_set: RuleSet, search: OrderSearch) -> Iterator[Finding]:
    """Rules whose action names a vendor that does not accept the therapy of an order which it is named to.

    A vendor that is a fact comes from the table of vendors itself and needs no look.
    """
    for rule in rule_set.rules:
        vendor = _named_vendor(rule)
        if vendor is None:
            continue
        refuses = Comparison("line.contracted_vendors", "contains_none", frozenset({vendor}))
        found = search.find(Every((rule.broken, refuses)))
        known = any(row[0] == vendor for row in rule_set.tables.rows().get("vendors", ())[1:])
        if found.order is not None or not known:
            does = "does not accept this order's therapy on this day" if known else "is not in the table of vendors"
            problem = f"sends the order to the vendor {vendor}, who {does}"
            yield Finding(Kind.NOBODY_THERE, (rule.rule.id,), problem, found.order or COMPLETE)


def _named_vendor(rule: CompiledRule) -> str | None:
    action = None if rule.rule.otherwise is None else rule.rule.otherwise.action
    return action.vendor if action is not None and isinstance(action.vendor, str) else None
