"""The name of the language changes with every word of it, and with every part of its grammar."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.fact import Catalogue, Kind
from infusion_orders.rules.canonical import canonical_json
from infusion_orders.rules.language import LANGUAGE
from infusion_orders.rules.rule import RuleFile


def language_of(catalogue: Catalogue) -> str:
    words = [
        [fact.name, fact.kind, fact.scope, fact.unit, sorted(fact.domain or ()), fact.default, fact.private]
        for fact in catalogue.facts.values()
    ]
    spoken = canonical_json({"words": words, "grammar": RuleFile.model_json_schema()})
    return hashlib.sha256(spoken).hexdigest()[:16]


def test_the_release_names_the_language_that_it_speaks() -> None:
    assert language_of(CATALOGUE) == LANGUAGE, "The language has changed: set LANGUAGE in rules/language.py to this."


def test_another_kind_of_one_fact_is_another_language() -> None:
    age = CATALOGUE.facts["member.age"]
    changed = Catalogue({**CATALOGUE.facts, age.name: replace(age, kind=Kind.CODE)})
    assert language_of(changed) != LANGUAGE
