"""The reference tables of one rule set: every look-up that the facts need, as of a date.

A row is valid on both its first and its last day.  Nothing here guesses: where the tables have no answer, a look-up
returns None or an empty tuple, and the facts turn it into an unknown or a review.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from infusion_orders.reference.diagnoses import DiagnosisList, DiagnosisStanding
from infusion_orders.reference.rows import CcsPresumption, Code, CodePair, Rung, Successor, Therapy
from infusion_orders.reference.schema import ANY, ANY_THERAPY, TABLES, as_date, as_decimal, split_list

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

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

        The rows are trusted: `authoring.table_checks.checked_tables` checks them first.
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

    def successor(self, hcpcs: str) -> Successor | None:
        """Return what replaced the code, if it was replaced."""
        rows = self._rows.by("code_successors", "code").get((hcpcs,), ())
        return _successor(rows[0]) if rows else None

    def predecessors(self, hcpcs: str) -> tuple[Successor, ...]:
        """Return the codes that this one replaced, in alphabetical order."""
        rows = self._rows.by("code_successors", "successor").get((hcpcs,), ())
        return tuple(_successor(row) for row in sorted(rows, key=lambda row: row[0]))

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

    def therapy(self, name: str, on: date) -> Therapy | None:
        """Return the therapy as the manual lists it on that day; None if the tables do not have it."""
        rows = self._valid("therapies", ("therapy",), (name,), on)
        if not rows:
            return None
        _, title, listed, acute, _first, _last, basis, *_ = rows[0]
        return Therapy(name, title, listed == "yes", acute == "yes", basis)

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

    def ccs_presumption(self, icd10: str) -> CcsPresumption | None:
        """Return what the diagnosis lets one presume, judged by its category (its first three characters)."""
        category = icd10[:3].upper()
        ranges = self._ccs_ranges
        position = bisect_right(ranges, category, key=lambda one: one.icd10_from) - 1
        if position < 0 or len(category) < 3 or category > ranges[position].icd10_to:
            return None
        return ranges[position]

    @cached_property
    def _ccs_ranges(self) -> tuple[CcsPresumption, ...]:
        return tuple(CcsPresumption(*row[:5]) for row in sorted(map(tuple, self._rows.all("ccs_presumptions"))))

    def whole_child_model(self, county: str, on: date) -> str:
        """Return whether the plan pays CCS services in the county: `yes`, `no` or `unverified`.

        `unverified` is also the answer for a county, or a day, that the table does not have.
        """
        for row in self._valid("counties", ("county",), (county,), on):
            return row[_COLUMN["counties"]["whole_child_model"]]
        return "unverified"


def _day(cell: str) -> date:
    day = as_date(cell)
    if day is None:
        raise ValueError("a required date is empty: the tables were not checked")
    return day


def _successor(row: Row) -> Successor:
    code, valid_to, successor, successor_from, *_ = row
    return Successor(code, _day(valid_to), successor, _day(successor_from))


def _code(row: Row) -> Code:
    hcpcs, name, group, therapy, quantity, unit, unit_kind, routes, valid_from, valid_to, not_with, basis = row
    return Code(
        hcpcs=hcpcs,
        name=name,
        group=group,
        therapy=therapy,
        unit_quantity=as_decimal(quantity),
        unit=unit or None,
        unit_kind=unit_kind or None,
        routes=split_list(routes),
        valid_from=_day(valid_from),
        valid_to=as_date(valid_to),
        not_with=split_list(not_with),
        basis=basis,
    )
