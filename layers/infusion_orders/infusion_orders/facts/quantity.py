"""An amount with its unit, as ordered: a dose or a vial's content."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003 - read by pydantic


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount in one of the order's dose units (`mg`, `mcg/kg`, ...)."""

    value: Decimal
    unit: str
