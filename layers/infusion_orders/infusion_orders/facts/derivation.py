"""How derived facts combine known and unknown inputs."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from infusion_orders.facts.unknown import Unknown, unknown_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from infusion_orders.facts.case import Facts

    Truth = bool | Unknown
    """True, False, or the needs of what is unknown."""


def from_all(*names: str) -> Callable[[Callable[..., Any]], Callable[[Facts], Any]]:
    """A derivation that needs every one of its inputs: unknown as soon as one of them is, with the needs of all.

    The function gets the facts (for their tables) and the inputs' values.
    """

    def decorate(function: Callable[..., Any]) -> Callable[[Facts], Any]:
        def derive(facts: Facts) -> Any:
            values = [*map(facts.__getitem__, names)]
            return unknown_of(*values) or function(facts, *values)

        derive.__doc__ = function.__doc__
        return derive

    return decorate


Value = TypeVar("Value")
_NOT_YET = object()


def once_a_line(function: Callable[[Facts], Value]) -> Callable[[Facts], Value]:
    """What several facts of a line are derived from is worked out once, and kept among them under its own name."""
    name = f"worked out: {function.__module__}.{function.__name__}"

    @wraps(function)
    def kept(facts: Facts) -> Value:
        value: Value = facts.get(name, _NOT_YET)
        if value is _NOT_YET:
            value = facts[name] = function(facts)
        return value

    return kept


def some(truths: Iterable[Truth]) -> Truth:
    """Kleene `or`: true as soon as one is; else unknown with the needs of all that are unknown; else false."""
    return _until(truths, settled=True)


def every(truths: Iterable[Truth]) -> Truth:
    """Kleene `and`: false as soon as one is; else unknown with the needs of all that are unknown; else true."""
    return _until(truths, settled=False)


def _until(truths: Iterable[Truth], *, settled: bool) -> Truth:
    unknown: list[Unknown] = []
    for truth in truths:
        if truth is settled:
            return settled
        if isinstance(truth, Unknown):
            unknown.append(truth)
    return unknown_of(*unknown) or (not settled)


def no(truth: Truth) -> Truth:
    """Kleene `not`."""
    return truth if isinstance(truth, Unknown) else not truth


def known(value: Any) -> Any:
    """The value, or None while it is unknown: for what is shown and settles nothing."""
    return None if isinstance(value, Unknown) else value
