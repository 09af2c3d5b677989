"""Missing information is a value: an unknown fact names what it still needs, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
