"""The differences between two versions, in the words of their rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.authoring.differences import differences
from infusion_orders.authoring.wording import condition_in_words, rule_in_words
from infusion_orders.rules.document import RuleSetDocument
from tests.support.orders import ABSENT
from tests.support.rules import changed_document, default_document

if TYPE_CHECKING:
    from infusion_orders.authoring.differences import RuleChange


def the_change(after: RuleSetDocument) -> RuleChange:
    found = differences(default_document(), after)
    (rule,) = found.rules
    assert found.tables == {}
    return rule


def parts(after: RuleSetDocument) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {part.part: (part.before, part.after) for part in the_change(after).parts}


def test_version_does_not_differ_from_itself() -> None:
    assert not differences(default_document(), default_document())


def test_changed_rule_lists_exactly_the_parts_that_differ() -> None:
    after = changed_document(
        {
            "/otherwise/effect": "review",
            "/otherwise/message": "Who gives it?",
            "/effective/to": "2026-12-31",
            "/when": {"fact": "order.is_home_infusion", "is": False},
            "/citation/basis": "plan_default",
            "/clause": ABSENT,
        }
    )
    assert parts(after) == {
        "clause": (("M-5",), ()),
        "effective to": ((), ("2026-12-31",)),
        "when": (("order.is_home_infusion is true",), ("order.is_home_infusion is false",)),
        "effect": (("reject",), ("review",)),
        "message": (("Nobody at home can give the therapy.",), ("Who gives it?",)),
        "citation, basis": (("manual",), ("plan_default",)),
    }


def test_condition_in_words_is_an_indented_list() -> None:
    before, after = parts(changed_document({"/require/any/1/all/2": ABSENT}))["require"]
    assert before == (
        "any of",
        "  member.willing_to_learn is true",
        "  all of",
        "    caregiver.present is true",
        "    caregiver.willing is true",
        "    caregiver.able is true",
    )
    assert after == before[:-1]


def test_example_in_words_is_a_sentence() -> None:
    changed = parts(
        changed_document(
            {"/examples/0/given": {}, "/examples/0/expect": "unknown", "/examples/0/asks": ["caregiver.able"]}
        )
    )
    assert changed == {
        "example 1": (
            ("member.willing_to_learn false, caregiver.present false: not_met",),
            ("nothing given: unknown, asks for caregiver.able",),
        )
    }


def test_added_and_removed_rules_have_their_title() -> None:
    document = default_document()
    fewer = RuleSetDocument(document.name, document.rules[1:], document.tables)
    first = document.rules[0]

    (gone,), (come,) = differences(document, fewer).rules, differences(fewer, document).rules

    assert (gone.kind, gone.rule, gone.title) == ("removed", first["id"], first["title"])
    assert (come.kind, come.rule) == ("added", first["id"])


def test_rule_with_another_notation_is_changed_without_parts() -> None:
    after = changed_document({"/require/any/0": {"is": True, "fact": "member.willing_to_learn"}})
    assert differences(default_document(), after).rules == ()  # the order of keys says nothing
    numbers = RuleSetDocument("some", ({"id": "a.b", "title": "A", "require": {"fact": "f", "at_least": 5}},), {})
    texts = RuleSetDocument("some", ({"id": "a.b", "title": "A", "require": {"fact": "f", "at_least": "5"}},), {})
    (rule,) = differences(numbers, texts).rules
    assert (rule.kind, rule.parts) == ("changed", ())


def test_row_change_has_the_key_and_the_cells_that_differ() -> None:
    document = default_document()
    header, first, *others = document.tables["vendors"]
    ended = [*first[: header.index("valid_to")], "2027-01-31", *first[header.index("valid_to") + 1 :]]
    tables = {**document.tables, "vendors": [header, ended, *others]}

    found = differences(document, RuleSetDocument(document.name, document.rules, tables))

    assert found.rules == ()
    (row,) = found.tables["vendors"]
    assert row.subject == " ".join(first[header.index(column)] for column in ("vendor", "therapy", "line_of_business"))
    assert ("valid_to", first[header.index("valid_to")], "2027-01-31") in row.cells


def test_rows_without_periods_are_compared_by_key() -> None:
    document = default_document()
    header, first, *others = document.tables["code_successors"]
    tables = {**document.tables, "code_successors": [header, *others]}
    found = differences(document, RuleSetDocument(document.name, document.rules, tables))
    assert [(row.kind, row.subject) for row in found.tables["code_successors"]] == [("removed", first[0])]


def test_negations_ranges_and_other_facts_have_words() -> None:
    condition = {
        "all": [
            {"not": {"fact": "line.units", "between": [1, 5]}},
            {"fact": "prescriber.signed_on", "at_most": {"fact": "line.date_of_service"}},
            {"fact": "care.telephone", "known": True},
            {"fact": "line.route", "in": ["IV", "SC"]},
        ]
    }
    assert condition_in_words(condition) == [
        "all of",
        "  not",
        "    line.units between 1 and 5",
        "  prescriber.signed_on at_most line.date_of_service",
        "  care.telephone known",
        "  line.route in IV, SC",
    ]


def test_every_part_of_the_default_rules_has_words() -> None:
    for rule in default_document().rules:
        words = rule_in_words(rule)
        said = {name for name in rule if name not in ("id", "examples", "otherwise", "assign", "effective", "citation")}
        assert {name.replace("_", " ") for name in said} <= set(words)
        assert ("effect" in words) is ("otherwise" in rule)
        assert any(part.startswith("assign ") for part in words) is ("assign" in rule)
