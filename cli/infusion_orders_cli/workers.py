"""Work done by processes side by side: its results in the order of the work, and memory that stays flat.

The processes are forked, so that what they need, such as a compiled rule set, is there and never sent.  Where a system
cannot fork, or one process is asked for, the work is done here.
"""

from __future__ import annotations

import os
from itertools import chain, islice
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from concurrent.futures import Future
    from queue import SimpleQueue

AHEAD = 3
"""Pieces of work that wait for each process."""

Workers = Annotated[int | None, typer.Option(min=1, max=64, help="Processes.", show_default="one a processor")]

Tag = TypeVar("Tag")
Piece = TypeVar("Piece")
Done = TypeVar("Done")


class WorkerLost(Exception):
    """A process was ended from outside, or for want of memory, before its work was done."""


def processors() -> int:
    """Those that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def done_in_order(
    work: Iterable[tuple[Tag, Piece]], do: Callable[[Piece], Done], *, workers: int, alone: int = 0
) -> Generator[tuple[Tag, Done], None, None]:
    """Each piece done, with its tag, in the order of the work.

    Pieces and what comes of them are pickled, tags and `do` are not.  The first `alone` pieces are done here: less
    work than that is sooner done than processes are started.  Close the iterator, or exhaust it, and no process is
    left.  Raises what the work and `do` raise, and WorkerLost.
    """
    import multiprocessing

    pieces = iter(work)
    here = None if workers == 1 or "fork" not in multiprocessing.get_all_start_methods() else alone
    for tag, piece in islice(pieces, here):
        yield tag, do(piece)
    for first in islice(pieces, 1):
        yield from _side_by_side(chain([first], pieces), do, workers)


def _side_by_side(
    work: Iterable[tuple[Tag, Piece]], do: Callable[[Piece], Done], workers: int
) -> Generator[tuple[Tag, Done], None, None]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from queue import SimpleQueue

    waiting: SimpleQueue[tuple[Tag, Future[Done]] | None] = SimpleQueue()
    room, ended = Semaphore(AHEAD * workers), Event()
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(do,))
    try:
        pool.submit(_nothing)  # forks all of them, while this process has no thread
        Thread(target=_feed, args=(work, pool.submit, waiting, room, ended), daemon=True).start()
        while (entry := waiting.get()) is not None:
            yield entry[0], entry[1].result()
            room.release()
    except BrokenProcessPool:
        raise WorkerLost("A worker process ended before its work was done: killed, or out of memory?") from None
    finally:
        ended.set()
        room.release()
        pool.shutdown(cancel_futures=True)


def _feed(
    work: Iterable[tuple[Any, Any]],
    submit: Callable[..., Future[Any]],
    waiting: SimpleQueue[tuple[Any, Future[Any]] | None],
    room: Semaphore,
    ended: Event,
) -> None:
    """In a thread of its own, so that results are given out while the next piece of work is waited for."""
    from concurrent.futures import Future

    try:
        for tag, piece in work:
            room.acquire()
            if ended.is_set():
                return
            waiting.put((tag, submit(_done, piece)))
    except BaseException as error:  # whatever it is, the caller is to meet it
        failed: Future[Any] = Future()
        failed.set_exception(error)
        waiting.put((None, failed))
    waiting.put(None)


_do: Callable[[Any], Any] | None = None


def _begin(do: Callable[[Any], Any]) -> None:
    """In each process: Ctrl-C is for the one that started it, and none outlives that one, however it ended.

    What was there before the fork is left out when garbage is collected, so that its memory stays shared.
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


def _nothing() -> None:
    """Work of no length."""


def _done(piece: Any) -> Any:
    if _do is None:
        raise RuntimeError("this process was not told what to do")
    return _do(piece)
