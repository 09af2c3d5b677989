"""Each kind of invalid rule gives one problem: the rule, the place, what is wrong, and the nearest valid value."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from infusion_orders.authoring.checks import check_document
from infusion_orders.authoring.limits import LIMITS
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.rules.problems import RuleProblem, RuleSetErrors
from tests.support.orders import ABSENT, change

GOOD: dict[str, Any] = {
    "id": "some.rule",
    "title": "A rule",
    "scope": "line",
    "require": {"fact": "member.age", "at_least": 21},
    "otherwise": {"effect": "reject", "message": "Too young."},
    "citation": {"document": "A manual", "basis": "manual"},
    "examples": [{"given": {"member.age": 21}, "expect": "satisfied"}],
}
ASSIGNING: dict[str, Any] = {
    "id": "some.assignment",
    "title": "An assignment",
    "scope": "line",
    "when": {"fact": "member.age", "below": 21},
    "assign": {"line.carve_out": "county_ccs"},
    "citation": {"document": "A manual", "basis": "manual"},
    "examples": [{"given": {"member.age": 20}, "expect": "satisfied"}],
}


def changed_rule(changes: dict[str, Any] | None = None, of: dict[str, Any] = GOOD) -> dict[str, Any]:
    rule = copy.deepcopy(of)
    for pointer, value in (changes or {}).items():
        change(rule, pointer, value)
    return rule


def problems(*rules: dict[str, Any], tables: dict[str, Any] | None = None) -> tuple[RuleProblem, ...]:
    document = RuleSetDocument("some", rules, tables or {})
    try:
        check_document(document, files={"some.rule": "some.yaml"})
    except RuleSetErrors as errors:
        return errors.problems
    return ()


def the_problem(*rules: dict[str, Any], tables: dict[str, Any] | None = None) -> tuple[str, str, str]:
    (found,) = problems(*rules, tables=tables)
    return found.rule, found.path, found.problem


def requiring(condition: Any, given: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return the valid rule with another requirement; its example gives `given`, or nothing and is then unknown."""
    example = {"given": given or {}, "expect": "satisfied" if given else "unknown"}
    return changed_rule({"/require": condition, "/examples": [example], **more})


def test_valid_rules_have_no_problem() -> None:
    assert problems(changed_rule(), changed_rule(of=ASSIGNING)) == ()


def test_problem_names_its_file_on_one_line() -> None:
    (found,) = problems(changed_rule({"/require/fact": "member.agee"}))
    assert found.file == "some.yaml"
    assert str(found) == "some.yaml: some.rule: require: there is no fact 'member.agee'; did you mean 'member.age'?"


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        changed_rule({"/require/fact": "member.agee"}), changed_rule({"/id": "other.rule", "/examples": []})
    )
    assert [(problem.rule, problem.path) for problem in found] == [("some.rule", "require"), ("other.rule", "examples")]


