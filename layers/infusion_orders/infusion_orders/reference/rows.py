"""The rows that look-ups in the reference tables return.  They are immutable."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True)
class Code:
    """A HCPCS or CPT code in one period of its life.

    `unit_quantity` and `unit` say what one billed unit is (10 `mg`, 1 `day`); both are None where the code is billed
    by the item.  `unit_kind` is `exact`, `up_to` (any part of it is a whole unit), `combo_total` (a combination
    product: the quantity is the sum of its parts) or `combo_first_component` (the quantity is that of its first
    part).  `therapy` is `any` for a code that goes with every therapy.  `not_with` holds codes and code groups that may
    not be billed together with this one.
    """

    hcpcs: str
    name: str
    group: str
    therapy: str
    unit_quantity: Decimal | None
    unit: str | None
    unit_kind: str | None
    routes: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    not_with: tuple[str, ...]
    basis: str

    def excludes(self, other: Code) -> bool:
        """Return whether either of the two codes says that they may not be billed together."""
        return (
            other.hcpcs in self.not_with
            or other.group in self.not_with
            or self.hcpcs in other.not_with
            or self.group in other.not_with
        )


@dataclass(frozen=True, slots=True)
class Successor:
    """The code that replaced one that ended.  The two may overlap, and the successor may be the older code."""

    hcpcs: str
    valid_to: date
    successor: str
    successor_from: date


@dataclass(frozen=True, slots=True)
class Therapy:
    """A therapy on one date.  `listed`: the manual lists it as approved (M-7)."""

    name: str
    title: str
    listed: bool
    acute: bool
    basis: str


@dataclass(frozen=True, slots=True)
class CcsPresumption:
    """What a diagnosis lets one presume about CCS eligibility: `eligible`, `conditional` or `not_eligible`.

    `section` is the section of Title 22 CCR; `what_must_be_known` is empty unless the presumption is conditional.
    """

    icd10_from: str
    icd10_to: str
    presumption: str
    section: str
    what_must_be_known: str


@dataclass(frozen=True, slots=True)
class Rung:
    """A per-diem code of a therapy's ladder.

    `measure` is what the code depends on: `interval_hours` between administrations, `daily_volume_ml`, `infusion`
    (`continuous` or `intermittent`), or `none` for the generic code.
    """

    hcpcs: str
    therapy: str
    measure: str
    equals: str
    above: Decimal | None
    at_most: Decimal | None

    def holds(self, value: Decimal | str) -> bool:
        """Return whether the code is for this value: a number for the first two measures, a word for the third."""
        if isinstance(value, str):
            return value == self.equals
        if self.equals:
            return value == Decimal(self.equals)
        return (self.above is None or value > self.above) and (self.at_most is None or value <= self.at_most)


@dataclass(frozen=True, slots=True)
class CodePair:
    """Another code that a code `needs`, `expects` or `excludes`, for one line of business or for any (`*`)."""

    hcpcs: str
    relation: str
    other: str
    line_of_business: str
