"""What a rule set must pass before it is published: grammar, names, types, limits, tables, and its own examples."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from infusion_orders.authoring.examples import example_problems
from infusion_orders.authoring.fact_references import resolved_rule
from infusion_orders.authoring.grammar_problems import grammar_problems
from infusion_orders.authoring.limits import LIMITS, limit_problems
from infusion_orders.authoring.table_checks import table_problems
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.rules.assignments import CircularAssignment
from infusion_orders.rules.compiled_rule import compile_all, compile_rules
from infusion_orders.rules.problems import RuleProblem, RuleSetErrors
from infusion_orders.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.document import RuleSetDocument


def check_document(
    document: RuleSetDocument, *, files: Mapping[str, str] | None = None, catalogue: Catalogue = CATALOGUE
) -> None:
    """Raise RuleSetErrors with every problem of the document.  `files` maps a rule's id to the file it is in."""
    where = files or {}
    problems = tuple(
        RuleProblem(where.get(rule, ""), rule, path, problem) for rule, path, problem in _problems(document, catalogue)
    )
    if problems:
        raise RuleSetErrors(problems)


def _problems(document: RuleSetDocument, catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    if len(document.rules) > LIMITS.rules:
        yield "", "", f"the rule set has {len(document.rules)} rules; at most {LIMITS.rules} are allowed"
        return
    for found in table_problems(document.tables):
        row = f"row {found.row}" if found.row else ""
        yield f"tables/{found.table}.csv", " ".join(filter(None, (row, found.column))), found.problem
    counted = Counter(str(rule.get("id")) for rule in document.rules)
    yield from ((rule, "id", f"{count} rules have this id") for rule, count in counted.items() if count > 1)
    parsed = 0
    for plain in document.rules:
        rule, found_in_rule = _parsed(plain)
        if rule is not None:
            parsed += 1
            found_in_rule = _rule_problems(rule, catalogue)
        yield from ((str(plain.get("id", "?")), path, problem) for path, problem in found_in_rule)
    if parsed == len(document.rules):
        try:
            compile_all(compile_rules(document.rules, catalogue))
        except CircularAssignment as circular:
            yield "", "assign", str(circular)


def _parsed(plain: dict[str, Any]) -> tuple[Rule | None, list[tuple[str, str]]]:
    if too_large := list(limit_problems(plain)):
        return None, too_large
    try:
        return Rule.model_validate(plain), []
    except ValidationError as errors:
        return None, grammar_problems(errors)


def _rule_problems(rule: Rule, catalogue: Catalogue) -> list[tuple[str, str]]:
    resolved, problems = resolved_rule(rule, catalogue)
    can_be_judged = not any(path.startswith(("when", "require")) for path, _ in problems)
    if not rule.examples:
        problems.append(("examples", "the rule has no example; add at least one"))
    elif can_be_judged:
        problems += example_problems(resolved, catalogue)
    return problems