@pytest.mark.parametrize(
    ("condition", "path", "problem"),
    [
        ({"fact": "member.agee", "at_least": 21}, "require", "no fact 'member.agee'; did you mean 'member.age'?"),
        ({"fact": "zzz", "at_least": 21}, "require", "there is no fact 'zzz'"),
        ({"fact": "member.age", "contains_any": ["x"]}, "require", "member.age is a number: use above, at_least"),
        ({"fact": "care.telephone", "below": 1}, "require", "is a boolean: use is, is_not, known, not `below`"),
        ({"fact": "line.dose", "is": 5}, "require", "line.dose is a structure: use known, not `is`"),
        ({"fact": "order.diagnoses", "is": "C91.00"}, "require", "is a set of codes: use contains_any"),
        ({"fact": "line.date_of_service", "in": ["2026-01-01"]}, "require", "is a date: use above, at_least"),
        ({"fact": "member.age", "at_least": "old"}, "require.at_least", "member.age is a number, and 'old' is not one"),
        ({"fact": "member.age", "at_least": "Infinity"}, "require.at_least", "is a number, and 'Infinity' is not one"),
        ({"fact": "member.age", "is": True}, "require.is", "member.age is a number, and True is not one"),
        ({"fact": "care.telephone", "is": "yes"}, "require.is", "care.telephone is a boolean, and 'yes' is not one"),
        ({"fact": "line.hcpcs", "is": 99601}, "require.is", "99601 is not one (quote a code that looks like a number)"),
        ({"fact": "line.hcpcs", "in": ["J1745", 99601]}, "require.in", "99601 is not one (quote a code"),
        ({"fact": "order.diagnoses", "contains_any": [1]}, "require.contains_any", "(quote a code"),
        ({"fact": "line.date_of_service", "below": "1/2/2026"}, "require.below", "is a date; write it as 2026-01-31"),
        ({"fact": "line.date_of_service", "below": 2026}, "require.below", "is a date, and 2026 is not one"),
        ({"fact": "line.route", "is": "IVV"}, "require.is", "'IVV' is not a value of line.route; did you mean 'IV'?"),
        (
            {"fact": "line.route", "not_in": ["IV", "by mouth"]},
            "require.not_in",
            "'by mouth' is not a value of line.route",
        ),
        ({"fact": "member.age", "between": [30, 20]}, "require.between", "the upper bound of `between` is below"),
        (
            {"fact": "line.hcpcs", "starts_with_any": [9]},
            "require.starts_with_any",
            "`starts_with_any` takes a list of texts",
        ),
        (
            {"fact": "line.hcpcs", "starts_with_any": [""]},
            "require.starts_with_any",
            "`starts_with_any` takes a list of texts",
        ),
        (
            {"fact": "clinical.weight", "above": {"fact": "clinical.height"}},
            "require.above",
            "clinical.weight (number) cannot be compared with clinical.height (number) in kg against cm",
        ),
        (
            {"fact": "member.age", "above": {"fact": "line.date_of_service"}},
            "require.above",
            "member.age (number) cannot be compared with line.date_of_service (date) in years against no unit",
        ),
        (
            {"fact": "line.hcpcs", "is": {"fact": "line.date_of_service"}},
            "require.is",
            "line.hcpcs (code) cannot be compared with line.date_of_service (date)",
        ),
        ({"fact": "vendor.id", "is": {"fact": "vendor.idd"}}, "require.is", "did you mean 'vendor.id'?"),
        (
            {"all": [{"fact": "care.telephone", "is": True}, {"not": {"any": [{"fact": "x.y", "known": True}]}}]},
            "require.all[1].not.any[0]",
            "there is no fact 'x.y'",
        ),
    ],
)
def test_invalid_condition_is_a_problem(condition: Any, path: str, problem: str) -> None:
    rule, found_path, found = the_problem(requiring(condition, {"care.telephone": True}))
    assert (rule, found_path) == ("some.rule", path)
    assert problem in found


@pytest.mark.parametrize(
    ("fact", "other", "assigned"),
    [
        ("line.carve_out", "line.dofr_party", "line.carve_out"),
        ("line.dofr_party", "line.responsible_party", "line.responsible_party"),
    ],
)
def test_assigned_fact_is_compared_only_with_literals(fact: str, other: str, assigned: str) -> None:
    rule, path, problem = the_problem(requiring({"fact": fact, "is": {"fact": other}}))
    assert (rule, path) == ("some.rule", "require")
    assert f"{assigned} is assigned by rules" in problem


def test_problem_in_when_has_the_path_when() -> None:
    _, path, _ = the_problem(changed_rule({"/when": {"fact": "member.agee", "known": True}}))
    assert path == "when"


