"""The analysis of random rules, compared with every combination of values.

These facts have no place in an order, so no order can show a fault of two rules.  The analysis reports such a fault as
a doubt, and the test checks the proof behind it.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import given

from infusion_orders.authoring.analysis.analysis import analyse
from infusion_orders.authoring.analysis.report import FindingKind
from infusion_orders.rules.evaluation import evaluate
from infusion_orders.rules.expression import comparisons
from tests.property.rule_sets import rule_lists
from tests.property.vocabulary import SMALL, VALUES
from tests.support.examples import examples
from tests.support.rules import a_rule_set

if TYPE_CHECKING:
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.expression import Expression


@cache
def every_combination() -> list[dict[str, Any]]:
    return [dict(zip(VALUES, values, strict=True)) for values in product(*VALUES.values())]


def can_hold(*expressions: Expression) -> bool:
    """Return whether some values make all conditions true."""
    return any(
        all(evaluate(expression, facts).truth is True for expression in expressions) for facts in every_combination()
    )


def only_asks(rule: CompiledRule) -> bool:
    return all(leaf.operator == "known" for leaf in comparisons(rule.require))


@examples(60)
@given(rule_lists(3))
def test_rules_that_never_apply_or_fail_are_found_exactly(plain: list[dict[str, Any]]) -> None:
    rule_set = a_rule_set(*plain, catalogue=SMALL)
    found = {(finding.kind, finding.where[0]) for finding in analyse(rule_set, most_orders=1).findings}
    for rule in rule_set.rules:
        dead = not can_hold(rule.when)
        assert ((FindingKind.NEVER_APPLIES, rule.id) in found) is dead
        if not dead and not only_asks(rule):
            assert ((FindingKind.NEVER_FAILS, rule.id) in found) is (not can_hold(rule.broken))


@examples(60)
@given(rule_lists(3))
def test_proof_about_two_rules_holds_for_every_combination(plain: list[dict[str, Any]]) -> None:
    rule_set = a_rule_set(*plain, catalogue=SMALL)
    rules = {rule.id: rule for rule in rule_set.rules}
    for doubt in analyse(rule_set, most_orders=1).doubts:
        if len(doubt.where) != 2:
            continue
        one, other = (rules[rule] for rule in doubt.where)
        if FindingKind.IMPLIED.value in doubt.question:
            assert all(
                evaluate(other.broken, facts).truth is True
                for facts in every_combination()
                if evaluate(one.broken, facts).truth is True
            )
        if FindingKind.CONTRADICTION.value in doubt.question:
            assert can_hold(one.when, other.when)
            assert not can_hold(one.when, other.when, one.require, other.require)
