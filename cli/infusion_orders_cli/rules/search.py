"""`infusion-orders rules search`: find rules by text."""

from __future__ import annotations

from typing import Annotated

import typer

from infusion_orders.orders.vocabularies import ProviderType  # noqa: TC001 - read by typer
from infusion_orders_cli.options import Rules  # noqa: TC001 - read by typer
from infusion_orders_cli.terminal import console, fail, failures_explained, print_table

EPILOG = """
Examples:
infusion-orders rules search caregiver
infusion-orders rules search vendor --clause M-8 --provider-type medical_group
"""


def search_rules(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="4 to 60 characters; a rule must contain every word.")],
    provider_type: Annotated[ProviderType | None, typer.Option(help="Only rules for this type of provider.")] = None,
    clause: Annotated[str | None, typer.Option(help="Only rules of this clause, such as M-5.")] = None,
    therapy: Annotated[str | None, typer.Option(help="Only rules that name this therapy, such as tpn.")] = None,
    effect: Annotated[
        str | None, typer.Option(help="Only this effect: redirect, reject, review, warn, assign.")
    ] = None,
    rules: Rules = None,
    json: Annotated[bool, typer.Option("--json", help="Print one rule per line.")] = False,
) -> None:
    """Search rules by text, as the manual's own search does; the best match comes first."""
    from infusion_orders.authoring.search import EFFECTS, SearchTextLength, find_rules
    from infusion_orders.rules.rule import Rule
    from infusion_orders_cli.rule_sources import document_from_files

    if effect is not None and effect not in EFFECTS:
        fail(f"{effect!r} is not an effect: use one of {', '.join(EFFECTS)}.")
    with failures_explained():
        document = document_from_files(rules)
    every = [Rule.model_validate(rule) for rule in document.rules]
    wanted = None if clause is None else clause.upper()
    try:
        found = find_rules(every, text, clause=wanted, provider_type=provider_type, therapy=therapy, effect=effect)
    except SearchTextLength as wrong:
        fail(f"{str(wrong)[:1].upper()}{str(wrong)[1:]}.")
    if json:
        for rule in found:
            typer.echo(rule.model_dump_json(by_alias=True, exclude_none=True))
    elif found:
        rows = (
            (rule.clause or "-", rule.id, rule.otherwise.effect if rule.otherwise else "assigns", rule.title)
            for rule in found
        )
        print_table(("clause", "rule", "effect", "title"), rows)
    else:
        console(stderr=True).print("No rule matches.")
