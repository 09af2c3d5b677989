"""Make random orders from the `Order` model, so that a new field is sent without a change here.

Values that a type does not describe (codes, identifiers, days on which rules change) come from pools by field name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic.fields import FieldInfo

from infusion_orders.orders.order import Order
from infusion_orders.orders.values import FIRST_DAY, LAST_DAY, MOST_DIGITS, Part
from tests.support.orders import optional_places, places, without

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from random import Random

    from tests.support.orders import Document

CANARY = "Kanarienvogel-7"
"""Part of every free text and of identifiers of persons; no answer and no record may contain it."""

LINE_CANARY = "Zeile-7-"
"""Begins every line id, which an answer may contain only where it lists lines."""

DENSITIES = (0.2, *[0.6] * 2, *[0.9] * 6, *[0.97] * 6, *[1.0] * 5)
"""How likely an optional field is sent.  Sparse orders raise the most questions and take the most time."""

TURNING_DAYS = ("2024-07-01", "2024-10-08", "2025-07-01", "2026-04-01", "2026-10-01", "2026-12-01", "2024-02-29")
MALFORMED = ("", " ", "not a code", "J174", "1234567890", "\u202ecode", "\U0001f489", "0" * 64, "A" * 64, "'; --")
FREQUENCIES = (
    "daily", "q8h", "q12h", "q24h", "every 6 hours", "every 8 weeks", "BID", "TID", "weekly", "monthly", "once", "stat",
    "continuous", "mon, wed, fri", "every other day", "3 times a week", "prn", "as directed", "every 0 hours", "q0h",
    "every 999999999 days", "2 doses, 2 weeks apart", "QOD", "U", "every 1.5 hours", "every fortnight",
)  # fmt: skip
DIAGNOSES = (
    "K50.90", "k5090", "D83.9", "D80", "E84.0", "M05.79", "A41.9", "E11", "E11.9", "Z99.89", "C91.00", "N10", "G11.3",
    "D79", "D83.99", "QA0.0101", "I10",
)  # fmt: skip
PERSONS = ("1234567893", "1932104098", "1245319599", "1EG4TE5MK73", "90000000A")
"""Normalised identifiers of the pools below; they identify a person, so no answer and no record contains them."""
POOLS: Mapping[str, tuple[str, ...]] = {
    "npi": ("1234567893", "1932104098", "1245319599", "1234567890", CANARY),
    "mbi": ("1EG4-TE5-MK73", "1eg4te5mk73", "1EG4-TE5-MK7S", CANARY),
    "cin": ("90000000A", "90000000A12345", "90000000B", CANARY),
    "code": DIAGNOSES,
    "conditions": DIAGNOSES,
    "county": ("Los Angeles", "San Mateo", "Orange", "Alpine", "los angeles", "Gotham"),
    "id": ("PPG-0420", "PPG-0421", "EXAMPLE-PPG", "-group"),
    "vendor": ("coram", "acme-infusion", "Coram"),
    "place_of_service": ("12", "11", "22", "13", "32"),
    "ndc": ("57894-030-01", "57894003001", "5789403001", "0002-1433-80"),
    "therapy": ("tpn", "anti_infective", "ivig", "anti_tnf", "chemotherapy", "pain", "enteral", "gene therapy"),
    "frequency": FREQUENCIES,
    "modifiers": ("JA", "JB", "JW", "JZ", "SH", "SJ", "SS", "kx", "GA", "SD"),
}
RELATED_CODES = (
    ("J1569", "S9338", "J1559"), ("J1745", "S9359", "J1748"), ("J3373", "S9501", "S9500"), ("J1325", "K0455", "J3285"),
    ("99601", "99602", "S9123"), ("E0779", "A4224", "A4221"), ("S9366", "B4185", "B4189"), ("J2270", "S9326", "S9325"),
    ("A4305", "E0781", "A4222"), ("J9190", "S9330", "S9329"), ("J7030", "S9374", "S9373"), ("J3370", "J3373", "S9502"),
)  # fmt: skip
"""Codes that some rule compares when they are on one order."""
FREE_TEXTS = ("member_id", "drug")
ODD_ENDS = ("", "", "\u0301\u202e", "\U0001f489\u200d", "\ufeff\u00df\u0130", "\u2028{0}%s")
LIST_LENGTHS = {"lines": (1, 1, 1, 1, 2, 2, 2, 3, 4, 8), "diagnoses": (0, 1, 1, 2, 3), "conditions": (0, 1, 2)}
MANY_LINES = 0.002
LIMITS = (
    (MinLen, "min_length", "shortest"),
    (MaxLen, "max_length", "longest"),
    (Ge, "ge", "least"),
    (Le, "le", "most"),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """The values of a field: one of `choices`, a list of `item`, one of `words`, or a value of the kind."""

    kind: type = object
    choices: tuple[Shape, ...] = ()
    item: Shape | None = None
    words: tuple[str, ...] = ()
    shortest: int = 0
    longest: int = 3
    bounded: bool = False
    least: int = 0
    most: int = 10**12
    above_zero: bool = False


@cache
def _shapes(model: type[Part]) -> Mapping[str, tuple[bool, Shape]]:
    """Return for each field of the model whether it is required, and its shape."""
    fields = model.model_fields.items()
    return {name: (field.is_required(), _shape(field.annotation, list(field.metadata))) for name, field in fields}


def _shape(annotation: Any, metadata: list[Any]) -> Shape:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        flat = [piece for one in more for piece in (one.metadata if isinstance(one, FieldInfo) else [one])]
        return _shape(inner, [*flat, *metadata])
    if origin in (Union, UnionType):
        choices = [one for one in get_args(annotation) if one is not type(None)]
        return Shape(choices=tuple(_shape(one, metadata) for one in choices))
    limits = _limits(metadata)
    if origin is tuple:
        return Shape(item=_shape(get_args(annotation)[0], []), **limits)
    words = tuple(one.value for one in annotation) if issubclass(annotation, Enum) else ()
    return Shape(kind=annotation, words=words, **limits)


def _limits(metadata: list[Any]) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for one in metadata:
        for kind, attribute, name in LIMITS:
            if isinstance(one, kind):
                limits[name] = int(str(getattr(one, attribute)))
    limits["bounded"] = "shortest" in limits or any(hasattr(one, "pattern") for one in metadata)
    limits["above_zero"] = any(isinstance(one, Gt) for one in metadata)
    return limits


class Generator:
    """Makes one order with the codes given; `density` is how likely an optional field is sent."""

    def __init__(self, random: Random, codes: Sequence[str]) -> None:
        self.random = random
        self.codes = codes
        self.density = random.choice(DENSITIES)
        self.day = self._day_near(date.fromisoformat(random.choice(TURNING_DAYS)))
        related = random.choice(RELATED_CODES)
        self.favourites = related if random.random() < 0.6 else tuple(random.choice(codes) for _ in related)

    def order(self) -> Document:
        """Return an order that parses; the rules may still reject it."""
        document = self._part(Order)
        for number, line in enumerate(document["lines"]):
            line["line_id"] = f"{LINE_CANARY}{number}{self.random.choice(ODD_ENDS)}"
        self._relate(document["lines"])
        return document

    def _part(self, model: type[Part]) -> Document:
        sent: Document = {}
        for name, (required, shape) in _shapes(model).items():
            if not required:
                chance = self.random.random()
                if chance > self.density:
                    if chance > (1 + self.density) / 2:
                        sent[name] = None
                    continue
            sent[name] = self._value(name, shape)
        return sent

    def _value(self, name: str, shape: Shape) -> Any:
        if shape.choices:
            return self._value(name, self.random.choice(shape.choices))
        if shape.item is not None:
            return self._list(name, shape.item, shape)
        if shape.words:
            return self.random.choice(shape.words)
        if issubclass(shape.kind, Part):
            return self._part(shape.kind)
        return self._plain(name, shape)

    def _list(self, name: str, item: Shape, shape: Shape) -> list[Any]:
        length = self.random.choice(LIST_LENGTHS.get(name, (0, 1, 2, 3)))
        if name == "lines" and self.random.random() < MANY_LINES:
            length = shape.longest
        return [self._value(name, item) for _ in range(max(shape.shortest, min(shape.longest, length)))]

    def _plain(self, name: str, shape: Shape) -> Any:
        if shape.kind is bool:
            return self.random.random() < 0.7
        if shape.kind is str:
            return self._text(name, shape)
        if shape.kind is date:
            return self._date(name).isoformat()
        return self._number(shape)

    def _text(self, name: str, shape: Shape) -> str:
        if name in FREE_TEXTS:
            return CANARY + self.random.choice(ODD_ENDS)
        if name.endswith("_id"):
            return f"id-{self.random.randrange(10**6)}"
        pool = (*self.favourites, self.random.choice(self.codes)) if name == "hcpcs" else POOLS[name]
        if not shape.bounded and name != "modifiers" and self.random.random() < 0.03:
            return self.random.choice(MALFORMED)
        return self.random.choice(pool)

    def _number(self, shape: Shape) -> int | float | str:
        least, most = shape.least, shape.most
        if shape.kind is int:
            return self.random.choice((least, most, min(most, least + self.random.randrange(1, 50))))
        assert shape.kind is Decimal, shape.kind
        usual = min(Decimal(most), Decimal(self.random.randrange(1, 400000)) / 1000)
        whole = min(most, self.random.randrange(1, 3000))
        if self.random.random() < 0.8:
            return self.random.choice((f"{usual:f}", float(usual), str(whole), whole, whole))
        smallest = "0.000000000000000001" if shape.above_zero else "0"
        longest = f"{Decimal(most) - Decimal(1).scaleb(len(str(most)) - MOST_DIGITS):f}"
        return self.random.choice((smallest, longest, str(most)))

    def _date(self, name: str) -> date:
        chance = self.random.random()
        if name == "birth_date":
            return date(2026, 12, 1) - timedelta(days=self.random.randrange(1, 36_000))
        if chance < 0.02:
            return date.fromordinal(self.random.randrange(FIRST_DAY.toordinal(), LAST_DAY.toordinal()))
        if name == "service_to":
            return self._day_near(self.day, -1, 31 if chance < 0.3 else 7)
        return self._day_near(self.day, -3, 3)

    def _day_near(self, day: date, first: int = -2, last: int = 2) -> date:
        return day + timedelta(days=self.random.randint(first, last))

    def _relate(self, lines: list[Document]) -> None:
        """Relate two lines (same code, day or therapy, drug and waste), so that facts that compare lines vary."""
        if len(lines) < 2 or self.random.random() < 0.5:
            return
        first, other = self.random.sample(lines, 2)
        for name in ("hcpcs", "service_from", "service_to", "therapy", "kind"):
            if name in first and self.random.random() < 0.8:
                other[name] = first[name]
        if self.random.random() < 0.3:
            other["modifiers"] = ["JW"]


def shuffled(document: Document, random: Random) -> Document:
    """Return the order with its lines shuffled."""
    return {**document, "lines": random.sample(document["lines"], len(document["lines"]))}


def without_one_field(document: Document, random: Random) -> Document:
    """Return the order without one of its optional fields, at any depth."""
    candidates = optional_places(document)
    return without(document, [random.choice(candidates)] if candidates else [])


def pointers(model: type[Part] = Order, way: str = "") -> set[str]:
    """Return every field of the model as a pointer without indexes."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        found.add(f"{way}/{name}")
        for part in _parts_of(field.annotation):
            found |= pointers(part, f"{way}/{name}")
    return found


def _parts_of(annotation: Any) -> Iterable[type[Part]]:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return [annotation] if issubclass(annotation, Part) else []
    return [part for one in get_args(annotation) if one is not Ellipsis for part in _parts_of(one)]


def sent_pointers(document: Document) -> set[str]:
    """Return the pointers of the document's fields, without indexes."""
    return {"/" + "/".join(step for step in place if isinstance(step, str)) for place in places(document)}
