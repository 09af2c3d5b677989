"""Work shared out to processes: its order, how far ahead it is read, and what is left when it ends in any way."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from infusion_orders_cli.workers import AHEAD, WorkerLost, done_in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 20


def numbered(pieces: int) -> Iterator[tuple[int, int]]:
    return ((10 * number, number) for number in range(pieces))


def slow_at_first(number: int) -> tuple[int, int]:
    time.sleep(0.2 if number % 2 == 0 else 0)
    return number, os.getpid()


def no_process_is_left() -> bool:
    return multiprocessing.active_children() == []


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_keep_the_order_and_tags_of_the_work(workers: int) -> None:
    found = list(done_in_order(numbered(9), slow_at_first, workers=workers))

    assert [(tag, number) for tag, (number, _process) in found] == list(numbered(9))
    assert no_process_is_left()


def test_first_pieces_are_done_here_and_others_by_workers() -> None:
    processes = [process for _tag, (_n, process) in done_in_order(numbered(8), slow_at_first, workers=2, alone=2)]

    assert [process == os.getpid() for process in processes] == [True, True] + 6 * [False]
    assert len(set(processes[2:])) == 2


def test_one_worker_is_this_process() -> None:
    assert {process for _tag, (_n, process) in done_in_order(numbered(4), slow_at_first, workers=1)} == {os.getpid()}


def test_look_ahead_is_bounded() -> None:
    read: list[int] = []

    def counted() -> Iterator[tuple[int, int]]:
        for tag, number in numbered(1000):
            read.append(number)
            yield tag, number

    with closing(done_in_order(counted(), abs, workers=2)) as done:
        next(done)
        time.sleep(0.5)

        assert 2 <= len(read) <= AHEAD * 2 + 1
    assert no_process_is_left()


def test_result_is_yielded_while_the_next_piece_is_awaited() -> None:
    given_out = threading.Event()

    def waiting() -> Iterator[tuple[int, int]]:
        yield 0, 0
        assert given_out.wait(PATIENCE)
        yield 1, -1

    with closing(done_in_order(waiting(), abs, workers=2)) as done:
        assert next(done) == (0, 0)
        given_out.set()
        assert next(done) == (1, 1)


def broken_at_3(number: int) -> int:
    if number == 3:
        raise LookupError("order 3")
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_error_of_a_piece_comes_after_earlier_results(workers: int) -> None:
    found: list[int] = []

    with (
        pytest.raises(LookupError, match="order 3"),
        closing(done_in_order(numbered(9), broken_at_3, workers=workers)) as done,
    ):
        found.extend(number for _tag, number in done)

    assert found == [0, 1, 2]
    assert no_process_is_left()


def test_error_of_the_source_comes_after_earlier_results() -> None:
    def unreadable() -> Iterator[tuple[int, int]]:
        yield from numbered(2)
        raise OSError("unreadable")

    found: list[int] = []

    with pytest.raises(OSError, match="unreadable"):
        found.extend(number for _tag, number in done_in_order(unreadable(), abs, workers=2))

    assert found == [0, 1]
    assert no_process_is_left()


def test_closed_generator_leaves_no_process() -> None:
    with closing(done_in_order(numbered(1000), slow_at_first, workers=2)) as done:
        next(done)
        assert len(multiprocessing.active_children()) == 2

    assert no_process_is_left()


def killed_at_3(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_killed_worker_raises_worker_lost() -> None:
    with pytest.raises(WorkerLost, match="out of memory"):
        list(done_in_order(numbered(9), killed_at_3, workers=2))

    assert no_process_is_left()
