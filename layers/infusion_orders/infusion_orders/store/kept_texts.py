"""Long texts in items: readable as they stand while they are small, compressed when they are not."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_READABLE = 60_000
"""Bytes; an item holds 400 KB in all."""
MOST_BYTES_OF_A_CHARACTER = 4


def kept(text: str) -> dict[str, Any]:
    """The attribute that holds the text."""
    if len(text) * MOST_BYTES_OF_A_CHARACTER <= LARGEST_READABLE:
        return {"S": text}
    encoded = text.encode()
    return {"S": text} if len(encoded) <= LARGEST_READABLE else {"B": gzip.compress(encoded, mtime=0)}


def text_of(attribute: Mapping[str, Any]) -> str:
    """The text; in an export to S3 binary attributes are base64.  Raises KeyError, ValueError or OSError."""
    if "S" in attribute:
        return str(attribute["S"])
    packed = attribute["B"]
    return gzip.decompress(base64.b64decode(packed, validate=True) if isinstance(packed, str) else packed).decode()
