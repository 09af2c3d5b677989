"""Turns conditions as authors write them into typed expressions; checks names, types, units and domains.

Problems are collected with their paths, so that an author sees all of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind, Scope
from infusion_orders.orders.suggestions import did_you_mean, valid_words
from infusion_orders.orders.values import MOST_DIGITS, is_bounded
from infusion_orders.rules.condition import All, FactReference, Leaf, Not
from infusion_orders.rules.expression import Comparison, Every, Negation, Some

if TYPE_CHECKING:
    from infusion_orders.facts.fact import Catalogue, Fact
    from infusion_orders.rules.expression import Expression
    from infusion_orders.rules.rule import Period, Rule

DATE_OF_SERVICE = "line.date_of_service"
ORDERED = frozenset({"is", "is_not", "below", "at_most", "above", "at_least", "between", "known"})
OPERATORS_OF_KIND = {
    Kind.BOOLEAN: frozenset({"is", "is_not", "known"}),
    Kind.CODE: frozenset({"is", "is_not", "in", "not_in", "starts_with_any", "known"}),
    Kind.CODES: frozenset({"contains_any", "contains_none", "starts_with_any", "known"}),
    Kind.NUMBER: ORDERED | {"in", "not_in"},
    Kind.DATE: ORDERED,
    Kind.STRUCTURE: frozenset({"known"}),
    Kind.TEXT: frozenset(),
}


class WrongConstant(ValueError):
    """A constant that is no value of its fact; the text says which kind is right."""


@dataclass(frozen=True, slots=True)
class ResolvedRule:
    """A rule with typed conditions; assigned facts still appear by name.  `in_force` is its period as a condition."""

    rule: Rule
    in_force: Expression
    when: Expression
    require: Expression

    @property
    def applies(self) -> Expression:
        """The condition under which the rule applies: its period and its `when`."""
        if self.in_force is True or self.when is True:
            return self.when if self.in_force is True else self.in_force
        return Every((self.in_force, self.when))


def resolve(rule: Rule, resolver: Resolver) -> ResolvedRule:
    """Return the rule with typed conditions; the resolver collects the problems."""
    resolver.line_facts_allowed = rule.scope is Scope.LINE
    when = True if rule.when is None else resolver.expression(rule.when, "when")
    require = True if rule.require is None else resolver.expression(rule.require, "require")
    return ResolvedRule(rule, _in_force(rule.effective), when, require)


def _in_force(period: Period) -> Expression:
    bounds = [("at_least", period.from_), ("at_most", period.to)]
    leaves = tuple(Comparison(DATE_OF_SERVICE, operator, bound) for operator, bound in bounds if bound is not None)
    return Every(leaves) if len(leaves) > 1 else leaves[0] if leaves else True


def any_date_in(period: Period) -> date:
    """Return a date of service on which a rule with this period is in force."""
    return period.from_ or period.to or date(2025, 1, 1)


@dataclass(slots=True)
class Resolver:
    """Resolves conditions over one catalogue and collects `problems` as (path, problem) pairs."""

    catalogue: Catalogue
    line_facts_allowed: bool = True
    problems: list[tuple[str, str]] = field(default_factory=list)

    def expression(self, condition: Any, path: str) -> Expression:
        """Return the typed expression.  A leaf with a problem becomes `False`, and the problem is collected."""
        if isinstance(condition, Leaf):
            return self._leaf(condition, path)
        if isinstance(condition, Not):
            return Negation(self.expression(condition.not_, f"{path}.not"))
        word, parts = ("all", condition.all) if isinstance(condition, All) else ("any", condition.any)
        resolved = tuple(self.expression(part, f"{path}.{word}[{index}]") for index, part in enumerate(parts))
        return Every(resolved) if word == "all" else Some(resolved)

    def fact(self, name: str, path: str) -> Fact | None:
        """Return the fact of that name; collect a problem if there is none."""
        found = self.catalogue.facts.get(name)
        if found is None:
            self.problems.append((path, f"there is no fact {name!r}{did_you_mean(name, self.catalogue.facts)}"))
        elif found.scope is Scope.LINE and not self.line_facts_allowed:
            self.problems.append((path, f"{name} is a fact of a line, so a rule of scope `order` cannot use it"))
        return found

    def _leaf(self, leaf: Leaf, path: str) -> Expression:
        fact = self.fact(leaf.fact, path)
        if fact is None:
            return False
        allowed = OPERATORS_OF_KIND[fact.kind]
        if not allowed:
            self.problems.append((path, f"{fact.name} is a {fact.kind} for messages; a condition cannot compare it"))
            return False
        if leaf.operator not in allowed:
            may = ", ".join(sorted(allowed))
            self.problems.append((path, f"{fact.name} is a {fact.kind}: use {may}, not `{leaf.operator}`"))
            return False
        if isinstance(leaf.operand, FactReference):
            return self._relation(fact, leaf, path)
        try:
            return Comparison(fact.name, leaf.operator, typed_constant(fact, leaf.operator, leaf.operand))
        except WrongConstant as wrong:
            self.problems.append((f"{path}.{leaf.operator}", str(wrong)))
            return False

    def _relation(self, fact: Fact, leaf: Leaf, path: str) -> Expression:
        other = self.fact(leaf.operand.fact, f"{path}.{leaf.operator}")
        if other is None:
            return False
        if (fact.kind, fact.unit) != (other.kind, other.unit):
            units = f" in {fact.unit or 'no unit'} against {other.unit or 'no unit'}" if fact.unit != other.unit else ""
            problem = f"{fact.name} ({fact.kind}) cannot be compared with {other.name} ({other.kind}){units}"
            self.problems.append((f"{path}.{leaf.operator}", problem))
            return False
        return Comparison(fact.name, leaf.operator, other=other.name)


def typed_constant(fact: Fact, operator: str, operand: Any) -> Any:
    """Return the typed constant of a leaf: a set, a pair or prefixes if the operator takes a list.

    Raises WrongConstant.
    """
    if operator == "known":
        return None
    if operator == "between":
        low, high = (read_constant(fact, bound) for bound in operand)
        if high < low:
            message = "the upper bound of `between` is below the lower one"
            raise WrongConstant(message)
        return (low, high)
    if operator == "starts_with_any":
        if not all(isinstance(prefix, str) and prefix for prefix in operand):
            message = "`starts_with_any` takes a list of texts"
            raise WrongConstant(message)
        return tuple(operand)
    if isinstance(operand, tuple):
        return frozenset(read_constant(fact, literal) for literal in operand)
    return read_constant(fact, operand)


def read_constant(fact: Fact, literal: Any) -> Any:
    """Return the literal as a value of the fact, or as an element if the fact is a set of codes.

    Raises WrongConstant for another type, and for a code outside the domain of the fact.
    """
    if fact.kind is Kind.BOOLEAN and isinstance(literal, bool):
        return literal
    if fact.kind is Kind.NUMBER and isinstance(literal, int | float | str) and not isinstance(literal, bool):
        return _number(fact, literal)
    if fact.kind is Kind.DATE and isinstance(literal, str):
        return _date(fact, literal)
    if fact.kind in (Kind.CODE, Kind.CODES) and isinstance(literal, str):
        if fact.domain is not None and literal not in fact.domain:
            message = f"{literal!r} is not a value of {fact.name}{valid_words(literal, fact.domain)}"
            raise WrongConstant(message)
        return literal
    message = f"{fact.name} is a {fact.kind}, and {literal!r} is not one{_quoting(fact)}"
    raise WrongConstant(message)


def _number(fact: Fact, literal: float | str) -> Decimal:
    try:
        number = Decimal(str(literal))
    except ArithmeticError:
        number = Decimal("NaN")
    if not number.is_finite():
        message = f"{fact.name} is a number, and {literal!r} is not one"
        raise WrongConstant(message)
    if not is_bounded(number):
        message = f"{fact.name} is a number of at most {MOST_DIGITS} digits: {literal!r} is out of range"
        raise WrongConstant(message)
    return number


def _date(fact: Fact, literal: str) -> date:
    try:
        return date.fromisoformat(literal)
    except ValueError:
        message = f"{fact.name} is a date; write it as 2026-01-31"
        raise WrongConstant(message) from None


def _quoting(fact: Fact) -> str:
    return " (quote a code that looks like a number)" if fact.kind in (Kind.CODE, Kind.CODES) else ""
