"""The examples of a rule: run them, and report those that do not come out as the author expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind
from infusion_orders.facts.unknown import Need, Reason, Unknown
from infusion_orders.rules.evaluation import compile_verdict
from infusion_orders.rules.expression import Every, Negation, comparisons
from infusion_orders.rules.open_questions import Unsettled
from infusion_orders.rules.resolution import (
    DATE_OF_SERVICE,
    Resolver,
    WrongConstant,
    any_date_in,
    read_constant,
)
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infusion_orders.facts.fact import Catalogue, Fact
    from infusion_orders.rules.evaluation import Judge
    from infusion_orders.rules.expression import Expression
    from infusion_orders.rules.resolution import ResolvedRule
    from infusion_orders.rules.rule import Example


class GivenFacts(dict[str, Any]):
    """The facts that an example gives.  Every other fact is unknown, even one that could be derived."""

    def __missing__(self, name: str) -> Unknown:
        return Unknown((Need(name, None, Reason.MISSING),))


def example_problems(resolved: ResolvedRule, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield (path, problem) for every example that does not come out as its author expects."""
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
            yield path, f"the example expects {example.expect}, but the verdict is {verdict.value}"
        elif example.asks is not None:
            asked = questions_of(rule, facts, catalogue) if verdict is Verdict.UNKNOWN else ()
            if set(asked) != set(example.asks):
                expected, found = (", ".join(sorted(names)) or "nothing" for names in (example.asks, asked))
                yield path, f"the example expects a question for {expected}, but the rule asks for {found}"


def given_facts(resolved: ResolvedRule, example: Example, catalogue: Catalogue) -> GivenFacts:
    """Return the example's facts as typed values.  Raises WrongConstant for an unknown fact or an impossible value."""
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
        message = f"{fact.name} is a set of codes; write a list, such as [A41.9]"
        raise WrongConstant(message)
    return frozenset(read_constant(fact, code) for code in literal)


@dataclass(frozen=True, slots=True)
class RuleAsGiven:
    """A rule as it applies to one example."""

    when: Expression
    require: Expression
    assigns: bool
    verdict: Judge


def as_given(resolved: ResolvedRule, example: Example) -> RuleAsGiven:
    """Return the rule for one example.  An example that gives no fact of `when` takes `when` as true."""
    named = {name for leaf in comparisons(resolved.when) for name in (leaf.fact, leaf.other) if name is not None}
    assigns = resolved.rule.assign is not None
    when = Every((resolved.in_force, resolved.when if assigns or named & example.given.keys() else True))
    return RuleAsGiven(when, resolved.require, assigns, compile_verdict(when, resolved.require, assigns=assigns))


def questions_of(rule: RuleAsGiven, facts: GivenFacts, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the facts that this rule alone would ask for."""
    open_condition = rule.when if rule.assigns else Every((rule.when, Negation(rule.require)))
    return tuple(Unsettled({"": open_condition}, facts, catalogue).relevant())
