"""Replayed decisions from files that were exported from a stack's table."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from infusion_orders.store.recorded_decisions import (
    PAGE_SIZE,
    Position,
    UnreadableExport,
    decisions_in_export,
    recorded_at,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from infusion_orders.decisions.replay import RecordedDecision

    Decisions = tuple[RecordedDecision, ...]


@dataclass(frozen=True, slots=True)
class ExportSource:
    """Files of DynamoDB's export to S3, in its own JSON, compressed or not.

    Of their decisions those of some partners, from one moment to another, both included; None leaves out nothing.
    """

    files: tuple[Path, ...]
    since: datetime | None = None
    until: datetime | None = None
    partners: tuple[str, ...] | None = None

    @property
    def name(self) -> dict[str, Any]:
        """The files by their first bytes and sizes: reading them whole would take as long as the replay."""
        files = [[path.name, path.stat().st_size, _first_bytes(path)] for path in self.files]
        moments = [None if at is None else at.isoformat() for at in (self.since, self.until)]
        return {"files": files, "days": moments, "partners": None if self.partners is None else list(self.partners)}

    def pages(self, mark: Position | None) -> Iterator[tuple[Decisions, Position]]:
        """From the mark on, or from the beginning.  Raises UnreadableExport."""
        first, done = (0, 0) if mark is None else (mark.part, int(mark.at or 0))
        for part in range(first, len(self.files)):
            yield from self._pages_of(part, done)
            done = 0

    def _pages_of(self, part: int, done: int) -> Iterator[tuple[Decisions, Position]]:
        path = self.files[part]
        size = path.stat().st_size or 1
        try:
            with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else path.open("rb") as lines:
                decisions = decisions_in_export(lines)
                for _ in islice(decisions, done):
                    pass
                while page := tuple(islice(decisions, PAGE_SIZE)):
                    done += len(page)
                    read = raw.tell() if path.suffix == ".gz" else lines.tell()
                    yield (
                        tuple(filter(self._is_wanted, page)),
                        Position(part, done, (part + read / size) / len(self.files)),
                    )
        except UnreadableExport as problem:
            raise UnreadableExport(f"{path.name} is not an export of decisions: {problem}.") from None
        yield (), Position(part + 1, None, (part + 1) / len(self.files))

    def _is_wanted(self, decision: RecordedDecision) -> bool:
        at = recorded_at(decision.decision_id)
        return (
            (self.since is None or at >= self.since.timestamp())
            and (self.until is None or at <= self.until.timestamp())
            and (self.partners is None or decision.partner in self.partners)
        )


def _first_bytes(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.sha256(file.read(65_536)).hexdigest()
