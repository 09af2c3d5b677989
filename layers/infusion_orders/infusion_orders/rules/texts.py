"""The texts of a rule: `{fact.name}` in a message or remedy shows the fact's value on the line that was judged."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.case import plain_value
from infusion_orders.facts.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def placeholders(text: str) -> list[str]:
    """Return the names of the facts that the text shows, from left to right."""
    return _PLACEHOLDER.findall(text)


def rendered(text: str, facts: Mapping[str, Any]) -> str:
    """The text with its placeholders filled; an unknown fact shows as such."""
    pieces = _pieces(text)
    if len(pieces) == 1:
        return text
    shown = list(pieces)
    for position in range(1, len(pieces), 2):
        shown[position] = _shown(facts[pieces[position]])
    return "".join(shown)


@lru_cache(maxsize=2_048)
def _pieces(text: str) -> tuple[str, ...]:
    """What stands between placeholders, and in every second place a placeholder's fact."""
    return tuple(_PLACEHOLDER.split(text))


def _shown(value: Any) -> str:
    if isinstance(value, Unknown):
        return "(not known)"
    plain = plain_value(value)
    return ", ".join(plain) if isinstance(plain, list) else str(plain)
