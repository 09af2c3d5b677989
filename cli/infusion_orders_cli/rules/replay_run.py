"""Running a replay: worker processes decide pages of decisions, and the progress is kept on disk after each page."""

from __future__ import annotations

import gzip
import hashlib
import json
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from infusion_orders.decisions.replay_report import ReplayReport, report_of
from infusion_orders.store.recorded_decisions import (
    PAGE_SIZE,
    Position,
    UnreadableExport,
    decisions_in_export,
    recorded_at,
)
from infusion_orders_cli.workers import done_in_order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from infusion_orders.decisions.replay import RecordedDecision
    from infusion_orders.rules.rule_set import RuleSet
    from infusion_orders.store.recorded_decisions import TableSource
    from infusion_orders_cli.terminal import Progress

    Decisions = tuple[RecordedDecision, ...]


class OtherReplay(Exception):
    """The state on disk is not of this replay; the text says what to do."""


@dataclass(frozen=True, slots=True)
class ExportSource:
    """The decisions in files of DynamoDB's export to S3 (DynamoDB JSON, compressed or not).

    Only decisions of the partners, made between the two moments (both included), are replayed; None means no limit.
    """

    files: tuple[Path, ...]
    since: datetime | None = None
    until: datetime | None = None
    partners: tuple[str, ...] | None = None

    @property
    def name(self) -> dict[str, Any]:
        """Names the files by their size and first bytes: reading them whole would take as long as the replay."""
        files = [[path.name, path.stat().st_size, _digest_of_start(path)] for path in self.files]
        moments = [None if at is None else at.isoformat() for at in (self.since, self.until)]
        return {"files": files, "days": moments, "partners": None if self.partners is None else list(self.partners)}

    def pages(self, mark: Position | None) -> Iterator[tuple[Decisions, Position]]:
        """Yield pages from the mark on, or from the beginning.  Raises UnreadableExport."""
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


def _digest_of_start(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.sha256(file.read(65_536)).hexdigest()


@dataclass(slots=True)
class _State:
    """The progress of a replay.  Without a path nothing is kept."""

    path: Path | None
    of: dict[str, Any]
    mark: Position | None
    report: ReplayReport

    def keep(self) -> None:
        """Write all or nothing: a process that is killed while writing leaves the state of the page before."""
        if self.path is None or self.mark is None:
            return
        written = {"of": self.of, "mark": asdict(self.mark), "report": self.report.plain()}
        new = self.path.with_name(self.path.name + ".new")
        new.write_text(json.dumps(written), encoding="utf-8")
        new.replace(self.path)


def replay_pages(
    source: ExportSource | TableSource,
    candidate: RuleSet,
    *,
    state: Path | None,
    workers: int,
    progress: Progress = lambda *_: None,
) -> ReplayReport:
    """Replay all pages and merge their reports in order, so that one mark names all that is done.

    Raises OtherReplay, WorkerLost, and what the source raises; what was merged until then is kept.
    """
    kept = _read_state(state, {"candidate": candidate.digest, **source.name})
    pages = ((after, decisions) for decisions, after in source.pages(kept.mark))
    with closing(done_in_order(pages, lambda page: report_of(page, candidate), workers=workers)) as reports:
        for mark, report in reports:
            kept.report.merge(report)
            kept.mark = mark
            kept.keep()
            progress(mark.share, 1.0, kept.report.replayed)
    return kept.report


def _read_state(path: Path | None, of: dict[str, Any]) -> _State:
    if path is None or not path.exists():
        return _State(path, of, None, ReplayReport())
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        same = written["of"] == json.loads(json.dumps(of))
        state = _State(path, of, Position(**written["mark"]), ReplayReport.from_plain(written["report"]))
    except (ValueError, KeyError, TypeError):
        raise OtherReplay(f"{path} is not the state of a replay: name another file.") from None
    if not same:
        raise OtherReplay(f"{path} is the state of another replay: remove it, or name another file.")
    return state