@pytest.mark.parametrize(
    ("condition", "given"),
    [
        ({"fact": "member.age", "between": [20, 20]}, {"member.age": 20}),
        ({"fact": "clinical.weight", "at_least": "70.5"}, {"clinical.weight": "70.50"}),
        ({"fact": "clinical.weight", "in": [70, "80.5"]}, {"clinical.weight": 70}),
        ({"fact": "line.hcpcs", "starts_with_any": ["J", "99"]}, {"line.hcpcs": "99601"}),
        ({"fact": "order.diagnoses", "starts_with_any": ["C9"]}, {"order.diagnoses": ["K50.90", "C91.00"]}),
        ({"fact": "order.diagnoses", "contains_none": ["C91.00"]}, {"order.diagnoses": []}),
        ({"fact": "line.dose", "known": True}, None),
        (
            {"fact": "prescriber.signed_on", "at_most": {"fact": "line.date_of_service"}},
            {"prescriber.signed_on": "2026-01-31", "line.date_of_service": "2026-01-31"},
        ),
    ],
)
def test_valid_condition_is_no_problem(condition: Any, given: dict[str, Any] | None) -> None:
    assert problems(requiring(condition, given)) == ()


@pytest.mark.parametrize(
    ("changes", "path", "problem"),
    [
        ({"/requires": {}}, "requires", "there is no field 'requires'; did you mean 'require'?"),
        ({"/otherwise/efect": "reject"}, "otherwise.efect", "there is no field 'efect'; did you mean 'effect'?"),
        ({"/require/is_no": 3}, "require.is_no", "there is no field 'is_no'"),
        ({"/otherwise": ABSENT}, "", "`require` and `otherwise` belong together"),
        ({"/require": ABSENT}, "", "`require` and `otherwise` belong together"),
        ({"/assign": {"line.carve_out": "none"}}, "", "either `require` with `otherwise`, or `assign`"),
        ({"/require": ABSENT, "/otherwise": ABSENT}, "", "either `require` with `otherwise`, or `assign`"),
        ({"/citation/basis": "unverified"}, "", "a rule whose basis is `unverified` may only review or warn"),
        ({"/citation/basis": "unverified", "/otherwise/effect": "redirect"}, "", "may only review or warn"),
        ({"/require/at_most": 30}, "require", "needs exactly one operator of: is, is_not"),
        ({"/require/at_least": ABSENT}, "require", "needs exactly one operator of: is, is_not"),
        ({"/require": {"all": []}}, "require.all.all", "at least 1 item"),
        ({"/require": {"fact": "line.hcpcs", "in": []}}, "require.in", "at least 1 item"),
        ({"/require": {"fact": "member.age", "between": [1, 2, 3]}}, "require.between", "at most 2 items"),
        ({"/id": "Some Rule"}, "id", "such as setting.care-is-skilled"),
        ({"/otherwise/effect": "deny"}, "otherwise.effect", "valid values: redirect, reject, review, warn"),
        ({"/otherwise/effect": "rejct"}, "otherwise.effect", "did you mean 'reject'?"),
        ({"/title": ABSENT}, "title", "the field is missing"),
        ({"/title": 3}, "title", "write a text"),
        ({"/effective": {"from": "soon"}}, "effective.from", "write a date as 2026-01-31"),
        ({"/examples": "one"}, "examples", "write a list"),
        ({"/require": {"fact": "line.hcpcs", "is": ["J1745"]}}, "require.is", "use `in` or `not_in` for a list"),
        ({"/require": {"fact": "line.hcpcs", "known": False}}, "require.known", "valid values: true"),
        ({"/effective": {"from": "2026-01-02", "to": "2026-01-01"}}, "effective", "the period ends before it begins"),
        ({"/otherwise/message": ""}, "otherwise.message", "at least 1 character"),
    ],
)
def test_rule_against_the_grammar_is_a_problem(changes: dict[str, Any], path: str, problem: str) -> None:
    _, found_path, found = the_problem(changed_rule(changes))
    assert found_path == path
    assert problem in found


@pytest.mark.parametrize("effect", ["review", "warn"])
def test_unverified_rule_may_review_or_warn(effect: str) -> None:
    assert problems(changed_rule({"/citation/basis": "unverified", "/otherwise/effect": effect})) == ()


def test_rule_of_scope_order_may_not_use_a_line_fact() -> None:
    rule, path, problem = the_problem(changed_rule({"/scope": "order"}))
    assert (rule, path) == ("some.rule", "require")
    assert problem == "member.age is a fact of a line, so a rule of scope `order` cannot use it"
    assert (
        problems(requiring({"fact": "care.telephone", "is": True}, {"care.telephone": True}, **{"/scope": "order"}))
        == ()
    )


