"""Properties of every decision, for random rules and facts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given
from hypothesis import strategies as st

from infusion_orders.decisions.decision import Outcome
from infusion_orders.facts.fact import Catalogue
from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.rule import Verdict
from tests.property.rule_sets import decided, rule_lists
from tests.property.vocabulary import FACTS, SMALL, VALUES, completions, partly_known
from tests.support.examples import examples
from tests.support.rules import a_rule_set

if TYPE_CHECKING:
    import random

OPEN = {Outcome.NEEDS_INFORMATION, Outcome.INDETERMINATE}
ENOUGH_TO_TRY = 3_000


def asked_facts(decision: Any) -> list[str]:
    return [question.pointers[0].rsplit("/", 1)[1] for question in decision.questions]


def weakest_open_effect(decision: Any) -> str | None:
    """Return the effect for which a single line needs information."""
    if decision.lines[0].outcome is not Outcome.NEEDS_INFORMATION:
        return None
    order = ["redirect", "reject", "review"]
    unknown = [finding.effect.value for finding in decision.findings if finding.verdict is Verdict.UNKNOWN]
    return next(effect for effect in order if effect in unknown)


@examples(150)
@given(rule_lists(), partly_known())
def test_answers_to_all_questions_settle_the_open_effect(rules: list[Any], facts: dict[str, Any]) -> None:
    rule_set = a_rule_set(*rules, catalogue=SMALL)
    decision = decided(rule_set, [facts]).decision
    effect = weakest_open_effect(decision)
    asked = asked_facts(decision)
    assert bool(asked) is (effect is not None)
    count = 1
    for name in asked:
        count *= len(VALUES[name])
    assume(count <= ENOUGH_TO_TRY)
    for answered in completions(facts, asked):
        assert effect is None or weakest_open_effect(decided(rule_set, [answered]).decision) != effect


@examples(200)
@given(rule_lists(), partly_known(), partly_known())
def test_adding_information_never_changes_a_settled_outcome(
    rules: list[Any], facts: dict[str, Any], more: dict[str, Any]
) -> None:
    rule_set = a_rule_set(*rules, catalogue=SMALL)
    before = decided(rule_set, [facts]).decision.outcome
    fuller = {name: more[name] if isinstance(value, Unknown) else value for name, value in facts.items()}
    if before not in OPEN:
        assert decided(rule_set, [fuller]).decision.outcome is before


@examples(100)
@given(rule_lists(), st.lists(partly_known(), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_order_of_rules_and_lines_changes_no_outcome(
    rules: list[Any], lines: list[dict[str, Any]], shuffle: random.Random
) -> None:
    ids = [f"line-{index}" for index in range(len(lines))]
    first = decided(a_rule_set(*rules, catalogue=SMALL), lines, ids).decision
    mixed_rules, mixed = list(rules), list(zip(lines, ids, strict=True))
    shuffle.shuffle(mixed_rules)
    shuffle.shuffle(mixed)
    second = decided(
        a_rule_set(*mixed_rules, catalogue=SMALL), [line for line, _ in mixed], [line_id for _, line_id in mixed]
    ).decision

    assert second.outcome is first.outcome
    outcomes = {line.line_id: (line.outcome, line.findings) for line in first.lines}
    assert {line.line_id: (line.outcome, line.findings) for line in second.lines} == outcomes
    assert len(second.questions) == len(first.questions)
    assert decided(a_rule_set(*mixed_rules, catalogue=SMALL), lines, ids).decision == first


def _fails(_facts: Any) -> Any:
    raise RuntimeError("a derivation that fails")


FAULTY_FACTS = ("first.flag", "the.size")
FAULTY = Catalogue(
    {**SMALL.declared, **{name: replace(FACTS[name], read=None, derive=_fails) for name in FAULTY_FACTS}}
)


@examples(200)
@given(rule_lists(), st.lists(partly_known(), min_size=1, max_size=1))
def test_fault_is_a_verdict_of_the_rules_that_need_the_fact(rules: list[Any], lines: list[dict[str, Any]]) -> None:
    without = [{name: value for name, value in line.items() if name not in FAULTY_FACTS} for line in lines]
    decision = decided(a_rule_set(*rules, catalogue=FAULTY), without).decision
    sound = decided(a_rule_set(*rules, catalogue=SMALL), without).decision

    touched = {finding.rule for finding in decision.findings if finding.verdict is Verdict.ERROR}
    faultless = [finding for finding in decision.findings if finding.verdict is not Verdict.ERROR]
    expected = [finding for finding in sound.findings if finding.rule not in touched]
    assert {(finding.rule, finding.verdict) for finding in faultless} <= {
        (finding.rule, finding.verdict) for finding in expected
    }
    for line in decision.lines:
        if line.outcome is Outcome.REJECTED:
            assert any(
                finding.verdict is Verdict.NOT_MET and finding.effect.value == "reject" for finding in decision.findings
            )


@examples(100)
@given(rule_lists(), partly_known())
def test_same_case_has_the_same_receipt(rules: list[Any], facts: dict[str, Any]) -> None:
    assert decided(a_rule_set(*rules, catalogue=SMALL), [facts]) == decided(
        a_rule_set(*rules, catalogue=SMALL), [facts]
    )


def test_small_vocabulary_has_values_for_every_fact() -> None:
    assert VALUES.keys() == FACTS.keys()
