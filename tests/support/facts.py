"""All facts of an order, for tests that look at a few of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infusion_orders.facts.case import Case


def derived_facts(case: Case) -> tuple[dict[str, Any], ...]:
    """Return, for each line, the values of all facts by name."""
    return tuple({name: line[name] for name in case.catalogue.declared} for line in case.lines)
