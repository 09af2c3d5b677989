"""Work shared by several processes: results come in the order of the work, and memory stays flat.

The processes are forked, so that what they need, such as a compiled rule set, is there and is never sent.  Where the
system cannot fork, or one process is asked for, this process does the work.
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import chain, islice
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from concurrent.futures import Future, ProcessPoolExecutor

    Pending = Queue[tuple[Any, Future[Any]] | None]

AHEAD = 3
"""Pieces of work that are read ahead for each process."""

Tag = TypeVar("Tag")
Piece = TypeVar("Piece")
Done = TypeVar("Done")


class WorkerLost(Exception):
    """A process ended before its work was done."""


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def done_in_order(
    work: Iterable[tuple[Tag, Piece]], do: Callable[[Piece], Done], *, workers: int, alone: int = 0
) -> Generator[tuple[Tag, Done], None, None]:
    """Do each piece and yield the results with their tags, in the order of the work.

    Pieces and results are pickled, tags and `do` are not.  This process does the first `alone` pieces itself: so little
    work is done sooner than processes start.  When the generator is closed or exhausted, no process is left.
    Raises what the work and `do` raise, and WorkerLost.
    """
    import multiprocessing

    pieces = iter(work)
    here = None if workers == 1 or "fork" not in multiprocessing.get_all_start_methods() else alone
    for tag, piece in islice(pieces, here):
        yield tag, do(piece)
    for first in islice(pieces, 1):
        yield from _done_by_processes(chain([first], pieces), do, workers)


def _done_by_processes(
    work: Iterable[tuple[Tag, Piece]], do: Callable[[Piece], Done], workers: int
) -> Generator[tuple[Tag, Done], None, None]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    pending: Pending = Queue(AHEAD * workers - 1)
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), initializer=_start, initargs=(do,))
    try:
        pool.submit(int)  # forks all processes before this one has a second thread
        Thread(target=_feed, args=(work, pool, pending), daemon=True).start()
        while (entry := pending.get()) is not None:
            yield entry[0], entry[1].result()
    except BrokenProcessPool:
        raise WorkerLost("A worker process ended before its work was done: killed, or out of memory?") from None
    finally:
        pool.shutdown(cancel_futures=True)
        with suppress(Empty):  # makes room, so that the feeding thread ends at its next piece
            while True:
                pending.get_nowait()


def _feed(work: Iterable[tuple[Any, Any]], pool: ProcessPoolExecutor, pending: Pending) -> None:
    """Submit the work from a thread of its own, so that results are yielded while the next piece is waited for."""
    from concurrent.futures import Future

    try:
        for tag, piece in work:
            pending.put((tag, pool.submit(_do_piece, piece)))
    except BaseException as error:  # whatever it is, the caller must meet it
        failed: Future[Any] = Future()
        failed.set_exception(error)
        pending.put((None, failed))
    pending.put(None)


_do: Callable[[Any], Any] = int


def _start(do: Callable[[Any], Any]) -> None:
    """Prepare a worker process: it ignores Ctrl-C, which is for its parent, and it ends with its parent.

    Objects from before the fork are left out of garbage collection, so that their memory stays shared.
    """
    import gc
    import signal

    global _do
    _do = do
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()


def _end_with_parent() -> None:
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do_piece(piece: Any) -> Any:
    return _do(piece)
