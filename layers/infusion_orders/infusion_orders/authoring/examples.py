"""Running a rule's own examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind
from infusion_orders.facts.unknown import Need, Reason, Unknown
from infusion_orders.rules.compilation import compile_verdict
from infusion_orders.rules.compiled_rule import DATE_OF_SERVICE, any_date_in
from infusion_orders.rules.expression import Every, Negation, comparisons
from infusion_orders.rules.open_questions import Unsettled
from infusion_orders.rules.resolution import Resolver, WrongConstant, read_constant
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.facts.fact import Catalogue, Fact
    from infusion_orders.rules.compilation import Judge
    from infusion_orders.rules.compiled_rule import ResolvedRule
    from infusion_orders.rules.expression import Expression
    from infusion_orders.rules.rule import Example


class GivenFacts(dict[str, Any]):
    """The facts that an example gives; every other one is unknown, derived or not."""

    def __missing__(self, name: str) -> Unknown:
        return Unknown((Need(name, None, Reason.MISSING),))


def example_problems(resolved: ResolvedRule, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """(path, problem) of every example that does not come out as its author says."""
    for index, example in enumerate(resolved.rule.examples):
        path = f"examples[{index}]"
        try:
            facts = given_facts(resolved, example, catalogue)
        except WrongConstant as wrong:
            yield f"{path}.given", str(wrong)
            continue
        rule = as_given(resolved, example)
        verdict = rule.verdict(facts)
        if verdict.value != example.expect:
            yield path, f"expects {example.expect}, but the rule says {verdict.value}"
        elif example.asks is not None:
            asked = questions_of(rule, facts, catalogue) if verdict is Verdict.UNKNOWN else ()
            if set(asked) != set(example.asks):
                yield path, f"asks for {', '.join(sorted(example.asks))}, but the rule asks for {', '.join(asked)}"


def given_facts(resolved: ResolvedRule, example: Example, catalogue: Catalogue) -> GivenFacts:
    """The example's facts typed.  Raises WrongConstant for an unknown name or a value that the fact cannot have."""
    resolver = Resolver(catalogue)
    facts = GivenFacts()
    for name, literal in example.given.items():
        fact = resolver.fact(name, name)
        if fact is None:
            raise WrongConstant(resolver.problems[0][1])
        if literal is not None:
            facts[name] = _value(fact, literal)
    if DATE_OF_SERVICE not in example.given:
        facts[DATE_OF_SERVICE] = any_date_in(resolved.rule.effective)
    return facts


def _value(fact: Fact, literal: Any) -> Any:
    if fact.kind is not Kind.CODES:
        return read_constant(fact, literal)
    if not isinstance(literal, list | tuple):
        message = f"{fact.name} is a set of codes: write a list"
        raise WrongConstant(message)
    return frozenset(read_constant(fact, code) for code in literal)


@dataclass(frozen=True, slots=True)
class RuleAsGiven:
    """A rule as one example sees it."""

    when: Expression
    require: Expression
    assigns: bool
    verdict: Judge


def as_given(resolved: ResolvedRule, example: Example) -> RuleAsGiven:
    """`when` holds if the example says nothing about it."""
    named = {name for leaf in comparisons(resolved.when) for name in (leaf.fact, leaf.other) if name is not None}
    assigns = resolved.rule.assign is not None
    when = Every((resolved.in_force, resolved.when if assigns or named & example.given.keys() else True))
    return RuleAsGiven(when, resolved.require, assigns, compile_verdict(when, resolved.require, assigns=assigns))


def questions_of(rule: RuleAsGiven, facts: GivenFacts, catalogue: Catalogue) -> tuple[str, ...]:
    """The facts that the rule alone would ask for."""
    open_condition = rule.when if rule.assigns else Every((rule.when, Negation(rule.require)))
    return tuple(Unsettled({"": open_condition}, facts, catalogue).relevant())
