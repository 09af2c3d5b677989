"""A twentieth of `make fuzz`, always the same orders: none fails, and they cover every field and every rule."""

from __future__ import annotations

from random import Random

import pytest

from infusion_orders.rules.rule import Verdict
from tests.fuzz.generator import pointers, sent_pointers, shuffled, without_one_field
from tests.fuzz.orders import SEED, Report, document_of, run_in_parallel, unreached

ORDERS = 5_000

SELDOM = {
    "carve-out.other-programmes-of-medi-cal": "the default crosswalk has no such codes; a plan's own has them",
    "identifiers.are-well-formed": "a wrong identifier makes the fact unknown and raises a question",
    "submitter.provider-type-is-one-of-the-manuals": "parsing accepts no other word",
    "ndc.is-listed": "the default crosswalk of packages is empty; a plan imports one",
    "ndc.not-listed-under-another-code": "the default crosswalk of packages is empty; a plan imports one",
}
"""Rules that no order breaks under the default tables, and why."""


@pytest.fixture(scope="module")
def report() -> Report:
    whole = Report()
    for part in run_in_parallel(SEED, ORDERS):
        whole.add(part)
    return whole


def test_no_random_order_fails(report: Report) -> None:
    assert report.orders == ORDERS
    assert report.failures == []


def test_every_rule_is_broken_by_some_order_and_satisfied_by_another(report: Report) -> None:
    assert unreached(report.reached) == sorted(f"{rule} {Verdict.NOT_MET}" for rule in SELDOM)


def test_random_orders_send_every_field_of_the_model() -> None:
    sent = set().union(*(sent_pointers(document_of(SEED, number)) for number in range(300)))
    assert sent == pointers()


def test_altered_orders_differ_from_their_originals() -> None:
    random = Random(1)
    documents = [document_of(SEED, number) for number in range(50)]
    assert sum(shuffled(document, random) != document for document in documents) > 10
    for document in documents:
        less = without_one_field(document, random)
        assert sent_pointers(less) <= sent_pointers(document)
    assert sum(without_one_field(document, random) != document for document in documents) > 40
