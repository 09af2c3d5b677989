"""Reading the billing unit from a code's description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_WORDS: dict[tuple[str, ...], tuple[str, str, Decimal]] = {
    ("mg", "mgs", "milligram", "milligrams"): ("mg", "mg", Decimal(1)),
    ("g", "gm", "gms", "gram", "grams"): ("g", "mg", Decimal(1000)),
    ("mcg", "microgram", "micrograms"): ("mcg", "mg", Decimal("0.001")),
    ("unit", "units", "iu", "i.u."): ("unit", "unit", Decimal(1)),
    ("ml", "cc", "milliliter", "milliliters"): ("ml", "ml", Decimal(1)),
    ("meq",): ("meq", "meq", Decimal(1)),
}
_UNITS = {word: unit for words, unit in _WORDS.items() for word in words}
_ALTERNATIVES = "|".join(re.escape(word) for word in sorted(_UNITS, key=len, reverse=True))
_SAME_AS_ONE_UNIT = re.compile(r"= *1 unit\b")
_QUANTITY = re.compile(
    r"(?P<range>\d *(?:to|-) *)?(?P<up_to>\bup to +)?(?<![\d.,])"
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?) *(?:usp )?"
    rf"\b(?P<unit>{_ALTERNATIVES})(?![a-z0-9])(?P<rate> */)?"
)


@dataclass(frozen=True, slots=True)
class StatedUnit:
    """One billed unit is `quantity` of `unit`; `kind` is `exact` or `up_to`."""

    quantity: Decimal
    unit: str
    kind: str

    def same_as(self, quantity: str, unit: str, kind: str) -> bool:
        """Whether the cells of a table state the same unit, perhaps as another unit of mass."""
        if unit not in _UNITS:
            return False
        return self.kind == kind and _in_base(self.quantity, self.unit) == _in_base(Decimal(quantity), unit)

    def cells(self) -> dict[str, str]:
        """Return the cells of the table of codes."""
        return {"unit_quantity": f"{self.quantity.normalize():f}", "unit": self.unit, "unit_kind": self.kind}


def stated_unit(description: str) -> StatedUnit | None:
    """Find the one quantity of a description.  None, several, a range or a concentration is None: never guess."""
    text = _SAME_AS_ONE_UNIT.sub("", description.lower())
    found = [match for match in _QUANTITY.finditer(text) if match["number"]]
    if len(found) != 1 or found[0]["range"] or found[0]["rate"]:
        return None
    quantity = Decimal(found[0]["number"].replace(",", ""))
    if not quantity:
        return None
    return StatedUnit(quantity, _UNITS[found[0]["unit"]][0], "up_to" if found[0]["up_to"] else "exact")


def _in_base(quantity: Decimal, unit: str) -> tuple[str, Decimal]:
    _, base, factor = _UNITS[unit]
    return base, quantity * factor
