"""Decisions under rules that release 0.1 published keep their receipts.

`decisions_of_release_0_1.json` holds rules as release 0.1 stored them, on those facts whose inputs it listed wrongly
among others, and orders with the receipts of its decisions.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infusion_orders.decisions.decide import decide
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.release_0_1 import DERIVED_FROM, RELEASE_0_1, catalogue_of
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.rules.language_fingerprint import LANGUAGE_FINGERPRINT
from infusion_orders.rules.rule_set import RuleSet

FACTS: dict[str, Any] = json.loads(Path(__file__).with_name("facts_of_release_0_1.json").read_text("utf-8"))
RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("decisions_of_release_0_1.json").read_text("utf-8"))


def rules_of(language: str | None) -> RuleSet:
    document = RuleSetDocument("release-0.1", tuple(RECORDED["rules"]), RECORDED["tables"])
    return RuleSet.from_document(document, version=3, digest=document.digest, catalogue=catalogue_of(language))


def receipts(rules: RuleSet) -> list[dict[str, str]]:
    as_of = date.fromisoformat(RECORDED["as_of"])
    orders = [parse_order(json.dumps(decided["order"])) for decided in RECORDED["decided"]]
    return [decide(order, rules, as_of=as_of).decision.receipt.model_dump() for order in orders]


@pytest.mark.parametrize("language", ["b6450c900f7d77fe", None])
def test_decisions_under_rules_of_release_0_1_have_its_receipts(language: str | None) -> None:
    assert receipts(rules_of(language)) == [decided["receipt"] for decided in RECORDED["decided"]]


def test_decisions_under_rules_of_this_release_show_what_facts_depend_on() -> None:
    now = receipts(rules_of(LANGUAGE_FINGERPRINT))
    before = [decided["receipt"] for decided in RECORDED["decided"]]
    assert [receipt["facts"] for receipt in now] == [receipt["facts"] for receipt in before]
    assert [receipt["decision"] for receipt in now] != [receipt["decision"] for receipt in before]


def test_facts_of_release_0_1_have_the_pointers_and_observed_facts_of_that_time() -> None:
    now = {
        name: {"pointers": list(RELEASE_0_1.pointers(name)), "observed": list(RELEASE_0_1.shown_sources(name))}
        for name in FACTS
    }
    assert now == FACTS
    assert RELEASE_0_1.recorded == CATALOGUE.recorded


def test_list_of_release_0_1_is_kept_only_where_it_differs() -> None:
    for name in DERIVED_FROM:
        today = CATALOGUE.pointers(name), CATALOGUE.shown_sources(name)
        assert today != (RELEASE_0_1.pointers(name), RELEASE_0_1.shown_sources(name)), name
