"""Leaves and compositions over known, unknown and faulty facts, compiled and straight; verdicts; the search's order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infusion_orders.authoring.search import search
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.unknown import Fault, FaultyFact, Need, Reason, Unknown
from infusion_orders.rules.compilation import code_of, compile_expression, compile_verdict
from infusion_orders.rules.compiled_rule import CompiledRule, compile_rules
from infusion_orders.rules.explanation import explain
from infusion_orders.rules.expression import Comparison, Every, Expression, Negation, Some, truth_of
from infusion_orders.rules.rule import Rule, Verdict

TRUE, FALSE, HANGING, FAULTY = (Comparison(name, "is", True) for name in ("true", "false", "hanging", "faulty"))
FACTS = {"true": True, "false": False, "hanging": Unknown((Need("hanging", None, Reason.MISSING),)), "faulty": Fault()}
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
def test_a_comparison_with_a_constant(operator: str, constant: Any, holding: list[Any], failing: list[Any]) -> None:
    comparison = Comparison("x", operator, constant)
    compiled = compile_expression(comparison)
    for value, truth in [(value, True) for value in holding] + [(value, False) for value in failing]:
        assert truth_of(comparison, {"x": value}) is compiled({"x": value}) is truth
    assert truth_of(comparison, {"x": FACTS["hanging"]}) is compiled({"x": FACTS["hanging"]}) is None


def test_a_comparison_of_two_facts_is_unknown_or_faulty_as_soon_as_one_of_them_is() -> None:
    comparison = Comparison("x", "at_most", other="y")
    compiled = compile_expression(comparison)
    for x, y, truth in ((1, 1, True), (2, 1, False), (1, FACTS["hanging"], None), (FACTS["hanging"], 1, None)):
        assert truth_of(comparison, {"x": x, "y": y}) is compiled({"x": x, "y": y}) is truth
    for facts in ({"x": 1, "y": Fault()}, {"x": Fault(), "y": 1}):
        with pytest.raises(FaultyFact):
            compiled(facts)


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        (Negation(TRUE), False),
        (Negation(FALSE), True),
        (Negation(HANGING), None),
        (Every((TRUE, HANGING)), None),
        (Every((HANGING, FALSE)), False),
        (Every((TRUE, TRUE)), True),
        (Every(()), True),
        (Some((HANGING, TRUE)), True),
        (Some((FALSE, HANGING)), None),
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
def test_compositions_are_kleenes_and_are_explained_so(expression: Expression, truth: bool | None) -> None:
    assert compile_expression(expression)(FACTS) is truth
    verdict = {True: Verdict.SATISFIED, False: Verdict.NOT_MET, None: Verdict.UNKNOWN}[truth]
    assert compile_verdict(True, expression, assigns=False)(FACTS) is verdict
    applies = {True: Verdict.NOT_MET, False: Verdict.NOT_APPLICABLE, None: Verdict.UNKNOWN}[truth]
    assert compile_verdict(expression, FALSE, assigns=False)(FACTS) is applies
    catalogue = type(CATALOGUE)({name: CATALOGUE.facts["care.telephone"] for name in FACTS})
    assert explain(expression, FACTS, catalogue)["truth"] == {True: "true", False: "false", None: "unknown"}[truth]


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        (Every((HANGING, FAULTY)), "error"),
        (Every((FAULTY, FALSE)), "false"),
        (Some((FAULTY, TRUE)), "true"),
        (Some((HANGING, FAULTY)), "error"),
        (Negation(FAULTY), "error"),
    ],
)
def test_an_explanation_tells_a_fault_before_what_is_unknown(expression: Expression, truth: str) -> None:
    catalogue = type(CATALOGUE)({name: CATALOGUE.facts["care.telephone"] for name in FACTS})
    assert explain(expression, FACTS, catalogue)["truth"] == truth


HOSTILE = ('"]\nraise SystemExit #', "constant_0", "facts", "\\", "{}")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_an_author_writes_becomes_code(text: str) -> None:
    code_of.cache_clear()
    for name, constant in (("x", "a"), (text, text)):
        condition = Every((Comparison(name, "is", constant), Comparison(name, "in", frozenset({constant, "b"}))))
        test = compile_expression(condition)
        assert [test({name: value}) for value in (constant, "b", FACTS["hanging"])] == [True, False, None]
    assert code_of.cache_info().currsize == 1


def nested(levels: int, innermost: Expression) -> Expression:
    """As deep as no author nests, and no rewriting of assigned facts either."""
    expression = innermost
    for level in range(levels):
        expression = (Every((TRUE, expression)), Some((FALSE, expression)), Negation(expression))[level % 3]
    return expression


@pytest.mark.parametrize("levels", [*range(1, 24), 120])
def test_conditions_may_be_nested_deeper_than_python_nests_loops(levels: int) -> None:
    negated = levels // 3 % 2 == 1
    for innermost, truth in ((TRUE, True), (FALSE, False), (HANGING, None)):
        expected = truth if truth is None or not negated else not truth
        assert compile_expression(nested(levels, innermost))(FACTS) is expected
        verdict = compile_verdict(True, nested(levels, innermost), assigns=False)(FACTS)
        assert verdict is {True: Verdict.SATISFIED, False: Verdict.NOT_MET, None: Verdict.UNKNOWN}[expected]
    with pytest.raises(FaultyFact):
        compile_expression(nested(levels, FAULTY))(FACTS)


def a_rule(name: str, **parts: Any) -> dict[str, Any]:
    return {
        "id": name,
        "clause": "M-1",
        "title": "A rule",
        "scope": "line",
        "require": {"fact": "caregiver.able", "is": True},
        "otherwise": {"effect": "review", "message": "Not met."},
        "citation": {"document": "A manual", "basis": "manual"},
    } | parts


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
def test_the_verdict_by_what_applies_and_what_holds(when: bool | None, require: bool | None, verdict: Verdict) -> None:
    (rule,) = compiled(a_rule("some.rule", when={"fact": "care.telephone", "is": True}))
    unknown = FACTS["hanging"]
    facts = {
        "care.telephone": unknown if when is None else when,
        "caregiver.able": unknown if require is None else require,
    }
    assert rule.verdict(facts) is verdict


def test_a_rule_shows_what_was_sent_for_a_derived_fact_but_no_structure() -> None:
    (rule,) = compiled(a_rule("some.rule", require={"fact": "line.code_status", "is": "valid"}))
    assert rule.shown == ("line.code_status", "line.hcpcs", "line.date_of_service")
    (structured,) = compiled(a_rule("some.rule", require={"fact": "line.dose", "known": True}))
    assert structured.shown == ("line.dose",)


def test_a_test_that_rules_share_is_worked_out_once_a_line_and_for_each_line_anew() -> None:
    both = {"all": [{"fact": "care.telephone", "is": True}, {"fact": "caregiver.able", "is": True}]}
    assign = a_rule("a.assignment", when=both, assign={"line.carve_out": "county_ccs"})
    del assign["require"], assign["otherwise"]
    requires = a_rule("b.rule", require={"fact": "line.carve_out", "is": "none"}, effective={"from": date(2026, 1, 1)})
    first, second = compiled(assign, requires)
    for telephone in (True, False):
        facts: dict[str, Any] = {
            "care.telephone": telephone,
            "caregiver.able": True,
            "line.date_of_service": date(2026, 1, 1),
        }
        assert first.verdict(facts) is (Verdict.SATISFIED if telephone else Verdict.NOT_APPLICABLE)
        assert facts["applies: a.assignment"] is telephone
        assert second.verdict(facts) is (Verdict.NOT_MET if telephone else Verdict.SATISFIED)


def test_a_search_finds_every_word_nearest_to_the_name_first() -> None:
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
    assert [rule.id for rule in search(rules, "VENDOR")] == ["d.vendor", "e.vendor", "c.title", "b.message", "a.code"]
    assert [rule.id for rule in search(rules, "vendor accepts")] == ["c.title"]
    assert [rule.id for rule in search(rules, clause="M-2")] == ["d.vendor"]
    hospital, physician = (
        search(rules, provider_type=kind) for kind in (rules[-1].provider_types[0], rules[0].provider_types[0])
    )
    assert len(hospital) == 6
    assert "f.nothing" not in {rule.id for rule in physician}