def test_duplicate_id_is_a_problem() -> None:
    assert the_problem(changed_rule(), changed_rule()) == ("some.rule", "id", "2 rules have this id")


@pytest.mark.parametrize(
    ("examples", "path", "problem"),
    [
        ([], "examples", "the rule has no example"),
        (
            [{"given": {"member.age": 20}, "expect": "satisfied"}],
            "examples[0]",
            "expects satisfied, but the verdict is not_met",
        ),
        ([{"given": {"member.agee": 20}, "expect": "not_met"}], "examples[0].given", "did you mean 'member.age'?"),
        ([{"given": {"member.age": "x"}, "expect": "not_met"}], "examples[0].given", "'x' is not one"),
        ([{"given": {"order.diagnoses": "C91"}, "expect": "unknown"}], "examples[0].given", "write a list"),
        (
            [{"given": {}, "expect": "unknown", "asks": ["line.hcpcs"]}],
            "examples[0]",
            "a question for line.hcpcs, but the rule asks for member.age",
        ),
        (
            [{"given": {"member.age": 21}, "expect": "satisfied", "asks": ["member.age"]}],
            "examples[0]",
            "but the rule asks for nothing",
        ),
        ([{"given": {}, "expect": "unknown", "asks": []}], "examples[0]", "but the rule asks for member.age"),
    ],
)
def test_failing_example_is_a_problem(examples: list[Any], path: str, problem: str) -> None:
    _, found_path, found = the_problem(changed_rule({"/examples": examples}))
    assert found_path == path
    assert problem in found


def test_failing_second_example_has_index_1() -> None:
    good = GOOD["examples"][0]
    _, path, _ = the_problem(changed_rule({"/examples": [good, {"given": {"member.age": 1}, "expect": "unknown"}]}))
    assert path == "examples[1]"


@pytest.mark.parametrize("place", ["/when", "/require"])
@pytest.mark.parametrize(
    ("name", "instead"),
    [("prescriber.npi", "prescriber.is_identified"), ("member.birth_date", "member.age")],
)
def test_private_fact_in_a_condition_is_a_problem(place: str, name: str, instead: str) -> None:
    rule = changed_rule({place: {"fact": name, "known": True}})
    (problem,) = [found.problem for found in problems(rule) if name in found.problem]
    assert problem.startswith(f"{name} identifies a person")
    assert instead in problem


def test_example_without_a_date_lies_in_the_rules_period() -> None:
    past = {"given": {"member.age": 20, "line.date_of_service": "2019-12-31"}, "expect": "not_applicable"}
    inside = {"given": {"member.age": 20}, "expect": "not_met"}
    for period in ({"from": "2020-01-01"}, {"from": "2020-01-01", "to": "2020-01-01"}):
        assert problems(changed_rule({"/effective": period, "/examples": [inside, past]})) == ()
    ended = {"given": {"member.age": 20, "line.date_of_service": "2020-01-01"}, "expect": "not_applicable"}
    assert problems(changed_rule({"/effective": {"to": "2019-12-31"}, "/examples": [inside, ended]})) == ()


def test_example_without_facts_of_when_takes_it_as_true() -> None:
    examples = [
        {"given": {"member.age": 20}, "expect": "not_met"},
        {"given": {"member.age": 20, "care.telephone": False}, "expect": "not_applicable"},
        {"given": {}, "expect": "unknown", "asks": ["member.age"]},
    ]
    assert problems(changed_rule({"/when": {"fact": "care.telephone", "is": True}, "/examples": examples})) == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Age {member.agee}.", "there is no fact 'member.agee'; did you mean 'member.age'?"),
        ("Born {member.birth_date}.", "member.birth_date identifies a person"),
        ("Pays {line.responsible_party}.", "line.responsible_party is assigned by rules"),
        ("Empty {}.", "there is no fact ''"),
    ],
)
@pytest.mark.parametrize("field", ["message", "remedy"])
def test_unusable_placeholder_in_a_text_is_a_problem(field: str, text: str, problem: str) -> None:
    rule, path, found = the_problem(changed_rule({f"/otherwise/{field}": text}))
    assert (rule, path) == ("some.rule", f"otherwise.{field}")
    assert problem in found


