"""The package of a drug and its code: the facts under a small crosswalk, and the rules on them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.decisions import decide
from infusion_orders.facts.case import Case
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.unknown import Need, Reason, Unknown
from infusion_orders.orders.parsing import parse_order
from infusion_orders.reference.schema import TABLES
from infusion_orders.rules.rule import Effect
from infusion_orders.rules.rule_set import RuleSet
from tests.support.orders import WEEK, a_drug_line, a_line, an_order_of
from tests.support.rules import TODAY, default_document, default_rules, derived_facts

if TYPE_CHECKING:
    from infusion_orders.decisions.decision import Decision, Finding

DAY = date(2026, 12, 1)
LISTED, ELSEWHERE, TWICE, NOWHERE, LATER = "11111222201", "11111222202", "11111222203", "99999888877", "11111222204"
CROSSWALK = (
    (LISTED, "J3373", "2026-10-01", "", "coding"),
    (ELSEWHERE, "J0690", "2026-10-01", "", "coding"),
    (TWICE, "J0691", "2026-10-01", "", "coding"),
    (TWICE, "J0690", "2026-10-01", "", "coding"),
    (LATER, "J3373", "2027-01-01", "", "coding"),
    ("11111222205", "J1745", "2026-10-01", "2026-11-30", "coding"),
)


@cache
def rules_with_crosswalk() -> RuleSet:
    document = default_document()
    tables = {**document.tables, "ndc_crosswalk": [TABLES["ndc_crosswalk"].header(), *CROSSWALK]}
    return RuleSet.from_document(replace(document, tables=tables), version=1, digest=document.digest)


def line(rules: RuleSet | None = None, **known: Any) -> Any:
    """Return all facts of a line with these facts; the names are given without `line.`."""
    tables = (rules or rules_with_crosswalk()).tables
    case = Case(CATALOGUE, tables, line_facts=[{f"line.{name}": value for name, value in known.items()}])
    return derived_facts(case)[0]


def needs(found: Any) -> list[str]:
    assert isinstance(found, Unknown)
    return [need.fact for need in found.needs]


@pytest.mark.parametrize(
    ("hcpcs", "ndc", "status", "codes"),
    [
        ("J3373", LISTED, "listed", "J3373"),
        ("J3373", ELSEWHERE, "other_code", "J0690"),
        ("J3373", TWICE, "other_code", "J0690 or J0691"),
        ("J0691", TWICE, "listed", "J0690 or J0691"),
        ("J3373", NOWHERE, "not_listed", ""),
        ("J3373", LATER, "not_listed", ""),
        ("J1569", ELSEWHERE, "no_crosswalk", "J0690"),
        ("J1745", ELSEWHERE, "no_crosswalk", "J0690"),
    ],
)
def test_package_status_is_that_of_the_day(hcpcs: str, ndc: str, status: str, codes: str) -> None:
    found = line(hcpcs=hcpcs, ndc=ndc, date_of_service=DAY)
    assert found["line.ndc_status"] == status
    assert found["line.ndc_codes"] == codes


def test_no_package_is_needed_without_a_crosswalk() -> None:
    assert not default_rules().tables.has_ndc_crosswalk()
    assert line(default_rules())["line.ndc_status"] == "no_crosswalk"


@pytest.mark.parametrize(
    "known",
    [
        {"hcpcs": "J1569"},
        {"hcpcs": "J1745", "date_of_service": DAY},
        {"hcpcs": "J3373", "date_of_service": date(2026, 9, 30)},
    ],
    ids=["never", "no longer", "not yet"],
)
def test_no_package_is_needed_for_a_code_without_packages(known: dict[str, Any]) -> None:
    assert line(**known)["line.ndc_status"] == "no_crosswalk"


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ({}, ["line.hcpcs", "line.date_of_service", "line.ndc"]),
        ({"hcpcs": "J3373"}, ["line.date_of_service", "line.ndc"]),
        ({"hcpcs": "J3373", "ndc": LISTED}, ["line.date_of_service"]),
        ({"hcpcs": "J3373", "date_of_service": DAY}, ["line.ndc"]),
        ({"ndc": LISTED, "date_of_service": DAY}, ["line.hcpcs"]),
    ],
)
def test_all_needs_of_the_status_are_named_at_once(known: dict[str, Any], asked: list[str]) -> None:
    found = line(**known)
    assert needs(found["line.ndc_status"]) == asked
    assert found["line.ndc_codes"] in ("", "J3373")


def test_a_package_that_fails_its_check_is_asked_for_again() -> None:
    wrong = Unknown((Need("line.ndc", 0, Reason.INVALID, "must be an NDC"),))
    assert line(hcpcs="J3373", date_of_service=DAY, ndc=wrong)["line.ndc_status"] == wrong


def decision(ndc: str | None, **fields: Any) -> Decision:
    drug = a_drug_line("drug", "J3373", "1 g", "q12h", units=1400, **WEEK, **({"ndc": ndc} if ndc else {}), **fields)
    document = an_order_of(drug, a_line("per-diem", "per_diem", "S9501", units=7, **WEEK))
    return decide(parse_order(json.dumps(document)), rules_with_crosswalk(), as_of=TODAY).decision


def findings(found: Decision) -> list[Finding]:
    return [one for one in found.findings if one.rule.startswith("ndc.")]


def test_package_of_another_code_is_rejected_with_the_right_code() -> None:
    (finding,) = findings(decision(TWICE))
    assert (finding.rule, finding.effect) == ("ndc.not-listed-under-another-code", Effect.REJECT)
    assert "J0690 or J0691" in (finding.remedy or "")


def test_a_package_that_is_not_listed_is_a_warning() -> None:
    found = decision(NOWHERE)
    (finding,) = findings(found)
    assert (finding.rule, finding.effect) == ("ndc.is-listed", Effect.WARN)
    assert found.outcome == decision(LISTED).outcome


def test_package_of_the_code_has_no_finding() -> None:
    assert not findings(decision(LISTED))


def test_a_package_that_was_not_sent_is_asked_for() -> None:
    assert ("/lines/0/ndc",) in [question.pointers for question in decision(None).questions]
