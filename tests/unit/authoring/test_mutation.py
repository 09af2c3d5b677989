"""The coverage of rules by their examples: the verdicts they reach, and the mutants they notice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from infusion_orders.authoring.coverage import coverage_of
from infusion_orders.authoring.mutation import mutants, mutation_result
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.rules.resolution import ResolvedRule, Resolver, resolve
from infusion_orders.rules.rule import Rule, Verdict
from infusion_orders_cli.main import app
from tests.support.rules import default_document


def resolved(require: Any, *examples: dict[str, Any], when: Any = None) -> ResolvedRule:
    plain: dict[str, Any] = {
        "id": "some.rule",
        "title": "A rule",
        "scope": "line",
        "require": require,
        "otherwise": {"effect": "reject", "message": "Not so."},
        "citation": {"document": "A manual", "basis": "manual"},
        "examples": examples,
    }
    return resolve(Rule.model_validate(plain | ({} if when is None else {"when": when})), Resolver(CATALOGUE))


def example(expect: str, **given: Any) -> dict[str, Any]:
    return {"given": {name.replace("__", "."): value for name, value in given.items()}, "expect": expect}


ADULTS = {"fact": "member.age", "at_least": 18}
AT_18 = example("satisfied", member__age=18)
AT_17 = example("not_met", member__age=17)
NOTHING = example("unknown")
TELEPHONE = {"fact": "care.telephone", "is": True}


def test_default_examples_reach_all_verdicts_and_notice_90_percent() -> None:
    result = CliRunner().invoke(app, ["rules", "test", "--coverage", "--mutate", "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert found["verdicts"] == 100
    assert found["mutants"] >= 90
    assert len(found["rules"]) == len(default_document().rules)


def test_verdicts_that_no_example_reaches_are_missing() -> None:
    assert coverage_of(resolved(ADULTS, AT_18), CATALOGUE).missing == (Verdict.NOT_MET, Verdict.UNKNOWN)
    assert coverage_of(resolved(ADULTS, AT_18, AT_17, NOTHING), CATALOGUE).missing == ()
    with_when = coverage_of(resolved(ADULTS, AT_18, AT_17, NOTHING, when=TELEPHONE), CATALOGUE)
    assert with_when.missing == (Verdict.NOT_APPLICABLE,)


def test_a_rule_that_only_asks_is_never_not_met() -> None:
    asking = resolved({"fact": "care.telephone", "known": True}, example("satisfied", care__telephone=True), NOTHING)
    coverage = coverage_of(asking, CATALOGUE)
    assert coverage.missing == ()
    assert coverage.one_sided == ()


def test_one_sided_comparisons_name_the_missing_truth() -> None:
    coverage = coverage_of(resolved({"all": [ADULTS, TELEPHONE]}, AT_17, NOTHING), CATALOGUE)
    assert [(leaf.fact, truth) for leaf, truth in coverage.one_sided] == [
        ("member.age", True),
        ("care.telephone", True),
        ("care.telephone", False),
    ]


def test_date_given_as_null_is_unknown() -> None:
    dated = resolved({"fact": "line.date_of_service", "at_least": "2024-07-01"}, example("satisfied"))
    with_null = resolved(
        {"fact": "line.date_of_service", "at_least": "2024-07-01"}, example("unknown", line__date_of_service=None)
    )
    assert coverage_of(dated, CATALOGUE).reached == {Verdict.SATISFIED}
    assert coverage_of(with_null, CATALOGUE).reached == {Verdict.UNKNOWN}


def slips_of(*arguments: Any, **more: Any) -> list[str]:
    return [mutant.slip for mutant in mutants(resolved(*arguments, **more))]


@pytest.mark.parametrize(
    ("require", "expected"),
    [
        (ADULTS, ["`at_least` becomes `above`", "`at_least` becomes `below`", "18 becomes 17", "18 becomes 19"]),
        (
            {"fact": "clinical.weight", "below": "2.5"},
            ["becomes `at_most`", "becomes `at_least`", "2.5 becomes 2.4", "2.5 becomes 2.6"],
        ),
        (
            {"fact": "line.units", "between": [1, 5]},
            ["1 becomes 0", "1 becomes 2", "5 becomes 4", "5 becomes 6"],
        ),
        (
            {"fact": "line.route", "in": ["IV", "SC"]},
            ["becomes `not_in`", "IV is left out of the list", "SC is left out of the list"],
        ),
        ({"fact": "line.modifiers", "contains_none": ["JW"]}, ["becomes `contains_any`"]),
        ({"not": TELEPHONE}, ["`not` is left out", "becomes `is_not`"]),
        (
            {"any": [TELEPHONE, ADULTS]},
            ["becomes `all`", "part 1", "part 2", "becomes `is_not`", "`above`", "`below`", "17", "19"],
        ),
        (
            {"fact": "line.date_of_service", "at_most": "2026-12-31"},
            ["`below`", "`above`", "becomes 2026-12-30", "becomes 2027-01-01"],
        ),
    ],
)
def test_each_part_of_a_rule_gives_the_expected_mutants(require: Any, expected: list[str]) -> None:
    negated, *found = slips_of(require)
    assert negated == "`require` is negated"
    assert len(found) == len(expected)
    assert all(part in slip for slip, part in zip(found, expected, strict=True)), found


def test_when_is_left_out_as_a_mutant() -> None:
    assert slips_of(ADULTS, when=TELEPHONE)[:2] == [
        "`when` is left out",
        "care.telephone `is` becomes `is_not` in `when`",
    ]


def test_surviving_mutant_comes_with_an_example_that_notices_it() -> None:
    result = mutation_result(resolved(ADULTS, example("satisfied", member__age=40), AT_17, NOTHING), CATALOGUE)
    assert (result.mutants, result.killed) == (5, 3)
    assert {survivor.slip: survivor.example for survivor in result.survivors} == {
        "member.age `at_least` becomes `above` in `require`": {"given": {"member.age": 18}, "expect": "satisfied"},
        "member.age 18 becomes 19 in `require`": {"given": {"member.age": 18}, "expect": "satisfied"},
    }
    improved = mutation_result(resolved(ADULTS, AT_18, AT_17, NOTHING), CATALOGUE)
    assert (improved.mutants, improved.killed) == (5, 5)


def test_equivalent_mutant_does_not_count() -> None:
    twice = resolved(
        {"all": [ADULTS, {"fact": "member.age", "at_least": 17}]},
        AT_18,
        AT_17,
        example("not_met", member__age=16),
        NOTHING,
    )
    result = mutation_result(twice, CATALOGUE)
    assert result.same >= 2  # the second bound changes nothing
    assert "part 2 of `all` is left out in `require`" not in {survivor.slip for survivor in result.survivors}


def test_rules_test_shows_gaps_and_fails_below_its_limits(tmp_path: Any) -> None:
    (tmp_path / "some.yaml").write_text(
        """
- id: some.adults
  title: Adults only
  scope: line
  require: {fact: member.age, at_least: 18}
  otherwise: {effect: reject, message: Too young.}
  citation: {document: A manual, basis: manual}
  examples:
    - {given: {member.age: 40}, expect: satisfied}
""",
        "utf-8",
    )
    runner = CliRunner(env={"NO_COLOR": "1"})
    result = runner.invoke(app, ["rules", "test", str(tmp_path), "--coverage", "--mutate"])
    assert result.exit_code == 1
    assert "all 1 examples of 1 rules hold" in result.stdout
    assert "some.adults: no example has the verdict not_met, unknown" in result.stdout
    assert "- {given: {member.age: 18}, expect: satisfied}" in result.stdout
    assert runner.invoke(app, ["rules", "test", str(tmp_path)]).exit_code == 0
    limits = ["--coverage", "--mutate", "--least-verdicts", "30", "--least-mutants", "20"]
    assert runner.invoke(app, ["rules", "test", str(tmp_path), *limits]).exit_code == 0
    (tmp_path / "some.yaml").write_text("- id: some.adults\n", "utf-8")
    assert runner.invoke(app, ["rules", "test", str(tmp_path)]).exit_code == 1
