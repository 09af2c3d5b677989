"""Rules as a version packs them, taken apart, changed and packed again: what damages them in tests."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "RULES#000"


def repacked(item: dict[str, Any], change: Callable[[bytes], bytes]) -> dict[str, Any]:
    """The item with its lines changed, all of them in one chunk."""
    lines = gzip.decompress(item["packed"]["B"])
    changed = change(lines)
    assert changed != lines
    return item | {"packed": {"B": gzip.compress(changed)}}


def without_first_rule(lines: bytes) -> bytes:
    """The rest of them."""
    return lines.split(b"\n", 1)[1]


def with_another_rule(lines: bytes) -> bytes:
    """The last rule again, under an id of nobody."""
    rule = lines.rsplit(b"\n", 1)[-1].partition(b" ")[2]
    return lines + b"\nzzz.of-nobody " + rule


def with_no_json(lines: bytes) -> bytes:
    """A last rule that is no JSON."""
    return lines[:-10]
