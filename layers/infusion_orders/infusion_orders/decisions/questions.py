"""The questions that would settle an order: enough of them, and none that could be left out.

`rules/open_questions.py` finds the facts to ask for; this module turns them into questions over all lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infusion_orders.decisions.decision import Question
from infusion_orders.facts.unknown import Need, Reason, Unknown
from infusion_orders.rules.expression import comparisons
from infusion_orders.rules.open_questions import Unsettled
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from infusion_orders.decisions.judgement import JudgedLine
    from infusion_orders.facts.case import Facts
    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.rule_set import RuleSet

    AskedValue = tuple[str, int | None]
    """An asked fact, and the index of its line if it is a fact of a line."""


@dataclass(frozen=True, slots=True)
class _OpenFact:
    """An unknown fact to ask for: the rules that depend on it, and the facts whose answer alone could meet them all."""

    name: str
    rules: tuple[str, ...]
    alternatives: tuple[str, ...]


@dataclass(slots=True)
class _Wanted:
    """What all lines want of one value.  `alternatives` are pointers to answers that would do instead."""

    alternatives: set[str]
    needs: set[Need] = field(default_factory=set)
    because: set[str] = field(default_factory=set)


def questions(lines: Iterable[JudgedLine], rule_set: RuleSet) -> tuple[Question, ...]:
    """Return one question for each value that is wanted, over all lines, in the order of the vocabulary."""
    catalogue = rule_set.catalogue
    wanted: dict[AskedValue, _Wanted] = {}
    open_facts_by_values: dict[Hashable, tuple[_OpenFact, ...]] = {}
    for line in lines:
        if line.unsettled is None:
            continue
        open_rules = _open_rules(line, rule_set)
        values = _values_named(open_rules, line.facts)
        if values not in open_facts_by_values:
            open_facts_by_values[values] = _open_facts(open_rules, line.facts, catalogue)
        for open_fact in open_facts_by_values[values]:
            alternatives = _alternatives(open_fact, line.facts, catalogue)
            for need in _needs(open_fact.name, line.facts):
                each = wanted.setdefault((need.fact, need.line), _Wanted(set(alternatives)))
                each.alternatives &= alternatives
                each.needs.add(need)
                each.because.update(open_fact.rules)
    in_order = sorted(wanted, key=lambda value: (catalogue.positions[value[0]], -1 if value[1] is None else value[1]))
    return tuple(_question(wanted[value], catalogue) for value in in_order)


def _question(wanted: _Wanted, catalogue: Catalogue) -> Question:
    needs = wanted.needs
    first = next(iter(needs))
    invalid = any(need.reason is Reason.INVALID for need in needs)
    return Question(
        pointers=(_pointer_of(first, catalogue),),
        ask=catalogue.facts[first.fact].question,
        reason=(Reason.INVALID if invalid else Reason.MISSING).value,
        hint="; ".join(sorted({need.hint for need in needs if need.hint})) or None,
        because=tuple(sorted(wanted.because)),
        or_=tuple(sorted(wanted.alternatives)),
    )


def _open_rules(line: JudgedLine, rule_set: RuleSet) -> dict[str, CompiledRule]:
    """The unknown rules of the effect that needs information, by id."""
    unknown = [position for position, verdict in sorted(line.reported.items()) if verdict is Verdict.UNKNOWN]
    rules = [rule_set.rules[position] for position in unknown]
    return {rule.id: rule for rule in rules if rule.effect is line.unsettled}


def _values_named(rules: Mapping[str, CompiledRule], facts: Facts) -> Hashable:
    """The rules, with the values of all facts that they name.

    Two lines for which this is equal have the same questions; sparse orders have many such lines.
    """
    values: dict[str, Any] = {}
    for rule in rules.values():
        for leaf in (*comparisons(rule.when), *comparisons(rule.require)):
            for name in (leaf.fact, leaf.other):
                if name is not None and name not in values:
                    values[name] = None if isinstance(facts[name], Unknown) else facts[name]
    return (tuple(rules), tuple(values.items()))


def _open_facts(rules: Mapping[str, CompiledRule], facts: Facts, catalogue: Catalogue) -> tuple[_OpenFact, ...]:
    unsettled = Unsettled({rule_id: rule.broken for rule_id, rule in rules.items()}, facts, catalogue)
    relevant = unsettled.relevant()
    open_facts = []
    for name, rule_ids in relevant.items():
        requirements = [rules[rule_id].requirement_holds for rule_id in rule_ids]
        others = [other for other in relevant if other != name and unsettled.one_answer_meets(other, requirements)]
        open_facts.append(_OpenFact(name, rule_ids, tuple(others)))
    return tuple(open_facts)


def _alternatives(open_fact: _OpenFact, facts: Facts, catalogue: Catalogue) -> set[str]:
    """The pointers to single values that would do instead of the fact."""
    needs = _needs(open_fact.name, facts)
    of_others = [_needs(other, facts) for other in open_fact.alternatives]
    return {_pointer_of(each[0], catalogue) for each in of_others if len(each) == 1 and each[0] not in needs}


def _needs(name: str, facts: Facts) -> tuple[Need, ...]:
    value = facts[name]
    return value.needs if isinstance(value, Unknown) else ()


def _pointer_of(need: Need, catalogue: Catalogue) -> str:
    """The JSON pointer into the partner's order."""
    return catalogue.facts[need.fact].pointer.replace("{line}", str(need.line))
