"""One immutable version of the rules with its tables, ready to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.reference.tables import ReferenceTables
from infusion_orders.rules.candidates import Candidates
from infusion_orders.rules.compiled_rule import compile_all, compile_rules

if TYPE_CHECKING:
    from infusion_orders.facts.fact import Catalogue
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.document import RuleSetDocument


class RuleSet:
    """A version of the rules: `digest` names its content, `version` its publication.  The rules are sorted by id.

    Verdicts, candidates and `assigning` refer to rules by their position.
    """

    def __init__(
        self,
        name: str,
        version: int,
        digest: str,
        rules: tuple[CompiledRule, ...],
        tables: ReferenceTables,
        catalogue: Catalogue,
    ) -> None:
        self.name = name
        self.version = version
        self.digest = digest
        self.rules = rules
        self.tables = tables
        self.catalogue = catalogue
        self.candidates = Candidates(rules, catalogue)
        self.assigning = {
            fact: tuple([position for position, rule in enumerate(rules) if fact in rule.assigned])
            for fact in catalogue.assigned
        }

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
        """Return the rule set of a document that passed its checks and whose digest was verified.

        A rule is compiled when it is first a candidate.  With `compiled` all are compiled now, which raises what is
        wrong with a version that another release checked.
        """
        rules = compile_rules(document.rules, catalogue)
        if compiled:
            compile_all(rules)
        return cls(document.name, version, digest, rules, ReferenceTables(document.tables), catalogue)
