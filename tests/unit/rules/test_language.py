"""The fingerprint of the rule language changes with its facts and its grammar."""

from __future__ import annotations

from dataclasses import replace

from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.fact import Catalogue, Kind
from infusion_orders.rules.language_fingerprint import LANGUAGE_FINGERPRINT
from infusion_orders_cli.docs.generated import language_fingerprint


def test_fingerprint_is_up_to_date() -> None:
    assert language_fingerprint(CATALOGUE) == LANGUAGE_FINGERPRINT, "The language has changed: run `make generate`."


def test_fingerprint_changes_with_the_kind_of_a_fact() -> None:
    age = CATALOGUE.facts["member.age"]
    changed = Catalogue({**CATALOGUE.declared, age.name: replace(age, kind=Kind.CODE)})
    assert language_fingerprint(changed) != LANGUAGE_FINGERPRINT


def test_fingerprint_changes_with_the_facts_that_a_fact_depends_on() -> None:
    age = CATALOGUE.facts["member.age"]
    changed = Catalogue({**CATALOGUE.declared, age.name: replace(age, uses=("member.birth_date",))})
    assert language_fingerprint(changed) != LANGUAGE_FINGERPRINT


def test_fingerprint_does_not_change_with_a_description() -> None:
    age = CATALOGUE.facts["member.age"]
    reworded = Catalogue({**CATALOGUE.declared, age.name: replace(age, description="Another text.")})
    assert language_fingerprint(reworded) == LANGUAGE_FINGERPRINT
