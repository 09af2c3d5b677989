"""The texts of a rule: `{fact.name}` in a message or a remedy shows the value of the fact on the judged line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.plain_values import plain_value
from infusion_orders.facts.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def placeholders(text: str) -> list[str]:
    """Return the names of the facts that the text shows, from left to right."""
    return _PLACEHOLDER.findall(text)


def rendered(text: str, facts: Mapping[str, Any]) -> str:
    """Return the text with the value of each fact that it shows; an unknown fact shows as `(not known)`."""
    return _PLACEHOLDER.sub(lambda placeholder: _shown(facts[placeholder[1]]), text)


def _shown(value: Any) -> str:
    if isinstance(value, Unknown):
        return "(not known)"
    plain = plain_value(value)
    return ", ".join(plain) if isinstance(plain, list) else str(plain)
