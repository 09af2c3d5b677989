"""Values worth trying at a place in an order: those that the condition or the tables name, and one that neither names.

The values are JSON, as a partner would send them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind
from infusion_orders.reference.schema import ANY, TABLES, split_list
from infusion_orders.rules.representatives import constants_of, leaves_by_fact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from infusion_orders.facts.fact import Catalogue, Fact
    from infusion_orders.rules.expression import Expression

    Tables = Mapping[str, Sequence[Sequence[str]]]
    Json = dict[str, Any]

USUAL_DAY = date(2026, 12, 1)
DAY = timedelta(days=1)
AMOUNTS = ("1", "10", "100", "1000", "0.1", "25", "40", "500", "5000")
AGES = (50, 10, 20, 0, 70)
DOSES = (("1", "g"), ("100", "mg"), ("1000", "unit"), ("10", "ml"), ("20", "meq"), ("5", "mg/kg"))
FREQUENCIES = (
    "once",
    "every 12 hours",
    "daily",
    "every 8 hours",
    "every 8 weeks",
    "weekly",
    "continuous",
    "as directed",
)
UNITS = (1, 2, 10, 100, 10_000)
MODIFIERS = ((), ("JW",), ("JZ",), ("SH",), ("SJ",), ("JW", "JZ"), ("SH", "SJ"))
PERSONS = {
    "submitter.npi": "1234567893",
    "prescriber.npi": "1932104098",
    "vendor.npi": "1245319599",
    "member.mbi": "1EG4-TE5-MK73",
    "member.cin": "90000000A",
}
"""Made-up identifiers with correct check digits."""
UNLISTED_CODE = "V9999"
UNLISTED_DIAGNOSIS = "Z99.89"

COMPLETE: Json = {
    "order_id": "COUNTER-EXAMPLE",
    "ordered_on": "2026-11-20",
    "urgency": "standard",
    "submitter": {"provider_type": "medical_group", "npi": PERSONS["submitter.npi"]},
    "member": {
        "member_id": "COUNTER-EXAMPLE",
        "birth_date": "1970-01-01",
        "line_of_business": "medicare_advantage",
        "county": "Los Angeles",
        "medical_group": {"id": "SOME-GROUP", "risk_arrangement": "full_risk"},
        "ccs": {"open_case": False, "conditions": []},
        "willing_to_learn": True,
        "homebound": False,
    },
    "caregiver": {"present": True, "willing": True, "able": True},
    "prescriber": {"npi": PERSONS["prescriber.npi"], "signed_on": "2024-06-01", "ccs_paneled": True},
    "infusion_provider": {"vendor": "some-vendor", "npi": PERSONS["vendor.npi"]},
    "care": {
        "place_of_service": "12",
        "administered_by": "registered_nurse",
        "plan_of_care": True,
        "skilled_need": True,
        "intermittent": True,
        "first_dose_at_home": False,
        "anaphylaxis_order": True,
        "telephone": True,
    },
    "clinical": {"weight_kg": "70", "weight_measured_on": "2026-11-20", "height_cm": "170"},
    "access": {"device": "picc", "lumens": 1},
    "diagnoses": [{"code": "A41.9", "primary": True}],
    "lines": [
        {
            "line_id": "1",
            "kind": "drug",
            "hcpcs": "J0690",
            "dose": {"value": "1", "unit": "g"},
            "route": "IV",
            "frequency": "daily",
            "infusion_hours": "1",
            "requires_admixture": True,
            "single_dose_container": False,
            "billing_path": "medical",
            "units": 2,
            "modifiers": [],
            "service_from": USUAL_DAY.isoformat(),
            "service_to": USUAL_DAY.isoformat(),
        }
    ],
}
"""An order that the default rules accept.  It completes the orders that the search finds."""


class TableSamples:
    """The values that the tables of one version suggest."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    @cached_property
    def days(self) -> tuple[str, ...]:
        """The days on which a row begins or has just ended, latest first."""
        return tuple(_boundaries(self.tables))

    @cached_property
    def codes(self) -> Mapping[str, Mapping[str, str]]:
        """The last row of each code, by column name."""
        header = TABLES["codes"].header()
        return {row[0]: dict(zip(header, row, strict=True)) for row in self.tables.get("codes", ())[1:]}

    @cached_property
    def code_of_each_class(self) -> tuple[str, ...]:
        """One code of each class, as `_codes_of_each_class` defines them."""
        return _codes_of_each_class(self.tables)

    def cells(self, table: str, column: str) -> tuple[str, ...]:
        """Return the distinct values of the column."""
        position = TABLES[table].header().index(column)
        cells = dict.fromkeys(row[position] for row in self.tables.get(table, ())[1:])
        return tuple(cell for cell in cells if cell != ANY)


