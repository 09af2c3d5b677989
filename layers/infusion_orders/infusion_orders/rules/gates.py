"""What many rules have in common in their `when` is judged once a line: where it is false, none of them is looked at.

A rule's period, the kind of line that it speaks of, the line of business: of a large rule set only the rules past
their gates are judged, and those without what the gates have settled.  Held to the same verdicts as without gates by
`tests/property/test_gates.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.unknown import FaultyFact
from infusion_orders.rules.compilation import compile_expression
from infusion_orders.rules.expression import Comparison, Every

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from infusion_orders.rules.compilation import Test
    from infusion_orders.rules.expression import Expression
    from infusion_orders.rules.rule_set import CompiledRule

LEAST_RULES = 2
"""A condition of one rule alone is no cheaper as a gate."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A comparison that stands in the `when` of several rules; `rules` has the bit of each rule's position."""

    test: Test
    rules: int


@dataclass(frozen=True, slots=True)
class Gates:
    """`beyond` are, by position, what a rule's `when` asks once its gates are known to be open; None: nothing more."""

    gates: tuple[Gate, ...]
    beyond: tuple[Test | None, ...]

    @classmethod
    def of(cls, rules: Sequence[CompiledRule]) -> Gates:
        """The gates of rules in their order.  One that assigns is left as it is: its `when` is shared."""
        parts_of = [() if rule.assigns else tuple(conjuncts(rule.when)) for rule in rules]
        positions: dict[Comparison, int] = {}
        for position, parts in enumerate(parts_of):
            for part in parts:
                if isinstance(part, Comparison):
                    positions[part] = positions.get(part, 0) | 1 << position
        common = {part: mask for part, mask in positions.items() if mask.bit_count() >= LEAST_RULES}
        return cls(
            tuple(Gate(compile_expression(part), mask) for part, mask in common.items()),
            tuple(
                rule.applies if rule.assigns else _all_of([part for part in parts if part not in common])
                for rule, parts in zip(rules, parts_of, strict=True)
            ),
        )

    def closed_and_hanging(self, facts: Mapping[str, Any]) -> tuple[int, int]:
        """The bits of the rules that do not apply, and of those of which a gate is unknown or has failed."""
        closed = hanging = 0
        for gate in self.gates:
            try:
                truth = gate.test(facts)
            except FaultyFact:
                truth = None
            if truth is None:
                hanging |= gate.rules
            elif not truth:
                closed |= gate.rules
        return closed, hanging


def conjuncts(expression: Expression) -> Iterator[Expression]:
    """The parts that must all hold."""
    if isinstance(expression, Every):
        for part in expression.parts:
            yield from conjuncts(part)
    elif expression is not True:
        yield expression


def _all_of(parts: Sequence[Expression]) -> Test | None:
    return compile_expression(Every(tuple(parts))) if parts else None
