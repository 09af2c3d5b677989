"""Rules for tests: the default rule set, loaded once, small rules and rule sets, and decisions under them."""

from __future__ import annotations

import copy
import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.authoring.table_checks import table_problems
from infusion_orders.authoring.table_problems import TableErrors
from infusion_orders.decisions import decide
from infusion_orders.decisions.decide import Decided, decide_case
from infusion_orders.facts.case import Case
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.orders.parsing import parse_order
from infusion_orders.reference.tables import ReferenceTables
from infusion_orders.rules.compiled_rule import compile_rules
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.rules.rule_set import RuleSet
from tests.support.orders import ABSENT, change

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infusion_orders.decisions.decision import Decision
    from infusion_orders.facts.fact import Catalogue

FOLDER = Path(__file__).parents[2] / "rules" / "home-infusion"
TODAY = date(2026, 11, 25)
SETTING = "setting.someone-can-give-it"
"""A default rule that many tests change."""


@cache
def default_document() -> RuleSetDocument:
    """Return the default rules and tables as they are written in rules/home-infusion."""
    return load_directory(FOLDER)


@cache
def default_rules() -> RuleSet:
    """Return the default rules, ready to decide, as version 1."""
    document = default_document()
    return RuleSet.from_document(document, version=1, digest=document.digest)


def changed_document(changes: Mapping[str, Any], rule: str = SETTING) -> RuleSetDocument:
    """Return the default rules with one rule changed at JSON pointers."""
    document = default_document()
    rules = [copy.deepcopy(one) if one["id"] == rule else one for one in document.rules]
    (altered,) = [one for one in rules if one["id"] == rule]
    for pointer, value in changes.items():
        change(altered, pointer, value)
    return RuleSetDocument(document.name, tuple(rules), document.tables)


def reviewing_document() -> RuleSetDocument:
    """Return the default rules, with a review instead of a rejection where nobody can give the therapy."""
    return changed_document({"/otherwise/effect": "review"})


def decision_of(document: Mapping[str, Any], **options: Any) -> Decision:
    """Decide an order in JSON under the default rules; `options` go to `decide`."""
    order = parse_order(json.dumps(document, default=str))
    return decide(order, default_rules(), as_of=TODAY, **options).decision


def a_rule(rule_id: str = "some.rule", **parts: Any) -> dict[str, Any]:
    """Return a valid rule as an author writes it; `parts` replace its keys, and ABSENT removes one."""
    rule = {
        "id": rule_id,
        "title": "A rule",
        "scope": "line",
        "require": {"fact": "caregiver.able", "is": True},
        "otherwise": {"effect": "reject", "message": "Not met."},
        "citation": {"document": "A manual", "basis": "manual"},
    } | parts
    return {key: value for key, value in rule.items() if value is not ABSENT}


def a_rule_requiring(
    rule_id: str, effect: str, condition: Any, message: str = "Not met.", **otherwise: Any
) -> dict[str, Any]:
    """Return a rule on each line with this requirement and effect, with a clause and a complete citation."""
    return a_rule(
        rule_id,
        clause="M-1",
        title=f"The rule {rule_id}",
        require=condition,
        otherwise={"effect": effect, "message": message, **otherwise},
        citation={"document": "A manual", "topic": "A topic", "updated": "2024-07-01", "basis": "manual"},
    )


def an_assignment(rule_id: str, fact: str, value: Any, when: Any, **parts: Any) -> dict[str, Any]:
    """Return a rule that assigns the value to the fact when the condition holds."""
    return a_rule(rule_id, require=ABSENT, otherwise=ABSENT, when=when, assign={fact: value}, **parts)


def a_rule_set(
    *rules: dict[str, Any], catalogue: Catalogue = CATALOGUE, tables: ReferenceTables | None = None
) -> RuleSet:
    """Return a rule set of these rules, which are compiled but not checked, without tables unless some are given."""
    compiled = compile_rules(rules, catalogue)
    return RuleSet("some", 1, "sha256:0", compiled, tables or ReferenceTables({}), catalogue)


def decide_facts(
    rule_set: RuleSet,
    lines: Sequence[Mapping[str, Any]],
    order: Mapping[str, Any] | None = None,
    line_ids: Sequence[str] | None = None,
) -> Decided:
    """Decide lines whose facts are given by name instead of derived; the lines are numbered from 1 unless named."""
    case = Case(rule_set.catalogue, rule_set.tables, order_facts=dict(order or {}), line_facts=list(lines))
    ids = line_ids if line_ids is not None else [str(number + 1) for number in range(len(lines))]
    return decide_case(case, rule_set, order_id="order", line_ids=ids, as_of=TODAY)


def checked_tables(tables: Mapping[str, Sequence[Sequence[str]]]) -> ReferenceTables:
    """Return the tables, ready to use.  Raises TableErrors with every problem."""
    if problems := table_problems(tables):
        raise TableErrors(problems)
    return ReferenceTables(tables)


def derived_facts(case: Case) -> tuple[dict[str, Any], ...]:
    """Return, for each line, the values of all facts by name."""
    return tuple({name: line[name] for name in case.catalogue.declared} for line in case.lines)
