"""`infusion-orders rules check`: find what keeps a rule set from loading, and what its rules cannot do."""

from __future__ import annotations

import json as encoder
from pathlib import Path  # noqa: TC003 - read by typer
from typing import TYPE_CHECKING, Annotated

import typer

from infusion_orders_cli.options import AsJson, Folder  # noqa: TC001 - read by typer
from infusion_orders_cli.terminal import REFUSED, console, failures_explained, plain, print_json, progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infusion_orders.authoring.analysis.report import Analysis, AnalysisFinding
    from infusion_orders.rules.document import RuleSetDocument

EPILOG = """
First come the faults that keep a rule set from loading: names, types, units, domains, limits, tables, and every
example. Then comes what the rules do: rules that can never apply or never fail, rules that others imply or contradict,
assignments that overlap or leave a gap, gaps in tables, vendors that accept nothing. Each of these findings comes with
an order that shows it. --orders writes these orders to files, for `infusion-orders validate ORDER --rules DIR
--explain`.

Exit codes: 0 nothing is wrong (warnings do not count), 1 something is wrong, 2 the command could not run.

Examples:
infusion-orders rules check rules/home-infusion
infusion-orders rules check rules/home-infusion --orders counter-examples
"""


def check_rules(
    directory: Folder = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only check that the rule set loads.")] = False,
    orders: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the orders that show the findings to this folder.")
    ] = None,
    doubts: Annotated[bool, typer.Option("--doubts", help="List the questions that the analysis left open.")] = False,
    json: AsJson = False,
) -> None:
    """Check that a rule set loads, and find what its rules can and cannot do."""
    from infusion_orders.authoring.checks import check_document
    from infusion_orders.authoring.rule_files import read_directory
    from infusion_orders.rules.problems import RuleSetErrors
    from infusion_orders_cli.rule_sources import rule_folder

    with failures_explained():
        try:
            document, files = read_directory(rule_folder(directory))
            check_document(document, files=files)
        except RuleSetErrors as errors:
            if json:
                print_json({"problems": errors.problems, "findings": []})
            else:
                for problem in errors.problems:
                    typer.echo(plain(str(problem)), err=True)
            raise typer.Exit(REFUSED) from None
    analysis = None if quick else analysis_of(document)
    if json:
        counts = {
            "name": document.name,
            "digest": document.digest,
            "rules": len(document.rules),
            "examples": _examples(document),
            "tables": {name: len(rows) - 1 for name, rows in document.tables.items()},
            "problems": [],
        }
        print_json(counts if analysis is None else counts | analysis.plain())
    else:
        _print_report(document, analysis, doubts=doubts)
    if analysis is not None:
        _write_orders(analysis.findings, orders, directory, announced=not json)
        if analysis.errors:
            raise typer.Exit(REFUSED)


def analysis_of(document: RuleSetDocument) -> Analysis:
    """Analyse the rules, with a progress bar."""
    from infusion_orders.authoring.analysis.analysis import analyse
    from infusion_orders.rules.rule_set import RuleSet

    rule_set = RuleSet.from_document(document, version=0, digest=document.digest)
    with progress_bar("analysing", "questions") as progress:
        return analyse(rule_set, progress=progress)


def _examples(document: RuleSetDocument) -> int:
    return sum(len(rule.get("examples", ())) for rule in document.rules)


def _print_report(document: RuleSetDocument, analysis: Analysis | None, *, doubts: bool) -> None:
    screen = console()
    screen.print(
        f"[bold green]{document.name} loads[/]: {len(document.rules)} rules, {_examples(document)} examples, "
        f"{len(document.tables)} tables\n{document.digest}"
    )
    if analysis is None:
        return
    for finding in analysis.findings:
        colour = "red" if finding.severity == "error" else "yellow"
        screen.print(f"[bold {colour}]{finding.severity}[/] {', '.join(finding.where)}: {finding.problem}")
    open_questions = len(analysis.doubts)
    screen.print(
        f"{analysis.proved} questions about the conditions were answered for every order. An order was found that "
        f"breaks {analysis.rules_shown_to_fail} of {analysis.rules_that_require} rules. {open_questions} questions "
        "are open" + ("." if doubts or not open_questions else " (--doubts lists them).")
    )
    for doubt in analysis.doubts if doubts else ():
        screen.print(f"  {', '.join(doubt.where)}: {doubt.question} Not known: {doubt.looked_at}.")


def _write_orders(
    findings: Sequence[AnalysisFinding], folder: Path | None, directory: Path | None, *, announced: bool
) -> None:
    """Write one file for each finding, numbered in the order of the report."""
    if folder is None or not findings:
        return
    folder.mkdir(parents=True, exist_ok=True)
    rules = f" --rules {directory}" if directory is not None else ""
    for number, finding in enumerate(findings, start=1):
        path = folder / f"{number:02d}-{finding.kind.name.lower().replace('_', '-')}.json"
        path.write_text(encoder.dumps(finding.order, indent=2) + "\n", encoding="utf-8")
        if announced:
            console().print(f"  {path}: infusion-orders validate {path}{rules} --explain")
