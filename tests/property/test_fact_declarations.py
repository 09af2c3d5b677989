"""Every derivation reads exactly the facts that it declares: pointers and documents are made of the declarations."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.case import Case, Facts
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.orders.parsing import parse_order
from infusion_orders.reference.tables import ReferenceTables
from tests.fuzz.orders import document_of
from tests.support.rules import default_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

ORDERS = 1_500
SEED = 13

Reads = dict[str, set[str]]


@contextmanager
def reads_of_derivations(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reads]:
    """Collect, by the derived fact, the facts of any line that its derivation reads itself."""
    reads: Reads = defaultdict(set)
    deriving: list[str] = []
    derive = Facts.__missing__

    def read(facts: Facts, name: str) -> Any:
        if deriving:
            reads[deriving[-1]].add(name)
        return dict.__getitem__(facts, name)

    def derive_and_note(facts: Facts, name: str) -> Any:
        deriving.append(name)
        try:
            return derive(facts, name)
        finally:
            deriving.pop()

    def lines_by(case: Case, name: str) -> Any:
        """Group the lines anew for each derivation: each of them reads the fact."""
        case._lines_by.clear()
        return group(case, name)

    group = Case.lines_by
    with monkeypatch.context() as patch:
        patch.setattr(Facts, "__getitem__", read, raising=False)
        patch.setattr(Facts, "__missing__", derive_and_note)
        patch.setattr(Case, "lines_by", lines_by)
        yield reads


def tables() -> ReferenceTables:
    """Return the default tables with a needed code for one line of business; theirs are for all."""
    rows = default_rules().tables.rows()
    pair = ("J1745", "needs", "S9359", "medi_cal", "2020-01-01", "", "coding", "")
    return ReferenceTables({**rows, "code_pairs": [*rows["code_pairs"], pair]})


def test_derivations_read_exactly_the_facts_that_they_declare(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = tables()
    with reads_of_derivations(monkeypatch) as reads:
        for number in range(ORDERS):
            order = parse_order(json.dumps(document_of(SEED, number)))
            case = Case(CATALOGUE, reference, order=order)
            for name in CATALOGUE.declared:
                for line in case.lines:
                    line[name]

    declared = {fact.name: set(fact.uses) for fact in CATALOGUE.declared.values() if fact.derive is not None}
    assert {name: read - declared[name] for name, read in reads.items() if read - declared[name]} == {}
    assert {name: uses - reads[name] for name, uses in declared.items() if uses - reads[name]} == {}
