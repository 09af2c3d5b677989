"""Decide random orders under the default rules: none may fail, and the same order always gets the same decision.

`make fuzz` decides 100,000; `python -m tests.fuzz.orders --seed 7 --only 1234` decides one of them again and prints it.
"""

from __future__ import annotations

import json
import multiprocessing
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import track

from infusion_orders.decisions.decide import decide, decide_case
from infusion_orders.decisions.decision import Outcome
from infusion_orders.decisions.judgement import judge_order
from infusion_orders.facts.case import Case
from infusion_orders.facts.record import case_from_record
from infusion_orders.facts.units import MOST_UNITS
from infusion_orders.facts.unknown import Fault
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.rule import Verdict
from tests.fuzz.generator import CANARY, LINE_CANARY, PERSONS, Generator, pointers, shuffled, without_one_field
from tests.support.rules import TODAY, default_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.main import IncEx

    from infusion_orders.decisions.decide import Decided
    from infusion_orders.decisions.decision import Billing, Decision

SEED = 20261125
CHUNK = 100
ALTERED_EVERY = 20
"""Every 20th order is also decided again, from its record, with its lines shuffled, and without one field."""
FAILURES = Path(".cache") / "fuzz"
PLACES = pointers()
LISTS_OF_LINES: IncEx = {
    "lines": {"__all__": {"line_id"}},
    "findings": {"__all__": {"lines"}},
    "actions": {"__all__": {"lines"}},
}
SETTLED = {Outcome.ACCEPTED, Outcome.REJECTED, Outcome.REDIRECTED, Outcome.NEEDS_REVIEW}
UNLISTED_CODES = ("J9999", "J3490", "V0001", "J0001", "99213")

Reached = set[tuple[str, str]]


@dataclass
class Report:
    """`failures` has order numbers and what went wrong, `reached` each rule with each verdict that some line got."""

    orders: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)
    reached: Reached = field(default_factory=set)

    def add(self, other: Report) -> None:
        """Add the numbers of another report."""
        self.orders += other.orders
        self.failures += other.failures
        self.reached |= other.reached


class Wrong(Exception):
    """A decision breaks a requirement."""


def document_of(seed: int, number: int) -> dict[str, Any]:
    """Return the order with this number, which is always the same."""
    codes = sorted({row[0] for row in default_rules().tables.rows()["codes"][1:]} | set(UNLISTED_CODES))
    return Generator(Random(f"{seed}:{number}"), codes).order()


def check(document: dict[str, Any], random: Random, *, altered: bool) -> Reached:
    """Decide the order; raise Wrong if the decision breaks a requirement, and pass on what the code raises."""
    rules = default_rules()
    order = parse_order(json.dumps(document))
    line_ids = [line.line_id for line in order.lines]
    case = Case(rules.catalogue, rules.tables, order=order)
    judged = judge_order(case, rules, line_ids)
    reached = {
        (compiled.id, line.verdict(position).value) for line in judged for position, compiled in enumerate(rules.rules)
    }
    if errors := sorted(rule for rule, verdict in reached if verdict == Verdict.ERROR.value):
        raise Wrong(f"error verdicts: {', '.join(errors)}")
    decided = decide_case(case, rules, order_id=order.order_id, line_ids=line_ids, as_of=TODAY)
    _check_decision(decided.decision, len(line_ids))
    _check_privacy(decided)
    _check_facts(case)
    if altered:
        if decide(order, rules, as_of=TODAY) != decided:
            raise Wrong("the same order is decided differently")
        again = case_from_record(json.loads(decided.facts), rules.catalogue, rules.tables)
        if decide_case(again, rules, order_id=order.order_id, line_ids=line_ids, as_of=TODAY) != decided:
            raise Wrong("the recorded facts are decided differently")
        _check_altered(document, decided.decision, random)
    return reached


def _check_facts(case: Case) -> None:
    """Read every fact of every line, also those that no rule reads."""
    for line in case.lines:
        for name in case.catalogue.facts.keys() - line.keys() - case.catalogue.assigned.keys():
            line[name]
        for name, value in line.items():
            if isinstance(value, Fault):
                raise Wrong(f"the fact {name} fails")


def _check_decision(decision: Decision, lines: int) -> None:
    if decision.outcome is Outcome.INDETERMINATE:
        raise Wrong("the outcome is indeterminate")
    wants = any(line.outcome is Outcome.NEEDS_INFORMATION for line in decision.lines)
    if bool(decision.questions) is not wants:
        raise Wrong("questions and outcome disagree")
    if len({(*question.pointers, question.ask) for question in decision.questions}) != len(decision.questions):
        raise Wrong("a question is asked twice")
    asked = (pointer for question in decision.questions for pointer in (*question.pointers, *question.or_))
    shown = (pointer for finding in decision.findings for pointer in finding.pointers)
    for pointer in {*asked, *shown}:
        if not _is_a_place(pointer, lines):
            raise Wrong(f"{pointer} is not in the order")
    for line in decision.lines:
        if line.billing is not None:
            _check_billing(line.billing)


