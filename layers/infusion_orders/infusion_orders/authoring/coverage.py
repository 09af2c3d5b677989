"""How well the examples of a rule cover it: verdicts reached, comparisons true and false, and mutants noticed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.examples import as_given, given_facts
from infusion_orders.authoring.mutation import mutation_result
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.rules.evaluation import evaluate
from infusion_orders.rules.expression import comparisons
from infusion_orders.rules.resolution import Resolver, resolve
from infusion_orders.rules.rule import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infusion_orders.authoring.analysis.report import Progress
    from infusion_orders.authoring.mutation import MutationResult
    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.document import RuleSetDocument
    from infusion_orders.rules.expression import Comparison
    from infusion_orders.rules.resolution import ResolvedRule


@dataclass(frozen=True, slots=True)
class ExampleCoverage:
    """The verdicts that a rule can have, those that its examples reach, and the truth values of its comparisons.

    `comparisons` pairs each comparison of the rule with the truth values that some example gives it.
    """

    possible: frozenset[Verdict]
    reached: frozenset[Verdict]
    comparisons: tuple[tuple[Comparison, frozenset[bool]], ...]

    @property
    def missing(self) -> tuple[Verdict, ...]:
        """The possible verdicts that no example reaches."""
        return tuple(verdict for verdict in Verdict if verdict in self.possible - self.reached)

    @property
    def one_sided(self) -> tuple[tuple[Comparison, bool], ...]:
        """The comparisons that no example makes true, or none makes false, with the missing truth value."""
        return tuple(
            (leaf, wanted)
            for leaf, truths in self.comparisons
            for wanted in (True, False)
            if wanted not in truths and not (leaf.operator == "known" and not wanted)
        )


@dataclass(frozen=True, slots=True)
class ExampleReport:
    """One rule with its coverage and the result of its mutation, each None unless it was asked for."""

    rule: Rule
    coverage: ExampleCoverage | None
    mutation: MutationResult | None

    def plain(self) -> dict[str, Any]:
        """Return the report as plain JSON."""
        plain: dict[str, Any] = {"rule": self.rule.id, "examples": len(self.rule.examples)}
        if self.coverage is not None:
            plain["verdicts"] = {
                "possible": sorted(self.coverage.possible),
                "missing": [verdict.value for verdict in self.coverage.missing],
            }
            plain["one_sided"] = [{"fact": leaf.fact, "never": truth} for leaf, truth in self.coverage.one_sided]
        if self.mutation is not None:
            survivors = [{"slip": each.slip, "example": each.example} for each in self.mutation.survivors]
            plain["mutants"] = {"all": self.mutation.mutants, "noticed": self.mutation.killed, "survivors": survivors}
        return plain


def example_reports(
    document: RuleSetDocument,
    *,
    coverage: bool,
    mutate: bool,
    progress: Progress | None = None,
    catalogue: Catalogue = CATALOGUE,
) -> tuple[ExampleReport, ...]:
    """Return one report for each rule of a checked document."""
    reports: list[ExampleReport] = []
    for plain in document.rules:
        resolved = resolve(Rule.model_validate(plain), Resolver(catalogue))
        reports.append(
            ExampleReport(
                resolved.rule,
                coverage_of(resolved, catalogue) if coverage else None,
                mutation_result(resolved, catalogue) if mutate else None,
            )
        )
        if progress is not None:
            progress(len(reports), len(document.rules))
    return tuple(reports)


def coverage_of(resolved: ResolvedRule, catalogue: Catalogue) -> ExampleCoverage:
    """Return the coverage of a rule whose examples hold."""
    reached: set[Verdict] = set()
    leaves = tuple(dict.fromkeys((*comparisons(resolved.when), *comparisons(resolved.require))))
    truths: dict[Comparison, set[bool]] = {leaf: set() for leaf in leaves}
    for example in resolved.rule.examples:
        facts = given_facts(resolved, example, catalogue)
        reached.add(as_given(resolved, example).verdict(facts))
        for leaf in leaves:
            truth = evaluate(leaf, facts).truth
            if isinstance(truth, bool):
                truths[leaf].add(truth)
    pairs = tuple((leaf, frozenset(found)) for leaf, found in truths.items())
    return ExampleCoverage(possible_verdicts(resolved), frozenset(reached), pairs)


def possible_verdicts(resolved: ResolvedRule) -> frozenset[Verdict]:
    """Return the verdicts that the rule's form allows.

    A rule that assigns, or that only requires facts to be known, is never not met.  A rule without `when` always
    applies in its period.
    """
    verdicts = {Verdict.SATISFIED, Verdict.UNKNOWN}
    only_asks = all(leaf.operator == "known" for leaf in comparisons(resolved.require))
    if resolved.rule.assign is None and not only_asks:
        verdicts.add(Verdict.NOT_MET)
    if resolved.rule.when is not None:
        verdicts.add(Verdict.NOT_APPLICABLE)
    return frozenset(verdicts)


def shares(reports: Sequence[ExampleReport]) -> dict[str, float]:
    """Return the percentages of possible verdicts reached and of mutants noticed; 100 if there are none."""
    covered = [one.coverage for one in reports if one.coverage is not None]
    mutated = [one.mutation for one in reports if one.mutation is not None]
    return {
        "verdicts": percent(sum(len(one.reached) for one in covered), sum(len(one.possible) for one in covered)),
        "mutants": percent(sum(one.killed for one in mutated), sum(one.mutants for one in mutated)),
    }


def percent(part: int, whole: int) -> float:
    """Return the percentage, rounded to two decimals; 100 if the whole is empty."""
    return round(100 * part / whole, 2) if whole else 100.0
