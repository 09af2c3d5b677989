"""A rule set as it is stored: each rule and each table in canonical JSON under its key, with one digest over all."""

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
    """A rule set in plain JSON: rules sorted by id, and tables as rows of text cells, the header first."""

    name: str
    rules: tuple[dict[str, Any], ...]
    tables: Mapping[str, Sequence[Sequence[str]]]

    def parts(self) -> dict[str, bytes]:
        """Return what is stored and what the digest covers: canonical JSON by `RULE#<id>` and `TABLE#<name>`."""
        parts = {RULE_PREFIX + str(rule["id"]): canonical_json(rule) for rule in self.rules}
        for name, rows in self.tables.items():
            parts[TABLE_PREFIX + name] = canonical_json([list(row) for row in rows])
        return parts

    @property
    def digest(self) -> str:
        """The digest over all parts: `sha256:` and 64 hexadecimal digits."""
        return digest_of_parts(self.name, self.parts())

    @classmethod
    def from_parts(cls, name: str, parts: Mapping[str, bytes]) -> RuleSetDocument:
        """Return the document of these parts.  Verify the digest first: a part that is not JSON raises ValueError."""
        rules = json.loads(b"[" + b",".join(body for key, body in parts.items() if key.startswith(RULE_PREFIX)) + b"]")
        tables = {
            key.removeprefix(TABLE_PREFIX): json.loads(body)
            for key, body in parts.items()
            if key.startswith(TABLE_PREFIX)
        }
        return cls(name, tuple(sorted(rules, key=lambda rule: str(rule["id"]))), tables)


def digest_of_parts(name: str, parts: Mapping[str, bytes]) -> str:
    """Return the digest over the stored bytes; a load verifies with it what it has read."""
    hashes = {key: hashlib.sha256(body).hexdigest() for key, body in parts.items()}
    return digest(canonical_json({"name": name, "parts": hashes}))
