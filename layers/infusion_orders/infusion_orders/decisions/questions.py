"""The questions that would settle an order: enough of them, and none too many (see `rules/relevance.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.decisions.decision import Question
from infusion_orders.facts.unknown import Need, Unknown
from infusion_orders.rules.relevance import Unsettled
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infusion_orders.decisions.judging import JudgedLine
    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.rule_set import CompiledRule, RuleSet


def questions(lines: Iterable[JudgedLine], rule_set: RuleSet) -> tuple[Question, ...]:
    """One question for each value that is wanted, over all lines, in the order of the vocabulary."""
    because: dict[Need, set[str]] = {}
    instead: dict[Need, set[str]] = {}
    for line in lines:
        if line.unsettled is None:
            continue
        for need, rules, alternatives in _line_questions(line, rule_set):
            because.setdefault(need, set()).update(rules)
            if need in instead:
                instead[need] &= alternatives
            else:
                instead[need] = set(alternatives)
    order = {name: position for position, name in enumerate(rule_set.catalogue.facts)}
    needs = sorted(because, key=lambda need: (order[need.fact], -1 if need.line is None else need.line))
    return tuple(
        Question(
            pointers=(pointer_of(need, rule_set.catalogue),),
            ask=rule_set.catalogue.facts[need.fact].question,
            reason=need.reason.value,
            hint=need.hint,
            because=tuple(sorted(because[need])),
            or_=tuple(sorted(instead[need])),
        )
        for need in needs
    )


def _line_questions(line: JudgedLine, rule_set: RuleSet) -> Iterable[tuple[Need, tuple[str, ...], set[str]]]:
    """Each need of the line, the rules that hang on it, and the pointers whose answer alone could meet those rules."""
    open_rules: dict[str, CompiledRule] = {
        rule.rule.id: rule
        for rule, verdict in zip(rule_set.rules, line.verdicts, strict=True)
        if verdict is Verdict.UNKNOWN and rule.effect is line.unsettled
    }
    broken = {rule_id: rule.broken for rule_id, rule in open_rules.items()}
    unsettled = Unsettled(broken, line.facts, rule_set.catalogue)
    requirements = {rule_id: rule.require for rule_id, rule in open_rules.items()}
    relevant = unsettled.relevant()
    for name, rules in relevant.items():
        needs = _needs(line, name)
        alternatives: set[str] = set()
        for other in relevant:
            wanted = _needs(line, other)
            if other != name and len(wanted) == 1 and wanted[0] not in needs:
                if unsettled.settles(other, rules, requirements):
                    alternatives.add(pointer_of(wanted[0], rule_set.catalogue))
        for need in needs:
            yield need, rules, alternatives


def _needs(line: JudgedLine, name: str) -> tuple[Need, ...]:
    value = line.facts[name]
    return value.needs if isinstance(value, Unknown) else ()


def pointer_of(need: Need, catalogue: Catalogue) -> str:
    """The JSON pointer into the partner's payload."""
    return catalogue.facts[need.fact].pointer.replace("{line}", str(need.line))
