"""`infusion-orders codes import`: a quarter's code files against the current rule set, as a diff and as a draft."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from infusion_orders_cli.terminal import console, fail, failures_explained, plain, progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from infusion_orders.rules.document import RuleSetDocument
    from infusion_orders_cli.codes.changes import Imported
    from infusion_orders_cli.codes.sources import Row, Sheet
    from infusion_orders_cli.terminal import Progress

Item = TypeVar("Item")

REFUSED = 1
EXIT_CODES = """
Exit codes: 0 the file was read (whatever it changes), 1 it is not what it should be and nothing was used,
2 it could not be tried.
"""

HCPCS_EPILOG = f"""{EXIT_CODES}
Examples:

infusion-orders codes import hcpcs HCPC2027_JAN_ANWEB.xlsx --effective 2027-01-01

infusion-orders codes import hcpcs HCPC2027_JAN_ANWEB.xlsx --effective 2027-01-01 --add J0001=pain
--into drafts/2027-q1/home-infusion
"""
NDC_EPILOG = f"""{EXIT_CODES}
Example:

infusion-orders codes import ndc asp-ndc-hcpcs.csv --effective 2027-01-01
--rules drafts/2027-q1/home-infusion --into drafts/2027-q1/home-infusion
"""
DOFR_EPILOG = f"""{EXIT_CODES}
Example:

infusion-orders codes import dofr crosswalk.csv --effective 2027-01-01
--columns 'code=HCPCS,condition=Note,category=DOFR category' --category 'Home Health/Infusion=home_health_infusion'
"""
ICD_10_CM_EPILOG = f"""{EXIT_CODES}
Example:

infusion-orders codes import icd-10-cm icd10cm-order-2027.txt --effective 2026-10-01 --until 2027-09-30
"""

File = Annotated[Path, typer.Argument(metavar="FILE", help="The file, as downloaded.", exists=True, dir_okay=False)]
Rules = Annotated[
    Path | None,
    typer.Option(help="Current rule-set folder.", show_default="rules/home-infusion", exists=True, file_okay=False),
]
Into = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write the draft, a copy of the rule set with the new table, to this folder."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the whole diff as one JSON object.")]
Day = Annotated[
    datetime, typer.Option("--effective", formats=["%Y-%m-%d"], help="First day on which the release holds.")
]


@dataclass(frozen=True, slots=True)
class _Current:
    """The rule set that the file is compared with."""

    folder: Path
    document: RuleSetDocument

    def rows(self, table: str) -> list[Row]:
        return [tuple(row) for row in self.document.tables.get(table, ())[1:]]

    def curated(self) -> frozenset[str]:
        return frozenset(row[0] for row in self.rows("codes"))


def hcpcs(
    file: File,
    effective: Day,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE[=THERAPY[/GROUP]]", help="Take a new code over, with its therapy; may be repeated."),
    ] = None,
    rules: Rules = None,
    into: Into = None,
    json: AsJson = False,
) -> None:
    """The CMS HCPCS alpha-numeric file (xlsx or csv): codes that ended, units that changed, codes to be curated."""
    from infusion_orders_cli.codes.hcpcs import addition_of, codes_after, read_hcpcs
    from infusion_orders_cli.codes.sources import sheet_of

    day = effective.date()
    with _explained():
        current = _current(rules, into)
        therapies = [row[0] for row in current.rows("therapies")]
        additions = [addition_of(one, therapies) for one in add or ()]
    with _refusals_told(file, json=json), _watched(sheet_of(file, workbook=True)) as sheet:
        release = read_hcpcs(sheet)
    with _explained():
        imported = codes_after(current.rows("codes"), release, effective=day, additions=additions)
    _finish(current, imported, effective=day, into=into, json=json)


def ndc(
    file: File,
    effective: Annotated[
        datetime | None,
        typer.Option(
            "--effective", formats=["%Y-%m-%d"], help="First day of the release.", show_default="what the banner says"
        ),
    ] = None,
    rules: Rules = None,
    into: Into = None,
    json: AsJson = False,
) -> None:
    """The CMS ASP crosswalk from NDC to HCPCS (csv): under which codes a drug's package is billed."""
    from infusion_orders_cli.codes.ndc import ndc_after, read_ndc
    from infusion_orders_cli.codes.sources import sheet_of

    with _explained():
        current = _current(rules, into)
    with _refusals_told(file, json=json), _watched(sheet_of(file)) as sheet:
        release = read_ndc(sheet, current.curated())
    day = effective.date() if effective is not None else release.effective
    if day is None:
        fail("The file does not say from when it holds: give --effective, the first day of its quarter.")
    imported = ndc_after(current.rows("ndc_crosswalk"), release, effective=day)
    _finish(current, imported, effective=day, into=into, json=json)


