"""Why a request is refused.  `problems` turns each of these, and the failures of other rooms, into an HTTP answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable


class Unauthenticated(Exception):
    """The request context has no claims of a verified access token."""


class NotAllowed(Exception):
    """The caller is known, but may not do this; the text tells the caller what is missing."""


@dataclass(frozen=True, slots=True)
class WrongPart:
    """One invalid query parameter or header, and why."""

    part: Literal["parameter", "header"]
    name: str
    problem: str


class InvalidRequest(Exception):
    """Query parameters or headers are invalid: all of them at once, so that a partner can fix them together."""

    def __init__(self, *errors: WrongPart) -> None:
        super().__init__()
        self.errors = errors


class UnsupportedMediaType(Exception):
    """The Content-Type of the body is not application/json in UTF-8."""


class NotFound(Exception):
    """The path or thing does not exist; the text is for the caller."""


class MethodNotAllowed(Exception):
    """The path exists, but not with this method; `allowed` is sorted, for the Allow header."""

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__()
        self.allowed = tuple(sorted(allowed))


class AnswerTooLarge(Exception):
    """The answer would exceed what Lambda passes, or take too long; the text is for the caller."""


class TooManyFlips(Exception):
    """More recorded decisions would change than the caller allows, or the number is not known; the text says which."""
