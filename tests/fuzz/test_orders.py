"""A tenth of `make fuzz`, always the same orders: none fails, and they reach all of the contract and the rules."""

from __future__ import annotations

from random import Random

import pytest

from infusion_orders.rules.rule import Verdict
from tests.fuzz.generator import pointers, sent_pointers, shuffled, without_one_field
from tests.fuzz.orders import SEED, Report, document_of, run_in_parallel, unreached

ORDERS = 10_000

SELDOM = {
    "carve-out.other-programmes-of-medi-cal": "the default crosswalk has no such codes: a plan's own has",
    "identifiers.are-well-formed": "a wrong identifier makes the fact unknown, and so a question",
    "submitter.provider-type-is-one-of-the-manuals": "the contract takes no other word",
    "ndc.is-listed": "the default crosswalk of packages is empty: a plan imports one",
    "ndc.not-listed-under-another-code": "the default crosswalk of packages is empty: a plan imports one",
}
"""Rules that no order of the contract breaks under the default tables, and why."""


@pytest.fixture(scope="module")
def report() -> Report:
    whole = Report()
    for part in run_in_parallel(SEED, ORDERS):
        whole.add(part)
    return whole


def test_no_random_order_fails(report: Report) -> None:
    assert report.orders == ORDERS
    assert report.failures == []


def test_no_rule_is_dead_some_order_breaks_it_and_some_order_keeps_it(report: Report) -> None:
    assert unreached(report.reached) == sorted(f"{rule} {Verdict.NOT_MET}" for rule in SELDOM)


def test_every_field_of_the_contract_is_sent() -> None:
    sent = set().union(*(sent_pointers(document_of(SEED, number)) for number in range(300)))
    assert sent == pointers()


def test_an_altered_order_is_another_one() -> None:
    random = Random(1)
    documents = [document_of(SEED, number) for number in range(50)]
    assert sum(shuffled(document, random) != document for document in documents) > 10
    for document in documents:
        less = without_one_field(document, random)
        assert sent_pointers(less) <= sent_pointers(document)
    assert sum(without_one_field(document, random) != document for document in documents) > 40
