"""Where replayed decisions come from: a stack's table, or files that were exported from it.

Both give pages and, with each, a mark: whoever kept it can go on behind that page.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from infusion_orders.store.recorded_decisions import decisions_of_export, moment_of, page_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient

    from infusion_orders.decisions.replay import RecordedDecision

    Decisions = tuple[RecordedDecision, ...]

PAGE = 500
UNREADABLE = (ValueError, KeyError, OSError, EOFError, TypeError)


class UnreadableExport(Exception):
    """A file that is no export; the text says which, and after which decision."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a source was read: the part (a partner, a file), and the last id or the number of decisions in it.

    `share` is about how much of the whole lies behind the mark.
    """

    part: int
    at: str | int | None
    share: float


@dataclass(frozen=True, slots=True)
class TableSource:
    """The decisions of some partners from one moment to another."""

    client: DynamoDBClient
    table: str
    partners: tuple[str, ...]
    since: datetime
    until: datetime

    @property
    def name(self) -> dict[str, Any]:
        """What tells this source from another one."""
        days = [self.since.isoformat(), self.until.isoformat()]
        return {"table": self.table, "partners": list(self.partners), "days": days}

    def pages(self, mark: Mark | None) -> Iterator[tuple[Decisions, Mark]]:
        """From the mark on, or from the beginning.  Raises StoreUnavailable."""
        first, after = (0, None) if mark is None else (mark.part, None if mark.at is None else str(mark.at))
        for part in range(first, len(self.partners)):
            while True:
                page = page_of(
                    self.client,
                    self.table,
                    self.partners[part],
                    since=self.since,
                    until=self.until,
                    after=after,
                    most=PAGE,
                )
                after = page.last
                yield page.decisions, self._mark(part, after)
                if after is None:
                    break

    def _mark(self, part: int, last: str | None) -> Mark:
        if last is None:
            return Mark(part + 1, None, (part + 1) / len(self.partners))
        length = (self.until - self.since).total_seconds() or 1.0
        within = (moment_of(last) - self.since.timestamp()) / length
        return Mark(part, last, (part + within) / len(self.partners))


@dataclass(frozen=True, slots=True)
class ExportSource:
    """Files of DynamoDB's export to S3, in its own JSON, compressed or not."""

    files: tuple[Path, ...]

    @property
    def name(self) -> dict[str, Any]:
        """The files by their first bytes and sizes: reading them whole would take as long as the replay."""
        return {"files": [[path.name, path.stat().st_size, _first_bytes(path)] for path in self.files]}

    def pages(self, mark: Mark | None) -> Iterator[tuple[Decisions, Mark]]:
        """From the mark on, or from the beginning.  Raises UnreadableExport."""
        first, done = (0, 0) if mark is None else (mark.part, int(mark.at or 0))
        for part in range(first, len(self.files)):
            yield from self._pages_of(part, done)
            done = 0

    def _pages_of(self, part: int, done: int) -> Iterator[tuple[Decisions, Mark]]:
        path = self.files[part]
        size = path.stat().st_size or 1
        try:
            with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else path.open("rb") as lines:
                decisions = decisions_of_export(lines)
                for _ in islice(decisions, done):
                    pass
                while page := tuple(islice(decisions, PAGE)):
                    done += len(page)
                    read = raw.tell() if path.suffix == ".gz" else lines.tell()
                    yield page, Mark(part, done, (part + read / size) / len(self.files))
        except UNREADABLE as problem:
            where = f"{path.name}, after decision {done}"
            raise UnreadableExport(f"This is no export of decisions: {where} ({type(problem).__name__}).") from None
        yield (), Mark(part + 1, None, (part + 1) / len(self.files))


def _first_bytes(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.sha256(file.read(65_536)).hexdigest()
