"""Missing information is a value: an unknown fact names what it still needs, and why.

Truths follow the strong Kleene logic: one is True, False, or an Unknown with the needs that would settle it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class Reason(StrEnum):
    """Why a fact is unknown: nothing was sent, or what was sent fails its check."""

    MISSING = "missing"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Need:
    """An asked fact that the partner could supply.

    `line` is the index of its line, None for a fact of the order.  `hint` says what a valid value looks like.
    """

    fact: str
    line: int | None
    reason: Reason
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The value of an unknown fact, which becomes known once every need is answered with a valid value.

    Only a Fault has no needs: a derived fact whose inputs are all known has a value, even if that value says that the
    tables have no answer.
    """

    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Fault(Unknown):
    """The value of a fact whose derivation failed: no answer would help, and no rule may use it."""

    needs: tuple[Need, ...] = ()


Truth = bool | Unknown


class FaultyFact(Exception):
    """A rule needs a fact whose derivation failed; the text is the fact's name."""


def unknown_of(*values: object) -> Unknown | None:
    """Return one Unknown with the needs of all unknown values, a Fault if one of them is, None if all are known."""
    for value in values:
        if isinstance(value, Unknown):
            break
    else:
        return None
    needs: dict[Need, None] = {}
    for value in values:
        if isinstance(value, Fault):
            return value
        if isinstance(value, Unknown):
            needs.update(dict.fromkeys(value.needs))
    return Unknown(tuple(needs)) if needs else None


def some(truths: Iterable[Truth]) -> Truth:
    """Return true as soon as one is true, else unknown with the needs of all that are unknown, else false."""
    return _until(truths, settled=True)


def every(truths: Iterable[Truth]) -> Truth:
    """Return false as soon as one is false, else unknown with the needs of all that are unknown, else true."""
    return _until(truths, settled=False)


def negated(truth: Truth) -> Truth:
    """Return the opposite of a truth; an unknown one stays unknown."""
    return truth if isinstance(truth, Unknown) else not truth


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
