"""Missing information is a value: what an unknown fact still needs, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a fact is unknown: nothing was sent, or what was sent fails its check."""

    MISSING = "missing"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Need:
    """One asked fact that the partner could supply: `line` is the line's index, None for the order's own facts."""

    fact: str
    line: int | None
    reason: Reason
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """An unknown fact: once every need is answered with a valid value, the fact is known.

    `needs` is empty only for a fault: a derived fact whose inputs are all known has a value, if only one that says
    that the tables do not list it.
    """

    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Fault(Unknown):
    """A fact whose derivation failed: no answer of the partner's would help, and no rule may rest on it."""

    needs: tuple[Need, ...] = ()


class FaultyFact(Exception):
    """A rule wants a fact whose derivation failed; the text is the fact's name."""


def unknown_of(*values: object) -> Unknown | None:
    """The needs of all unknown ones among the values, without repeats; None when all are known, a fault if one is."""
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