def dofr(
    file: File,
    effective: Day,
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="OURS=THEIRS,...", help="The plan's names of our columns code, condition and category."),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(metavar="THEIRS=OURS", help="Our word for a category of the plan's; may be repeated."),
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="End the rows of every code that the file does not have.")
    ] = False,
    rules: Rules = None,
    into: Into = None,
    json: AsJson = False,
) -> None:
    """The plan's own crosswalk from codes to DOFR categories (csv), with the conditions on which they depend."""
    from infusion_orders_cli.codes.dofr import categories_of, columns_of, dofr_after, names_of, read_dofr
    from infusion_orders_cli.codes.sources import sheet_of

    day = effective.date()
    with _explained():
        current = _current(rules, into)
        wanted = columns_of(names_of(columns or (), "--columns"))
        words = categories_of(names_of(category or (), "--category"))
    with _refusals_told(file, json=json), _watched(sheet_of(file)) as sheet:
        release = read_dofr(sheet, current.curated(), columns=wanted, categories=words)
    imported = dofr_after(current.rows("crosswalk"), release, effective=day, complete=complete)
    _finish(current, imported, effective=day, into=into, json=json)


def icd_10_cm(
    file: File,
    effective: Day,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last day of the release.", show_default="open"),
    ] = None,
    rules: Rules = None,
    into: Into = None,
    json: AsJson = False,
) -> None:
    """The NCHS order file (text): the billable ICD-10-CM codes, in place of those of the release before."""
    from infusion_orders_cli.codes.icd_10_cm import diagnoses_after, read_icd_10_cm
    from infusion_orders_cli.codes.sources import lines_of

    day, last = effective.date(), until.date() if until is not None else None
    if last is not None and last < day:
        fail("--until lies before --effective: it is the last day of the release.")
    with _explained():
        current = _current(rules, into)
    with _refusals_told(file, json=json):
        lines = lines_of(file)
        with progress_bar("reading", "rows") as progress:
            release = read_icd_10_cm(_told(lines, len(lines), progress))
    imported = diagnoses_after(current.rows("diagnoses"), release, effective=day, until=last)
    _finish(current, imported, effective=day, into=into, json=json)


def _current(rules: Path | None, into: Path | None) -> _Current:
    """Raises what `_explained` explains: before a large file is read, not after it."""
    from infusion_orders_cli.checkout import DEFAULT_RULES, project_root
    from infusion_orders_cli.codes.draft import check_place
    from infusion_orders_cli.rule_sources import document_from_files

    folder = rules.resolve() if rules is not None else project_root() / DEFAULT_RULES
    if into is not None:
        check_place(folder, into)
    return _Current(folder, document_from_files(folder))


@contextmanager
def _explained() -> Iterator[None]:
    from infusion_orders.authoring.table_problems import TableErrors
    from infusion_orders_cli.codes.draft import DraftRefused
    from infusion_orders_cli.codes.problems import FileRefused

    with failures_explained():
        try:
            yield
        except DraftRefused as refused:
            fail(str(refused))
        except TableErrors as errors:
            fail("With this file the tables would not fit together:", *map(str, errors.problems))
        except FileRefused as refused:
            fail(*map(str, refused.problems))
        except OSError as error:
            fail(f"Cannot read or write {error.filename}: {error.strerror}.")


@contextmanager
def _refusals_told(file: Path, *, json: bool) -> Iterator[None]:
    """The file's faults are no faults of the command: an exit code of their own, one fault a line."""
    import json as encoder

    from infusion_orders_cli.codes.problems import FileRefused

    with _explained():
        try:
            yield
        except FileRefused as refused:
            if json:
                typer.echo(encoder.dumps({"problems": [asdict(problem) for problem in refused.problems]}))
                raise typer.Exit(REFUSED) from None
            fail(*(f"{file.name}: {problem}" for problem in refused.problems), "Nothing was imported.", code=REFUSED)


@contextmanager
def _watched(sheet: Sheet) -> Iterator[Sheet]:
    with progress_bar("reading", "rows") as progress:
        yield replace(sheet, rows=_told(sheet.rows, sheet.expected, progress))


def _told(items: Iterable[Item], expected: int, progress: Progress) -> Iterator[Item]:
    for number, item in enumerate(items, start=1):
        progress(number, expected)
        yield item


def _finish(current: _Current, imported: Imported, *, effective: date, into: Path | None, json: bool) -> None:
    """Writes the draft, then shows the diff."""
    import json as encoder

    from infusion_orders_cli.codes.draft import write_draft
    from infusion_orders_cli.codes.report import as_json, as_tables

    if into is not None:
        with _explained():
            write_draft(current.folder, into, current.document.tables, imported.table, imported.rows)
    if json:
        typer.echo(encoder.dumps(as_json(imported, effective=effective, draft=str(into) if into else None)))
        return
    screen = console()
    for part in as_tables(imported):
        screen.print(part)
    if into is None:
        screen.print("Nothing was written: --into DIR writes the draft.")
        return
    screen.print(f"[bold green]The draft is in {plain(str(into))}[/]. Next:", soft_wrap=True)
    screen.print(f"infusion-orders rules check {plain(str(into))}", soft_wrap=True)
    screen.print(f'infusion-orders rules publish {plain(str(into))} --table TABLE --note "..."', soft_wrap=True)
