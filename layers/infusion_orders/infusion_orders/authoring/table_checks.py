"""Checks of reference tables: every cell, every period, and every reference from one table to another.

They run when a rule set is checked, and not when it is loaded to decide orders: its digest proves that it was checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.authoring.ladder_checks import ladder_problems, rung_problems
from infusion_orders.authoring.table_cells import cell_problem
from infusion_orders.authoring.table_problems import TableProblem
from infusion_orders.orders.suggestions import valid_words
from infusion_orders.reference.schema import ANY, END_OF_TIME, TABLES, split_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from infusion_orders.reference.schema import Column, TableSchema

    Rows = Sequence[Sequence[str]]
    NumberedRow = tuple[int, Mapping[str, str]]
    Span = tuple[tuple[str, ...], str, str, int]  # key, first, last, row number

MAX_PROBLEMS = 200


def table_problems(tables: Mapping[str, Rows]) -> tuple[TableProblem, ...]:
    """Return the problems of the tables in table and row order, at most `MAX_PROBLEMS`.

    Only rows with valid cells are compared with other rows and tables, so that one mistake is reported once.
    """
    problems: list[TableProblem] = []
    valid: dict[str, list[NumberedRow]] = {}
    for name, rows in tables.items():
        schema = TABLES.get(name)
        if schema is None:
            problems.append(TableProblem(name, 0, "", f"there is no such table{valid_words(name, TABLES)}"))
            continue
        valid[name] = []
        for number, row, faults in _read(schema, rows):
            problems.extend(faults)
            if row is not None and not faults:
                valid[name].append((number, row))
    for name, numbered in valid.items():
        problems.extend(_between_rows(TABLES[name], numbered))
        problems.extend(_references(TABLES[name], numbered, tables))
    problems.extend(ladder_problems(valid.get("per_diem_ladders", ())))
    problems.sort(key=lambda problem: (problem.table, problem.row))
    return tuple(problems[:MAX_PROBLEMS])


def _read(schema: TableSchema, rows: Rows) -> Iterator[tuple[int, Mapping[str, str] | None, list[TableProblem]]]:
    """Yield each row with its number and its own problems; if the header is wrong, only the problems of the header."""
    header_faults = list(_header_problems(schema, rows))
    if header_faults:
        yield 1, None, header_faults
        return
    header = schema.header()
    for number, cells in enumerate(rows[1:], start=2):
        if len(cells) != len(header):
            problem = f"the row has {len(cells)} cells, but the header has {len(header)} columns"
            yield number, None, [TableProblem(schema.name, number, "", problem)]
            continue
        row = dict(zip(header, cells, strict=True))
        yield number, row, list(_row_problems(schema, number, row))


def _header_problems(schema: TableSchema, rows: Rows) -> Iterator[TableProblem]:
    expected = schema.header()
    if not rows:
        yield TableProblem(schema.name, 0, "", f"the table has no header; its columns are: {', '.join(expected)}")
        return
    given = tuple(rows[0])
    missing = [column for column in expected if column not in given]
    for column in given:
        if column not in expected:
            words = missing or expected
            yield TableProblem(schema.name, 1, column, f"there is no such column{valid_words(column, words)}")
    for column in missing:
        yield TableProblem(schema.name, 1, column, "the column is missing")
    if not missing and set(given) == set(expected) and given != expected:
        yield TableProblem(schema.name, 1, "", f"each column must occur once, in this order: {', '.join(expected)}")


def _row_problems(schema: TableSchema, number: int, row: Mapping[str, str]) -> Iterator[TableProblem]:
    faulty = False
    for column in schema.columns:
        if problem := cell_problem(column, row[column.name]):
            faulty = True
            yield TableProblem(schema.name, number, column.name, problem)
    if faulty:
        return
    if schema.period and _last_day(schema, row) < row[schema.period[0]]:
        yield TableProblem(schema.name, number, schema.period[1], f"must not lie before {schema.period[0]}")
    if check := _OWN_CHECKS.get(schema.name):
        yield from check(number, row)


def _code_problems(number: int, row: Mapping[str, str]) -> Iterator[TableProblem]:
    unit = ("unit_quantity", "unit", "unit_kind")
    if 0 < sum(1 for column in unit if row[column]) < len(unit):
        yield TableProblem(
            "codes", number, "unit", "fill in unit_quantity, unit and unit_kind together, or leave all three empty"
        )


def _presumption_problems(number: int, row: Mapping[str, str]) -> Iterator[TableProblem]:
    if row["icd10_to"] < row["icd10_from"]:
        yield TableProblem("ccs_presumptions", number, "icd10_to", "must not come before icd10_from")


_OWN_CHECKS = {
    "codes": _code_problems,
    "ccs_presumptions": _presumption_problems,
    "per_diem_ladders": rung_problems,
}


def _last_day(schema: TableSchema, row: Mapping[str, str]) -> str:
    return (row[schema.period[1]] if schema.period else "") or END_OF_TIME


def _between_rows(schema: TableSchema, rows: Iterable[NumberedRow]) -> Iterator[TableProblem]:
    """Yield the rows of one key that are valid on the same day: it would be unclear which of them counts."""
    spans = [_span(schema, number, row) for number, row in rows]
    spans.sort()
    latest: Span | None = None
    for span in spans:
        key, first, last, number = span
        if latest and latest[0] == key and first <= latest[2]:
            yield TableProblem(schema.name, number, schema.key[0], _overlap_text(schema, latest[3]))
        if latest is None or latest[0] != key or last > latest[2]:
            latest = span


def _span(schema: TableSchema, number: int, row: Mapping[str, str]) -> Span:
    if schema.name == "ccs_presumptions":
        return (), row["icd10_from"], row["icd10_to"], number
    key = tuple(row[column] for column in schema.key)
    return key, row[schema.period[0]] if schema.period else "", _last_day(schema, row), number


def _overlap_text(schema: TableSchema, other_row: int) -> str:
    if schema.name == "ccs_presumptions":
        return f"the range overlaps the one in row {other_row}"
    key = ", ".join(schema.key)
    if schema.period is None:
        return f"row {other_row} has the same {key}"
    return f"row {other_row} has the same {key} and an overlapping period; end one period before the other begins"


def _references(schema: TableSchema, rows: Sequence[NumberedRow], tables: Mapping[str, Rows]) -> Iterator[TableProblem]:
    for column in schema.columns:
        if column.refers_to is None:
            continue
        table, name = column.refers_to
        known = _values(table, name, tables)
        for number, row in rows:
            for word in _referring_words(column, row[column.name]):
                if word not in known:
                    text = f"{word!r} is not in table {table}{valid_words(word, (*known, *column.choices))}"
                    yield TableProblem(schema.name, number, column.name, text)


def _referring_words(column: Column, cell: str) -> tuple[str, ...]:
    words = split_list(cell) if column.kind == "list" else (cell,)
    return tuple(word for word in words if word and word != ANY and word not in column.choices)


def _values(table: str, column: str, tables: Mapping[str, Rows]) -> frozenset[str]:
    position = TABLES[table].header().index(column)
    return frozenset(row[position] for row in tables.get(table, ())[1:] if len(row) > position)