def _is_a_place(pointer: str, lines: int) -> bool:
    steps = pointer.split("/")
    indexes = [int(step) for step in steps if step.isdecimal()]
    field_of_model = "/".join(step for step in steps if not step.isdecimal())
    return field_of_model in PLACES and all(index < lines for index in indexes)


def _check_billing(billing: Billing) -> None:
    each, times = billing.units_per_administration, billing.administrations
    counts = [count for count in (each, times, billing.units, billing.waste_units) if count is not None]
    if any(not 0 <= count <= MOST_UNITS for count in counts):
        raise Wrong("a count is out of bounds")
    if billing.units is not None and billing.units != (each or 0) * (times or 0):
        raise Wrong("the units are not the units of one administration times the administrations")


def _check_privacy(decided: Decided) -> None:
    text = decided.decision.model_dump_json(exclude=LISTS_OF_LINES) + decided.facts.decode()
    if LINE_CANARY in text:
        raise Wrong("a line id appears outside a list of lines")
    if any(secret in text for secret in (CANARY, *PERSONS)):
        raise Wrong("the answer or the record contains free text or an identifier of a person")


def _check_altered(document: dict[str, Any], decision: Decision, random: Random) -> None:
    outcomes = {line.line_id: line.outcome for line in decision.lines}
    if _outcomes(shuffled(document, random)) != outcomes:
        raise Wrong("the order of the lines changes an outcome")
    for line_id, outcome in _outcomes(without_one_field(document, random)).items():
        if outcome in SETTLED and outcome is not outcomes[line_id]:
            raise Wrong(f"without a field line {line_id} is {outcome.value}, with it {outcomes[line_id].value}")


def _outcomes(document: dict[str, Any]) -> dict[str, Outcome]:
    decision = decide(parse_order(json.dumps(document)), default_rules(), as_of=TODAY).decision
    return {line.line_id: line.outcome for line in decision.lines}


def run(seed: int, numbers: range) -> Report:
    """Check the orders with these numbers and collect the failures."""
    report = Report()
    for number in numbers:
        random = Random(f"{seed}:{number}:altered")
        try:
            report.reached |= check(document_of(seed, number), random, altered=number % ALTERED_EVERY == 0)
        except Wrong as wrong:
            report.failures.append((number, str(wrong)))
        except Exception:
            report.failures.append((number, traceback.format_exc()))
        report.orders += 1
    return report


def run_in_parallel(seed: int, orders: int) -> Iterator[Report]:
    """Yield one report per chunk, from processes on all cores."""
    default_rules()
    chunks = [range(first, min(first + CHUNK, orders)) for first in range(0, orders, CHUNK)]
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("fork")) as pool:
        for done in as_completed([pool.submit(run, seed, chunk) for chunk in chunks]):
            yield done.result()


def unreached(reached: Reached) -> list[str]:
    """Return the rules that no order broke or satisfied; an assigning rule only has to apply once."""
    wanted = {
        (compiled.id, verdict.value)
        for compiled in default_rules().rules
        for verdict in ((Verdict.SATISFIED,) if compiled.definition.assign else (Verdict.NOT_MET, Verdict.SATISFIED))
    }
    return sorted(f"{rule} {verdict}" for rule, verdict in wanted - reached)


def main(
    orders: Annotated[int, typer.Option(help="How many orders.")] = 100_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same orders.")] = SEED,
    only: Annotated[int | None, typer.Option(help="Decide only this order, and print it.")] = None,
) -> None:
    """Decide random orders; exit with 1 if one fails.  Example: python -m tests.fuzz.orders --orders 1000"""
    if only is not None:
        typer.echo(json.dumps(document_of(seed, only), indent=2, ensure_ascii=False))
        report = run(seed, range(only, only + 1))
    else:
        report = Report()
        for part in track(run_in_parallel(seed, orders), "deciding", total=-(-orders // CHUNK)):
            report.add(part)
    for number, what in report.failures[:20]:
        FAILURES.mkdir(parents=True, exist_ok=True)
        kept = FAILURES / f"{seed}-{number}.json"
        kept.write_text(json.dumps(document_of(seed, number), indent=2, ensure_ascii=False), encoding="utf-8")
        typer.echo(f"order {number} ({kept}; --seed {seed} --only {number}): {what}")
    typer.echo(f"{report.orders} orders, seed {seed}: {len(report.failures)} failures")
    if only is None:
        typer.echo("never reached: " + (", ".join(unreached(report.reached)) or "nothing"))
    raise typer.Exit(1 if report.failures else 0)


if __name__ == "__main__":
    typer.run(main)
