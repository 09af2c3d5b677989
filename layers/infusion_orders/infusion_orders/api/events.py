"""The event of a request: fields of an unexpected type count as missing.

API Gateway never sends such fields, but anyone who may invoke the function can.  Those requests are refused like any
other, and nothing that they hold reaches a log.
"""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]

_ID = re.compile(r"[A-Za-z0-9=_-]{1,128}")


def usable_event(given: object) -> Json:
    """The fields that the functions read, each with the type that API Gateway gives it.

    A query parameter of another type becomes an empty text and is not left out, so that it is refused.
    """
    event = _object(given)
    context = _object(event.get("requestContext"))
    authorizer = _object(context.get("authorizer"))
    return {
        "resource": _text(event.get("resource")),
        "path": _path(event.get("path")),
        "httpMethod": _text(event.get("httpMethod")),
        "headers": _texts(event.get("headers")),
        "queryStringParameters": {name: _text(value) for name, value in _named(event.get("queryStringParameters"))},
        "multiValueQueryStringParameters": {
            name: _list(value) for name, value in _named(event.get("multiValueQueryStringParameters"))
        },
        "requestContext": {
            "requestId": usable_id(context.get("requestId")),
            "authorizer": {"claims": _object(authorizer.get("claims"))},
        },
        "body": _text(event.get("body")),
        "isBase64Encoded": event.get("isBase64Encoded") is True,
    }


def usable_id(given: object) -> str | None:
    """The id of a request, if it looks like one that API Gateway makes."""
    return given if isinstance(given, str) and _ID.fullmatch(given) else None


def _object(given: object) -> Json:
    return given if isinstance(given, dict) else {}


def _named(given: object) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in _object(given).items() if isinstance(name, str)]


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""


def _path(given: object) -> str:
    """The path, or an empty text if it has no leading slash or has characters such as line breaks."""
    path = _text(given)
    return path if path.startswith("/") and path.isprintable() else ""


def _texts(given: object) -> dict[str, str]:
    return {name: value for name, value in _named(given) if isinstance(value, str)}


def _list(given: object) -> list[str]:
    return [_text(value) for value in given] if isinstance(given, list) else [""]
