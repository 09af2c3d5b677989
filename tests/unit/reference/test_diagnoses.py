"""Diagnoses and the list of billable ICD-10-CM codes: look-ups, the fact, the rule and the question."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infusion_orders.decisions.decision import Decision, Outcome
from infusion_orders.reference.diagnoses import DiagnosisList, DiagnosisStanding
from infusion_orders.rules.rule import Verdict
from infusion_orders_cli.codes.icd_10_cm import diagnosis_rows
from tests.support.examples import examples
from tests.support.orders import a_line, an_order_of
from tests.support.project import PROJECT
from tests.support.rules import decision_of

TABLE = PROJECT / "rules" / "home-infusion" / "tables" / "diagnoses.csv"
BEGINS, ENDS = date(2026, 4, 1), date(2026, 9, 30)
ONE_DAY = timedelta(days=1)
DURING = date(2026, 6, 1)

with TABLE.open(encoding="utf-8", newline="") as stream:
    ROWS = list(csv.reader(stream))[1:]
LIST = DiagnosisList(ROWS)
BILLABLE = tuple(
    category if suffix == "-" else f"{category}.{suffix}"
    for category, suffixes, *_ in ROWS
    for suffix in suffixes.split("|")
)


@pytest.mark.parametrize(
    ("code", "status", "instead"),
    [
        ("K50.90", "billable", ()),
        ("U07.1", "billable", ()),
        ("QA0.0101", "billable", ()),
        ("Z99.89", "billable", ()),
        ("I10", "billable", ()),
        ("D80", "needs_more_digits", ("D80.0", "D80.1", "D80.2", "D80.3", "D80.4")),
        ("E11", "needs_more_digits", ("E11.00", "E11.01", "E11.10", "E11.11", "E11.21")),
        ("E11.6", "needs_more_digits", ("E11.610", "E11.618", "E11.620", "E11.621", "E11.622")),
        ("D83.99", "not_in_list", ("D83.9",)),
        ("D83.7", "not_in_list", ("D83.0", "D83.1", "D83.2", "D83.8", "D83.9")),
        ("I10.9", "not_in_list", ("I10",)),
        ("A99.X", "not_in_list", ("A99",)),
        ("Z98.X", "not_in_list", ("Z98.0", "Z98.1", "Z98.2", "Z98.3", "Z98.41")),
        ("D79", "not_in_list", ()),
        ("D79.1", "not_in_list", ()),
    ],
)
def test_code_is_billable_or_gets_suggestions(code: str, status: str, instead: tuple[str, ...]) -> None:
    assert LIST.standing(code, DURING) == DiagnosisStanding(status, instead)


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("D83.9", "billable", "billable"),
        ("D80", "cannot_be_confirmed", "needs_more_digits"),
        ("D83.99", "cannot_be_confirmed", "cannot_be_confirmed"),
        ("D79", "cannot_be_confirmed", "cannot_be_confirmed"),
    ],
)
def test_code_outside_the_release_cannot_be_confirmed(code: str, before: str, after: str) -> None:
    assert LIST.standing(code, BEGINS - ONE_DAY).status == before
    assert LIST.standing(code, ENDS + ONE_DAY).status == after
    during = LIST.standing(code, BEGINS)
    assert during == LIST.standing(code, ENDS)
    assert during.status != "cannot_be_confirmed"


def test_release_of_the_day_comes_before_the_nearest_one() -> None:
    old = diagnosis_rows(["K90.4"], valid_from=date(2024, 10, 1), valid_to=date(2025, 9, 30))
    new = diagnosis_rows(["K90.41", "K90.49"], valid_from=date(2025, 10, 1), valid_to=None)
    for rows in ([*old, *new], [*new, *old]):
        both = DiagnosisList(rows)
        assert both.standing("K90.4", date(2025, 9, 30)).status == "billable"
        assert both.standing("K90.4", date(2025, 10, 1)) == DiagnosisStanding("needs_more_digits", ("K90.41", "K90.49"))
        assert both.standing("K90.41", date(2025, 9, 30)) == DiagnosisStanding("not_in_list", ("K90.4",))
        assert both.standing("K90.4", date(2020, 1, 1)).status == "billable"


def test_category_missing_from_a_release_is_not_in_its_list() -> None:
    old = diagnosis_rows(["K90.4", "K91.2"], valid_from=date(2024, 10, 1), valid_to=date(2025, 9, 30))
    new = diagnosis_rows(["K91.2"], valid_from=date(2025, 10, 1), valid_to=date(2026, 9, 30))
    both = DiagnosisList([*old, *new])
    assert both.standing("K90.4", date(2025, 9, 30)).status == "billable"
    assert both.standing("K90.4", date(2025, 10, 1)) == DiagnosisStanding("not_in_list")


def test_status_without_a_list_is_no_list() -> None:
    assert DiagnosisList([]).standing("D80", DURING) == DiagnosisStanding("no_list")


@examples(300)
@given(st.sampled_from(BILLABLE), st.data())
def test_listed_codes_are_billable_and_their_prefixes_need_more_digits(code: str, data: st.DataObject) -> None:
    assert LIST.standing(code, DURING) == DiagnosisStanding("billable")
    beginning = code[: data.draw(st.integers(3, len(code)))].rstrip(".")
    standing = LIST.standing(beginning, DURING)
    if standing.status == "billable":
        assert beginning in BILLABLE
    else:
        assert standing.status == "needs_more_digits"
        assert 1 <= len(standing.instead) <= 5
        assert all(one.startswith(beginning) and one in BILLABLE for one in standing.instead)


def test_default_list_has_every_billable_code_once() -> None:
    assert len(BILLABLE) == len(set(BILLABLE)) == 74_714


def decided(*codes: str, days: tuple[str, ...] = ("2026-06-01",), ccs: Any = None) -> Decision:
    """A visit on each day."""
    diagnoses = [{"code": code, "primary": number == 0} for number, code in enumerate(codes)]
    lines = [
        a_line(str(number), "nursing", "99601", therapy="anti_tnf", service_from=day, service_to=day)
        for number, day in enumerate(days)
    ]
    return decision_of(
        an_order_of(*lines, **{"/diagnoses": diagnoses, "/prescriber/signed_on": "2025-01-01", "/member/ccs": ccs})
    )


def test_code_that_needs_more_digits_is_asked_for_with_suggestions() -> None:
    decision = decided("K50.90", "E11")

    assert decision.outcome is Outcome.NEEDS_INFORMATION
    (question,) = decision.questions
    assert question.pointers == ("/diagnoses",)
    assert question.reason == "invalid"
    assert question.hint == "a code needs more digits, such as E11.00, E11.01, E11.10, E11.11, E11.21"
    assert question.because == ("diagnoses.are-billable",)


def test_all_wrong_diagnoses_are_one_question() -> None:
    (question,) = decided("K50.90", "E11", "D79", "E11.9X").questions

    assert question.hint == (
        "a code is not in the ICD-10-CM list, nor is its category; "
        "a code is not in the ICD-10-CM list, which has E11.9; "
        "a code needs more digits, such as E11.00, E11.01, E11.10, E11.11, E11.21"
    )


def test_lines_of_different_days_ask_one_question() -> None:
    (question,) = decided("K50.90", "D79", "E11", days=("2026-06-01", "2026-12-01", "2026-06-02")).questions

    assert question.hint == (
        "a code is not in the ICD-10-CM list, nor is its category; "
        "a code needs more digits, such as E11.00, E11.01, E11.10, E11.11, E11.21"
    )


def test_a_code_that_another_release_may_have_is_reviewed() -> None:
    decision = decided("K50.90", "D79", days=("2026-12-01",))

    assert decision.outcome is Outcome.NEEDS_REVIEW
    assert {finding.rule for finding in decision.findings if finding.verdict is Verdict.NOT_MET} == {
        "diagnoses.are-billable"
    }


@pytest.mark.parametrize("code", ["k5090", "K50.90", " k50.90 "])
def test_the_dot_and_the_case_do_not_matter(code: str) -> None:
    assert decided(code).outcome is Outcome.ACCEPTED


def test_category_is_enough_for_a_ccs_condition() -> None:
    decision = decided("K50.90", ccs={"open_case": True, "conditions": ["D83"]})

    assert not [question for question in decision.questions if "conditions" in "".join(question.pointers)]
