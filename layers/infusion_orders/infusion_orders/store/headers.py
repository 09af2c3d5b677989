"""What is said of a published version, apart from its parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER = "VERSION#"


@dataclass(frozen=True, slots=True)
class VersionHeader:
    """What is said of a published version; `errors` is how many its checks found, 0 if they passed.

    Versions of releases that did not look for any have none.
    """

    version: int
    digest: str
    by: str
    at: datetime
    note: str
    rules: int
    tables: int
    errors: int


def header_key(version: int) -> str:
    """The sort key of a version's header."""
    return f"{HEADER}{version:06d}"


def header_of(item: Mapping[str, Any]) -> VersionHeader:
    """Of a published version.  Raises KeyError for one that never was."""
    return VersionHeader(
        version=int(item["version"]["N"]),
        digest=item["digest"]["S"],
        by=item["by"]["S"],
        at=datetime.fromisoformat(item["at"]["S"]),
        note=item["note"]["S"],
        rules=int(item["rules"]["N"]),
        tables=int(item["tables"]["N"]),
        errors=int(item["errors"]["N"]) if "errors" in item else 0,
    )
