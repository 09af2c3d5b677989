"""What was not satisfied, and what the partner can do: findings and actions, one per rule, verdict and observation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from infusion_orders.decisions.decision import Action, Citation, Finding
from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.explanation import observed
from infusion_orders.rules.rule import Coverage, Effect, Verdict
from infusion_orders.rules.texts import rendered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infusion_orders.decisions.judging import JudgedLine
    from infusion_orders.facts.case import Facts
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.rule import Otherwise
    from infusion_orders.rules.rule_set import RuleSet

STRENGTH = {effect: position for position, effect in enumerate(Effect)}
COULD_NOT_BE_JUDGED = "A technical fault kept this rule from being judged: {title}"
OPEN = "Not yet settled: {title}"


def findings(lines: Sequence[JudgedLine], rule_set: RuleSet) -> tuple[Finding, ...]:
    """Strongest effect first, then by rule and line."""
    concerned: dict[tuple[int, Verdict], list[tuple[int, JudgedLine]]] = {}
    for index, line in enumerate(lines):
        for position, verdict in line.reported.items():
            concerned.setdefault((position, verdict), []).append((index, line))
    found: list[Finding] = []
    for (position, verdict), members in concerned.items():
        rule = rule_set.rules[position]
        if rule.rule.otherwise is not None:
            found += _grouped(rule, rule.rule.otherwise, verdict, members)
    return tuple(sorted(found, key=lambda finding: (STRENGTH[finding.effect], finding.rule, finding.verdict)))


def _grouped(
    rule: CompiledRule, otherwise: Otherwise, verdict: Verdict, concerned: Sequence[tuple[int, JudgedLine]]
) -> Iterable[Finding]:
    """One finding for all lines of which the same was observed."""
    groups: dict[Any, tuple[dict[str, Any], str, str | None, list[tuple[int, JudgedLine]]]] = {}
    for index, line in concerned:
        seen = {} if verdict is Verdict.ERROR else observed(rule.observable, line.facts)
        message, remedy = _texts(rule, otherwise, verdict, line.facts)
        key = None if len(concerned) == 1 else (repr(sorted(seen.items())), message, remedy)
        groups.setdefault(key, (seen, message, remedy, []))[3].append((index, line))
    for seen, message, remedy, members in groups.values():
        yield Finding(
            rule=rule.id,
            clause=rule.rule.clause,
            effect=otherwise.effect,
            coverage=Coverage.EXCLUDED if otherwise.coverage is Coverage.EXCLUDED else None,
            verdict=verdict,
            lines=tuple(line.line_id for _, line in members),
            message=message,
            remedy=remedy,
            observed=seen,
            pointers=_pointers(rule, members),
            citation=_citation(rule),
        )


def _citation(rule: CompiledRule) -> Citation:
    citation = _CITATIONS.get(rule)
    if citation is None:
        citation = _CITATIONS[rule] = Citation(**dict(rule.rule.citation))
    return citation


_CITATIONS: WeakKeyDictionary[CompiledRule, Citation] = WeakKeyDictionary()
"""Made once a rule, and kept as long as the rule is."""


def _texts(rule: CompiledRule, otherwise: Otherwise, verdict: Verdict, facts: Facts) -> tuple[str, str | None]:
    if verdict is Verdict.ERROR:
        return COULD_NOT_BE_JUDGED.format(title=rule.rule.title), None
    if verdict is Verdict.UNKNOWN:
        return OPEN.format(title=rule.rule.title), None
    remedy = None if otherwise.remedy is None else rendered(otherwise.remedy, facts)
    return rendered(otherwise.message, facts), remedy


def _pointers(rule: CompiledRule, members: Iterable[tuple[int, JudgedLine]]) -> tuple[str, ...]:
    pointers = {pointer.replace("{line}", str(index)): None for pointer in rule.pointers for index, _ in members}
    return tuple(pointers)


def actions(lines: Sequence[JudgedLine], rule_set: RuleSet) -> tuple[Action, ...]:
    """What the rules that are not met tell the partner to do, the lines of one action together."""
    not_met: dict[int, list[JudgedLine]] = {}
    for line in lines:
        for position, verdict in line.reported.items():
            if verdict is Verdict.NOT_MET:
                not_met.setdefault(position, []).append(line)
    together: dict[tuple[str, str | None, str], list[str]] = {}
    for position in sorted(not_met):
        rule = rule_set.rules[position].rule
        template = None if rule.otherwise is None else rule.otherwise.action
        if template is not None:
            for line in not_met[position]:
                vendor = _vendor(template.vendor, line.facts)
                together.setdefault((template.action, vendor, rule.id), []).append(line.line_id)
    return tuple(
        Action(action=action, vendor=vendor, lines=tuple(line_ids), because=because)
        for (action, vendor, because), line_ids in together.items()
    )


def _vendor(vendor: Any, facts: Facts) -> str | None:
    if vendor is None or isinstance(vendor, str):
        return vendor
    value = facts[vendor.fact]
    return None if isinstance(value, Unknown) else str(value)
