"""The typed value of a sound cell."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

LIST_SEPARATOR = "|"
END_OF_TIME = "9999-12-31"
"""The last day of what has none, as tables write days."""


def split_list(cell: str) -> tuple[str, ...]:
    """The items of a list cell; an empty cell has none."""
    return tuple(cell.split(LIST_SEPARATOR)) if cell else ()


def as_date(cell: str) -> date | None:
    """None for an empty cell.  Raises ValueError for what is no calendar date."""
    return date.fromisoformat(cell) if cell else None


def as_decimal(cell: str) -> Decimal | None:
    """None for an empty cell."""
    return Decimal(cell) if cell else None
