"""What the benchmarks grow is what they say: as many rules, rows and lines, valid, and the same every time."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from benchmarks.grown import CODES_A_RULE, grown_crosswalk, grown_rules, with_lines
from benchmarks.orders import orders
from infusion_orders.authoring.checks import check_document
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.problems import RuleSetErrors
from tests.support.rules import default_document


@pytest.mark.parametrize("count", [50, 200])
def test_a_rule_set_has_as_many_rules_and_is_the_same_every_time(count: int) -> None:
    grown = grown_rules(default_document(), count)

    assert len({rule["id"] for rule in grown.rules}) == len(grown.rules) == count
    assert grown.digest == grown_rules(default_document(), count).digest


def test_variants_lack_nothing_but_examples() -> None:
    grown = grown_rules(default_document(), 200)
    variants = replace(grown, rules=tuple(rule for rule in grown.rules if not rule["examples"]))

    with pytest.raises(RuleSetErrors) as found:
        check_document(variants)

    assert {problem.problem for problem in found.value.problems} == {"the rule has no example; add at least one"}


def test_variants_name_codes_that_the_tables_know_so_that_some_apply() -> None:
    document = default_document()
    own = {rule["id"] for rule in document.rules}
    variants = [rule for rule in grown_rules(document, 200).rules if rule["id"] not in own]

    known = {row[0] for row in document.tables["codes"][1:]}
    for rule in variants:
        assert len(known.intersection(rule["when"]["all"][0]["in"])) == CODES_A_RULE


def test_a_crosswalk_has_as_many_rows_and_passes_its_check() -> None:
    grown = grown_crosswalk(default_document(), 1_000)

    check_document(grown)
    assert min(len(grown.tables["codes"]), len(grown.tables["crosswalk"])) == 1_001


@pytest.mark.parametrize("count", [1, 3, 100])
def test_an_order_has_as_many_lines_and_is_one(count: int) -> None:
    for order in islice(orders(), 6):
        longer: dict[str, Any] = with_lines(order, count)

        assert len(parse_order(json.dumps(longer)).lines) == count
