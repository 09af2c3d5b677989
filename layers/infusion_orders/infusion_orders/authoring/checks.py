"""What a rule set must pass before it is published: grammar, names, types, limits, tables, and its own examples."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from infusion_orders.authoring.examples import example_problems
from infusion_orders.authoring.limits import LIMITS, limit_problems
from infusion_orders.authoring.table_checks import problems_of
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.fact import Kind
from infusion_orders.rules.compiled_rule import CircularAssignment, compile_all, compile_rules, resolve
from infusion_orders.rules.expression import comparisons
from infusion_orders.rules.problems import RuleProblem, RuleSetErrors
from infusion_orders.rules.resolution import Resolver, WrongConstant, nearest, read_constant
from infusion_orders.rules.rule import Rule
from infusion_orders.rules.texts import placeholder_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infusion_orders.facts.fact import Catalogue, Fact
    from infusion_orders.rules.compiled_rule import ResolvedRule
    from infusion_orders.rules.condition import FactReference
    from infusion_orders.rules.document import RuleSetDocument

FIELDS = tuple(field.alias or name for name, field in Rule.model_fields.items())


def check(
    document: RuleSetDocument, *, files: Mapping[str, str] | None = None, catalogue: Catalogue = CATALOGUE
) -> None:
    """Raises RuleSetErrors with every problem that was found; `files` tells which rule stands in which file."""
    where = files or {}
    problems = list(_problems(document, catalogue))
    if problems:
        raise RuleSetErrors(
            tuple(RuleProblem(where.get(rule, ""), rule, path, problem) for rule, path, problem in problems)
        )


def _problems(document: RuleSetDocument, catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    if len(document.rules) > LIMITS.rules:
        yield "", "", f"{len(document.rules)} rules: at most {LIMITS.rules}"
        return
    yield from _table_problems(document)
    counted = Counter(str(rule.get("id")) for rule in document.rules)
    yield from ((rule, "id", f"is used by {count} rules") for rule, count in counted.items() if count > 1)
    rules: list[Rule] = []
    for plain in document.rules:
        found = list(limit_problems(plain))
        if not found:
            rule, found = _parsed(plain)
            if rule is not None:
                rules.append(rule)
                found = list(_rule_problems(rule, catalogue))
        yield from ((str(plain.get("id", "?")), path, problem) for path, problem in found)
    if len(rules) == len(document.rules):
        try:
            compile_all(compile_rules(document.rules, catalogue))
        except CircularAssignment as circular:
            yield "", "assign", str(circular)


def _table_problems(document: RuleSetDocument) -> Iterator[tuple[str, str, str]]:
    for found in problems_of(document.tables):
        row = f"row {found.row}" if found.row else ""
        yield f"tables/{found.table}.csv", " ".join(filter(None, (row, found.column))), found.problem


def _parsed(plain: dict[str, Any]) -> tuple[Rule | None, list[tuple[str, str]]]:
    try:
        return Rule.model_validate(plain), []
    except ValidationError as errors:
        return None, [_grammar_problem(dict(error)) for error in errors.errors(include_url=False)]


def _grammar_problem(error: dict[str, Any]) -> tuple[str, str]:
    shapes = {"leaf", "literal", "reference"}
    path = ".".join(str(part) for part in error["loc"] if part not in shapes)
    if error["type"] == "extra_forbidden":
        name = str(error["loc"][-1])
        return path, f"there is no field {name!r}{nearest(name, FIELDS)}"
    return path, str(error["msg"]).removeprefix("Value error, ")


def _rule_problems(rule: Rule, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    resolver = Resolver(catalogue)
    resolved = resolve(rule, resolver)
    yield from resolver.problems
    yield from _assignment_problems(resolved, catalogue)
    yield from _private_problems(resolved, catalogue)
    if rule.otherwise is not None:
        yield from placeholder_problems(rule, catalogue)
    if not rule.examples:
        yield "examples", "a rule needs at least one example"
    if not resolver.problems:
        yield from example_problems(resolved, catalogue)


def _assignment_problems(resolved: ResolvedRule, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    for target, value in (resolved.rule.assign or {}).items():
        if target not in catalogue.assigned:
            yield f"assign.{target}", f"is no fact that rules assign{nearest(target, catalogue.assigned)}"
        elif problem := _value_problem(catalogue.facts[target], value, catalogue):
            yield f"assign.{target}", problem
    for leaf in (*comparisons(resolved.when), *comparisons(resolved.require)):
        for name in (leaf.fact, leaf.other):
            if name in catalogue.assigned and leaf.other is not None:
                yield "", f"{name} is assigned by rules: compare it with a literal"


def _private_problems(resolved: ResolvedRule, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """What identifies a person is never recorded: a decision that rested on it could not be reproduced."""
    leaves = (*comparisons(resolved.when), *comparisons(resolved.require))
    for name in dict.fromkeys(name for leaf in leaves for name in (leaf.fact, leaf.other) if name is not None):
        if catalogue.facts[name].private:
            derived = sorted(fact.name for fact in catalogue.facts.values() if name in fact.derived_from)
            instead = f"; use what is derived from it: {', '.join(derived)}" if derived else ""
            yield "", f"{name} is private and never recorded: no condition may rest on it{instead}"


def _value_problem(target: Fact, value: str | FactReference, catalogue: Catalogue) -> str | None:
    if isinstance(value, str):
        try:
            read_constant(target, value)
        except WrongConstant as wrong:
            return str(wrong)
        return None
    fact = catalogue.facts.get(value.fact)
    if fact is None:
        return f"there is no fact {value.fact!r}{nearest(value.fact, catalogue.facts)}"
    if fact.kind is not Kind.CODE or fact.name in catalogue.assigned:
        return f"{fact.name} is no code that is read or derived"
    if target.domain is not None and (fact.domain is None or not fact.domain <= target.domain):
        return f"{fact.name} can have values that {target.name} cannot"
    return None
