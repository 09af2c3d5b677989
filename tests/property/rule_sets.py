"""Random rule sets over the small vocabulary, and cases to judge by them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from infusion_orders.decisions.decide import Decided, decide_case
from infusion_orders.facts.case import Case
from infusion_orders.facts.unknown import Unknown
from infusion_orders.reference.tables import ReferenceTables
from infusion_orders.rules.compiled_rule import compile_rules
from infusion_orders.rules.rule_set import RuleSet
from tests.property.vocabulary import SMALL, conditions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infusion_orders.facts.fact import Catalogue

NO_TABLES = ReferenceTables({})
CITATION = {"document": "A manual", "basis": "manual"}
TODAY = date(2026, 11, 25)


def a_rule(position: int, when: Any, require: Any, effect: str) -> dict[str, Any]:
    return {
        "id": f"rule.number-{position}",
        "title": f"Rule {position}",
        "scope": "line",
        "when": when,
        "require": require,
        "otherwise": {"effect": effect, "message": f"Rule {position} is not met."},
        "citation": CITATION,
        "examples": [],
    }


def rule_lists(most: int = 4) -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.tuples(
        st.one_of(st.none(), conditions(3)),
        conditions(4),
        st.sampled_from(["redirect", "reject", "review", "warn"]),
    )
    return st.lists(one, min_size=1, max_size=most).map(
        lambda drawn: [a_rule(position, *parts) for position, parts in enumerate(drawn)]
    )


def a_rule_set(plain: Sequence[dict[str, Any]], catalogue: Catalogue = SMALL) -> RuleSet:
    return RuleSet("small", 1, "sha256:0", compile_rules(plain, catalogue), NO_TABLES, catalogue)


def decided(rule_set: RuleSet, lines: Sequence[Mapping[str, Any]], ids: Sequence[str] | None = None) -> Decided:
    """What the rule set says of lines whose facts are given by name; unknown ones are left for the case to find."""
    known = [{name: value for name, value in line.items() if not isinstance(value, Unknown)} for line in lines]
    case = Case(rule_set.catalogue, rule_set.tables, line_facts=known)
    line_ids = list(ids) if ids is not None else [str(index) for index in range(len(lines))]
    return decide_case(case, rule_set, order_id="order", line_ids=line_ids, as_of=TODAY)
