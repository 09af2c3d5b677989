"""`infusion-orders codes import`: compare a release of a code set with the current rule set, and write a draft."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infusion_orders_cli.options import DAY, Rules
from infusion_orders_cli.terminal import (
    REFUSED,
    console,
    fail,
    failures_explained,
    plain,
    print_json,
    progress_bar,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from infusion_orders.rules.document import RuleSetDocument
    from infusion_orders_cli.codes.changes import Imported
    from infusion_orders_cli.codes.files import Row, Sheet

EXIT_CODES = """
Exit codes: 0 the file was read (whatever it changes), 1 the file has faults and nothing was used, 2 the command could
not run.
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
Into = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write the draft, a copy of the rule set with the new table, to this folder."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the whole difference as one JSON object.")]
FirstDay = Annotated[datetime, typer.Option("--effective", formats=DAY, help="First day on which the release holds.")]


@dataclass(frozen=True, slots=True)
class _Import:
    """One run of a command: the file, and the rule set that it is compared with."""

    file: Path
    folder: Path
    document: RuleSetDocument
    into: Path | None
    json: bool

    def rows(self, table: str) -> list[Row]:
        return [tuple(row) for row in self.document.tables.get(table, ())[1:]]

    def curated(self) -> frozenset[str]:
        return frozenset(row[0] for row in self.rows("codes"))

    @contextmanager
    def sheet(self, *, workbook: bool = False) -> Iterator[Sheet]:
        from infusion_orders_cli.codes.files import sheet_of

        with progress_bar("reading", "rows") as progress:
            yield sheet_of(self.file, workbook=workbook, progress=progress)

    def finish(self, imported: Imported, *, effective: date) -> None:
        """Write the draft, then show the difference."""
        from infusion_orders_cli.codes.draft import write_draft
        from infusion_orders_cli.codes.report import as_json, as_tables

        into = None if self.into is None else plain(str(self.into))
        if self.into is not None:
            write_draft(self.folder, self.into, self.document.tables, imported.table, imported.rows)
        if self.json:
            print_json(as_json(imported, effective=effective, draft=into))
            return
        screen = console()
        for part in as_tables(imported):
            screen.print(part)
        if into is None:
            screen.print("Nothing was written: --into DIR writes the draft.")
            return
        screen.print(f"[bold green]The draft is in {into}[/]. Next:", soft_wrap=True)
        screen.print(f"infusion-orders rules check {into}", soft_wrap=True)
        screen.print(f'infusion-orders rules publish {into} --table TABLE --note "..."', soft_wrap=True)


@contextmanager
def _importing(file: Path, rules: Path | None, into: Path | None, *, json: bool) -> Iterator[_Import]:
    """Load the rule set before a large file is read, and explain what is wrong with the rules, options or file."""
    from infusion_orders.authoring.table_problems import TableErrors
    from infusion_orders_cli.codes.changes import OptionRefused
    from infusion_orders_cli.codes.draft import DraftRefused, check_place
    from infusion_orders_cli.codes.files import FileRefused
    from infusion_orders_cli.rule_sources import document_from_files, rule_folder

    with failures_explained():
        try:
            folder = rule_folder(rules)
            if into is not None:
                check_place(folder, into)
            yield _Import(file, folder, document_from_files(folder), into, json)
        except (DraftRefused, OptionRefused) as refused:
            fail(str(refused))
        except TableErrors as errors:
            fail("With this file the tables would contradict each other:", *map(str, errors.problems))
        except FileRefused as refused:
            if json:
                print_json({"problems": refused.problems})
                raise typer.Exit(REFUSED) from None
            fail(*(f"{file.name}: {problem}" for problem in refused.problems), "Nothing was imported.", code=REFUSED)
        except OSError as error:
            fail(f"Cannot read or write {error.filename}: {error.strerror}.")


def import_hcpcs(
    file: File,
    effective: FirstDay,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE[=THERAPY[/GROUP]]", help="Add a new code with its therapy; may be repeated."),
    ] = None,
    rules: Rules = None,
    into: Into = None,
    json: AsJson = False,
) -> None:
    """Read the CMS HCPCS alpha-numeric file (xlsx or csv): codes that ended, changed units, codes to be curated."""
    from infusion_orders_cli.codes.hcpcs import addition_of, codes_after, read_hcpcs

    day = effective.date()
    with _importing(file, rules, into, json=json) as current:
        therapies = [row[0] for row in current.rows("therapies")]
        additions = [addition_of(one, therapies) for one in add or ()]
        with current.sheet(workbook=True) as sheet:
            release = read_hcpcs(sheet)
        imported = codes_after(current.rows("codes"), release, effective=day, additions=additions)
        current.finish(imported, effective=day)


def import_ndc(
    file: File,
    effective: Annotated[
        datetime | None,
        typer.Option("--effective", formats=DAY, help="First day of the release.", show_default="from the banner"),
    ] = None,
    rules: Rules = None,
    into: Into = None,
    json: AsJson = False,
) -> None:
    """Read the CMS ASP crosswalk from NDC to HCPCS (csv): the codes under which a drug's package is billed."""
    from infusion_orders_cli.codes.ndc import ndc_after, read_ndc

    with _importing(file, rules, into, json=json) as current:
        with current.sheet() as sheet:
            release = read_ndc(sheet, current.curated())
        day = effective.date() if effective is not None else release.effective
        if day is None:
            fail("The file does not state its first day: give it with --effective.")
        current.finish(ndc_after(current.rows("ndc_crosswalk"), release, effective=day), effective=day)


def import_dofr(
    file: File,
    effective: FirstDay,
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="OURS=THEIRS,...", help="The plan's names of our columns code, condition and category."),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(metavar="THEIRS=OURS", help="Our word for a category of the plan; may be repeated."),
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="End the rows of every code that the file does not have.")
    ] = False,
    rules: Rules = None,
    into: Into = None,
    json: AsJson = False,
) -> None:
    """Read the plan's own crosswalk from codes to DOFR categories (csv), with the conditions they depend on."""
    from infusion_orders_cli.codes.dofr import categories_of, columns_of, dofr_after, names_of, read_dofr

    day = effective.date()
    with _importing(file, rules, into, json=json) as current:
        wanted = columns_of(names_of(columns or (), "--columns"))
        words = categories_of(names_of(category or (), "--category"))
        with current.sheet() as sheet:
            release = read_dofr(sheet, current.curated(), columns=wanted, categories=words)
        imported = dofr_after(current.rows("crosswalk"), release, effective=day, complete=complete)
        current.finish(imported, effective=day)


def import_icd_10_cm(
    file: File,
    effective: FirstDay,
    until: Annotated[
        datetime | None, typer.Option(formats=DAY, help="Last day of the release.", show_default="open")
    ] = None,
    rules: Rules = None,
    into: Into = None,
    json: AsJson = False,
) -> None:
    """Read the NCHS order file (text): its billable ICD-10-CM codes replace those of the previous release."""
    from infusion_orders_cli.codes.files import lines_of
    from infusion_orders_cli.codes.icd_10_cm import diagnoses_after, read_icd_10_cm

    day, last = effective.date(), until.date() if until is not None else None
    if last is not None and last < day:
        fail("--until is before --effective: it must be the last day of the release.")
    with _importing(file, rules, into, json=json) as current:
        release = read_icd_10_cm(lines_of(file))
        current.finish(diagnoses_after(current.rows("diagnoses"), release, effective=day, until=last), effective=day)
