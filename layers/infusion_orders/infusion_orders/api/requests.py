"""A request of a route, and how its body, query parameters and headers are read."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from infusion_orders.api.caller import authenticate, authenticate_staff
from infusion_orders.api.errors import InvalidRequest, NotFound, UnsupportedMediaType, WrongPart
from infusion_orders.orders.parsing import MalformedJson
from infusion_orders.orders.suggestions import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from infusion_orders.api.observability import Notes
    from infusion_orders.api.routes import ApiRoute
    from infusion_orders.store.partners import Partner, PartnerStore

UNKNOWN = "(unknown)"
"""Shown in place of a name that the API does not know: it could be anything, even a member's name."""

LONGEST_CONTENT_TYPE = 256
"""The time to match grows with the square of the length."""

_JSON = re.compile(r"application/json\s*(;\s*charset\s*=\s*\"?utf-8\"?\s*)?;?\s*", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_VERSION = re.compile(r"[1-9]\d{0,5}")


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a route: its event, which has the form of `events.usable_event`, and what is noted about it."""

    event: Mapping[str, Any]
    route: ApiRoute
    path_parameters: Mapping[str, str]
    notes: Notes
    milliseconds_left: Callable[[], int]

    def authenticate(self, partners: PartnerStore) -> Partner:
        """The partner who may call this route; noted for the log.  Raises Unauthenticated, NotAllowed."""
        partner = authenticate(self.event, partners, self.route.scope)
        self.notes.note(partner=partner.client_id)
        return partner

    def authenticate_staff(self) -> str:
        """The member of the staff who may call this route; noted for the log.  Raises Unauthenticated, NotAllowed."""
        person = authenticate_staff(self.event, self.route.scope)
        self.notes.note(person=person)
        return person


@dataclass(frozen=True, slots=True)
class DecisionQuery:
    """How the caller wants the order decided; with `as_of` or `ruleset_version` a past decision is reproduced."""

    explain_all: bool = False
    as_of: date | None = None
    ruleset_version: int | None = None

    @property
    def reproduces(self) -> bool:
        """Whether the caller asks for a past decision instead of a new one."""
        return self.as_of is not None or self.ruleset_version is not None


def json_body(event: Mapping[str, Any]) -> bytes:
    """The bytes that the partner sent.

    Raises UnsupportedMediaType, or MalformedJson for a body whose base64 encoding is broken.
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
        raise MalformedJson("the body is not valid base64, although it is marked as such") from None


def version_number(text: str) -> int:
    """The version number in a path.  Raises NotFound for any other text."""
    if _VERSION.fullmatch(text) is None:
        raise NotFound("A version is a number from 1 to 999999.")
    return int(text)


def require_ulid(decision_id: str) -> str:
    """The id itself, if it is a ULID.

    Raises NotFound for any other text, so that only ids reach the table and the log.
    """
    if _ULID.fullmatch(decision_id) is None:
        raise NotFound("You have no decision with this id.")
    return decision_id


def header(event: Mapping[str, Any], name: str) -> str | None:
    """A header by its lower-case name, whatever case the client used; None when it was not sent."""
    for given, value in (event.get("headers") or {}).items():
        if given.lower() == name:
            return str(value)
    return None


def idempotency_key(event: Mapping[str, Any]) -> str | None:
    """The Idempotency-Key, if one was sent.  Raises InvalidRequest for a key that does not match `_KEY`."""
    key = header(event, "idempotency-key")
    if key is None or _KEY.fullmatch(key):
        return key
    raise InvalidRequest(WrongPart("header", "Idempotency-Key", "must have 1 to 128 characters of A-Z a-z 0-9 . _ : -"))


def decision_query(event: Mapping[str, Any], *, today: date) -> DecisionQuery:
    """Read `explain`, `as_of` and `ruleset_version`.

    Raises InvalidRequest for unknown, repeated or invalid query parameters, and for an `as_of` after today.
    """
    given = _query(event)
    if not given:
        return DecisionQuery()
    errors = [_unknown(name, _PARAMETERS) for name in given if name not in _PARAMETERS]
    read: dict[str, Any] = {}
    for name, (field, parse, problem) in _PARAMETERS.items():
        values = given.get(name)
        if values is None:
            continue
        value = parse(values[0]) if len(values) == 1 else None
        if value is None:
            errors.append(WrongPart("parameter", name, problem if len(values) == 1 else "must be sent only once"))
        read[field] = value
    if read.get("as_of") is not None and read["as_of"] > today:
        errors.append(WrongPart("parameter", "as_of", "must not be after today (UTC)"))
    if errors:
        raise InvalidRequest(*dict.fromkeys(errors))
    return DecisionQuery(**read)


def refuse_parameters(event: Mapping[str, Any]) -> None:
    """Raise InvalidRequest if there is any query parameter."""
    if _query(event):
        raise InvalidRequest(WrongPart("parameter", UNKNOWN, "this route takes no query parameters"))


def query_parameters(event: Mapping[str, Any], *names: str) -> dict[str, str]:
    """The query parameters that were sent.  Raises InvalidRequest for names other than these and for repeated ones."""
    given = _query(event)
    errors = [_unknown(name, names) for name in given if name not in names]
    errors += [
        WrongPart("parameter", name, "must be sent only once")
        for name, values in given.items()
        if name in names and len(values) != 1
    ]
    if errors:
        raise InvalidRequest(*dict.fromkeys(errors))
    return {name: values[0] for name, values in given.items()}


def require_choice(query: Mapping[str, str], name: str, choices: Sequence[str]) -> None:
    """Raise InvalidRequest if the parameter was sent and is not one of the choices."""
    if name in query and query[name] not in choices:
        raise InvalidRequest(WrongPart("parameter", name, f"must be one of {', '.join(choices)}"))


def _query(event: Mapping[str, Any]) -> Mapping[str, list[str]]:
    return event.get("multiValueQueryStringParameters") or {
        name: [value] for name, value in (event.get("queryStringParameters") or {}).items()
    }


def _unknown(name: str, known: Iterable[str]) -> WrongPart:
    near = nearest(name, known)
    hint = f"did you mean {near}?" if near else f"this route takes {', '.join(known)}"
    return WrongPart("parameter", UNKNOWN, f"is unknown; {hint}")


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
        "must be the number of a version, 1 to 999999",
    ),
}