@pytest.mark.parametrize(
    ("vendor", "problem"),
    [
        ("member.mbi", "member.mbi identifies a person"),
        ("vendor.npi", "vendor.npi identifies a person"),
        ("line.contracted_vendr", "did you mean 'line.contracted_vendor'?"),
        ("member.age", "member.age is a number"),
        ("line.responsible_party", "line.responsible_party is assigned by rules"),
    ],
)
def test_vendor_of_an_action_must_be_a_code_that_identifies_nobody(vendor: str, problem: str) -> None:
    action = {"action": "use_vendor", "vendor": {"fact": vendor}}
    rule, path, found = the_problem(changed_rule({"/otherwise/action": action}))
    assert (rule, path) == ("some.rule", "otherwise.action.vendor")
    assert problem in found


def test_vendor_of_an_action_may_be_the_contracted_vendor() -> None:
    action = {"action": "use_vendor", "vendor": {"fact": "line.contracted_vendor"}}
    assert problems(changed_rule({"/otherwise/action": action})) == ()


PRIVATE = sorted(fact.name for fact in CATALOGUE.facts.values() if fact.private)
PLACES: dict[str, dict[str, Any]] = {
    "when": {"/when": {"fact": "FACT", "known": True}},
    "require": {"/require": {"not": {"fact": "FACT", "known": True}}},
    "right side": {"/require": {"fact": "FACT", "is": {"fact": "FACT"}}},
    "message": {"/otherwise/message": "Sent: {FACT}."},
    "remedy": {"/otherwise/remedy": "Correct {FACT}."},
    "vendor": {"/otherwise/action": {"action": "use_vendor", "vendor": {"fact": "FACT"}}},
    "assigned value": {"/assign": {"line.carve_out": {"fact": "FACT"}}},
}


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("place", PLACES)
def test_private_fact_is_refused_in_every_place_of_a_rule(place: str, name: str) -> None:
    changes = json.loads(json.dumps(PLACES[place]).replace("FACT", name))
    rule = changed_rule(changes, of=ASSIGNING if place == "assigned value" else GOOD)
    found = [problem.problem for problem in problems(rule)]
    assert any(problem.startswith(f"{name} identifies a person") for problem in found), found


def nested(depth: int) -> Any:
    condition: Any = {"fact": "member.age", "at_least": 21}
    for _ in range(depth):
        condition = {"not": condition} if depth > 1_000 else {"all": [condition]}
    return condition


def test_condition_nested_too_deep_is_a_problem() -> None:
    assert problems(changed_rule({"/require": nested(LIMITS.depth)})) == ()
    assert the_problem(changed_rule({"/require": nested(LIMITS.depth + 1)})) == (
        "some.rule", "require", f"the condition is nested more than {LIMITS.depth} levels deep",
    )  # fmt: skip


def test_hostile_nesting_does_not_exhaust_the_stack() -> None:
    assert "is nested more than" in the_problem({**GOOD, "require": nested(100_000)})[2]


def test_condition_with_too_many_parts_is_a_problem() -> None:
    many = {"all": [{"fact": "member.age", "at_least": 21}] * (LIMITS.nodes - 1)}
    assert problems(changed_rule({"/require": many})) == ()
    more = {"all": [*many["all"], {"fact": "member.age", "at_least": 21}]}
    assert the_problem(changed_rule({"/when": more})) == (
        "some.rule",
        "when",
        f"the condition has more than {LIMITS.nodes} parts",
    )


def test_list_that_is_too_long_is_a_problem() -> None:
    codes = [f"J{number:04}" for number in range(LIMITS.list_length)]
    assert problems(requiring({"fact": "line.hcpcs", "in": codes}, {"line.hcpcs": codes[-1]})) == ()
    long = requiring({"fact": "line.hcpcs", "in": [*codes, "J9999"]})
    assert the_problem(long)[1:] == (
        "require",
        f"a list has {LIMITS.list_length + 1} items; at most {LIMITS.list_length} are allowed",
    )


