"""The reference tables of one rule set: every question that the facts ask of them, answered as of a date.

A row is valid on both its first and its last day.  Nothing here guesses: what the tables do not say is None (or an
empty tuple), and becomes an unknown or a review further up.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import wraps
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from infusion_orders.reference.diagnoses import DiagnosisList, DiagnosisStanding
from infusion_orders.reference.rows import CcsPresumption, Code, CodePair, Rung, Successor, Therapy
from infusion_orders.reference.schema import ANY, ANY_THERAPY, TABLES
from infusion_orders.reference.values import as_date, as_decimal, split_list

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    Row = Sequence[str]
    Index = dict[tuple[str, ...], tuple[Row, ...]]

_COLUMN = {
    name: {column.name: position for position, column in enumerate(schema.columns)} for name, schema in TABLES.items()
}


MOST_ANSWERS = 10_000
"""Answers that are kept: some megabytes at most."""

_NOT_ASKED: Any = object()

Answer = TypeVar("Answer")
Asked = ParamSpec("Asked")


def kept(
    method: Callable[Concatenate[ReferenceTables, Asked], Answer],
) -> Callable[Concatenate[ReferenceTables, Asked], Answer]:
    """Orders ask the same of the tables again and again: what was answered once is not looked up a second time.

    For answers that nobody can change.
    """
    name = method.__name__

    @wraps(method)
    def answer(self: ReferenceTables, /, *asked: Asked.args, **named: Asked.kwargs) -> Answer:
        question = (name, asked, *named.items()) if named else (name, asked)
        found: Answer = self._answers.get(question, _NOT_ASKED)
        if found is _NOT_ASKED:
            found = method(self, *asked, **named)
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            self._answers[question] = found
        return found

    return answer


class ReferenceTables:
    """Immutable; may be shared by all requests.  Rows are indexed and typed when they are first asked for."""

    __slots__ = ("_answers", "_ccs_ranges", "_codes", "_diagnoses", "_exclusive", "_indexes", "_tables")

    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Tables by name, each with its header as the first row; a table that is absent is empty.

        The rows are trusted: `authoring.table_checks.checked_tables` checks them first.
        """
        self._tables = MappingProxyType(dict(tables))
        self._indexes: dict[tuple[str, tuple[str, ...]], Index] = {}
        self._codes: dict[str, tuple[Code, ...]] = {}
        self._answers: dict[tuple[object, ...], Any] = {}
        self._diagnoses: DiagnosisList | None = None
        self._exclusive: frozenset[str] | None = None
        self._ccs_ranges: tuple[tuple[str, ...], tuple[CcsPresumption, ...]] | None = None

    def rows(self) -> Mapping[str, Sequence[Row]]:
        """What went in, to be digested and stored."""
        return self._tables

    @kept
    def code(self, hcpcs: str, on: date) -> Code | None:
        """The code as it was on that day; None if it was not valid then, or the tables do not know it."""
        for code in self.code_periods(hcpcs):
            if code.valid_from <= on and (code.valid_to is None or on <= code.valid_to):
                return code
        return None

    def code_periods(self, hcpcs: str) -> tuple[Code, ...]:
        """All periods of the code, the earliest first; empty if the tables do not know it (which is no fault)."""
        found = self._codes.get(hcpcs)
        if found is None:
            rows = self._index("codes", "code").get((hcpcs,), ())
            found = tuple(sorted((_code(row) for row in rows), key=lambda code: code.valid_from))
            if found:
                self._codes[hcpcs] = found
        return found

    @kept
    def successor(self, hcpcs: str) -> Successor | None:
        """What replaced the code, if it was superseded at all."""
        for code, valid_to, successor, successor_from, *_ in self._index("code_successors", "code").get((hcpcs,), ()):
            return Successor(code, _day(valid_to), successor, _day(successor_from))
        return None

    @kept
    def predecessors(self, hcpcs: str) -> tuple[Successor, ...]:
        """The codes that this one replaced, in alphabetical order."""
        rows = self._index("code_successors", "successor").get((hcpcs,), ())
        return tuple(Successor(row[0], _day(row[1]), row[2], _day(row[3])) for row in sorted(rows, key=itemgetter(0)))

    @kept
    def rungs(self, therapy: str, on: date) -> tuple[Rung, ...]:
        """The therapy's per-diem ladder on that day; empty for a therapy that has one code or none."""
        return tuple(
            Rung(code, of, measure, equals, as_decimal(above), as_decimal(at_most))
            for code, of, measure, equals, above, at_most, *_ in self._valid(
                "per_diem_ladders", ("therapy",), (therapy,), on
            )
        )

    @property
    def exclusive_codes(self) -> frozenset[str]:
        """Every code that some other one may not stand beside."""
        if self._exclusive is None:
            codes, not_with = self._body("codes"), _COLUMN["codes"]["not_with"]
            barred = {word for row in codes for word in split_list(row[not_with])}
            paired = {code for row in self._body("code_pairs") if row[1] == "excludes" for code in (row[0], row[2])}
            ones = {row[0] for row in codes if row[not_with] or barred.intersection((row[0], row[2]))}
            self._exclusive = frozenset(ones | paired)
        return self._exclusive

    @kept
    def code_pairs(self, hcpcs: str, relation: str, on: date) -> tuple[CodePair, ...]:
        """What the code needs, expects or excludes on that day."""
        rows = self._valid("code_pairs", ("code", "relation"), (hcpcs, relation), on)
        return tuple(CodePair(*row[:4]) for row in rows)

    @kept
    def diagnosis(self, code: str, on: date) -> DiagnosisStanding:
        """Whether the ICD-10-CM code, as `D83.9`, is billable on that day, as far as the list tells."""
        if self._diagnoses is None:
            self._diagnoses = DiagnosisList(self._body("diagnoses"))
        return self._diagnoses.standing(code, on)

    @kept
    def ndc_codes(self, ndc: str, on: date) -> tuple[str, ...]:
        """The codes under which the package is billed on that day, in alphabetical order."""
        return tuple(sorted(row[1] for row in self._valid("ndc_crosswalk", ("ndc",), (ndc,), on)))

    @kept
    def has_ndc_crosswalk(self, hcpcs: str | None = None, on: date | None = None) -> bool:
        """Whether packages are listed under the code on that day; without a code or a day, under any, on any."""
        if hcpcs is None:
            return bool(self._body("ndc_crosswalk"))
        if on is None:
            return (hcpcs,) in self._index("ndc_crosswalk", "code")
        return bool(self._valid("ndc_crosswalk", ("code",), (hcpcs,), on))

    @kept
    def therapy(self, name: str, on: date) -> Therapy | None:
        """The therapy as the manual saw it on that day; None if it is no word of these tables."""
        column = _COLUMN["therapies"]
        for row in self._valid("therapies", ("therapy",), (name,), on):
            listed, acute = row[column["listed"]] == "yes", row[column["acute"]] == "yes"
            return Therapy(name, row[column["title"]], listed, acute, row[column["basis"]])
        return None

    def therapy_names(self) -> frozenset[str]:
        """Every therapy word of the tables, whenever it was valid."""
        return frozenset(key[0] for key in self._index("therapies", "therapy"))

    @kept
    def dofr_category(self, hcpcs: str, on: date) -> str | None:
        """The code's category on that day (M-10); None if the crosswalk has no row, or says that it depends."""
        column = _COLUMN["crosswalk"]
        rows = self._valid("crosswalk", ("code",), (hcpcs,), on)
        if len(rows) != 1 or rows[0][column["condition"]]:
            return None
        return rows[0][column["category"]]

    @kept
    def dofr_conditions(self, hcpcs: str, on: date) -> tuple[str, ...]:
        """What the code's category depends on, in the plan's own words; empty if on nothing."""
        position = _COLUMN["crosswalk"]["condition"]
        rows = self._valid("crosswalk", ("code",), (hcpcs,), on)
        return tuple(row[position] for row in rows if row[position])

    @kept
    def dofr_party(
        self, *, medical_group: str | None, line_of_business: str, risk_arrangement: str, category: str, on: date
    ) -> str | None:
        """Who pays by the grid; None if no row holds on that day.

        The most specific row wins, in this order: a row for the very medical group before one for any group, then one
        for the category before one for any, then one for the line of business before one for any.  Two rows for the
        same four words never hold on the same day, so there is always one winner.
        """
        index_columns = ("medical_group", "category", "line_of_business", "risk_arrangement")
        for group in (ANY,) if medical_group is None else (medical_group, ANY):
            for kind in (category, ANY):
                for business in (line_of_business, ANY):
                    for row in self._valid("dofr_grid", index_columns, (group, kind, business, risk_arrangement), on):
                        return row[_COLUMN["dofr_grid"]["party"]]
        return None

    @kept
    def dofr_tells_groups_apart(
        self,
        *,
        line_of_business: str | None,
        risk_arrangement: str | None,
        category: str | None,
        on: date | None,
    ) -> bool:
        """Whether some row for a named medical group fits what is known; None stands for what is not."""
        column = _COLUMN["dofr_grid"]
        known = {"line_of_business": line_of_business, "risk_arrangement": risk_arrangement, "category": category}
        day = None if on is None else on.isoformat()
        return any(
            row[column["medical_group"]] != ANY
            and all(value is None or row[column[name]] in (value, ANY) for name, value in known.items())
            and (day is None or (row[column["valid_from"]] <= day and (row[column["valid_to"]] or day) >= day))
            for row in self._body("dofr_grid")
        )

    @kept
    def contracted_vendors(self, *, therapy: str, line_of_business: str, on: date) -> tuple[str, ...]:
        """The vendors that accept the therapy for shared-risk members on that day, in alphabetical order (M-8).

        `any`, the therapy of what goes with every therapy, asks for vendors that accept at least one.
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

    def ccs_presumption(self, icd10: str) -> CcsPresumption | None:
        """What the diagnosis lets one presume, judged by its category (the first three characters); None: nothing."""
        if self._ccs_ranges is None:
            rows = sorted(tuple(row) for row in self._body("ccs_presumptions"))
            ranges = tuple(CcsPresumption(*row[:5]) for row in rows)
            self._ccs_ranges = (tuple(one.icd10_from for one in ranges), ranges)
        starts, ranges = self._ccs_ranges
        category = icd10[:3].upper()
        position = bisect_right(starts, category) - 1
        if position < 0 or len(category) < 3 or category > ranges[position].icd10_to:
            return None
        return ranges[position]

    @kept
    def whole_child_model(self, county: str, on: date) -> str:
        """Whether the plan pays CCS services there: `yes`, `no` or `unverified`.

        `unverified` is also the answer for a county, or a day, that the table does not know.
        """
        for row in self._valid("counties", ("county",), (county,), on):
            return row[_COLUMN["counties"]["whole_child_model"]]
        return "unverified"

    def county_names(self) -> frozenset[str]:
        """The counties of the table, as they are spelt there."""
        return frozenset(key[0] for key in self._index("counties", "county"))

    def _body(self, table: str) -> Sequence[Row]:
        return self._tables.get(table, ())[1:]

    def _index(self, table: str, *columns: str) -> Index:
        """The table's rows by the cells of some columns; built once."""
        found = self._indexes.get((table, columns))
        if found is None:
            positions = [_COLUMN[table][column] for column in columns]
            collected: dict[tuple[str, ...], list[Row]] = {}
            for row in self._body(table):
                collected.setdefault(tuple([row[position] for position in positions]), []).append(row)
            found = {key: tuple(rows) for key, rows in collected.items()}
            self._indexes[(table, columns)] = found
        return found

    def _valid(self, table: str, columns: tuple[str, ...], key: tuple[str, ...], on: date) -> Sequence[Row]:
        """The rows of that key that hold on that day; ISO dates compare as text."""
        rows = self._index(table, *columns).get(key)
        if not rows:
            return ()
        day = on.isoformat()
        column = _COLUMN[table]
        first, last = column["valid_from"], column["valid_to"]
        return [row for row in rows if row[first] <= day and (not row[last] or day <= row[last])]


def _day(cell: str) -> date:
    day = as_date(cell)
    if day is None:
        raise ValueError("a required date is empty: the tables were not checked")
    return day


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
