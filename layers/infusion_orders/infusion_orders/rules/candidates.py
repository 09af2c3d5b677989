"""Candidate selection: which rules can apply to a line, found by looking at a few facts instead of at every rule.

Many rules name the same fact in their `when`: the date of service, the kind of line, the code, the therapy.  For each
such fact, `FactFilter` knows which rules a value excludes.  Only the rules that no fact excludes are judged, so a rule
set of 10,000 rules costs little more than one of 100.  `tests/property/test_candidates.py` checks that every verdict is
the same as without candidate selection.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind
from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.expression import TESTS
from infusion_orders.rules.resolution import read_constant, typed_constant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from infusion_orders.facts.fact import Catalogue, Fact
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.evaluation import Judge

    Judges = tuple[tuple[int, Judge], ...]
    """Functions that give the verdicts of rules, each with the position of its rule."""

FILTERING_KINDS = frozenset({Kind.BOOLEAN, Kind.CODE, Kind.DATE})
"""The kinds of facts that have few values, so that what a value excludes can be cached."""
LEAST_RULES = 2
"""A fact that only one rule names saves nothing."""
MOST_CACHED = 4_096
"""Cached values of one fact, and cached selections: a few kilobytes each in a large rule set."""
LISTS = frozenset({"is", "in"})


class FactFilter:
    """The comparisons of all rules with one fact, each of which must hold for its rule to apply.

    Sets of rules are bit masks: bit n stands for the rule at position n.  `naming` holds the rules that name the fact.
    """

    __slots__ = ("_excluded", "_fact", "_listed", "_listing", "_others", "fact", "naming", "rule_count")

    def __init__(self, fact: Fact, comparisons: Iterable[tuple[int, str, Any]]) -> None:
        """`comparisons` are (position of the rule, operator, operand as written), sorted by position.

        The first `is` or `in` of a rule is indexed by value; any other comparison is tested with each new value.
        """
        self._fact = fact
        self.fact = fact.name
        naming: list[int] = []
        listing: list[int] = []
        self._listed: dict[Any, list[int]] = {}
        self._others: dict[tuple[str, Any], list[int]] = {}
        for position, operator, operand in comparisons:
            if not naming or naming[-1] != position:
                naming.append(position)
            if operator in LISTS and (not listing or listing[-1] != position):
                listing.append(position)
                for value in self._values(operand):
                    self._listed.setdefault(value, []).append(position)
            else:
                constant = tuple(operand) if isinstance(operand, list) else operand
                self._others.setdefault((operator, constant), []).append(position)
        self.rule_count = len(naming)
        self.naming = bit_mask(naming)
        self._listing = bit_mask(listing)
        self._excluded = lru_cache(MOST_CACHED)(self._find_excluded)

    def _values(self, operand: Any) -> Iterable[Any]:
        literals = operand if isinstance(operand, list) else (operand,)
        if self._fact.kind is not Kind.DATE:
            return literals
        return [read_constant(self._fact, literal) for literal in literals]

    def excluded(self, value: Any) -> int:
        """Return the rules that do not apply to a line on which the fact has this value."""
        return self._excluded(value)

    def _find_excluded(self, value: Any) -> int:
        excluded = self._listing & ~bit_mask(self._listed.get(value, ()))
        for (operator, constant), positions in self._others.items():
            if not TESTS[operator](typed_constant(self._fact, operator, constant))(value):
                excluded |= bit_mask(positions)
        return excluded


class Candidates:
    """Selects the rules that can apply to a line.  `filters` are tried in order, facts that partners send first."""

    __slots__ = ("_all", "_judges", "_rules", "filters")

    def __init__(self, rules: Sequence[CompiledRule], catalogue: Catalogue) -> None:
        compared: dict[str, list[tuple[int, str, Any]]] = {}
        for position, rule in enumerate(rules):
            for name, operator, operand in rule.necessary_comparisons(FILTERING_KINDS):
                compared.setdefault(name, []).append((position, operator, operand))
        filters = [FactFilter(catalogue.facts[name], comparisons) for name, comparisons in compared.items()]
        useful = [each for each in filters if each.rule_count >= LEAST_RULES]
        useful.sort(key=lambda each: (catalogue.facts[each.fact].derive is not None, -each.rule_count, each.fact))
        self.filters = tuple(useful)
        self._rules = rules
        self._all = (1 << len(rules)) - 1
        self._judges = lru_cache(MOST_CACHED)(self._find_judges)

    def of_line(self, facts: Mapping[str, Any]) -> tuple[Judges, Judges]:
        """Return what judges the candidate rules: those of scope `order`, and those of scope `line`."""
        candidates = self._all
        for each in self.filters:
            if each.naming & candidates:
                value = facts[each.fact]
                if not isinstance(value, Unknown):
                    candidates &= ~each.excluded(value)
        return self._judges(candidates)

    def _find_judges(self, candidates: int) -> tuple[Judges, Judges]:
        rules = [(position, self._rules[position]) for position in _positions_of(candidates)]
        of_order = tuple([(position, rule.judge) for position, rule in rules if rule.is_of_order])
        of_line = tuple([(position, rule.judge) for position, rule in rules if not rule.is_of_order])
        return of_order, of_line


def bit_mask(positions: Sequence[int]) -> int:
    """Return a number with the bits at these positions, which are sorted."""
    if not positions:
        return 0
    mask = bytearray((positions[-1] >> 3) + 1)
    for position in positions:
        mask[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(mask, "little")


def _positions_of(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
