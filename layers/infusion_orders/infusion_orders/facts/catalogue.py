"""The vocabulary: every fact that rules may use.  `docs/facts.md` is generated from it."""

from __future__ import annotations

from infusion_orders.facts import (
    clinical,
    code_changes,
    code_pairs,
    member,
    ndc,
    per_diem_ladders,
    per_diems,
    responsibility,
    service_line,
    units,
    waste,
)
from infusion_orders.facts.asked import ASKED
from infusion_orders.facts.fact import Catalogue, Fact

DECLARING_MODULES = (
    member,
    service_line,
    units,
    code_changes,
    code_pairs,
    per_diems,
    per_diem_ladders,
    waste,
    ndc,
    clinical,
    responsibility,
)
"""The modules whose derived and assigned facts are words of the vocabulary, in the order of the documentation."""

_DECLARED = [value for module in DECLARING_MODULES for value in vars(module).values() if isinstance(value, Fact)]

CATALOGUE = Catalogue({fact.name: fact for fact in (*ASKED, *_DECLARED)})
