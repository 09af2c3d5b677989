"""Rules, versions and changes as plain JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from infusion_orders.api.application import Response, json_response

if TYPE_CHECKING:
    from infusion_orders.rules.rule import Rule
    from infusion_orders.store.activations import ActivePointer, Change
    from infusion_orders.store.versions import VersionHeader


def plain_rule(rule: Rule) -> dict[str, Any]:
    """The rule as its author wrote it, without fields that the author left out."""
    return rule.model_dump(mode="json", by_alias=True, exclude_unset=True)


def plain_record(record: VersionHeader | Change | ActivePointer) -> dict[str, Any]:
    """The record field by field, times in ISO 8601."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(record).items()}


def plain_pointer(pointer: ActivePointer) -> dict[str, Any]:
    """The active version, since when, by whom and why, the previous version, and the shadow."""
    plain = plain_record(pointer)
    del plain["revision"]
    return plain


def plain_response(plain: dict[str, Any], *, status: int = 200) -> Response:
    """A response of plain JSON."""
    return json_response(json.dumps(plain, ensure_ascii=False, separators=(",", ":")), status=status)
