"""Which rules can apply to a line, by what their `when` says of single facts: the others cost nothing.

A rule's period, its codes, therapies and lines of business, the kind of line that it speaks of: for each such fact it
is worked out once a value which rules that closes.  Of a large rule set only the open ones are judged, and these
without what the gates have settled.  Held to the same verdicts as without gates by `tests/property/test_gates.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Kind
from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.expression import TESTS, Comparison, Every
from infusion_orders.rules.resolution import read_constant, typed_constant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from infusion_orders.facts.fact import Catalogue, Fact
    from infusion_orders.rules.compilation import Judge
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.expression import Expression

    Plan = tuple[tuple[tuple[int, Judge], ...], tuple[tuple[int, Judge], ...]]
    """What is to be judged, by position: the rules of the order, and those of the line."""

KINDS = frozenset({Kind.BOOLEAN, Kind.CODE, Kind.DATE})
"""Of facts that have few values, each met again and again."""
LEAST_RULES = 2
"""A fact of one rule alone is no cheaper as a gate."""
MOST_KEPT = 4_096
"""Values of one fact, and plans, of a few kilobytes each: beyond it they are worked out anew."""
LISTS = frozenset({"is", "in"})


class Gate:
    """What the rules ask of one fact, all of which must hold.

    `listed` are the positions of the rules by each value that their list names, `listing` those of all of these, and
    `others` those by any other comparison.
    """

    __slots__ = ("_fact", "_kept", "_listing", "fact", "listed", "listing", "naming", "others", "rules")

    def __init__(self, fact: Fact, asked: Iterable[tuple[int, str, Any]]) -> None:
        """`asked`: operators and operands as they are written, each behind its rule's position, these in order."""
        self._fact = fact
        self.fact = fact.name
        self.naming: list[int] = []
        self.listing: list[int] = []
        self.listed: dict[Any, list[int]] = {}
        self.others: dict[tuple[str, Any], list[int]] = {}
        naming, listing, listed = self.naming, self.listing, self.listed
        for position, operator, operand in asked:
            if not naming or naming[-1] != position:
                naming.append(position)
            if operator in LISTS and (not listing or listing[-1] != position):
                listing.append(position)
                for value in self._values(operand):
                    listed.setdefault(value, []).append(position)
            else:
                constant = tuple(operand) if operand.__class__ is list else operand
                self.others.setdefault((operator, constant), []).append(position)
        self.rules = bits(naming)
        self._listing = bits(listing)
        self._kept: dict[Any, int] = {}

    def _values(self, operand: Any) -> Iterable[Any]:
        """Those of a list, or the one."""
        literals = operand if operand.__class__ is list else (operand,)
        if self._fact.kind is not Kind.DATE:
            return literals
        return [read_constant(self._fact, literal) for literal in literals]

    def closed(self, value: Any) -> int:
        """The bits of the rules that do not apply where the fact has this value."""
        found = self._kept.get(value)
        if found is None:
            found = self._listing & ~bits(self.listed.get(value, ()))
            for (operator, constant), positions in self.others.items():
                if not TESTS[operator](_typed(self._fact, operator, constant))(value):
                    found |= bits(positions)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[value] = found
        return found


def bits(positions: Sequence[int]) -> int:
    """A number with the bits at these positions, in ascending order."""
    if not positions:
        return 0
    held = bytearray((positions[-1] >> 3) + 1)
    for position in positions:
        held[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(held, "little")


class Gates:
    """The gates of rules in their order: `gates` in the order in which they are tried, facts that are sent first."""

    __slots__ = ("_all", "_behind", "_facts", "_plans", "_rules", "gates")

    def __init__(self, rules: Sequence[CompiledRule], catalogue: Catalogue) -> None:
        asked: dict[str, list[tuple[int, str, Any]]] = {}
        for position, rule in enumerate(rules):
            for name, operator, operand in rule.asked_of_single_facts(KINDS):
                asked.setdefault(name, []).append((position, operator, operand))
        self._facts = catalogue.facts
        gates = [Gate(self._facts[name], comparisons) for name, comparisons in asked.items()]
        common = [gate for gate in gates if len(gate.naming) >= LEAST_RULES]
        derived = {gate.fact: self._facts[gate.fact].derive is not None for gate in common}
        common.sort(key=lambda gate: (derived[gate.fact], -len(gate.naming), gate.fact))
        self.gates = tuple(common)
        self._rules = rules
        self._all = (1 << len(rules)) - 1
        self._plans: dict[tuple[int, int], Plan] = {}
        self._behind: dict[int, Judge] = {}

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """The rules that may apply to the line."""
        open_rules, hanging = self._all, 0
        for gate in self.gates:
            if gate.rules & open_rules:
                value = facts[gate.fact]
                if isinstance(value, Unknown):
                    hanging |= gate.rules
                else:
                    open_rules &= ~gate.closed(value)
        asked = (open_rules, hanging & open_rules)
        plan = self._plans.get(asked)
        if plan is None:
            if len(self._plans) >= MOST_KEPT:
                self._plans.clear()
            plan = self._plans[asked] = self._planned(*asked)
        return plan

    def _planned(self, open_rules: int, hanging: int) -> Plan:
        of_order: list[tuple[int, Judge]] = []
        of_line: list[tuple[int, Judge]] = []
        for position in _positions(open_rules):
            rule = self._rules[position]
            judge = rule.verdict if hanging >> position & 1 else self._judge_behind(position)
            (of_order if rule.is_of_order else of_line).append((position, judge))
        return tuple(of_order), tuple(of_line)

    def _judge_behind(self, position: int) -> Judge:
        """The rule's verdict where its gates are known to be open, one for all plans.

        One that assigns shares its `when` with others, so nothing is left out of it.
        """
        judge = self._behind.get(position)
        if judge is None:
            rule = self._rules[position]
            judge = self._behind[position] = rule.verdict if rule.assigns else self._without_gates(rule)
        return judge

    def _without_gates(self, rule: CompiledRule) -> Judge:
        settled = {gate.fact for gate in self.gates}
        behind = {
            Comparison(name, operator, _typed(self._facts[name], operator, operand))
            for name, operator, operand in rule.asked_of_single_facts(KINDS)
            if name in settled
        }
        left = tuple(part for part in conjuncts(rule.when) if part not in behind)
        return rule.verdict_where(Every(left) if left else True)


def _typed(fact: Fact, operator: str, operand: Any) -> Any:
    return typed_constant(fact, operator, tuple(operand) if operand.__class__ is list else operand)


def _positions(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def conjuncts(expression: Expression) -> Iterator[Expression]:
    """The parts that must all hold."""
    if isinstance(expression, Every):
        for part in expression.parts:
            yield from conjuncts(part)
    elif expression is not True:
        yield expression
