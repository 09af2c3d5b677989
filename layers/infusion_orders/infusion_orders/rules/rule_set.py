"""One immutable version of the rules with its tables, ready to decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.reference.tables import ReferenceTables
from infusion_orders.rules.candidates import Gates
from infusion_orders.rules.compiled_rule import compile_all, compile_rules
from infusion_orders.rules.rule import Effect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.document import RuleSetDocument


@dataclass(frozen=True, slots=True)
class RuleSet:
    """`digest` names the content, `version` the publication; rules are sorted by id."""

    name: str
    version: int
    digest: str
    rules: tuple[CompiledRule, ...]
    tables: ReferenceTables
    catalogue: Catalogue
    of_effect: Mapping[Effect, tuple[int, ...]] = field(init=False)
    assigning: Mapping[str, tuple[int, ...]] = field(init=False)
    gates: Gates = field(init=False)

    def __post_init__(self) -> None:
        """The positions of the rules of each effect, and of those that assign each fact."""
        numbered = tuple(enumerate(self.rules))
        of_effect = {effect: tuple(at for at, rule in numbered if rule.effect is effect) for effect in Effect}
        assigning = {
            target: tuple(at for at, rule in numbered if target in rule.assigned) for target in self.catalogue.assigned
        }
        object.__setattr__(self, "of_effect", of_effect)
        object.__setattr__(self, "assigning", assigning)
        object.__setattr__(self, "gates", Gates(self.rules, self.catalogue))

    @classmethod
    def from_document(
        cls,
        document: RuleSetDocument,
        *,
        version: int,
        digest: str,
        catalogue: Catalogue = CATALOGUE,
        compiled: bool = False,
    ) -> RuleSet:
        """From a document that passed its checks and whose digest was verified.

        Its rules are compiled when they are first candidates.  `compiled`: at once, where another release checked them.
        """
        rules = compile_rules(document.rules, catalogue)
        if compiled:
            compile_all(rules)
        tables = ReferenceTables(document.tables)
        return cls(document.name, version, digest, rules, tables, catalogue)
