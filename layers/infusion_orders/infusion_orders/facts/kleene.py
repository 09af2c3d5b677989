"""Strong Kleene logic over facts: a truth is True, False, or an Unknown with the needs that would settle it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.unknown import Unknown, unknown_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    Truth = bool | Unknown


def some(truths: Iterable[Truth]) -> Truth:
    """Return true as soon as one is true, else unknown with the needs of all that are unknown, else false."""
    return _until(truths, settled=True)


def every(truths: Iterable[Truth]) -> Truth:
    """Return false as soon as one is false, else unknown with the needs of all that are unknown, else true."""
    return _until(truths, settled=False)


def negated(truth: Truth) -> Truth:
    """Return the opposite of a truth; an unknown one stays unknown."""
    return truth if isinstance(truth, Unknown) else not truth


def equal(value: Any, other: Any) -> Truth:
    """Return whether two values are equal, unknown while one of them is."""
    return unknown_of(value, other) or value == other


def known_or_none(value: Any) -> Any:
    """Return the value, or None while it is unknown: for texts that are shown and decide nothing."""
    return None if isinstance(value, Unknown) else value


def _until(truths: Iterable[Truth], *, settled: bool) -> Truth:
    unknown: list[Unknown] = []
    for truth in truths:
        if truth is settled:
            return settled
        if isinstance(truth, Unknown):
            unknown.append(truth)
    return unknown_of(*unknown) or (not settled)
