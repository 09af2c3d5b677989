"""What a request carries beside the order: its body's bytes, query parameters, and the idempotency key."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from infusion_orders.orders.reading import MalformedJson
from infusion_orders.orders.suggestions import nearest
from infusion_orders.rules.digests import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNKNOWN = "(unknown)"
"""In place of a name that is not of the contract: it could be anything, even a member's."""

LONGEST_CONTENT_TYPE = 256
"""Matching takes time with the square of the length."""

_JSON = re.compile(r"application/json\s*(;\s*charset\s*=\s*\"?utf-8\"?\s*)?;?\s*", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_VERSION = re.compile(r"[1-9]\d{0,5}")


@dataclass(frozen=True, slots=True)
class WrongPart:
    """One query parameter or header that cannot be used, and why."""

    part: Literal["parameter", "header"]
    name: str
    problem: str


class InvalidRequest(Exception):
    """Query parameters or headers do not follow the contract."""

    def __init__(self, *errors: WrongPart) -> None:
        """All of them at once, so that a partner mends them in one go."""
        super().__init__()
        self.errors = errors


class UnsupportedMediaType(Exception):
    """The body is not announced as plain application/json in UTF-8."""


class NothingThere(Exception):
    """No such path or thing; the text is for the caller."""


class MethodNotAllowed(Exception):
    """The path is served, but with other methods."""

    def __init__(self, allowed: Iterable[str]) -> None:
        """Sorted, for the Allow header."""
        super().__init__()
        self.allowed = tuple(sorted(allowed))


class AnswerTooLarge(Exception):
    """The answer would not pass through Lambda; the text is for the caller."""


class TooManyFlips(Exception):
    """More recorded decisions would change than the caller allows, or it cannot be told; the text says which."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How the caller wants the order decided; `as_of` and `ruleset_version` only ever reproduce, and record nothing."""

    explain_all: bool = False
    as_of: date | None = None
    ruleset_version: int | None = None

    @property
    def reproduces(self) -> bool:
        """Whether a past decision is asked for rather than a new one."""
        return self.as_of is not None or self.ruleset_version is not None


def json_body(event: Mapping[str, Any]) -> bytes:
    """The bytes that the partner sent.

    Raises UnsupportedMediaType, or MalformedJson for a body that API Gateway handed over in a broken encoding.
    """
    content_type = header(event, "content-type") or ""
    if len(content_type) > LONGEST_CONTENT_TYPE or not _JSON.fullmatch(content_type):
        raise UnsupportedMediaType
    body: str = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedJson("the body is not in the base64 encoding that it is announced in") from None


def digest_of_body(body: bytes) -> str:
    """What tells a repeated request from another one under the same idempotency key: every byte counts."""
    return digest(body)


def version_number(text: str) -> int:
    """A version in a path.  Raises NothingThere for what is no number of one."""
    if _VERSION.fullmatch(text) is None:
        raise NothingThere("A version is a number, 1 or more.")
    return int(text)


def known_form(decision_id: str) -> str:
    """The id itself, if it is a ULID.

    Raises NothingThere for any other text, so that only ids reach the table and the log.
    """
    if _ULID.fullmatch(decision_id) is None:
        raise NothingThere("You have no decision under this id.")
    return decision_id


def header(event: Mapping[str, Any], name: str) -> str | None:
    """A header by its lower-case name, whatever case the client wrote; None when it was not sent."""
    for given, value in (event.get("headers") or {}).items():
        if given.lower() == name:
            return str(value)
    return None


def idempotency_key(event: Mapping[str, Any]) -> str | None:
    """Raises InvalidRequest for a key that is not 1 to 128 of letters, digits and `._:-`."""
    key = header(event, "idempotency-key")
    if key is None or _KEY.fullmatch(key):
        return key
    raise InvalidRequest(WrongPart("header", "Idempotency-Key", "must be 1 to 128 of A-Z a-z 0-9 . _ : -"))


def asked(event: Mapping[str, Any], *, today: date) -> Asked:
    """Raises InvalidRequest for unknown, repeated or unusable query parameters, and for an `as_of` after today."""
    given = _given(event)
    if not given:
        return Asked()
    errors = [_unknown(name, _PARAMETERS) for name in given if name not in _PARAMETERS]
    read: dict[str, Any] = {}
    for name, (field, parse, problem) in _PARAMETERS.items():
        values = given.get(name)
        if values is None:
            continue
        value = parse(values[0]) if len(values) == 1 else None
        if value is None:
            errors.append(WrongPart("parameter", name, problem if len(values) == 1 else "must be given once"))
        read[field] = value
    if read.get("as_of") is not None and read["as_of"] > today:
        errors.append(WrongPart("parameter", "as_of", "must not be after today (UTC)"))
    if errors:
        raise InvalidRequest(*dict.fromkeys(errors))
    return Asked(**read)


def no_parameters(event: Mapping[str, Any]) -> None:
    """Raises InvalidRequest for any query parameter, on a route that takes none."""
    if _given(event):
        raise InvalidRequest(WrongPart("parameter", UNKNOWN, "this route takes no query parameters"))


def parameters(event: Mapping[str, Any], *names: str) -> dict[str, str]:
    """The query parameters of these names that were sent.  Raises InvalidRequest for others, and for repeated ones."""
    given = _given(event)
    errors = [_unknown(name, names) for name in given if name not in names]
    errors += [
        WrongPart("parameter", name, "must be given once")
        for name, values in given.items()
        if name in names and len(values) != 1
    ]
    if errors:
        raise InvalidRequest(*dict.fromkeys(errors))
    return {name: values[0] for name, values in given.items()}


def _given(event: Mapping[str, Any]) -> Mapping[str, list[str]]:
    return event.get("multiValueQueryStringParameters") or {
        name: [value] for name, value in (event.get("queryStringParameters") or {}).items()
    }


def _unknown(name: str, known: Iterable[str]) -> WrongPart:
    near = nearest(name, known)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
    return WrongPart("parameter", UNKNOWN, f"is not known; {hint}")


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


_PARAMETERS: Mapping[str, tuple[str, Any, str]] = {
    "explain": ("explain_all", lambda text: True if text == "all" else None, "must be `all`, or left out"),
    "as_of": ("as_of", _date, "must be a calendar date, YYYY-MM-DD"),
    "ruleset_version": (
        "ruleset_version",
        lambda text: int(text) if _VERSION.fullmatch(text) else None,
        "must be a version's number, 1 or more",
    ),
}
