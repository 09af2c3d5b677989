"""What a line is, its therapy, whether its code is valid, and whether its identifiers are well formed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from infusion_orders.facts.case import Case
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.service_line import IDENTIFIERS_OF_LINE, IDENTIFIERS_OF_ORDER
from infusion_orders.facts.unknown import Reason, Unknown
from tests.support.orders import ABSENT, an_order
from tests.support.rules import default_rules, derived_facts

DAY = date(2026, 12, 1)
DRUG, TPN, NURSE, PUMP, UNLISTED = "J1745", "B4189", "99601", "E0781", "J0001"


def lines(*given: dict[str, Any]) -> tuple[Any, ...]:
    """Return all facts of lines with these facts; the names are given without `line.`."""
    known = [{f"line.{name}": value for name, value in {"date_of_service": DAY, **one}.items()} for one in given]
    return derived_facts(Case(CATALOGUE, default_rules().tables, line_facts=known))


def needs(found: Any) -> list[tuple[str, int | None]]:
    assert isinstance(found, Unknown)
    return [(need.fact, need.line) for need in found.needs]


@pytest.mark.parametrize(
    ("code", "day", "status"),
    [
        ("J3371", "2022-12-31", "not_yet_valid"),
        ("J3371", "2023-01-01", "valid"),
        ("J3371", "2025-06-30", "valid"),
        ("J3371", "2025-07-01", "ended"),
        ("J1745", "1999-12-31", "not_yet_valid"),
        ("J1745", "2000-01-01", "valid"),
        ("J1745", "2099-01-01", "valid"),
        ("J0001", "2026-12-01", "not_in_tables"),
    ],
)
def test_a_code_is_valid_on_its_first_and_on_its_last_day(code: str, day: str, status: str) -> None:
    (line,) = lines({"hcpcs": code, "date_of_service": date.fromisoformat(day)})
    assert line["line.code_status"] == status


def test_the_status_of_an_unknown_code_or_day_is_unknown() -> None:
    assert needs(lines({})[0]["line.code_status"]) == [("line.hcpcs", 0)]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (DRUG, "drug"),
        ("S9338", "per_diem"),
        (TPN, "nutrition"),
        (NURSE, "nursing"),
        ("A4222", "supply"),
        (PUMP, "pump"),
    ],
)
@pytest.mark.parametrize("stated", [None, "drug", "pump"])
def test_kind_is_that_of_the_code_whatever_is_stated(code: str, kind: str, stated: str | None) -> None:
    (line,) = lines({"hcpcs": code} | ({} if stated is None else {"stated_kind": stated}))
    assert line["line.kind"] == kind


def test_kind_of_an_unlisted_code_is_the_stated_one() -> None:
    (line,) = lines({"stated_kind": "supply", "hcpcs": UNLISTED})
    assert line["line.kind"] == "supply"


def test_stated_kind_is_needed_only_for_an_unlisted_code() -> None:
    nothing, stated, unlisted = lines({}, {"stated_kind": "pump"}, {"hcpcs": UNLISTED})
    assert needs(nothing["line.kind"]) == [("line.hcpcs", 0), ("line.stated_kind", 0)]
    assert needs(stated["line.kind"]) == [("line.hcpcs", 1)]
    assert needs(unlisted["line.kind"]) == [("line.stated_kind", 2)]


@pytest.mark.parametrize("stated", [None, "tpn", "other"])
def test_therapy_of_the_code_overrides_the_stated_one(stated: str | None) -> None:
    (line,) = lines({"hcpcs": DRUG} | ({} if stated is None else {"stated_therapy": stated}))
    assert line["line.therapy"] == "anti_tnf"


def test_general_code_alone_has_the_stated_therapy() -> None:
    assert lines({"hcpcs": UNLISTED, "stated_therapy": "pain"})[0]["line.therapy"] == "pain"
    assert lines({"hcpcs": NURSE, "stated_therapy": "pain"})[0]["line.therapy"] == "pain"


def test_stated_therapy_is_needed_only_where_the_code_has_none() -> None:
    assert needs(lines({})[0]["line.therapy"]) == [("line.hcpcs", 0), ("line.stated_therapy", 0)]
    assert needs(lines({"stated_therapy": "ivig"})[0]["line.therapy"]) == [("line.hcpcs", 0)]
    assert needs(lines({"hcpcs": UNLISTED})[0]["line.therapy"]) == [("line.stated_therapy", 0)]


@pytest.mark.parametrize("code", [NURSE, "A4222", PUMP])
def test_general_codes_take_the_only_therapy_of_the_order(code: str) -> None:
    general, *_ = lines({"hcpcs": code}, {"hcpcs": DRUG}, {"hcpcs": DRUG}, {"hcpcs": NURSE})
    assert general["line.therapy"] == "anti_tnf"


def test_only_therapy_of_other_lines_overrides_the_stated_one() -> None:
    general, _ = lines({"hcpcs": NURSE, "stated_therapy": "ivig"}, {"hcpcs": DRUG})
    assert general["line.therapy"] == "anti_tnf"
    assert general["line.therapy_agrees_with_code"] is False


@pytest.mark.parametrize(
    "others",
    [[], [{"hcpcs": NURSE}], [{"hcpcs": DRUG}, {"hcpcs": TPN}]],
    ids=["alone", "among its like", "two therapies"],
)
def test_general_code_has_the_stated_therapy_among_several(others: list[dict[str, Any]]) -> None:
    silent, *_ = lines({"hcpcs": NURSE}, *others)
    assert needs(silent["line.therapy"]) == [("line.stated_therapy", 0)]
    stated, *_ = lines({"hcpcs": NURSE, "stated_therapy": "ivig"}, *others)
    assert stated["line.therapy"] == "ivig"


@pytest.mark.parametrize("code", [UNLISTED, "J3490"], ids=["not in the tables", "a drug without a code of its own"])
def test_unlisted_drug_has_the_stated_therapy(code: str) -> None:
    drug, nurse, _ = lines({"hcpcs": code, "stated_therapy": "pain"}, {"hcpcs": NURSE}, {"hcpcs": NURSE})
    assert drug["line.therapy"] == "pain"
    assert nurse["line.therapy"] == "pain"
    silent, nurse = lines({"hcpcs": code}, {"hcpcs": NURSE})
    assert needs(silent["line.therapy"]) == [("line.stated_therapy", 0)]
    assert needs(nurse["line.therapy"]) == [("line.stated_therapy", 0), ("line.stated_therapy", 1)]


def test_code_of_another_line_is_needed_while_it_could_change_the_therapy() -> None:
    general, *_ = lines({"hcpcs": NURSE, "stated_therapy": "ivig"}, {"hcpcs": DRUG}, {"stated_therapy": "ivig"})
    assert needs(general["line.therapy"]) == [("line.hcpcs", 2)]
    silent, *_ = lines({"hcpcs": NURSE}, {"hcpcs": DRUG}, {})
    assert needs(silent["line.therapy"]) == [("line.hcpcs", 2), ("line.stated_therapy", 0)]
    known, *_ = lines({"hcpcs": DRUG}, {})
    assert known["line.therapy"] == "anti_tnf"


@pytest.mark.parametrize(
    ("given", "agrees"),
    [
        ({"hcpcs": DRUG, "stated_therapy": "anti_tnf"}, True),
        ({"hcpcs": DRUG, "stated_therapy": "tpn"}, False),
        ({"hcpcs": DRUG, "stated_therapy": "other"}, False),
        ({"hcpcs": DRUG}, True),
        ({"stated_therapy": "tpn"}, True),
        ({"hcpcs": NURSE, "stated_therapy": "tpn"}, True),
        ({"hcpcs": UNLISTED, "stated_therapy": "tpn"}, True),
    ],
)
def test_stated_therapy_disagrees_only_with_another_therapys_code(given: dict[str, Any], agrees: bool) -> None:
    assert lines(given)[0]["line.therapy_agrees_with_code"] is agrees


def test_stated_other_agrees_with_a_therapy_that_has_no_word() -> None:
    tables = default_rules().tables
    rows = {name: list(found) for name, found in tables.rows().items()}
    header, *body = rows["codes"]
    therapies = {row[header.index("therapy")] for row in body}
    unnamed = next(row[0] for row in body if row[header.index("therapy")] == "subcutaneous_immunoglobulin")
    assert "subcutaneous_immunoglobulin" in therapies
    assert lines({"hcpcs": unnamed, "stated_therapy": "other"})[0]["line.therapy_agrees_with_code"] is True


@pytest.mark.parametrize(("therapy", "listed"), [("tpn", True), ("anti_tnf", True), ("other", False)])
def test_therapy_is_listed_in_the_manual(therapy: str, listed: bool) -> None:
    assert lines({"therapy": therapy})[0]["line.therapy_is_listed"] is listed


def test_a_therapy_is_not_listed_before_the_manual_named_it() -> None:
    (line,) = lines({"therapy": "tpn", "date_of_service": date(2011, 12, 31)})
    assert line["line.therapy_is_listed"] is False


@pytest.mark.parametrize(
    ("code", "route", "fits"),
    [("B4189", "IV", True), ("B4189", "SC", False), ("J0690", "IM", True), (NURSE, "PO", True), (UNLISTED, "PO", True)],
)
def test_a_route_fits_a_code_that_has_it_or_that_has_none(code: str, route: str, fits: bool) -> None:
    (line,) = lines({"hcpcs": code, "route": route})
    assert line["line.route_fits_code"] is fits


def test_the_route_is_asked_for_only_where_the_code_has_routes() -> None:
    nothing, drug, nurse = lines({}, {"hcpcs": DRUG}, {"hcpcs": NURSE})
    assert needs(nothing["line.route_fits_code"]) == [("line.hcpcs", 0), ("line.route", 0)]
    assert needs(drug["line.route_fits_code"]) == [("line.route", 1)]
    assert nurse["line.route_fits_code"] is True


@pytest.mark.parametrize(("last", "in_order"), [(DAY, True), (date(2026, 12, 2), True), (date(2026, 11, 30), False)])
def test_a_line_does_not_end_before_it_begins(last: date, in_order: bool) -> None:
    (line,) = lines({"last_date_of_service": last})
    assert line["line.dates_are_in_order"] is in_order


def test_order_of_dates_is_unknown_without_the_last_date() -> None:
    (line,) = lines({})
    assert needs(line["line.dates_are_in_order"]) == [("line.last_date_of_service", 0)]


@pytest.mark.parametrize(("place", "at_home"), [("12", True), ("11", False)])
def test_home_infusion_is_given_at_place_of_service_12(place: str, at_home: bool) -> None:
    case = Case(CATALOGUE, default_rules().tables, line_facts=[{"care.place_of_service": place}])
    facts = case.lines[0]
    assert facts["order.is_home_infusion"] is at_home


def test_every_fact_with_a_check_of_form_is_an_identifier() -> None:
    assert {*IDENTIFIERS_OF_ORDER, *IDENTIFIERS_OF_LINE} >= {
        fact.name for fact in CATALOGUE.facts.values() if fact.name.endswith((".npi", ".id"))
    }
    assert all(name in CATALOGUE.facts for name in (*IDENTIFIERS_OF_ORDER, *IDENTIFIERS_OF_LINE))


def test_identifiers_that_were_not_sent_are_well_formed() -> None:
    case = Case(CATALOGUE, default_rules().tables, order=an_order({"/prescriber": ABSENT, "/submitter": ABSENT}))
    assert case.lines[0]["line.identifiers_are_well_formed"] is True


def test_only_malformed_identifiers_are_asked_for() -> None:
    order = an_order({"/prescriber/npi": "1", "/member/cin": "x", "/submitter": ABSENT, "/lines/1/hcpcs": "nothing"})
    first, second, _ = derived_facts(Case(CATALOGUE, default_rules().tables, order=order))
    assert needs(first["line.identifiers_are_well_formed"]) == [("member.cin", None), ("prescriber.npi", None)]
    found = second["line.identifiers_are_well_formed"]
    assert needs(found) == [("member.cin", None), ("prescriber.npi", None), ("line.hcpcs", 1)]
    assert {need.reason for need in found.needs} == {Reason.INVALID}
