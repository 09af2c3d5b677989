"""Running a replay: pages to worker processes, reports back, and how far it came on disk after each page."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.decisions.replay_report import ReplayReport, report_of
from infusion_orders.store.recorded_decisions import Position
from infusion_orders_cli.workers import done_in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from infusion_orders.rules.rule_set import RuleSet
    from infusion_orders.store.recorded_decisions import TableSource
    from infusion_orders_cli.rules.replay_sources import ExportSource

    Source = ExportSource | TableSource
    Progress = Callable[[float, int], None]
    """Told the share of the source that is done, and how many decisions that were."""


class OtherReplay(Exception):
    """The state on disk is of another replay; the text says what to do."""


@dataclass(slots=True)
class _State:
    """How far the replay came.  Without a path nothing is kept."""

    path: Path | None
    of: dict[str, Any]
    mark: Position | None
    report: ReplayReport

    def keep(self) -> None:
        """Whole or not at all: whoever is killed while writing finds the state of the page before."""
        if self.path is None or self.mark is None:
            return
        written = {"of": self.of, "mark": asdict(self.mark), "report": self.report.plain()}
        new = self.path.with_name(self.path.name + ".new")
        new.write_text(json.dumps(written), encoding="utf-8")
        new.replace(self.path)


def run(
    source: Source, candidate: RuleSet, *, state: Path | None, workers: int, progress: Progress | None
) -> ReplayReport:
    """The report of all pages, merged in their order, so that one mark says all that is done.

    Raises OtherReplay, WorkerLost, and what the source raises; what was merged until then is kept.
    """
    kept = _state(state, {"candidate": candidate.digest, **source.name})
    pages = ((after, decisions) for decisions, after in source.pages(kept.mark))
    with closing(done_in_order(pages, lambda page: report_of(page, candidate), workers=workers)) as reports:
        for mark, report in reports:
            kept.report.merge(report)
            kept.mark = mark
            kept.keep()
            if progress is not None:
                progress(mark.share, kept.report.replayed)
    return kept.report


def _state(path: Path | None, of: dict[str, Any]) -> _State:
    if path is None or not path.exists():
        return _State(path, of, None, ReplayReport())
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        same = written["of"] == json.loads(json.dumps(of))
        state = _State(path, of, Position(**written["mark"]), ReplayReport.from_plain(written["report"]))
    except (ValueError, KeyError, TypeError):
        raise OtherReplay(f"{path} holds no state of a replay: name another file.") from None
    if not same:
        raise OtherReplay(f"{path} holds the state of another replay: remove it, or name another file.")
    return state


@contextmanager
def watched() -> Iterator[Progress | None]:
    """A progress bar with rate and time left, if a person watches."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from infusion_orders_cli.terminal import console

    columns = (
        TextColumn("replaying"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[decisions]} decisions, {task.fields[rate]:.0f} a second"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0, decisions=0, rate=0.0)

        def tell(share: float, decisions: int) -> None:
            elapsed = bar.tasks[0].elapsed or 1.0
            bar.update(task, completed=share, decisions=decisions, rate=decisions / elapsed)

        yield tell