@dataclass(slots=True)
class Samples:
    """The values to try for the facts of one condition."""

    expression: Expression
    catalogue: Catalogue
    of_tables: TableSamples
    _named: dict[str, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Collect the constants that each fact, or a fact derived from it, is compared with."""
        for name, leaves in leaves_by_fact([self.expression]).items():
            constants = [constant for leaf in leaves for constant in constants_of(leaf)]
            fact = self.catalogue.facts[name]
            for source in (name, *(source.name for source in self.catalogue.sources(name))):
                if source == name or self._alike(fact, self.catalogue.facts[source]):
                    self._named.setdefault(source, []).extend(constants)

    def _alike(self, fact: Fact, source: Fact) -> bool:
        codes = (Kind.CODE, Kind.CODES)
        return source.kind is fact.kind or (source.kind in codes and fact.kind in codes)

    def at(self, name: str, document: Json, line: int | None) -> Iterable[Any]:
        """Return JSON values for the place of a stated fact, likeliest first.  Some may be invalid there."""
        fact = self.catalogue.facts[name]
        named = sorted(set(self._named.get(name, ())), key=str)
        special = _SPECIAL.get(name)
        if name in PERSONS:
            return (PERSONS[name],)
        if special is not None:
            return special(self, named, document, line)
        if fact.kind is Kind.BOOLEAN:
            return (True, False)
        if fact.domain is not None:
            return (*(code for code in named if code in fact.domain), *sorted(fact.domain - set(named)))
        if fact.kind is Kind.NUMBER:
            return _numbers(named)
        if fact.kind is Kind.DATE:
            return self._days(named)
        return (*named, "other")

    def _days(self, named: Iterable[date]) -> tuple[str, ...]:
        near = [day + step * DAY for day in named for step in (0, -1, 1)]
        return tuple(dict.fromkeys(day.isoformat() for day in (USUAL_DAY, *near)))

    def _days_of_service(self, named: Sequence[date], _document: Json, _line: int | None) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._days(named), *self.of_tables.days)))

    def _last_days(self, _named: Sequence[date], document: Json, line: int | None) -> tuple[str, ...]:
        first = _service_from(document, line)
        return tuple((first + days * DAY).isoformat() for days in (0, 6, 40, -1, 400))

    def _days_before(self, _named: Sequence[date], document: Json, _line: int | None) -> tuple[str, ...]:
        first = _service_from(document, 0)
        return tuple((first + days * DAY).isoformat() for days in (-1, 1))

    def _birth_dates(self, _named: Sequence[date], document: Json, _line: int | None) -> tuple[str, ...]:
        ages = [age for age in self._named.get("member.age", ()) if isinstance(age, Decimal)]
        wanted = dict.fromkeys(chain(*((age, age - 1, age + 1) for age in ages), map(Decimal, AGES)))
        first = _service_from(document, 0)
        return tuple(_born(int(age), first).isoformat() for age in wanted if age >= 0)

    def _codes(self, named: Sequence[str], document: Json, line: int | None) -> tuple[str, ...]:
        related = [
            code
            for number, other in enumerate(document["lines"])
            if number != line and "hcpcs" in other
            for code in _related_codes(self.of_tables, other["hcpcs"])
        ]
        prefixes = tuple(code for code in named if len(code) < 5)
        starting = [code for code in self.of_tables.codes if prefixes and code.startswith(prefixes)]
        of_each_class = self.of_tables.code_of_each_class
        return tuple(dict.fromkeys((*related, *named, *starting[:5], *of_each_class, UNLISTED_CODE)))

    def _diagnoses(self, named: Sequence[str], _document: Json, _line: int | None) -> list[list[Json]]:
        presumed = {row[2]: row[0] for row in self.of_tables.tables.get("ccs_presumptions", ())[1:]}
        codes = dict.fromkeys((*named, *presumed.values(), UNLISTED_DIAGNOSIS))
        return [[{"code": code, "primary": True}] for code in codes]

    def _conditions(self, named: Sequence[str], document: Json, _line: int | None) -> list[list[str]]:
        sent = [diagnosis["code"] for diagnosis in document.get("diagnoses", ())]
        return [[], sent, [UNLISTED_DIAGNOSIS], *([code] for code in named)]

    def _modifiers(self, named: Sequence[str], _document: Json, _line: int | None) -> list[list[str]]:
        return [[], *([code] for code in named), *(list(codes) for codes in MODIFIERS[1:])]


def _numbers(named: Iterable[Decimal]) -> tuple[str, ...]:
    near = [constant + step for constant in named for step in (0, -1, 1)]
    return tuple(dict.fromkeys((*(format(number, "f") for number in near if number > 0), *AMOUNTS)))


def _born(age: int, day: date) -> date:
    """Return a birth date that gives this age on that day."""
    return date(day.year - age, day.month, min(day.day, 28))


def _service_from(document: Json, line: int | None) -> date:
    lines = document["lines"]
    return date.fromisoformat(lines[min(line or 0, len(lines) - 1)].get("service_from") or USUAL_DAY.isoformat())


def _boundaries(tables: Tables) -> list[str]:
    """Return the first days of rows and the days after they end, for tables that the order itself looks up."""
    days: set[str] = set()
    for name in ("codes", "vendors", "crosswalk", "dofr_grid", "counties", "therapies"):
        period = TABLES[name].period
        for row in tables.get(name, ())[1:]:
            cells = dict(zip(TABLES[name].header(), row, strict=True))
            if period is not None:
                days.add(cells[period[0]])
                if cells[period[1]]:
                    days.add((date.fromisoformat(cells[period[1]]) + DAY).isoformat())
    return sorted(days, reverse=True)


def _codes_of_each_class(tables: Tables) -> tuple[str, ...]:
    """Return one code of each class: same group, therapy, category and other tables, and equally ended or not."""
    category = {row[0]: row[2] for row in tables.get("crosswalk", ())[1:]}
    elsewhere = {
        name: {row[0] for row in tables.get(name, ())[1:]} | {row[2] for row in tables.get(name, ())[1:]}
        for name in ("per_diem_ladders", "code_pairs", "code_successors")
    }
    classes: dict[tuple[Any, ...], str] = {}
    for row in tables.get("codes", ())[1:]:
        code = dict(zip(TABLES["codes"].header(), row, strict=True))
        alike = (code["group"], code["therapy"], bool(code["unit"]), bool(code["valid_to"]), category.get(row[0]))
        classes.setdefault((*alike, *(row[0] in codes for codes in elsewhere.values())), row[0])
    return tuple(classes.values())


def _related_codes(of_tables: TableSamples, code: str) -> list[str]:
    """Return codes related to this one: its pairs, and one code of each group of its therapy."""
    paired = [row[2] for row in of_tables.tables.get("code_pairs", ())[1:] if row[0] == code]
    own = of_tables.codes.get(code)
    if own is None:
        return paired
    rows = list(of_tables.codes.values())[::-1]
    of_therapy = {row["group"]: row["code"] for row in rows if row["therapy"] == own["therapy"]}
    not_with = split_list(own["not_with"])
    excluded = {row["group"]: row["code"] for row in rows if row["group"] in not_with}
    return [code, *paired, *not_with, *excluded.values(), *of_therapy.values()]


def _fixed(*values: Any) -> Callable[[Samples, Sequence[Any], Json, int | None], Iterable[Any]]:
    return lambda _samples, _named, _document, _line: values


def _listed(
    table: str, column: str, *others: str
) -> Callable[[Samples, Sequence[Any], Json, int | None], Iterable[Any]]:
    return lambda samples, named, _document, _line: dict.fromkeys(
        (*named, *samples.of_tables.cells(table, column), *others)
    )


_AMOUNTS = tuple({"value": value, "unit": unit} for value, unit in DOSES)
_SPECIAL: Mapping[str, Callable[[Samples, Sequence[Any], Json, int | None], Iterable[Any]]] = {
    "line.date_of_service": Samples._days_of_service,
    "line.last_date_of_service": Samples._last_days,
    "prescriber.signed_on": Samples._days_before,
    "member.birth_date": Samples._birth_dates,
    "line.hcpcs": Samples._codes,
    "order.diagnoses": Samples._diagnoses,
    "order.primary_diagnosis": Samples._diagnoses,
    "member.ccs_conditions": Samples._conditions,
    "line.modifiers": Samples._modifiers,
    "member.county": _listed("counties", "county", "Los Angeles"),
    "medical_group.id": _listed("dofr_grid", "medical_group", "SOME-GROUP"),
    "vendor.id": _listed("vendors", "vendor", "some-vendor"),
    "line.stated_therapy": _listed("therapies", "therapy", "some therapy"),
    "care.place_of_service": _fixed("12", "11"),
    "line.dose": _fixed(*_AMOUNTS),
    "line.vial_size": _fixed(*(amount for amount in _AMOUNTS if "/" not in amount["unit"])),
    "line.frequency": _fixed(*FREQUENCIES),
    "line.units": _fixed(*UNITS),
    "access.lumens": _fixed(1),
}
