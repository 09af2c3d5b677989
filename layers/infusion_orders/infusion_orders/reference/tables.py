"""The reference tables of one rule set: every look-up that the facts need, as of a date.

A row is valid on both its first and its last day.  Nothing here guesses: where the tables have no answer, a look-up
returns None or an empty tuple, and the facts turn it into an unknown or a review.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from infusion_orders.reference.diagnoses import DiagnosisList, DiagnosisStanding
from infusion_orders.reference.schema import ANY, ANY_THERAPY, TABLES, as_date, as_decimal, split_list

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Row = Sequence[str]
    Index = dict[tuple[str, ...], tuple[Row, ...]]

_COLUMN = {
    name: {column.name: position for position, column in enumerate(schema.columns)} for name, schema in TABLES.items()
}

LOOK_UPS_KEPT = 5_000
"""How many answers each of the two caches holds.  Orders repeat look-ups: together they save 9 % of a decision."""


def _in_schema_order(table: str, rows: Sequence[Row]) -> Sequence[Row]:
    """Return the rows with the columns of the schema.

    A version that was published before a column was added does not have it: its cells are empty then.
    """
    if table not in TABLES or not rows or tuple(rows[0]) == (schema_header := TABLES[table].header()):
        return rows
    positions = [rows[0].index(column) if column in rows[0] else None for column in schema_header]
    return [schema_header, *(["" if at is None else row[at] for at in positions] for row in rows[1:])]


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
    group: str
    therapy: str
    unit_quantity: Decimal | None
    unit: str | None
    unit_kind: str | None
    routes: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    not_with: tuple[str, ...]

    def excludes(self, other: Code) -> bool:
        """Return whether either of the two codes says that they may not be billed together."""
        return (
            other.hcpcs in self.not_with
            or other.group in self.not_with
            or self.hcpcs in other.not_with
            or self.group in other.not_with
        )


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


class DatedRows:
    """The rows of all tables, found by some of their cells and by the day on which they are valid."""

    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        self._tables = {name: _in_schema_order(name, rows) for name, rows in tables.items()}
        self._indexes: dict[tuple[str, tuple[str, ...]], Index] = {}

    def all(self, table: str) -> Sequence[Row]:
        """Return the table's rows without its header; none for a table that is absent."""
        return self._tables.get(table, ())[1:]

    def by(self, table: str, *columns: str) -> Index:
        """Return the table's rows by the cells of some columns; each index is built once."""
        found = self._indexes.get((table, columns))
        if found is None:
            positions = [_COLUMN[table][column] for column in columns]
            collected: dict[tuple[str, ...], list[Row]] = {}
            for row in self.all(table):
                collected.setdefault(tuple([row[position] for position in positions]), []).append(row)
            found = {key: tuple(rows) for key, rows in collected.items()}
            self._indexes[(table, columns)] = found
        return found

    def valid(self, table: str, columns: tuple[str, ...], key: tuple[str, ...], on: date) -> Sequence[Row]:
        """Return the rows with that key that are valid on that day; ISO dates compare as text."""
        rows = self.by(table, *columns).get(key)
        if not rows:
            return ()
        day = on.isoformat()
        first, last = _COLUMN[table]["valid_from"], _COLUMN[table]["valid_to"]
        return tuple(row for row in rows if row[first] <= day and (not row[last] or day <= row[last]))


