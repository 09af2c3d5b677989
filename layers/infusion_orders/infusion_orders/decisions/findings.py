"""The rules that are not satisfied (findings), and what the partner can do about them (actions)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.decisions.decision import Action, Finding
from infusion_orders.facts.plain_values import plain_value
from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.rule import Effect, PlanCoverage, Verdict
from infusion_orders.rules.texts import rendered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from infusion_orders.decisions.judgement import JudgedLine
    from infusion_orders.facts.case import Facts
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.rule import Otherwise
    from infusion_orders.rules.rule_set import RuleSet

STRENGTH = {effect: position for position, effect in enumerate(Effect)}
COULD_NOT_BE_JUDGED = "A technical fault kept this rule from being judged: {title}"
OPEN = "Not yet settled: {title}"


@dataclass(slots=True)
class _Observation:
    """What a rule shows on one or several lines, given by index and id."""

    values: dict[str, Any]
    message: str
    remedy: str | None
    lines: list[tuple[int, str]]


def findings(lines: Sequence[JudgedLine], rule_set: RuleSet) -> tuple[Finding, ...]:
    """Return the findings, the strongest effect first, then by rule.  Lines with the same observation share one."""
    concerned: dict[tuple[int, Verdict], list[tuple[int, JudgedLine]]] = {}
    for index, line in enumerate(lines):
        for position, verdict in line.reported.items():
            concerned.setdefault((position, verdict), []).append((index, line))
    found: list[Finding] = []
    for (position, verdict), members in concerned.items():
        rule = rule_set.rules[position]
        otherwise = rule.definition.otherwise
        if otherwise is not None:
            observations = _observations(rule, otherwise, verdict, members)
            found += [_finding(rule, otherwise, verdict, observation) for observation in observations]
    return tuple(sorted(found, key=lambda finding: (STRENGTH[finding.effect], finding.rule, finding.verdict)))


def _observations(
    rule: CompiledRule, otherwise: Otherwise, verdict: Verdict, lines: Sequence[tuple[int, JudgedLine]]
) -> Iterator[_Observation]:
    different: dict[Any, _Observation] = {}
    for index, line in lines:
        values = {} if verdict is Verdict.ERROR else observed(rule.observable, line.facts)
        message, remedy = _texts(rule, otherwise, verdict, line.facts)
        key = (repr(sorted(values.items())), message, remedy) if len(lines) > 1 else None
        different.setdefault(key, _Observation(values, message, remedy, [])).lines.append((index, line.line_id))
    yield from different.values()


def _finding(rule: CompiledRule, otherwise: Otherwise, verdict: Verdict, observation: _Observation) -> Finding:
    indices = [index for index, _ in observation.lines]
    pointers = [pointer.replace("{line}", str(index)) for pointer in rule.pointers for index in indices]
    return Finding(
        rule=rule.id,
        clause=rule.definition.clause,
        effect=otherwise.effect,
        coverage=PlanCoverage.EXCLUDED if otherwise.coverage is PlanCoverage.EXCLUDED else None,
        verdict=verdict,
        lines=tuple([line_id for _, line_id in observation.lines]),
        message=observation.message,
        remedy=observation.remedy,
        observed=observation.values,
        pointers=tuple(dict.fromkeys(pointers)),
        citation=rule.definition.citation,
    )


def observed(names: Iterable[str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the known values of these facts by name, as plain JSON."""
    values = {name: facts[name] for name in names}
    return {name: plain_value(value) for name, value in values.items() if not isinstance(value, Unknown)}


def _texts(rule: CompiledRule, otherwise: Otherwise, verdict: Verdict, facts: Facts) -> tuple[str, str | None]:
    """The message and the remedy."""
    if verdict is Verdict.ERROR:
        return COULD_NOT_BE_JUDGED.format(title=rule.definition.title), None
    if verdict is Verdict.UNKNOWN:
        return OPEN.format(title=rule.definition.title), None
    remedy = None if otherwise.remedy is None else rendered(otherwise.remedy, facts)
    return rendered(otherwise.message, facts), remedy


def actions(lines: Sequence[JudgedLine], rule_set: RuleSet) -> tuple[Action, ...]:
    """Return the actions of the rules that are not met.  One action lists all of its lines."""
    not_met: dict[int, list[JudgedLine]] = {}
    for line in lines:
        for position, verdict in line.reported.items():
            if verdict is Verdict.NOT_MET:
                not_met.setdefault(position, []).append(line)
    line_ids: dict[tuple[str, str | None, str], list[str]] = {}
    for position in sorted(not_met):
        rule = rule_set.rules[position].definition
        template = None if rule.otherwise is None else rule.otherwise.action
        if template is not None:
            for line in not_met[position]:
                vendor = _vendor(template.vendor, line.facts)
                line_ids.setdefault((template.action, vendor, rule.id), []).append(line.line_id)
    return tuple(
        Action(action=action, vendor=vendor, lines=tuple(ids), because=because)
        for (action, vendor, because), ids in line_ids.items()
    )


def _vendor(vendor: Any, facts: Facts) -> str | None:
    """The vendor of an action: a literal, or the value of a fact."""
    if vendor is None or isinstance(vendor, str):
        return vendor
    value = facts[vendor.fact]
    return None if isinstance(value, Unknown) else str(value)
