"""`infusion-orders rules test`: run the examples of a rule set, and measure how much they test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infusion_orders_cli.options import AsJson, Folder  # noqa: TC001 - read by typer
from infusion_orders_cli.terminal import (
    REFUSED,
    console,
    escaped,
    fail,
    failures_explained,
    print_json,
    print_table,
    progress_bar,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infusion_orders.authoring.coverage import ExampleReport
    from infusion_orders.rules.document import RuleSetDocument

MOST_SHOWN = 4
"""Mutants of one rule that are shown."""
EPILOG = """
--coverage: which verdicts of each rule its examples reach, and which of its comparisons they make both true and false.

--mutate: change one thing in a rule at a time (an operator, a bound, a part, a code in a list) and see whether an
example fails. A change that no example notices is listed with an example that would notice it.

Exit codes: 0 the examples test enough, 1 an example fails or too little is tested, 2 the command could not run.

Examples:
infusion-orders rules test rules/home-infusion
infusion-orders rules test --coverage --mutate
"""


def run_examples(
    directory: Folder = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Report which verdicts and comparisons are reached.")
    ] = False,
    mutate: Annotated[
        bool, typer.Option("--mutate", help="Report which changes of a rule no example notices.")
    ] = False,
    least_verdicts: Annotated[
        float, typer.Option(min=0, max=100, help="With --coverage: percent of verdicts that must be reached.")
    ] = 100,
    least_mutants: Annotated[
        float, typer.Option(min=0, max=100, help="With --mutate: percent of changes that must be noticed.")
    ] = 90,
    json: AsJson = False,
) -> None:
    """Run every example of a rule set, and report how much the examples test."""
    from infusion_orders.authoring.coverage import example_reports, shares
    from infusion_orders.rules.problems import RuleSetErrors
    from infusion_orders_cli.rule_sources import document_from_files

    with failures_explained():
        try:
            document = document_from_files(directory)
        except RuleSetErrors as errors:
            fail(*map(str, errors.problems), code=REFUSED)
    with progress_bar("testing", "rules") as progress:
        rules = example_reports(document, coverage=coverage, mutate=mutate, progress=progress)
    found = shares(rules)
    if json:
        print_json({"rules": [one.plain() for one in rules], **found})
    else:
        _print_report(document, rules)
    if found["verdicts"] < least_verdicts or found["mutants"] < least_mutants:
        raise typer.Exit(REFUSED)


def _print_report(document: RuleSetDocument, tested: Sequence[ExampleReport]) -> None:
    screen = console()
    examples = sum(len(one.rule.examples) for one in tested)
    screen.print(f"[bold green]{document.name}[/]: all {examples} examples of {len(tested)} rules hold")
    if tested[0].coverage is None and tested[0].mutation is None:
        return
    subjects: dict[str, list[ExampleReport]] = {}
    for one in tested:
        subjects.setdefault(one.rule.id.split(".", maxsplit=1)[0], []).append(one)
    rows = [_row(subject, ones) for subject, ones in subjects.items()]
    headings = ["subject", "rules", "examples", "verdicts", "comparisons both ways", "changes noticed"]
    print_table(headings, [*rows, _row("[bold]all[/]", tested)])
    for line in _gaps(tested):
        screen.print(line)


def _row(subject: str, rules: Sequence[ExampleReport]) -> list[str]:
    from infusion_orders.authoring.coverage import percent

    def share(part: int, whole: int) -> str:
        return f"{part} of {whole} ({percent(part, whole):.0f} %)"

    row = [subject, str(len(rules)), str(sum(len(one.rule.examples) for one in rules)), "-", "-", "-"]
    covered = [one.coverage for one in rules if one.coverage is not None]
    mutated = [one.mutation for one in rules if one.mutation is not None]
    if covered:
        leaves = sum(len(one.comparisons) for one in covered)
        one_sided = sum(len({leaf for leaf, _ in one.one_sided}) for one in covered)
        row[3] = share(sum(len(one.reached) for one in covered), sum(len(one.possible) for one in covered))
        row[4] = share(leaves - one_sided, leaves)
    if mutated:
        row[5] = share(sum(one.killed for one in mutated), sum(one.mutants for one in mutated))
    return row


def _gaps(tested: Iterable[ExampleReport]) -> Iterable[str]:
    for one in tested:
        if one.coverage is not None and one.coverage.missing:
            yield f"[yellow]{one.rule.id}[/]: no example has the verdict {', '.join(one.coverage.missing)}"
        survivors = one.mutation.survivors if one.mutation is not None else ()
        for survivor in survivors[:MOST_SHOWN]:
            yield f"[yellow]{one.rule.id}[/]: no example fails if {escaped(survivor.slip)}"
            if survivor.example is not None:
                yield f"    - {escaped(_as_yaml(survivor.example))}"
        if len(survivors) > MOST_SHOWN:
            yield f"[yellow]{one.rule.id}[/]: {len(survivors) - MOST_SHOWN} more; --json lists them all"


def _as_yaml(example: Any) -> str:
    """Return the example on one line, as rule files have it."""
    import yaml

    return str(yaml.safe_dump(dict(example), default_flow_style=True, sort_keys=False, width=10_000)).strip()