class ReferenceTables:
    """The tables of one version.  They never change; rows are indexed and typed when they are first looked up."""

    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Take tables by name, each with its header as the first row; a table that is absent is empty.

        The rows are trusted: `authoring.table_checks.table_problems` checks them first.
        """
        self._tables = MappingProxyType(dict(tables))
        self._rows = DatedRows(self._tables)
        self._valid = lru_cache(LOOK_UPS_KEPT)(self._rows.valid)
        self._codes: dict[str, tuple[Code, ...]] = {}

    def rows(self) -> Mapping[str, Sequence[Row]]:
        """Return the tables as they were given."""
        return self._tables

    # Codes

    def code(self, hcpcs: str, on: date) -> Code | None:
        """Return the code as it was on that day; None if it was not valid then, or is not in the tables."""
        for code in self.code_periods(hcpcs):
            if code.valid_from <= on and (code.valid_to is None or on <= code.valid_to):
                return code
        return None

    def code_periods(self, hcpcs: str) -> tuple[Code, ...]:
        """Return all periods of the code, the earliest first; none if it is not in the tables."""
        found = self._codes.get(hcpcs)
        if found is None:
            rows = self._rows.by("codes", "code").get((hcpcs,), ())
            found = tuple(sorted((_code(row) for row in rows), key=lambda code: code.valid_from))
            if found:
                self._codes[hcpcs] = found
        return found

    def successor(self, hcpcs: str) -> str | None:
        """Return the code that replaced this one, if one did.  It may be the older code, and the two may overlap."""
        rows = self._rows.by("code_successors", "code").get((hcpcs,), ())
        return rows[0][_COLUMN["code_successors"]["successor"]] if rows else None

    def predecessors(self, hcpcs: str) -> tuple[str, ...]:
        """Return the codes that this one replaced, in alphabetical order."""
        return tuple(sorted(row[0] for row in self._rows.by("code_successors", "successor").get((hcpcs,), ())))

    def rungs(self, therapy: str, on: date) -> tuple[Rung, ...]:
        """Return the therapy's per-diem ladder on that day; empty for a therapy with one per-diem code or none."""
        rows = self._valid("per_diem_ladders", ("therapy",), (therapy,), on)
        return tuple(
            Rung(code, of, measure, equals, as_decimal(above), as_decimal(at_most))
            for code, of, measure, equals, above, at_most, *_ in rows
        )

    @cached_property
    def exclusive_codes(self) -> frozenset[str]:
        """The codes that some other code may not be billed with."""
        codes, not_with = self._rows.all("codes"), _COLUMN["codes"]["not_with"]
        barred = {word for row in codes for word in split_list(row[not_with])}
        paired = {code for row in self._rows.all("code_pairs") if row[1] == "excludes" for code in (row[0], row[2])}
        return frozenset({row[0] for row in codes if row[not_with] or barred.intersection((row[0], row[2]))} | paired)

    def code_pairs(self, hcpcs: str, relation: str, on: date) -> tuple[CodePair, ...]:
        """Return what the code needs, expects or excludes on that day."""
        rows = self._valid("code_pairs", ("code", "relation"), (hcpcs, relation), on)
        return tuple(CodePair(*row[:4]) for row in rows)

    def ndc_codes(self, ndc: str, on: date) -> tuple[str, ...]:
        """Return the codes under which the package is billed on that day, in alphabetical order."""
        return tuple(sorted(row[1] for row in self._valid("ndc_crosswalk", ("ndc",), (ndc,), on)))

    def has_ndc_crosswalk(self, hcpcs: str | None = None, on: date | None = None) -> bool:
        """Return whether packages are listed under the code on that day; without a code or a day, under any, on any."""
        if hcpcs is None:
            return bool(self._rows.all("ndc_crosswalk"))
        if on is None:
            return (hcpcs,) in self._rows.by("ndc_crosswalk", "code")
        return bool(self._valid("ndc_crosswalk", ("code",), (hcpcs,), on))

    # Therapies and diagnoses

    def therapy_is_listed(self, name: str, on: date) -> bool:
        """Return whether the manual lists the therapy as approved on that day (M-7)."""
        return any(
            row[_COLUMN["therapies"]["listed"]] == "yes" for row in self._valid("therapies", ("therapy",), (name,), on)
        )

    def diagnosis(self, code: str, on: date) -> DiagnosisStanding:
        """Return whether the ICD-10-CM code, such as `D83.9`, is billable on that day, as far as the list tells."""
        return self._standing(code, on)

    @cached_property
    def _standing(self) -> Callable[[str, date], DiagnosisStanding]:
        return lru_cache(LOOK_UPS_KEPT)(DiagnosisList(self._rows.all("diagnoses")).standing)

    # Who pays, and who fills the order

    def dofr_category(self, hcpcs: str, on: date) -> str | None:
        """Return the code's category on that day (M-10); None if there is no row, or if the category depends."""
        column = _COLUMN["crosswalk"]
        rows = self._valid("crosswalk", ("code",), (hcpcs,), on)
        if len(rows) != 1 or rows[0][column["condition"]]:
            return None
        return rows[0][column["category"]]

    def dofr_party(
        self, *, medical_group: str | None, line_of_business: str, risk_arrangement: str, category: str, on: date
    ) -> str | None:
        """Return who pays by the grid; None if no row is valid on that day.

        The most specific row wins, in this order: a row for this medical group before one for any group, then one for
        the category before one for any, then one for the line of business before one for any.  Two rows for the same
        four words are never valid on the same day, so there is always one winner.
        """
        columns = ("medical_group", "category", "line_of_business", "risk_arrangement")
        for group in (ANY,) if medical_group is None else (medical_group, ANY):
            for kind in (category, ANY):
                for business in (line_of_business, ANY):
                    for row in self._valid("dofr_grid", columns, (group, kind, business, risk_arrangement), on):
                        return row[_COLUMN["dofr_grid"]["party"]]
        return None

    def dofr_tells_groups_apart(
        self,
        *,
        line_of_business: str | None,
        risk_arrangement: str | None,
        category: str | None,
        on: date | None,
    ) -> bool:
        """Return whether a row for a named medical group fits what is known; None means that it is not known."""
        column = _COLUMN["dofr_grid"]
        known = {"line_of_business": line_of_business, "risk_arrangement": risk_arrangement, "category": category}
        day = None if on is None else on.isoformat()
        return any(
            row[column["medical_group"]] != ANY
            and all(value is None or row[column[name]] in (value, ANY) for name, value in known.items())
            and (day is None or (row[column["valid_from"]] <= day and (row[column["valid_to"]] or day) >= day))
            for row in self._rows.all("dofr_grid")
        )

    def contracted_vendors(self, *, therapy: str, line_of_business: str, on: date) -> tuple[str, ...]:
        """Return the vendors that accept the therapy for shared-risk members on that day, in alphabetical order (M-8).

        For `any`, the therapy of a code that goes with every therapy, return those that accept at least one therapy.
        """
        position = _COLUMN["vendors"]["vendor"]
        vendors: set[str] = set()
        for business in (line_of_business, ANY):
            if therapy == ANY_THERAPY:
                rows = self._valid("vendors", ("line_of_business",), (business,), on)
            else:
                rows = self._valid("vendors", ("line_of_business", "therapy"), (business, therapy), on)
            vendors.update(row[position] for row in rows)
        return tuple(sorted(vendors))

    # California Children's Services

    def ccs_presumption(self, icd10: str) -> str | None:
        """Return what the diagnosis lets one presume: `eligible`, `conditional` or `not_eligible`.

        It is judged by its category (its first three characters); None for a category outside the ranges of the table.
        """
        category = icd10[:3].upper()
        ranges = self._ccs_ranges
        position = bisect_right(ranges, category, key=lambda one: one[0]) - 1
        if position < 0 or len(category) < 3:
            return None
        _from, icd10_to, presumption, *_ = ranges[position]
        return presumption if category <= icd10_to else None

    @cached_property
    def _ccs_ranges(self) -> Sequence[Row]:
        return sorted(self._rows.all("ccs_presumptions"), key=lambda row: row[0])

    def whole_child_model(self, county: str, on: date) -> str:
        """Return whether the plan pays CCS services in the county: `yes`, `no` or `unverified`.

        `unverified` is also the answer for a county, or a day, that the table does not have.
        """
        for row in self._valid("counties", ("county",), (county,), on):
            return row[_COLUMN["counties"]["whole_child_model"]]
        return "unverified"


def _code(row: Row) -> Code:
    hcpcs, _name, group, therapy, quantity, unit, unit_kind, routes, valid_from, valid_to, not_with, *_ = row
    return Code(
        hcpcs=hcpcs,
        group=group,
        therapy=therapy,
        unit_quantity=as_decimal(quantity),
        unit=unit or None,
        unit_kind=unit_kind or None,
        routes=split_list(routes),
        valid_from=date.fromisoformat(valid_from),
        valid_to=as_date(valid_to),
        not_with=split_list(not_with),
    )
