"""What the examples of a rule set hold it to, rule by rule and in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.coverage import coverage_of
from infusion_orders.authoring.mutation import mutation_result
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.rules.compiled_rule import resolve
from infusion_orders.rules.resolution import Resolver
from infusion_orders.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infusion_orders.authoring.analysis.findings import Progress
    from infusion_orders.authoring.coverage import Coverage
    from infusion_orders.authoring.mutation import MutationResult
    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.document import RuleSetDocument


@dataclass(frozen=True, slots=True)
class Examined:
    """One rule, and what was asked for of it."""

    rule: Rule
    coverage: Coverage | None
    mutation: MutationResult | None

    def plain(self) -> dict[str, Any]:
        """JSON."""
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


def examined(
    document: RuleSetDocument,
    *,
    coverage: bool,
    mutate: bool,
    progress: Progress | None = None,
    catalogue: Catalogue = CATALOGUE,
) -> tuple[Examined, ...]:
    """Every rule of a checked document."""
    found: list[Examined] = []
    for plain in document.rules:
        resolved = resolve(Rule.model_validate(plain), Resolver(catalogue))
        found.append(
            Examined(
                resolved.rule,
                coverage_of(resolved, catalogue) if coverage else None,
                mutation_result(resolved, catalogue) if mutate else None,
            )
        )
        if progress is not None:
            progress(len(found), len(document.rules))
    return tuple(found)


def shares(rules: Sequence[Examined]) -> dict[str, float]:
    """Percent of the possible verdicts that are reached, and of the slips that are noticed; 100 where none count."""
    covered = [one.coverage for one in rules if one.coverage is not None]
    mutated = [one.mutation for one in rules if one.mutation is not None]
    return {
        "verdicts": percent(sum(len(one.reached) for one in covered), sum(len(one.possible) for one in covered)),
        "mutants": percent(sum(one.killed for one in mutated), sum(one.mutants for one in mutated)),
    }


def percent(part: int, whole: int) -> float:
    """To two decimals; 100 of nothing."""
    return round(100 * part / whole, 2) if whole else 100.0
