"""Random rules over the small vocabulary, and decisions under them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from infusion_orders.facts.unknown import Unknown
from infusion_orders.reference.tables import ReferenceTables
from tests.property.vocabulary import conditions
from tests.support.rules import a_rule, decide_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infusion_orders.decisions.decide import Decided
    from infusion_orders.rules.rule_set import RuleSet


NO_TABLES = ReferenceTables({})
CITATION = {"document": "A manual", "basis": "manual"}
TODAY = date(2026, 11, 25)


def numbered_rule(position: int, when: Any, require: Any, effect: str) -> dict[str, Any]:
    """Return the rule `rule.number-<position>` with these two conditions."""
    return a_rule(
        f"rule.number-{position}",
        when=when,
        require=require,
        otherwise={"effect": effect, "message": f"Rule {position} is not met."},
        examples=[],
    )


def rule_lists(most: int = 4) -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.tuples(
        st.one_of(st.none(), conditions(3)),
        conditions(4),
        st.sampled_from(["redirect", "reject", "review", "warn"]),
    )
    return st.lists(one, min_size=1, max_size=most).map(
        lambda drawn: [numbered_rule(position, *parts) for position, parts in enumerate(drawn)]
    )


def decided(rule_set: RuleSet, lines: Sequence[Mapping[str, Any]], ids: Sequence[str] | None = None) -> Decided:
    """Decide lines whose facts are given by name; the case derives the facts that are unknown."""
    known = [{name: value for name, value in line.items() if not isinstance(value, Unknown)} for line in lines]
    return decide_facts(rule_set, known, line_ids=ids)
