"""Where the fields of an order in JSON are, and the same order without some of them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Document = dict[str, Any]
Place = tuple[str | int, ...]

REQUIRED = frozenset({"order_id", "member", "member_id", "lines", "line_id"})


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Of every field and list item, whatever it holds, the outer before the inner."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, held in inner:
        yield (*place, step)
        yield from places(held, (*place, step))


def optional_places(document: Document) -> list[Place]:
    """Where a field is that may be left out."""
    return [place for place in places(document) if isinstance(place[-1], str) and place[-1] not in REQUIRED]


def without(document: Document, left_out: Iterable[Place]) -> Document:
    """The order without the fields at these places."""
    sparse = copy.deepcopy(document)
    for place in sorted(left_out, key=len, reverse=True):
        *way, name = place
        parent: Any = sparse
        for step in way:
            parent = parent[step]
        del parent[name]
    return sparse
