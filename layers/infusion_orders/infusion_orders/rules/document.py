"""A rule set as it is stored: rules and table rows in canonical JSON, each under its key, and one digest over all."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.rules.digests import canonical_json, digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RULE_PREFIX = "RULE#"
TABLE_PREFIX = "TABLE#"


@dataclass(frozen=True, slots=True)
class RuleSetDocument:
    """Plain JSON: rules sorted by id, tables as rows of text cells with their header first."""

    name: str
    rules: tuple[dict[str, Any], ...]
    tables: Mapping[str, Sequence[Sequence[str]]]

    def parts(self) -> dict[str, bytes]:
        """`RULE#<id>` and `TABLE#<name>` to canonical JSON (RFC 8785): what is stored, and what the digest covers."""
        parts = {RULE_PREFIX + str(rule["id"]): canonical_json(rule) for rule in self.rules}
        for name, rows in self.tables.items():
            parts[TABLE_PREFIX + name] = canonical_json([list(row) for row in rows])
        return parts

    @property
    def digest(self) -> str:
        """`sha256:` and 64 hexadecimal digits."""
        return digest_of_parts(self.name, self.parts())

    @classmethod
    def from_parts(cls, name: str, parts: Mapping[str, bytes]) -> RuleSetDocument:
        """Raises ValueError for a part that is not JSON: verify the digest first."""
        rules = json.loads(b"[" + b",".join(body for key, body in parts.items() if key.startswith(RULE_PREFIX)) + b"]")
        tables = {
            key.removeprefix(TABLE_PREFIX): json.loads(body)
            for key, body in parts.items()
            if key.startswith(TABLE_PREFIX)
        }
        return cls(name, tuple(sorted(rules, key=lambda rule: str(rule["id"]))), tables)


def digest_of_parts(name: str, parts: Mapping[str, bytes]) -> str:
    """Over the bytes as stored, so that a load verifies what it read and re-canonicalises nothing."""
    hashes = {key: hashlib.sha256(body).hexdigest() for key, body in parts.items()}
    return digest(canonical_json({"name": name, "parts": hashes}))