def test_rule_set_with_too_many_rules_is_a_problem() -> None:
    (found,) = problems(*[{"id": f"some.rule-{number}"} for number in range(LIMITS.rules + 1)])
    assert found.problem == f"the rule set has {LIMITS.rules + 1} rules; at most {LIMITS.rules} are allowed"


@pytest.mark.parametrize("pointer", ["/require/at_least", "/examples/0/given/member.age"])
def test_number_with_a_fraction_must_be_text(pointer: str) -> None:
    _, path, problem = the_problem(changed_rule({pointer: 20.5}))
    assert path == ""
    assert "write it as text" in problem


@pytest.mark.parametrize(
    ("assign", "path", "problem"),
    [
        (
            {"line.carveout": "none"},
            "assign.line.carveout",
            "is not a fact that rules assign; did you mean 'line.carve_out'?",
        ),
        ({"member.age": "20"}, "assign.member.age", "is not a fact that rules assign"),
        (
            {"line.carve_out": "county_css"},
            "assign.line.carve_out",
            "'county_css' is not a value of line.carve_out; did you mean 'county_ccs'?",
        ),
        (
            {"line.carve_out": {"fact": "line.hcpsc"}},
            "assign.line.carve_out",
            "there is no fact 'line.hcpsc'; did you mean 'line.hcpcs'?",
        ),
        (
            {"line.carve_out": {"fact": "member.age"}},
            "assign.line.carve_out",
            "member.age is a number",
        ),
        (
            {"line.carve_out": {"fact": "line.responsible_party"}},
            "assign.line.carve_out",
            "line.responsible_party is assigned by rules",
        ),
        (
            {"line.carve_out": {"fact": "line.dofr_party"}},
            "assign.line.carve_out",
            "line.dofr_party can have values that line.carve_out does not allow",
        ),
        (
            {"line.carve_out": {"fact": "line.hcpcs"}},
            "assign.line.carve_out",
            "line.hcpcs can have values that line.carve_out does not allow",
        ),
        ({}, "", "`assign` gives a value to exactly one fact"),
        (
            {"line.carve_out": "none", "line.responsible_party": "health_plan"},
            "",
            "`assign` gives a value to exactly one fact",
        ),
    ],
)
def test_invalid_assignment_is_a_problem(assign: Any, path: str, problem: str) -> None:
    _, found_path, found = the_problem(changed_rule({"/assign": assign}, of=ASSIGNING))
    assert found_path == path
    assert problem in found


def test_circular_assignments_are_a_problem() -> None:
    on_party = changed_rule(
        {
            "/when": {"fact": "line.responsible_party", "is": "health_plan"},
            "/examples/0/given": {"line.responsible_party": "health_plan"},
        },
        of=ASSIGNING,
    )
    on_carve_out = changed_rule(
        {
            "/id": "other.assignment",
            "/when": {"fact": "line.carve_out", "is": "county_ccs"},
            "/assign": {"line.responsible_party": "county_ccs"},
            "/examples/0/given": {"line.carve_out": "county_ccs"},
        },
        of=ASSIGNING,
    )
    assert problems(on_party) == problems(on_carve_out) == ()
    on_health_plan = changed_rule({"/assign": {"line.responsible_party": "health_plan"}}, of=on_carve_out)
    assert the_problem(on_party, on_health_plan) == ("", "assign", "assigned facts depend on each other in a circle")


def test_invalid_table_row_names_table_row_and_column() -> None:
    header = ["county", "whole_child_model", "valid_from", "valid_to", "basis"]
    rows = [
        header,
        ["Merced", "yes", "2018-07-01", "", "regulation"],
        ["Marin", "perhaps", "2019-01-01", "", "regulation"],
    ]
    rule, path, problem = the_problem(changed_rule(), tables={"counties": rows})
    assert (rule, path) == ("tables/counties.csv", "row 3 whole_child_model")
    assert problem
    assert problems(changed_rule(), tables={"counties": rows[:2]}) == ()
