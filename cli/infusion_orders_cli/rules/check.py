"""`infusion-orders rules check`: is a rule set well-formed, and do its rules do what their author thinks?"""

from __future__ import annotations

import json as encoder
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infusion_orders_cli.terminal import console, failures_explained, plain, watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infusion_orders.authoring.analysis.report import Analysis, AnalysisFinding
    from infusion_orders.rules.document import RuleSetDocument
    from infusion_orders.rules.problems import RuleProblem

BROKEN = 1
Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DIR]", help="Rule-set folder.", show_default="rules/home-infusion", exists=True, file_okay=False
    ),
]
EPILOG = """
First what keeps a rule set from loading: names, types, units, domains, limits, tables, and every example. Then what it
does: rules that can never apply or never fail, that others imply or contradict, assignments that overlap or leave a
gap, gaps in tables, vendors that accept nothing. Each such finding comes with an order that shows it; --orders writes
them down, to be tried with `infusion-orders validate ORDER --rules DIR --explain`.

Exit codes: 0 nothing is wrong (warnings aside), 1 something is, 2 it could not be tried.

Examples:

infusion-orders rules check rules/home-infusion

infusion-orders rules check rules/home-infusion --orders counter-examples
"""


def check(
    directory: Folder = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only what keeps the rule set from loading.")] = False,
    orders: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the orders that show the findings here.")
    ] = None,
    doubts: Annotated[bool, typer.Option("--doubts", help="Show what could be neither proved nor shown.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a rule set: that it loads, and what its rules can and cannot do."""
    from infusion_orders.authoring.checks import check_document
    from infusion_orders.authoring.rule_files import read_directory
    from infusion_orders.rules.problems import RuleSetErrors
    from infusion_orders_cli.rule_sources import folder_of

    with failures_explained():
        try:
            document, files = read_directory(folder_of(directory))
        except RuleSetErrors as errors:
            _print_problems(errors.problems, json=json)
            raise typer.Exit(BROKEN) from None
        try:
            check_document(document, files=files)
        except RuleSetErrors as errors:
            _print_problems(errors.problems, json=json)
            raise typer.Exit(BROKEN) from None
    analysis = None if quick else analysed(document)
    if json:
        typer.echo(encoder.dumps(_plain(document, analysis)))
    else:
        _print(document, analysis, doubts=doubts)
    if analysis is not None:
        _write_orders(analysis.findings, orders, directory, told=not json)
        if analysis.errors:
            raise typer.Exit(BROKEN)


def analysed(document: RuleSetDocument) -> Analysis:
    """With a progress bar, if a person watches."""
    from infusion_orders.authoring.analysis.analysis import analyse
    from infusion_orders.rules.rule_set import RuleSet

    rule_set = RuleSet.from_document(document, version=0, digest=document.digest)
    with watched("analysing") as progress:
        return analyse(rule_set, progress=progress)


def _print_problems(problems: Iterable[RuleProblem], *, json: bool) -> None:
    from dataclasses import asdict

    if json:
        typer.echo(encoder.dumps({"problems": [asdict(problem) for problem in problems], "findings": []}))
        return
    for problem in problems:
        typer.echo(plain(str(problem)), err=True)


def _plain(document: RuleSetDocument, analysis: Analysis | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": document.name,
        "digest": document.digest,
        "rules": len(document.rules),
        "examples": sum(len(rule.get("examples", ())) for rule in document.rules),
        "tables": {name: len(rows) - 1 for name, rows in document.tables.items()},
        "problems": [],
    }
    return found if analysis is None else found | analysis.plain()


def _print(document: RuleSetDocument, analysis: Analysis | None, *, doubts: bool) -> None:
    screen = console()
    examples = sum(len(rule.get("examples", ())) for rule in document.rules)
    screen.print(
        f"[bold green]{document.name} loads[/]: {len(document.rules)} rules, {examples} examples, "
        f"{len(document.tables)} tables\n{document.digest}"
    )
    if analysis is None:
        return
    for finding in analysis.findings:
        colour = "red" if finding.severity == "error" else "yellow"
        screen.print(f"[bold {colour}]{finding.severity}[/] {', '.join(finding.where)}: {finding.problem}")
    open_questions = len(analysis.doubts)
    screen.print(
        f"{analysis.proved} questions about its conditions are answered for every order; an order was found that "
        f"breaks {analysis.rules_shown_to_fail} of {analysis.rules_that_require} rules; {open_questions} questions "
        "stay open" + ("." if doubts or not open_questions else " (--doubts shows them).")
    )
    for doubt in analysis.doubts if doubts else ():
        screen.print(f"  {', '.join(doubt.where)}: {doubt.question} Not known: {doubt.looked_at}.")


def _write_orders(
    findings: Sequence[AnalysisFinding], folder: Path | None, directory: Path | None, *, told: bool = True
) -> None:
    """One file a finding, numbered in the order in which they are told."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    rules = f" --rules {directory}" if directory is not None else ""
    for number, finding in enumerate(findings, start=1):
        path = folder / f"{number:02d}-{finding.kind.name.lower().replace('_', '-')}.json"
        path.write_text(encoder.dumps(finding.order, indent=2) + "\n", encoding="utf-8")
        if told:
            console().print(f"  {path}: infusion-orders validate {path}{rules} --explain")
