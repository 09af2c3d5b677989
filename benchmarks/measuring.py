"""Time several contenders side by side, so that a ratio compares what ran at the same time."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Name = TypeVar("Name", bound=Hashable)

ROUNDS = 7
LEAST_SECONDS = 0.05
"""A contender runs at least this long in a round, which is a hundred thousand times the clock's resolution."""


@dataclass(frozen=True)
class Times:
    """Seconds per call, one value per round.  All contenders of one measurement share the rounds."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median round, in seconds."""
        return statistics.median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """The fastest and the slowest round, in seconds."""
        return min(self.rounds), max(self.rounds)

    def ratio_to(self, other: Times) -> float:
        """Return this over the other: the median of the ratios within each round."""
        return statistics.median(mine / its for mine, its in zip(self.rounds, other.rounds, strict=True))


def side_by_side(
    contenders: Mapping[Name, Callable[[], object]], *, clock: Callable[[], float] = process_time
) -> dict[Name, Times]:
    """Time every contender in every round and return the times by name.

    The clock counts processor time, so other programs disturb less; give `perf_counter` for work that waits.  Each
    round starts with a different contender.  Garbage is collected between contenders and never while one runs; objects
    that existed before are exempt, because scanning them would take longer than the calls.
    """
    names = list(contenders)
    found: dict[Name, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.freeze()
    try:
        calls = {name: _calls_per_round(call, clock) for name, call in contenders.items()}
        for number in range(ROUNDS):
            for name in rotated(names, number):
                found[name].append(_seconds_per_call(contenders[name], calls[name], clock))
    finally:
        gc.unfreeze()
    return {name: Times(tuple(times)) for name, times in found.items()}


def rotated(names: Sequence[Name], number: int) -> list[Name]:
    """Return the names in the order of one round: each round starts with the next name."""
    first = number % len(names)
    return [*names[first:], *names[:first]]


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that this percentage of the values does not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def megabytes(process: int | str = "self", what: str = "VmRSS") -> float:
    """Return the memory that a process holds (`VmHWM`: the most it held); 0 if it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text("ascii").splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) / 1000
    return 0.0


def _calls_per_round(call: Callable[[], object], clock: Callable[[], float]) -> int:
    """Find how many calls take LEAST_SECONDS.  The first call is not counted: it may fill caches."""
    call()
    calls = 1
    while (seconds := _seconds_per_call(call, calls, clock) * calls) < LEAST_SECONDS:
        calls = max(calls + 1, int(calls * min(1.2 * LEAST_SECONDS / max(seconds, 1e-9), 100)))
    return calls


def _seconds_per_call(call: Callable[[], object], calls: int, clock: Callable[[], float]) -> float:
    gc.collect()
    gc.disable()
    try:
        started = clock()
        for _ in range(calls):
            call()
        return (clock() - started) / calls
    finally:
        gc.enable()
