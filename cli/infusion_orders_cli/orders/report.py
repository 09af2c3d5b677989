"""A decision or a problem, printed for a person: the outcome, the reasons, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from infusion_orders.decisions.decision import Outcome
from infusion_orders.rules.rule import Citation, Effect
from infusion_orders_cli.terminal import plain, table_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Mapping

    from rich.console import RenderableType

    from infusion_orders.api.problems import Problem
    from infusion_orders.decisions.decision import Action, Decision, Finding, LineDecision, Question, RuleExplanation
    from infusion_orders_cli.orders.results import Result

COLOURS: Mapping[str, str] = {
    Outcome.ACCEPTED: "bold green",
    Outcome.PARTLY_ACCEPTED: "bold yellow",
    Outcome.REDIRECTED: "bold yellow",
    Outcome.NEEDS_REVIEW: "bold magenta",
    Outcome.NEEDS_INFORMATION: "bold cyan",
    Outcome.REJECTED: "bold red",
    Outcome.INDETERMINATE: "bold red",
    Effect.REJECT: "red",
    Effect.REDIRECT: "yellow",
    Effect.REVIEW: "magenta",
    Effect.WARN: "blue",
    "true": "green",
    "false": "red",
    "unknown": "cyan",
    "error": "red",
    "satisfied": "green",
    "not_met": "red",
}


def report(result: Result) -> RenderableType:
    """Return the whole answer to one order."""
    if result.decision is not None:
        return decision_report(result.decision)
    return problem_report(result.problem, result.place) if result.problem is not None else Text()


def problem_report(problem: Problem, place: str) -> RenderableType:
    """List each field to fix; the report holds no values of the order."""
    parts: list[RenderableType] = [Text(plain(problem.detail))]
    for error in problem.errors:
        where, what = (text for text in error.values())
        parts.append(Text.assemble("  ", (plain(where) or "(the whole)", "bold"), " ", plain(what)))
    return Panel(Group(*parts), title=_title(place, problem.name, "bold red"), title_align="left", border_style="red")


def decision_report(decision: Decision) -> RenderableType:
    """Show outcome, lines, actions, questions, findings, explanation and receipt; empty parts are left out."""
    colour = COLOURS[decision.outcome]
    title = _title(decision.order_id, _words(decision.outcome), colour)
    sections: Mapping[str, Iterable[RenderableType]] = {
        "What to do": _actions(decision.actions),
        "What would settle it": _questions(decision.questions),
        "What the rules found": _findings(decision.findings),
        "Every rule": _explanation(decision.explanation or ()),
    }
    parts: list[RenderableType] = [_lines(decision.lines)]
    for heading, section in sections.items():
        if shown := list(section):
            parts += [Text(f"\n{heading}", style="bold"), *shown]
    parts.append(_receipt(decision))
    return Panel(Group(*parts), title=title, title_align="left", border_style=colour.removeprefix("bold "))


def summary(counts: Counter[str]) -> RenderableType:
    """Count the orders by outcome or problem."""
    table = Table(title="All orders", title_justify="left", title_style="bold", box=None, show_header=False)
    for name, count in counts.most_common():
        table.add_row(Text(_words(name), style=COLOURS.get(name, "bold red")), f"{count:,}")
    return table


def _title(subject: str, verdict: str, colour: str) -> Text:
    return Text.assemble(" ", (plain(subject), "bold"), ": ", (plain(verdict), colour), " ")


def _words(name: str) -> str:
    return str(name).replace("_", " ")


def _lines(lines: Iterable[LineDecision]) -> Table:
    headings = ("line", "outcome", "therapy", "responsible party", "units", "wasted")
    table = table_of(headings, numbers=headings[4:])
    for line in lines:
        party, billing = line.responsible_party, line.billing
        table.add_row(
            Text(plain(line.line_id)),
            Text(_words(line.outcome), style=COLOURS[line.outcome]),
            Text(plain(line.therapy or "-")),
            "-" if party is None else _words(party.party),
            _number(None if billing is None else billing.units),
            _number(None if billing is None else billing.waste_units),
        )
    return table


def _number(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _actions(actions: Iterable[Action]) -> Iterator[RenderableType]:
    for action in actions:
        vendor = f": {action.vendor}" if action.vendor else ""
        yield Text(plain(f"  {_words(action.action)}{vendor} (lines {', '.join(action.lines)})"))


def _questions(questions: Iterable[Question]) -> Iterator[RenderableType]:
    for question in questions:
        yield Text.assemble("  ", plain(question.ask), " ", (f"({question.reason})", "cyan"))
        yield Text("    " + ", ".join(question.pointers), style="bold")
        if question.hint:
            yield Text(f"    {plain(question.hint)}")
        if question.or_:
            yield Text.assemble("    or instead ", (", ".join(question.or_), "bold"))


def _findings(findings: Iterable[Finding]) -> Iterator[RenderableType]:
    for finding in findings:
        clause = f"{finding.clause} " if finding.clause else ""
        colour = COLOURS[finding.effect]
        yield Text.assemble(
            "  ",
            (clause + _words(finding.effect), colour),
            f" {finding.rule}: {_words(finding.verdict)} (lines {plain(', '.join(finding.lines))})",
        )
        for text in filter(None, (finding.message, finding.remedy)):
            yield Padding(Text(plain(text)), (0, 0, 0, 4))
        yield Padding(Text(_cited(finding.citation), style="dim"), (0, 0, 0, 4))


def _cited(citation: Citation) -> str:
    updated = f"updated {citation.updated}" if citation.updated else None
    parts = (citation.document, citation.topic, citation.section, updated, f"basis: {_words(citation.basis)}")
    return ", ".join(part for part in parts if part)


def _explanation(rules: Iterable[RuleExplanation]) -> Iterator[RenderableType]:
    for explained in rules:
        label = Text.assemble(
            "  line ", plain(explained.line_id), " ", (explained.rule, "bold"), ": ", _coloured(explained.verdict)
        )
        tree = Tree(label, guide_style="dim")
        for name, condition in (("when", explained.when), ("require", explained.require)):
            if condition is not None:
                _grow(tree, name, condition)
        yield tree


def _grow(tree: Tree, name: str, condition: Mapping[str, Any]) -> None:
    """Add a branch for each condition; a leaf shows the fact, what it is compared with, its value and its truth."""
    truth = _coloured(condition["truth"])
    if "fact" not in condition:
        word = next((word for word in ("all", "any", "not") if word in condition), "")
        branch = tree.add(Text.assemble(" ".join(filter(None, (name, word))) + ": ", truth))
        inner = condition.get(word, ())
        for part in (inner,) if word == "not" else inner:
            _grow(branch, "", part)
        return
    compared = condition.get("other", condition.get("constant"))
    value = f", it is {condition['value']}" if "value" in condition else ""
    words = (name, str(condition["fact"]), _words(condition["operator"]), "" if compared is None else str(compared))
    tree.add(Text.assemble(plain(" ".join(word for word in words if word) + value), ": ", truth))


def _coloured(word: str) -> tuple[str, str]:
    return _words(word), COLOURS.get(word, "")


def _receipt(decision: Decision) -> Text:
    rules, clock = decision.ruleset, decision.clock
    due = f"\nanswer due in {clock.answer_due}, from {clock.starts}" if clock is not None else ""
    recorded = f"\ndecision {decision.decision_id}" if decision.decision_id else ""
    return Text(
        f"\n{rules.name} version {rules.version}, {rules.digest}\nas of {decision.as_of}; "
        f"receipt {decision.receipt.decision}{recorded}{due}",
        style="dim",
    )
