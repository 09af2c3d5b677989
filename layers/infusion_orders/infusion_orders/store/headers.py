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

    `language` is the one of the release that checked it; None for releases that did not say, and these had no errors.
    """

    version: int
    digest: str
    by: str
    at: datetime
    note: str
    rules: int
    tables: int
    errors: int
    language: str | None


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
        language=item["language"]["S"] if "language" in item else None,
    )
