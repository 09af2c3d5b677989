"""Receipts: the same order, version and `as_of` give the same digests on any machine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from infusion_orders.rules.canonical import canonical_json

if TYPE_CHECKING:
    from infusion_orders.decisions.decision import Decision

NOT_COVERED: Any = {"decision_id": True, "receipt": True, "explanation": True, "ruleset": {"age_seconds"}}


def digest(canonical: bytes) -> str:
    """`sha256:` and the hexadecimal SHA-256 of canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical).hexdigest()


def decision_digest(decision: Decision) -> str:
    """Over all that the decision says, without what differs between two runs of the same decision."""
    plain = decision.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=NOT_COVERED)
    return digest(canonical_json(plain))
