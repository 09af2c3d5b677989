"""Rules, versions and changes in plain JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infusion_orders.authoring.analysis.report import Analysis
    from infusion_orders.rules.rule import Rule
    from infusion_orders.store.activations import ActivePointer, Change
    from infusion_orders.store.versions import VersionHeader


def rule_of(rule: Rule) -> dict[str, Any]:
    """As it was written, without what it leaves out."""
    return rule.model_dump(mode="json", by_alias=True, exclude_unset=True)


def header_of(record: VersionHeader | Change | ActivePointer) -> dict[str, Any]:
    """Field by field, moments in ISO 8601."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(record).items()}


def pointer_of(pointer: ActivePointer) -> dict[str, Any]:
    """What decides, since when, by whom and why, what did before, and what is in the shadow."""
    plain = header_of(pointer)
    del plain["revision"]
    return plain


def analysis_of(analysis: Analysis) -> dict[str, Any]:
    """Findings with the orders that show them, and how many of them are errors."""
    return {"errors": analysis.errors, **analysis.plain()}
