"""Conditions over known, unknown and faulty facts; verdicts; what a rule shows; the order of search results."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from infusion_orders.authoring.search import find_rules
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.unknown import Fault, FaultyFact, Need, Reason, Unknown
from infusion_orders.rules.compiled_rule import CompiledRule, compile_rules
from infusion_orders.rules.evaluation import compile_expression, compile_verdict, evaluate, explain
from infusion_orders.rules.expression import Comparison, Every, Expression, Negation, Some
from infusion_orders.rules.rule import Rule, Verdict
from tests.support.rules import a_rule

TRUE, FALSE, UNKNOWN, FAULTY = (Comparison(name, "is", True) for name in ("true", "false", "unknown", "faulty"))
FACTS = {"true": True, "false": False, "unknown": Unknown((Need("unknown", None, Reason.MISSING),)), "faulty": Fault()}
AB = frozenset({"a", "b"})


@pytest.mark.parametrize(
    ("operator", "constant", "holding", "failing"),
    [
        ("is", "a", ["a"], ["b"]),
        ("is_not", "a", ["b"], ["a"]),
        ("in", AB, ["a", "b"], ["c"]),
        ("not_in", AB, ["c"], ["a", "b"]),
        ("below", Decimal(5), [Decimal("4.9")], [Decimal(5), Decimal(6)]),
        ("at_most", Decimal(5), [Decimal(4), Decimal("5.0")], [Decimal("5.1")]),
        ("above", Decimal(5), [Decimal("5.1")], [Decimal(5), Decimal(4)]),
        ("at_least", Decimal(5), [Decimal(5), Decimal(6)], [Decimal("4.9")]),
        ("between", (Decimal(2), Decimal(4)), [Decimal(2), Decimal(3), Decimal(4)], [Decimal(1), Decimal(5)]),
        ("contains_any", AB, [AB, frozenset({"a", "c"})], [frozenset({"c"}), frozenset()]),
        ("contains_none", AB, [frozenset({"c"}), frozenset()], [frozenset({"a", "c"})]),
        ("starts_with_any", ("J1", "S"), ["J1745", "S9338"], ["J0690"]),
        ("starts_with_any", ("J1", "S"), [frozenset({"J1745", "A4222"})], [frozenset({"A4222"}), frozenset()]),
        ("known", None, ["a", False, Decimal(0), frozenset()], []),
    ],
)
def test_comparison_with_a_constant(operator: str, constant: Any, holding: list[Any], failing: list[Any]) -> None:
    comparison = Comparison("x", operator, constant)
    compiled = compile_expression(comparison)
    for value, truth in [(value, True) for value in holding] + [(value, False) for value in failing]:
        assert comparison.holds(value) is compiled({"x": value}) is truth
    assert compiled({"x": FACTS["unknown"]}) is None


def test_comparison_of_two_facts_is_unknown_or_faulty_if_either_is() -> None:
    comparison = Comparison("x", "at_most", other="y")
    compiled = compile_expression(comparison)
    for x, y, truth in ((1, 1, True), (2, 1, False), (1, FACTS["unknown"], None), (FACTS["unknown"], 1, None)):
        assert compiled({"x": x, "y": y}) is truth
    for facts in ({"x": 1, "y": Fault()}, {"x": Fault(), "y": 1}):
        with pytest.raises(FaultyFact):
            compiled(facts)


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        (Negation(TRUE), False),
        (Negation(FALSE), True),
        (Negation(UNKNOWN), None),
        (Every((TRUE, UNKNOWN)), None),
        (Every((UNKNOWN, FALSE)), False),
        (Every((TRUE, TRUE)), True),
        (Every(()), True),
        (Some((UNKNOWN, TRUE)), True),
        (Some((FALSE, UNKNOWN)), None),
        (Some((FALSE, FALSE)), False),
        (Some(()), False),
        (Every((Some((Some((FALSE, TRUE)),)),)), True),
        (Every((TRUE, Some((Some((FALSE, TRUE)),)))), True),
        (Some((Every((Every((FALSE, TRUE)),)),)), False),
        (Some((FALSE, Every((Every((TRUE, TRUE)),)))), True),
        (True, True),
        (False, False),
    ],
)
def test_composition_has_its_kleene_truth_in_every_form(expression: Expression, truth: bool | None) -> None:
    assert compile_expression(expression)(FACTS) is evaluate(expression, FACTS).truth is truth
    verdict = {True: Verdict.SATISFIED, False: Verdict.NOT_MET, None: Verdict.UNKNOWN}[truth]
    assert compile_verdict(True, expression, assigns=False)(FACTS) is verdict
    applies = {True: Verdict.NOT_MET, False: Verdict.NOT_APPLICABLE, None: Verdict.UNKNOWN}[truth]
    assert compile_verdict(expression, FALSE, assigns=False)(FACTS) is applies
    catalogue = type(CATALOGUE)({name: CATALOGUE.facts["care.telephone"] for name in FACTS})
    assert explain(expression, FACTS, catalogue)["truth"] == {True: "true", False: "false", None: "unknown"}[truth]


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        (Every((UNKNOWN, FAULTY)), "error"),
        (Every((FAULTY, FALSE)), "false"),
        (Some((FAULTY, TRUE)), "true"),
        (Some((UNKNOWN, FAULTY)), "error"),
        (Negation(FAULTY), "error"),
    ],
)
def test_explanation_shows_a_fault_rather_than_unknown(expression: Expression, truth: str) -> None:
    catalogue = type(CATALOGUE)({name: CATALOGUE.facts["care.telephone"] for name in FACTS})
    assert explain(expression, FACTS, catalogue)["truth"] == truth


def nested(levels: int, innermost: Expression) -> Expression:
    expression = innermost
    for level in range(levels):
        expression = (Every((TRUE, expression)), Some((FALSE, expression)), Negation(expression))[level % 3]
    return expression


@pytest.mark.parametrize("levels", [1, 2, 3, 120])
def test_deeply_nested_condition_is_evaluated(levels: int) -> None:
    negated = levels // 3 % 2 == 1
    for innermost, truth in ((TRUE, True), (FALSE, False), (UNKNOWN, None)):
        expected = truth if truth is None or not negated else not truth
        assert compile_expression(nested(levels, innermost))(FACTS) is expected
        verdict = compile_verdict(True, nested(levels, innermost), assigns=False)(FACTS)
        assert verdict is {True: Verdict.SATISFIED, False: Verdict.NOT_MET, None: Verdict.UNKNOWN}[expected]
    with pytest.raises(FaultyFact):
        compile_expression(nested(levels, FAULTY))(FACTS)


def compiled(*rules: dict[str, Any]) -> tuple[CompiledRule, ...]:
    return compile_rules(rules, CATALOGUE)


@pytest.mark.parametrize(
    ("when", "require", "verdict"),
    [
        (True, True, Verdict.SATISFIED),
        (True, False, Verdict.NOT_MET),
        (True, None, Verdict.UNKNOWN),
        (False, True, Verdict.NOT_APPLICABLE),
        (False, False, Verdict.NOT_APPLICABLE),
        (False, None, Verdict.NOT_APPLICABLE),
        (None, True, Verdict.SATISFIED),
        (None, False, Verdict.UNKNOWN),
        (None, None, Verdict.UNKNOWN),
    ],
)
def test_verdict_follows_from_when_and_require(when: bool | None, require: bool | None, verdict: Verdict) -> None:
    (rule,) = compiled(a_rule("some.rule", when={"fact": "care.telephone", "is": True}))
    unknown = FACTS["unknown"]
    facts = {
        "care.telephone": unknown if when is None else when,
        "caregiver.able": unknown if require is None else require,
    }
    assert rule.judge(facts) is verdict


def test_rule_shows_what_was_sent_for_a_derived_fact_but_no_structure() -> None:
    (rule,) = compiled(a_rule("some.rule", require={"fact": "line.code_status", "is": "valid"}))
    assert rule.shown == ("line.code_status", "line.hcpcs", "line.date_of_service")
    (structured,) = compiled(a_rule("some.rule", require={"fact": "line.dose", "known": True}))
    assert structured.shown == ("line.dose",)


def test_search_lists_rules_with_the_words_in_their_name_first() -> None:
    rules = [
        Rule.model_validate(rule)
        for rule in (
            a_rule("a.code", require={"fact": "line.hcpcs", "is": "vendor"}),
            a_rule("b.message", otherwise={"effect": "review", "message": "Ask the vendor."}),
            a_rule("c.title", title="The vendor accepts"),
            a_rule("d.vendor", clause="M-2"),
            a_rule("e.vendor"),
            a_rule("f.nothing", provider_types=["hospital"]),
        )
    ]
    assert [rule.id for rule in find_rules(rules, "VENDOR")] == [
        "d.vendor",
        "e.vendor",
        "c.title",
        "b.message",
        "a.code",
    ]
    assert [rule.id for rule in find_rules(rules, "vendor accepts")] == ["c.title"]
    assert [rule.id for rule in find_rules(rules, clause="M-2")] == ["d.vendor"]
    hospital, physician = (
        find_rules(rules, provider_type=kind) for kind in (rules[-1].provider_types[0], rules[0].provider_types[0])
    )
    assert len(hospital) == 6
    assert "f.nothing" not in {rule.id for rule in physician}
