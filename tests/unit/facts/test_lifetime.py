"""The facts of an order live as long as its Case, and are freed without the garbage collector."""

from __future__ import annotations

import gc
import weakref
from importlib import import_module
from typing import Any

import pytest

from infusion_orders.decisions.decide import decide
from infusion_orders.facts.case import Case, CaseIsGone, Facts
from infusion_orders.facts.catalogue import CATALOGUE
from tests.support.orders import an_order
from tests.support.rules import TODAY, default_rules


def a_case() -> Case:
    return Case(CATALOGUE, default_rules().tables, order=an_order())


def test_decided_order_leaves_nothing_for_the_garbage_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    cases: list[weakref.ref[Any]] = []

    class WatchedCase(Case):
        __slots__ = ()

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            cases.append(weakref.ref(self))

    monkeypatch.setattr(import_module("infusion_orders.decisions.decide"), "Case", WatchedCase)
    order = an_order()
    decide(order, default_rules(), as_of=TODAY)  # rules are compiled when they are first needed
    gc.collect()
    gc.disable()
    try:
        decide(order, default_rules(), as_of=TODAY)
        assert [case() for case in cases] == [None, None]
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_lines_with_all_facts_are_freed_with_their_case() -> None:
    case = a_case()
    for line in case.lines:
        for name in CATALOGUE.declared:
            line[name]
    gc.collect()
    del case, line
    assert gc.collect() == 0


def test_reading_a_derived_fact_after_the_case_is_gone_returns_it() -> None:
    case = a_case()
    facts = case.lines[0]
    age = facts["member.age"]
    del case
    assert facts["member.age"] == age


@pytest.mark.parametrize("name", ["member.age", "line.carve_out"])
def test_reading_another_fact_after_the_case_is_gone_raises(name: str) -> None:
    facts: Facts = a_case().lines[0]
    with pytest.raises(CaseIsGone, match=name):
        facts[name]
