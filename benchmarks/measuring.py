"""Contenders side by side: each round times all of them, so that a ratio compares what ran at the same time."""

from __future__ import annotations

import gc
import statistics
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROUNDS = 7
LEAST_SECONDS = 0.05
"""Of one contender in one round: a hundred thousand times the clock's resolution."""


@dataclass(frozen=True)
class Times:
    """Seconds of one call, by round; all contenders of a measurement have as many rounds."""

    name: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Of the rounds, in seconds."""
        return statistics.median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """The fastest and the slowest round, in seconds."""
        return min(self.rounds), max(self.rounds)

    def each(self, things: int) -> Times:
        """Of one thing, where a call does so many."""
        return Times(self.name, tuple(seconds / things for seconds in self.rounds))

    def ratio_to(self, other: Times) -> float:
        """This over the other: the median of the ratios within each round."""
        return statistics.median(mine / its for mine, its in zip(self.rounds, other.rounds, strict=True))

    def longer_than(self, other: Times) -> float:
        """Seconds by which this takes longer: the median of the differences within each round."""
        return statistics.median(mine - its for mine, its in zip(self.rounds, other.rounds, strict=True))


def side_by_side(
    contenders: Mapping[str, Callable[[], object]], *, rounds: int = ROUNDS, least_seconds: float = LEAST_SECONDS
) -> dict[str, Times]:
    """Each contender's times by its name.

    How often a contender is called in a round is found before the first: so often that it takes `least_seconds`.
    Every round begins with another contender; garbage is collected between them, and not while one runs.  What was
    there before is left out of that: to look through it each time would take longer than what is measured.
    """
    names = list(contenders)
    found: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.freeze()
    try:
        calls = {name: _calls_of(call, least_seconds) for name, call in contenders.items()}
        for number in range(rounds):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                found[name].append(_timed(contenders[name], calls[name]))
    finally:
        gc.unfreeze()
    return {name: Times(name, tuple(times)) for name, times in found.items()}


def _calls_of(call: Callable[[], object], least_seconds: float) -> int:
    """The first call, which may build what later ones find, does not count."""
    call()
    calls = 1
    while (seconds := _timed(call, calls) * calls) < least_seconds:
        calls = max(calls + 1, int(calls * min(1.2 * least_seconds / max(seconds, 1e-9), 100)))
    return calls


def _timed(call: Callable[[], object], calls: int) -> float:
    gc.collect()
    gc.disable()
    try:
        started = perf_counter()
        for _ in range(calls):
            call()
        return (perf_counter() - started) / calls
    finally:
        gc.enable()


def growth(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The exponent k of the power law `value = c * size ** k` that fits best on logarithmic axes: 1 is linear."""
    from math import log

    return statistics.linear_regression([log(size) for size in sizes], [log(value) for value in values]).slope
