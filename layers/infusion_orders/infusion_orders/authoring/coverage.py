"""What a rule's examples show of it: which verdicts, and which of its comparisons both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.authoring.examples import as_given, given_facts
from infusion_orders.rules.expression import comparisons, truth_of
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.compiled_rule import ResolvedRule
    from infusion_orders.rules.expression import Comparison


@dataclass(frozen=True, slots=True)
class Coverage:
    """`possible` verdicts by the rule's form; `leaves` are its comparisons, with the truths that examples gave them."""

    possible: frozenset[Verdict]
    reached: frozenset[Verdict]
    leaves: tuple[tuple[Comparison, frozenset[bool]], ...]

    @property
    def missing(self) -> tuple[Verdict, ...]:
        """In the order of the verdicts."""
        return tuple(verdict for verdict in Verdict if verdict in self.possible - self.reached)

    @property
    def one_sided(self) -> tuple[tuple[Comparison, bool], ...]:
        """Comparisons that no example makes true, or false; with the truth that is missing."""
        return tuple(
            (leaf, wanted)
            for leaf, truths in self.leaves
            for wanted in (True, False)
            if wanted not in truths and not (leaf.operator == "known" and not wanted)
        )


def coverage_of(resolved: ResolvedRule, catalogue: Catalogue) -> Coverage:
    """Of a rule whose examples hold."""
    reached: set[Verdict] = set()
    leaves = tuple(dict.fromkeys((*comparisons(resolved.when), *comparisons(resolved.require))))
    truths: dict[Comparison, set[bool]] = {leaf: set() for leaf in leaves}
    for example in resolved.rule.examples:
        facts = given_facts(resolved, example, catalogue)
        reached.add(as_given(resolved, example).verdict(facts))
        for leaf in leaves:
            truth = truth_of(leaf, facts)
            if truth is not None:
                truths[leaf].add(truth)
    pairs = tuple((leaf, frozenset(found)) for leaf, found in truths.items())
    return Coverage(possible_verdicts(resolved), frozenset(reached), pairs)


def possible_verdicts(resolved: ResolvedRule) -> frozenset[Verdict]:
    """A rule that assigns or only asks is never not met; one without `when` always applies in its period."""
    verdicts = {Verdict.SATISFIED, Verdict.UNKNOWN}
    asks = all(leaf.operator == "known" for leaf in comparisons(resolved.require))
    if resolved.rule.assign is None and not asks:
        verdicts.add(Verdict.NOT_MET)
    if resolved.rule.when is not None:
        verdicts.add(Verdict.NOT_APPLICABLE)
    return frozenset(verdicts)
