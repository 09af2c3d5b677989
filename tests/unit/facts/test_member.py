"""The member's derived facts: age, risk arrangement, county, and California Children's Services."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from infusion_orders.facts.case import Case
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.fact import Kind
from infusion_orders.facts.unknown import Fault, Reason, Unknown, unknown_of
from tests.support.rules import default_rules


def value(name: str, /, **known: Any) -> Any:
    """The fact, from others given by name with `__` for the dot; what is not given was not sent."""
    facts = {given.replace("__", "."): known_value for given, known_value in known.items()}
    case = Case(CATALOGUE, default_rules().tables, line_facts=[facts])
    return case.lines[0][name]


def needs(found: Any) -> list[str]:
    assert isinstance(found, Unknown)
    assert not isinstance(found, Fault)
    return [need.fact for need in found.needs]


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        ("2003-05-10", "2024-05-09", 20),
        ("2003-05-10", "2024-05-10", 21),
        ("2003-05-10", "2024-05-11", 21),
        ("2003-05-10", "2024-04-30", 20),
        ("2003-05-10", "2024-06-01", 21),
        ("2003-12-31", "2024-12-30", 20),
        ("2003-12-31", "2025-01-01", 21),
        ("2004-02-29", "2025-02-28", 20),
        ("2004-02-29", "2025-03-01", 21),
        ("2004-02-29", "2024-02-29", 20),
        ("2004-02-29", "2024-02-28", 19),
        ("2026-12-01", "2026-12-01", 0),
        ("1926-12-02", "2026-12-01", 99),
    ],
)
def test_age_is_completed_years_by_calendar(born: str, day: str, age: int) -> None:
    found = value(
        "member.age", member__birth_date=date.fromisoformat(born), line__date_of_service=date.fromisoformat(day)
    )
    assert found == Decimal(age)
    assert isinstance(found, Decimal)


def test_age_needs_birth_date_and_date_of_service() -> None:
    born, day = date(1951, 3, 2), date(2026, 12, 1)
    assert needs(value("member.age")) == ["member.birth_date", "line.date_of_service"]
    assert needs(value("member.age", member__birth_date=born)) == ["line.date_of_service"]
    assert needs(value("member.age", line__date_of_service=day)) == ["member.birth_date"]


@pytest.mark.parametrize("business", ["commercial_ppo", "commercial_epo"])
@pytest.mark.parametrize("sent", [None, "shared_risk", "fee_for_service"])
def test_ppo_and_epo_members_are_fee_for_service_whatever_was_sent(business: str, sent: str | None) -> None:
    known = {"member__line_of_business": business} | ({} if sent is None else {"medical_group__risk_arrangement": sent})
    assert value("member.risk_arrangement", **known) == "fee_for_service"


@pytest.mark.parametrize("business", ["medicare_advantage", "medi_cal", "commercial_hmo"])
@pytest.mark.parametrize("sent", ["shared_risk", "dual_risk", "full_risk", "fee_for_service"])
def test_other_members_have_the_arrangement_of_their_group(business: str, sent: str) -> None:
    found = value("member.risk_arrangement", member__line_of_business=business, medical_group__risk_arrangement=sent)
    assert found == sent


def test_risk_arrangement_needs_only_what_could_change_it() -> None:
    name = "member.risk_arrangement"
    assert needs(value(name)) == ["member.line_of_business", "medical_group.risk_arrangement"]
    assert needs(value(name, medical_group__risk_arrangement="shared_risk")) == ["member.line_of_business"]
    assert needs(value(name, member__line_of_business="medi_cal")) == ["medical_group.risk_arrangement"]
    assert value(name, medical_group__risk_arrangement="fee_for_service") == "fee_for_service"


@pytest.mark.parametrize(
    ("county", "day", "model"),
    [
        ("Merced", "2018-06-30", "no"),
        ("Merced", "2018-07-01", "yes"),
        ("Marin", "2018-12-31", "no"),
        ("Marin", "2019-01-01", "unverified"),
        ("Butte", "2024-12-31", "no"),
        ("Butte", "2025-01-01", "unverified"),
        ("Los Angeles", "2026-12-01", "no"),
        ("Los Angeles", "2011-12-31", "unverified"),
    ],
)
def test_whole_child_model_is_that_of_the_county_on_the_day(county: str, day: str, model: str) -> None:
    found = value("member.whole_child_model", member__county=county, line__date_of_service=date.fromisoformat(day))
    assert found == model


def test_whole_child_model_needs_county_and_day() -> None:
    assert needs(value("member.whole_child_model")) == ["member.county", "line.date_of_service"]


@pytest.mark.parametrize(
    ("diagnosis", "presumption"),
    [("C91.00", "eligible"), ("A41.9", "conditional"), ("D49.9", "conditional"), ("C97", "unlisted")],
)
def test_primary_diagnosis_gives_the_ccs_presumption(diagnosis: str, presumption: str) -> None:
    assert value("order.ccs_presumption", order__primary_diagnosis=diagnosis) == presumption


def test_ccs_presumption_needs_a_primary_diagnosis() -> None:
    assert needs(value("order.ccs_presumption")) == ["order.primary_diagnosis"]


OPEN_CASE = (None, True, False)
CONDITIONS: tuple[frozenset[str] | None, ...] = (
    None,
    frozenset({"C91.00"}),
    frozenset({"C91.10", "E84.0"}),
    frozenset({"E84.0"}),
)
DIAGNOSIS = (None, "C91.00")
HANGS = object()


def expected_cover(open_case: bool | None, conditions: frozenset[str] | None, diagnosis: str | None) -> Any:
    if open_case is False:
        return False
    if conditions == frozenset({"E84.0"}) and diagnosis is not None:
        return False
    return HANGS if None in (open_case, conditions, diagnosis) else True


@pytest.mark.parametrize(("open_case", "conditions", "diagnosis"), list(product(OPEN_CASE, CONDITIONS, DIAGNOSIS)))
def test_ccs_case_covers_the_order_if_it_names_the_category(
    open_case: bool | None, conditions: frozenset[str] | None, diagnosis: str | None
) -> None:
    sent = {
        "member.ccs_open_case": open_case,
        "member.ccs_conditions": conditions,
        "order.primary_diagnosis": diagnosis,
    }
    found = value(
        "member.ccs_case_covers_order",
        **{name.replace(".", "__"): given for name, given in sent.items() if given is not None},
    )
    expected = expected_cover(open_case, conditions, diagnosis)
    if expected is HANGS:
        assert needs(found) == [name for name, given in sent.items() if given is None]
    else:
        assert found is expected


@pytest.mark.parametrize(("open_case", "conditions", "diagnosis"), list(product(OPEN_CASE, CONDITIONS, DIAGNOSIS)))
def test_ccs_case_names_any_diagnosis_by_its_category(
    open_case: bool | None, conditions: frozenset[str] | None, diagnosis: str | None
) -> None:
    sent = {
        "member__ccs_open_case": open_case,
        "member__ccs_conditions": conditions,
        "order__diagnoses": None if diagnosis is None else frozenset({diagnosis, "Z99.9"}),
    }
    known = {name: given for name, given in sent.items() if given is not None}
    found = value("member.ccs_case_names_a_diagnosis", **known)
    expected = expected_cover(open_case, conditions, diagnosis)
    if expected is HANGS:
        assert needs(found) == [name.replace("__", ".") for name, given in sent.items() if given is None]
    else:
        assert found is expected


def test_a_birth_date_after_the_service_is_asked_for_again() -> None:
    day = date(2026, 12, 1)
    found = value("member.age", member__birth_date=date(2026, 12, 2), line__date_of_service=day)
    assert needs(found) == ["member.birth_date"]
    assert found.needs[0].reason is Reason.INVALID
    assert found.needs[0].hint


def test_unknown_of_merges_needs_and_prefers_a_fault() -> None:
    case = Case(CATALOGUE, default_rules().tables, line_facts=[{}])
    facts = case.lines[0]
    one, two = facts["member.county"], facts["member.age"]
    assert unknown_of("known", True, None) is None
    assert needs(unknown_of(one, two, one)) == ["member.county", "member.birth_date", "line.date_of_service"]
    assert isinstance(unknown_of(one, Fault(), two), Fault)


def test_domains_of_member_facts_match_their_sources() -> None:
    assert CATALOGUE.facts["member.age"].kind is Kind.NUMBER
    arrangement = CATALOGUE.facts["member.risk_arrangement"].domain
    assert arrangement == CATALOGUE.facts["medical_group.risk_arrangement"].domain
