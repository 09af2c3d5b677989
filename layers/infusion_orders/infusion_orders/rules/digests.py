"""Canonical JSON (RFC 8785) of what this project stores and signs, and SHA-256 digests.

Stored JSON holds text, whole numbers, booleans, null, lists and objects.  Fractions are text, so the one hard part of
the RFC, printing floats, does not arise, and the encoder of the standard library is enough.  pydantic's encoder takes a
third of its time but does not sort keys.  A property test checks both against an implementation of the RFC.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic_core import to_json

_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":"))


def canonical_json(plain: Any) -> bytes:
    """Return canonical JSON in UTF-8.  Numbers must be integers of at most 2^53 - 1, and keys must be ASCII."""
    return _ENCODER.encode(plain).encode("utf-8")


def canonical_json_of_sorted(plain: Any) -> bytes:
    """Return canonical JSON of objects whose ASCII keys are already sorted."""
    return to_json(plain)


def digest(content: bytes) -> str:
    """Return `sha256:` and the 64 hexadecimal digits of the SHA-256 of the content."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
