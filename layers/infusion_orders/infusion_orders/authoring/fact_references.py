"""Every place of a rule that names a fact, and the check that the fact exists and may be used there.

One walk over the rule finds the places: conditions, texts, assignments and the vendor of an action.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from infusion_orders.facts.fact import Kind
from infusion_orders.orders.suggestions import did_you_mean
from infusion_orders.rules.condition import FactReference, Leaf, parts_of
from infusion_orders.rules.resolution import Resolver, WrongConstant, read_constant, resolve
from infusion_orders.rules.texts import placeholders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infusion_orders.facts.fact import Catalogue, Fact
    from infusion_orders.rules.condition import Condition
    from infusion_orders.rules.resolution import ResolvedRule
    from infusion_orders.rules.rule import Otherwise, Rule


class Place(StrEnum):
    """Where a rule names a fact; the values complete the sentence `... cannot be used in ...`."""

    CONDITION = "a condition"
    COMPARISON = "a comparison of two facts"
    TEXT = "a text"
    TARGET = "the target of an assignment"
    VALUE = "the value of an assignment"
    VENDOR = "the vendor of an action"


@dataclass(frozen=True, slots=True)
class NamedFact:
    """A fact's name, the path in the rule where it is written, and the kind of place."""

    name: str
    path: str
    place: Place


def named_facts(rule: Rule) -> Iterator[NamedFact]:
    """Yield every place of the rule that names a fact."""
    yield from _named_in_condition(rule.when, "when")
    yield from _named_in_condition(rule.require, "require")
    for target, value in (rule.assign or {}).items():
        yield NamedFact(target, f"assign.{target}", Place.TARGET)
        if isinstance(value, FactReference):
            yield NamedFact(value.fact, f"assign.{target}", Place.VALUE)
    if rule.otherwise is not None:
        yield from _named_in_consequence(rule.otherwise)


def _named_in_consequence(otherwise: Otherwise) -> Iterator[NamedFact]:
    for field, text in (("message", otherwise.message), ("remedy", otherwise.remedy)):
        for name in placeholders(text or ""):
            yield NamedFact(name, f"otherwise.{field}", Place.TEXT)
    action = otherwise.action
    if action is not None and isinstance(action.vendor, FactReference):
        yield NamedFact(action.vendor.fact, "otherwise.action.vendor", Place.VENDOR)


def _named_in_condition(condition: Condition | None, path: str) -> Iterator[NamedFact]:
    if condition is None:
        return
    if not isinstance(condition, Leaf):
        for part in parts_of(condition):
            yield from _named_in_condition(part, path)
    elif isinstance(condition.operand, FactReference):
        yield NamedFact(condition.fact, path, Place.COMPARISON)
        yield NamedFact(condition.operand.fact, path, Place.COMPARISON)
    else:
        yield NamedFact(condition.fact, path, Place.CONDITION)


def resolved_rule(rule: Rule, catalogue: Catalogue) -> tuple[ResolvedRule, list[tuple[str, str]]]:
    """Return the rule with typed conditions, and (path, problem) of every wrong use of a fact."""
    resolver = Resolver(catalogue)
    resolved = resolve(rule, resolver)
    problems = list(resolver.problems)
    for named in dict.fromkeys(named_facts(rule)):
        problem = _problem(named, rule, catalogue)
        if problem is not None:
            problems.append((named.path, problem))
    return resolved, problems


def _problem(named: NamedFact, rule: Rule, catalogue: Catalogue) -> str | None:
    fact = catalogue.facts.get(named.name)
    if named.place is Place.TARGET:
        return _target_problem(named.name, rule, catalogue)
    if fact is None:
        if named.place in (Place.CONDITION, Place.COMPARISON):
            return None  # the resolver reports it, with the exact path
        return f"there is no fact {named.name!r}{did_you_mean(named.name, catalogue.facts)}"
    if fact.private:
        return _privacy_problem(fact, named.place, catalogue)
    if fact.name in catalogue.assigned:
        return None if named.place is Place.CONDITION else _assigned_fact_problem(fact, named.place)
    if named.place is Place.VENDOR and fact.kind is not Kind.CODE:
        return f"{fact.name} is a {fact.kind}; the vendor of an action must be a code, such as line.contracted_vendor"
    if named.place is Place.VALUE:
        (target,) = rule.assign or {}
        return _value_problem(fact, catalogue.facts[target]) if target in catalogue.assigned else None
    return None


def _privacy_problem(fact: Fact, place: Place, catalogue: Catalogue) -> str:
    """Explain that a private fact is never recorded: a decision that used it could not be reproduced."""
    derived = sorted(other.name for other in catalogue.facts.values() if fact.name in other.uses)
    instead = f"; use a fact derived from it: {', '.join(derived)}" if derived and place is not Place.VENDOR else ""
    return f"{fact.name} identifies a person and is never recorded, so it cannot be used in {place}{instead}"


def _assigned_fact_problem(fact: Fact, place: Place) -> str:
    advice = "; compare it with a literal value" if place is Place.COMPARISON else ""
    return f"{fact.name} is assigned by rules, so it cannot be used in {place}{advice}"


def _target_problem(target: str, rule: Rule, catalogue: Catalogue) -> str | None:
    if target not in catalogue.assigned:
        near = did_you_mean(target, catalogue.assigned) or f"; use one of: {', '.join(sorted(catalogue.assigned))}"
        return f"{target} is not a fact that rules assign{near}"
    return _literal_problem(catalogue.facts[target], rule.assign or {})


def _literal_problem(target: Fact, assigned: Mapping[str, str | FactReference]) -> str | None:
    value = assigned[target.name]
    if isinstance(value, str):
        try:
            read_constant(target, value)
        except WrongConstant as wrong:
            return str(wrong)
    return None


def _value_problem(fact: Fact, target: Fact) -> str | None:
    if fact.kind is not Kind.CODE:
        return f"{fact.name} is a {fact.kind}; only a code can be assigned to {target.name}"
    if target.domain is not None and (fact.domain is None or not fact.domain <= target.domain):
        excess = sorted(fact.domain - target.domain) if fact.domain is not None else []
        such_as = f", such as {excess[0]!r}" if excess else ""
        return f"{fact.name} can have values that {target.name} does not allow{such_as}"
    return None
