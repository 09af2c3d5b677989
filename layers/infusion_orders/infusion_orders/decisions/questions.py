"""The questions that would settle an order: enough of them, and none too many (see `rules/relevance.py`)."""

from __future__ import annotations

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

    Value = tuple[str, int | None]
    """An asked fact, and the line that it is asked of, if any."""

    Settling = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    """By fact: the rules that hang on it, and the facts whose answer alone could meet all of these."""


def questions(lines: Iterable[JudgedLine], rule_set: RuleSet) -> tuple[Question, ...]:
    """One question for each value that is wanted, over all lines, in the order of the vocabulary."""
    because: dict[Value, set[str]] = {}
    instead: dict[Value, set[str]] = {}
    needs: dict[Value, set[Need]] = {}
    worked_out: dict[Hashable, Settling] = {}
    for line in lines:
        if line.unsettled is None:
            continue
        for need, rules, alternatives in _line_questions(line, rule_set, worked_out):
            value = (need.fact, need.line)
            needs.setdefault(value, set()).add(need)
            because.setdefault(value, set()).update(rules)
            instead[value] = instead[value] & alternatives if value in instead else set(alternatives)
    positions = rule_set.catalogue.positions
    values = sorted(because, key=lambda value: (positions[value[0]], -1 if value[1] is None else value[1]))
    return tuple(
        Question(
            pointers=(pointer_of(next(iter(needs[value])), rule_set.catalogue),),
            ask=rule_set.catalogue.facts[value[0]].question,
            reason=_reason(needs[value]).value,
            hint=_hint(needs[value]),
            because=tuple(sorted(because[value])),
            or_=tuple(sorted(instead[value])),
        )
        for value in values
    )


def _reason(needs: Iterable[Need]) -> Reason:
    """What is sent and wrong comes before what is missing."""
    return max((need.reason for need in needs), key=lambda reason: reason is Reason.INVALID)


def _hint(needs: Iterable[Need]) -> str | None:
    """All that is wrong with the value, whichever line found it."""
    return "; ".join(sorted({need.hint for need in needs if need.hint})) or None


def _line_questions(
    line: JudgedLine, rule_set: RuleSet, worked_out: dict[Hashable, Settling]
) -> Iterable[tuple[Need, tuple[str, ...], set[str]]]:
    """Each need of the line, the rules that hang on it, and the pointers whose answer alone could meet those rules."""
    unknown = [rule_set.rules[at] for at, verdict in sorted(line.reported.items()) if verdict is Verdict.UNKNOWN]
    open_rules = {rule.rule.id: rule for rule in unknown if rule.effect is line.unsettled}
    alike = _what_matters(open_rules, line.facts)
    settling = worked_out.get(alike)
    if settling is None:
        settling = worked_out[alike] = _settling(open_rules, line, rule_set)
    for name, (rules, others) in settling.items():
        needs = _needs(line, name)
        wanted = [_needs(line, other) for other in others]
        alternatives = {
            pointer_of(each[0], rule_set.catalogue) for each in wanted if len(each) == 1 and each[0] not in needs
        }
        for need in needs:
            yield need, rules, alternatives


def _what_matters(open_rules: Mapping[str, CompiledRule], facts: Facts) -> Hashable:
    """Two lines for which this is equal have the same questions: sparse orders have many such lines."""
    values: dict[str, Any] = {}
    for rule in open_rules.values():
        for leaf in (*comparisons(rule.when), *comparisons(rule.require)):
            for name in (leaf.fact, leaf.other):
                if name is not None and name not in values:
                    values[name] = None if isinstance(facts[name], Unknown) else facts[name]
    return (tuple(open_rules), tuple(values.items()))


def _settling(open_rules: Mapping[str, CompiledRule], line: JudgedLine, rule_set: RuleSet) -> Settling:
    unsettled = Unsettled(
        {rule_id: rule.broken for rule_id, rule in open_rules.items()}, line.facts, rule_set.catalogue
    )
    relevant = unsettled.relevant()
    return {
        name: (
            rules,
            tuple(
                other
                for other in relevant
                if other != name and unsettled.settles(other, [open_rules[rule].requirement_holds for rule in rules])
            ),
        )
        for name, rules in relevant.items()
    }


def _needs(line: JudgedLine, name: str) -> tuple[Need, ...]:
    value = line.facts[name]
    return value.needs if isinstance(value, Unknown) else ()


def pointer_of(need: Need, catalogue: Catalogue) -> str:
    """The JSON pointer into the partner's payload."""
    return catalogue.facts[need.fact].pointer.replace("{line}", str(need.line))
