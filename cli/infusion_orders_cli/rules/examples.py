"""`infusion-orders rules test`: what the examples of a rule set hold it to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infusion_orders_cli.rules.check import Folder  # noqa: TC001 - read by typer
from infusion_orders_cli.terminal import console, escaped, fail, failures_explained, table_of, watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infusion_orders.authoring.coverage import ExampleReport
    from infusion_orders.rules.document import RuleSetDocument

TOO_LITTLE = 1
MOST_SHOWN = 4
"""Unnoticed slips of one rule."""
EPILOG = """
--coverage: which verdicts of each rule its examples reach, and which of its comparisons they make both true and false.
--mutate: rules with one slip each (an operator turned round, a bound moved, a part left out, a code missing from a
list); what no example notices is listed with an example that would.

Exit codes: 0 enough is held, 1 an example fails or too little is held, 2 it could not be tried.

Examples:

infusion-orders rules test rules/home-infusion

infusion-orders rules test --coverage --mutate
"""


def try_examples(
    directory: Folder = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Which verdicts and comparisons are reached.")] = False,
    mutate: Annotated[bool, typer.Option("--mutate", help="Which slips the examples notice.")] = False,
    least_verdicts: Annotated[
        float, typer.Option(min=0, max=100, help="With --coverage: percent of verdicts to be reached.")
    ] = 100,
    least_mutants: Annotated[
        float, typer.Option(min=0, max=100, help="With --mutate: percent of slips to be noticed.")
    ] = 90,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run every example of a rule set, and say what the examples hold."""
    import json as encoder

    from infusion_orders.authoring.coverage import example_reports, shares
    from infusion_orders.authoring.rule_files import load_directory
    from infusion_orders.rules.problems import RuleSetErrors
    from infusion_orders_cli.rule_sources import folder_of

    with failures_explained():
        try:
            document = load_directory(folder_of(directory))
        except RuleSetErrors as errors:
            fail(*map(str, errors.problems), code=TOO_LITTLE)
    with watched("testing") as progress:
        rules = example_reports(document, coverage=coverage, mutate=mutate, progress=progress)
    found = shares(rules)
    if json:
        typer.echo(encoder.dumps({"rules": [one.plain() for one in rules], **found}))
    else:
        _print(document, rules)
    if found["verdicts"] < least_verdicts or found["mutants"] < least_mutants:
        raise typer.Exit(TOO_LITTLE)


def _print(document: RuleSetDocument, tested: Sequence[ExampleReport]) -> None:
    screen = console()
    examples = sum(len(one.rule.examples) for one in tested)
    screen.print(f"[bold green]{document.name}[/]: all {examples} examples of {len(tested)} rules hold")
    covered, mutated = tested[0].coverage is not None, tested[0].mutation is not None
    if not covered and not mutated:
        return
    subjects: dict[str, list[ExampleReport]] = {}
    for one in tested:
        subjects.setdefault(one.rule.id.split(".", maxsplit=1)[0], []).append(one)
    rows = [_row(subject, ones) for subject, ones in subjects.items()]
    headings = ["subject", "rules", "examples", "verdicts", "comparisons both ways", "slips noticed"]
    screen.print(table_of(headings, [*rows, _row("[bold]all[/]", tested)]))
    for line in _missing(tested):
        screen.print(line)


def _row(subject: str, ones: Iterable[ExampleReport]) -> list[str]:
    rules = list(ones)
    covered = [one.coverage for one in rules if one.coverage is not None]
    mutated = [one.mutation for one in rules if one.mutation is not None]
    leaves = sum(len(one.comparisons) for one in covered)
    one_sided = sum(len({leaf for leaf, _ in one.one_sided}) for one in covered)
    return [
        subject,
        str(len(rules)),
        str(sum(len(one.rule.examples) for one in rules)),
        _of(sum(len(one.reached) for one in covered), sum(len(one.possible) for one in covered)) if covered else "-",
        _of(leaves - one_sided, leaves) if covered else "-",
        _of(sum(one.killed for one in mutated), sum(one.mutants for one in mutated)) if mutated else "-",
    ]


def _of(part: int, whole: int) -> str:
    from infusion_orders.authoring.coverage import percent

    return f"{part} of {whole} ({percent(part, whole):.0f} %)"


def _missing(tested: Iterable[ExampleReport]) -> Iterable[str]:
    for one in tested:
        if one.coverage is not None and one.coverage.missing:
            yield f"[yellow]{one.rule.id}[/]: no example has the verdict {', '.join(one.coverage.missing)}"
        survivors = one.mutation.survivors if one.mutation is not None else ()
        for survivor in survivors[:MOST_SHOWN]:
            yield f"[yellow]{one.rule.id}[/]: no example fails if {escaped(survivor.slip)}"
            if survivor.example is not None:
                yield f"    - {escaped(_as_yaml(survivor.example))}"
        if len(survivors) > MOST_SHOWN:
            yield f"[yellow]{one.rule.id}[/]: and {len(survivors) - MOST_SHOWN} more: --json has them all"


def _as_yaml(example: Any) -> str:
    """On one line, as examples stand in rule files."""
    import yaml

    return str(yaml.safe_dump(dict(example), default_flow_style=True, sort_keys=False, width=10_000)).strip()
