"""Conditions on assigned facts are rewritten as conditions on when the assigning rules apply."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest

from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.unknown import Need, Reason, Unknown
from infusion_orders.rules.assignments import Assignment, CircularAssignment, rewrite
from infusion_orders.rules.compiled_rule import compile_all, compile_rules
from infusion_orders.rules.evaluation import evaluate
from infusion_orders.rules.expression import Comparison, Every, Expression, Negation, Some
from infusion_orders.rules.rule import Verdict
from tests.support.rules import a_rule, an_assignment

DEFAULTS = {"target": "none"}
APPLIES, ALSO = Comparison("a", "is", True), Comparison("b", "is", True)


def rewritten(expression: Expression, *assignments: Assignment) -> Expression:
    return rewrite(expression, {"target": assignments}, DEFAULTS)


def gives(value: str, when: Expression = APPLIES) -> Assignment:
    return Assignment("some.rule", when, value)


def unknown(name: str) -> Unknown:
    return Unknown((Need(name, None, Reason.MISSING),))


def test_condition_on_another_fact_is_not_rewritten() -> None:
    expression = Every((Some((APPLIES, Negation(ALSO))), True))
    assert rewritten(expression, gives("x")) == expression


def test_condition_that_fails_by_default_holds_where_a_rule_assigns_its_value() -> None:
    other = gives("y", ALSO)
    assert rewritten(Comparison("target", "is", "x"), gives("x"), other) == Some((APPLIES,))
    assert rewritten(Comparison("target", "in", frozenset({"x", "y"})), gives("x"), other) == Some((APPLIES, ALSO))


def test_condition_that_holds_by_default_fails_where_another_value_is_assigned() -> None:
    same = gives("none", ALSO)
    assert rewritten(Comparison("target", "is", "none"), gives("x"), same) == Negation(Some((APPLIES,)))
    assert rewritten(Comparison("target", "is_not", "y"), gives("x"), gives("y", ALSO)) == Negation(Some((ALSO,)))


def test_fact_that_no_rule_assigns_has_its_default() -> None:
    assert evaluate(rewrite(Comparison("target", "is", "none"), {}, DEFAULTS), {}).truth is True
    assert evaluate(rewrite(Comparison("target", "is", "x"), {}, DEFAULTS), {}).truth is False
    assert evaluate(rewritten(Comparison("target", "known"), gives("x")), {"a": True}).truth is True


def test_assigned_fact_value_is_compared_where_the_rule_applies() -> None:
    from_fact = Assignment("some.rule", APPLIES, fact="source")
    source_is_x = Comparison("source", "is", "x")
    assert rewritten(Comparison("target", "is", "x"), from_fact) == Some((Every((APPLIES, source_is_x)),))
    source_is_not_x = Comparison("source", "is_not", "x")
    expected = Negation(Some((Every((APPLIES, Negation(source_is_not_x))),)))
    assert rewritten(Comparison("target", "is_not", "x"), from_fact) == expected


def test_nested_condition_is_rewritten() -> None:
    leaf = Comparison("target", "is", "x")
    found = rewritten(Negation(Every((leaf, Some((ALSO, leaf))))), gives("x"))
    assert found == Negation(Every((Some((APPLIES,)), Some((ALSO, Some((APPLIES,)))))))


@pytest.mark.parametrize("operator", ["is", "is_not"])
@pytest.mark.parametrize("constant", ["none", "x", "y", "z"])
def test_rewritten_condition_is_true_if_and_only_if_the_assigned_value_meets_it(operator: str, constant: str) -> None:
    # given a rule that assigns a literal, and one that does not overlap and assigns a fact
    assignments = (gives("x"), Assignment("other.rule", Every((Negation(APPLIES), ALSO)), fact="source"))
    leaf = Comparison("target", operator, constant)
    found = rewritten(leaf, *assignments)
    for a, b, source in product((True, False), (True, False), ("x", "y", "none")):
        value = "x" if a else source if b else "none"
        assert evaluate(found, {"a": a, "b": b, "source": source}).truth is leaf.holds(value)
    # while it is not known whether the first applies, so is the value, unless both ways say the same
    found_truth = evaluate(found, {"a": unknown("a"), "b": False, "source": "y"}).truth
    assert found_truth is (None if leaf.holds("x") is not leaf.holds("none") else leaf.holds("none"))


CARVE_OUT = an_assignment(
    "chain.carve-out",
    "line.carve_out",
    "county_ccs",
    when={"fact": "care.telephone", "is": True},
    effective={"from": "2026-01-01", "to": "2026-12-31"},
)
PARTY = an_assignment(
    "chain.party", "line.responsible_party", "county_ccs", when={"fact": "line.carve_out", "is": "county_ccs"}
)
REQUIRING = a_rule(
    "chain.requires",
    require={"fact": "line.responsible_party", "is": "county_ccs"},
    otherwise={"effect": "review", "message": "Somebody else."},
)


@pytest.mark.parametrize(
    ("telephone", "day", "verdict"),
    [
        (True, date(2025, 12, 31), Verdict.NOT_MET),
        (True, date(2026, 1, 1), Verdict.SATISFIED),
        (True, date(2026, 12, 31), Verdict.SATISFIED),
        (True, date(2027, 1, 1), Verdict.NOT_MET),
        (False, date(2026, 6, 1), Verdict.NOT_MET),
        (None, date(2026, 6, 1), Verdict.UNKNOWN),
        (None, date(2027, 1, 1), Verdict.NOT_MET),
    ],
)
def test_chain_of_assignments_is_rewritten_to_facts_with_all_periods(
    telephone: bool | None, day: date, verdict: Verdict
) -> None:
    carve_out, party, requires = compile_rules([REQUIRING, PARTY, CARVE_OUT], CATALOGUE)
    assert [rule.id for rule in (carve_out, party, requires)] == [
        "chain.carve-out",
        "chain.party",
        "chain.requires",
    ]
    facts = {
        "care.telephone": unknown("care.telephone") if telephone is None else telephone,
        "line.date_of_service": day,
    }
    assert requires.judge(facts) is verdict
    of_party = {Verdict.NOT_MET: Verdict.NOT_APPLICABLE}.get(verdict, verdict)
    assert party.judge(facts) is of_party


def test_circular_assignments_are_refused() -> None:
    back = an_assignment(
        "chain.back", "line.carve_out", "county_ccs", when={"fact": "line.responsible_party", "is": "county_ccs"}
    )
    with pytest.raises(CircularAssignment):
        compile_all(compile_rules([PARTY, back], CATALOGUE))


def test_assigning_rule_is_never_not_met() -> None:
    (rule,) = compile_rules([CARVE_OUT], CATALOGUE)
    inside = {"line.date_of_service": date(2026, 6, 1)}
    assert rule.judge({**inside, "care.telephone": True}) is Verdict.SATISFIED
    assert rule.judge({**inside, "care.telephone": False}) is Verdict.NOT_APPLICABLE
    assert rule.judge({**inside, "care.telephone": unknown("care.telephone")}) is Verdict.UNKNOWN


def test_rule_shows_named_and_sent_facts_but_no_assigned_fact() -> None:
    by_party, by_age = compile_rules(
        [
            a_rule(
                "shown.age",
                require={"fact": "member.age", "at_least": 21},
                otherwise={"effect": "review", "message": "Young."},
            ),
            REQUIRING,
            CARVE_OUT,
            PARTY,
        ],
        CATALOGUE,
    )[2:]
    assert by_age.shown == ("member.age", "line.date_of_service")
    assert set(by_party.shown) == {"care.telephone", "line.date_of_service"}
