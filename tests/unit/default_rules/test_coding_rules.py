"""Each coding rule with an order that breaks it and the corrected order, which is accepted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.decisions.decision import Outcome
from infusion_orders.rules.rule import Effect, Verdict
from tests.support.orders import WEEK, a_drug_line, a_line, an_order_of
from tests.support.rules import decision_of, default_rules

if TYPE_CHECKING:
    from infusion_orders.decisions.decision import Decision

Line = dict[str, Any]

OUTCOMES = {
    Effect.REJECT: Outcome.REJECTED,
    Effect.REVIEW: Outcome.NEEDS_REVIEW,
    Effect.WARN: Outcome.ACCEPTED,
}
BEFORE_VANCOMYCIN_CHANGED = {"service_from": "2025-06-10", "service_to": "2025-06-10"}
SIGNED = {"/prescriber/signed_on": "2024-06-01"}


@dataclass(frozen=True)
class Case:
    """`lines` break `rule` on the first line; with `corrected` in its place (None: without it) the order is accepted.

    `remedy` is what the remedy must contain: the codes or units to bill.
    """

    rule: str
    lines: tuple[Line, ...]
    corrected: Line | None
    remedy: str = ""
    changes: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    def broken(self) -> Decision:
        return decision_of(an_order_of(*self.lines, **SIGNED, **self.changes))

    def kept(self) -> Decision:
        first = () if self.corrected is None else (self.corrected,)
        return decision_of(an_order_of(*first, *self.lines[1:], **SIGNED, **self.changes))


VANCOMYCIN = a_drug_line("drug", "J3373", "1 g", "q12h", units=1400, **WEEK)
TWICE_DAILY = a_line("per-diem", "per_diem", "S9501", units=7, **WEEK)
INFLIXIMAB = a_drug_line(
    "drug", "J1745", "5 mg/kg", "once", units=38, vial_size={"value": 100, "unit": "mg"}, single_dose_container=True
)
INFLIXIMAB_WASTE = a_line("waste", "drug", "J1745", units=2, modifiers=["JW"], route="IV")
IVIG = a_drug_line("drug", "J1569", "30 g", "every 4 weeks", units=60, **WEEK)
MORPHINE = a_drug_line("morphine", "J2270", "10 mg", "continuous", units=7, infusion_hours=24, **WEEK)
FLUOROURACIL = a_drug_line("drug", "J9190", "500 mg", "once", units=1, infusion_hours=2)
SALINE = a_drug_line("drug", "J7030", "1000 ml", "daily", units=7, **WEEK)
NURSE = a_line("visit", "nursing", "99601")
IVIG_DIAGNOSIS = {"/diagnoses": [{"code": "D83.9", "primary": True}]}


def per_diem(hcpcs: str, **fields: Any) -> Line:
    return a_line("per-diem", "per_diem", hcpcs, **fields)


def with_modifiers(line: Line, *modifiers: str) -> Line:
    return {**line, "modifiers": list(modifiers)}


CASES = [
    Case(
        "coding.code-is-valid-on-the-date-of-service",
        (a_drug_line("1", "J3370", "1 g", "once", units=2),),
        a_drug_line("1", "J3373", "1 g", "once", units=100),
        remedy="Bill J3373, 100 units.",
    ),
    Case(
        "coding.code-is-valid-on-the-date-of-service",
        (a_drug_line("1", "J3373", "1 g", "once", units=100, **BEFORE_VANCOMYCIN_CHANGED),),
        a_drug_line("1", "J3370", "1 g", "once", units=2, **BEFORE_VANCOMYCIN_CHANGED),
        remedy="Bill J3370, 2 units.",
        name="the code that is not valid yet",
    ),
    Case(
        "coding.line-lies-on-one-side-of-a-code-change",
        (a_drug_line("1", "J3370", "1 g", "q12h", units=44, service_from="2025-06-20", service_to="2025-07-05"),),
        a_drug_line("1", "J3370", "1 g", "q12h", units=44, service_from="2025-06-20", service_to="2025-06-30"),
        remedy="Split the line: J3370, 44 units from 2025-06-20 to 2025-06-30, "
        "and J3373, 1,000 units from 2025-07-01 to 2025-07-05.",
    ),
    Case(
        "coding.units-are-those-of-the-dose",
        (a_drug_line("1", "J3373", "1 g", "q12h", units=140, **WEEK),),
        a_drug_line("1", "J3373", "1 g", "q12h", units=1400, **WEEK),
        remedy="1,400 (100 each time, 14 times).",
    ),
    Case(
        "coding.units-are-those-of-the-dose",
        (a_drug_line("1", "J1580", "100 mg", "once", units=1),),
        a_drug_line("1", "J1580", "100 mg", "once", units=2),
        remedy="2 (2 each time, 1 time)",
        name="up to 80 mg",
    ),
    Case(
        "coding.units-of-a-combination-are-looked-at",
        (a_drug_line("1", "J0714", "2.5 g", "once", units=3),),
        a_drug_line("1", "J0714", "2.5 g", "once", units=4),
        remedy="bill 4 (4 each time, 1 time)",
    ),
    Case(
        "coding.dose-is-in-a-unit-of-the-code",
        (a_drug_line("1", "J2540", "5 g", "once", units=40),),
        a_drug_line("1", "J2540", "24000000 unit", "once", units=40),
    ),
    Case(
        "coding.line-lies-in-one-month",
        (per_diem("S9500", units=4, service_from="2026-11-29", service_to="2026-12-02", frequency="daily"),),
        per_diem("S9500", units=2, service_from="2026-12-01", service_to="2026-12-02", frequency="daily"),
    ),
    Case(
        "coding.line-has-at-most-9999-units",
        (a_drug_line("1", "J3373", "25 g", "q6h", units=10_000, service_from="2026-12-01", service_to="2026-12-01"),),
        a_drug_line("1", "J3373", "20 g", "q6h", units=8_000),
    ),
    Case(
        "coding.frequency-is-plain",
        (a_drug_line("1", "J3373", "1 g", "QD", units=100),),
        a_drug_line("1", "J3373", "1 g", "daily", units=100),
    ),
    Case(
        "per-diem.therapy-is-that-of-a-drug",
        (per_diem("S9338", units=7, **WEEK), VANCOMYCIN),
        per_diem("S9501", units=7, **WEEK),
    ),
    Case(
        "per-diem.related-therapy-is-looked-at",
        (per_diem("S9338"), a_drug_line("1", "J1559", "10 g", "once", units=100, route="SC")),
        None,
        changes={"/member/line_of_business": "commercial_hmo"},
    ),
    Case(
        "per-diem.code-is-on-the-rung",
        (per_diem("S9500", units=7, **WEEK), VANCOMYCIN),
        TWICE_DAILY,
        remedy="Bill S9501.",
    ),
    Case(
        "per-diem.code-is-on-the-rung",
        (per_diem("S9374", units=7, daily_volume_ml=1000.5, **WEEK), SALINE),
        per_diem("S9375", units=7, daily_volume_ml="1000.5", **WEEK),
        remedy="Bill S9375.",
        name="the volume ladder",
    ),
    Case(
        "per-diem.code-is-on-the-rung",
        (per_diem("S9327", units=7, **WEEK), MORPHINE),
        per_diem("S9326", units=7, **WEEK),
        remedy="Bill S9326.",
        name="continuous pain management",
    ),
    Case(
        "per-diem.code-is-on-the-rung",
        (per_diem("S9330"), FLUOROURACIL),
        per_diem("S9331"),
        remedy="Bill S9331.",
        name="intermittent chemotherapy",
    ),
    Case(
        "per-diem.specific-code-before-the-generic-one",
        (per_diem("S9494", units=7, **WEEK), VANCOMYCIN),
        TWICE_DAILY,
        remedy="Bill S9501.",
    ),
    Case(
        "per-diem.no-rung-is-looked-at",
        (per_diem("S9500", units=7, **WEEK), a_drug_line("1", "J3373", "1 g", "q48h", units=400, **WEEK)),
        per_diem("S9494", units=7, **WEEK),
    ),
    Case(
        "per-diem.one-a-therapy-and-day",
        (per_diem("S9501", units=7, **WEEK), VANCOMYCIN, a_line("again", "per_diem", "S9501", units=7, **WEEK)),
        None,
    ),
    Case(
        "per-diem.concurrent-in-one-therapy-is-looked-at",
        (
            with_modifiers(TWICE_DAILY, "SH"),
            VANCOMYCIN,
            a_drug_line("2", "J0696", "1 g", "daily", units=28, **WEEK),
            a_line("again", "per_diem", "S9500", units=7, **WEEK),
        ),
        None,
    ),
    Case(
        "per-diem.days-fit-the-dates",
        (per_diem("S9501", units=8, **WEEK), VANCOMYCIN),
        TWICE_DAILY,
    ),
    Case(
        "per-diem.rare-infusions-are-paid-by-the-infusion",
        (per_diem("S9338", units=7, **WEEK), IVIG),
        per_diem("S9338", units=1, **WEEK),
        changes=IVIG_DIAGNOSIS,
    ),
    Case(
        "per-diem.every-day-is-billed",
        (per_diem("S9501", units=6, **WEEK), VANCOMYCIN),
        TWICE_DAILY,
    ),
    Case(
        "per-diem.concurrent-therapies-are-marked",
        (
            per_diem("S9501", units=7, **WEEK),
            VANCOMYCIN,
            MORPHINE,
            a_line("pain", "per_diem", "S9326", units=7, **WEEK),
        ),
        with_modifiers(TWICE_DAILY, "SH"),
    ),
    Case(
        "modifiers.one-route",
        (with_modifiers(a_drug_line("1", "J1569", "30 g", "once", units=60), "JA", "JB"),),
        with_modifiers(a_drug_line("1", "J1569", "30 g", "once", units=60), "JA"),
        changes=IVIG_DIAGNOSIS,
    ),
    Case(
        "modifiers.subcutaneous-fits-the-code",
        (with_modifiers(INFLIXIMAB, "JB"), INFLIXIMAB_WASTE),
        INFLIXIMAB,
    ),
    Case(
        "modifiers.intravenous-fits-the-code",
        (with_modifiers(a_drug_line("1", "J1559", "10 g", "once", units=100, route="SC"), "JA"),),
        None,
    ),
    Case(
        "modifiers.intravenous-is-the-route",
        (with_modifiers(a_drug_line("1", "J1885", "15 mg", "once", route="IM"), "JA"),),
        with_modifiers(a_drug_line("1", "J1885", "15 mg", "once", route="IV"), "JA"),
    ),
    Case(
        "modifiers.subcutaneous-is-the-route",
        (with_modifiers(a_drug_line("1", "J2270", "10 mg", "once", route="IM"), "JB"),),
        with_modifiers(a_drug_line("1", "J2270", "10 mg", "once", route="SC"), "JB"),
    ),
    Case(
        "modifiers.waste-or-none",
        (with_modifiers(INFLIXIMAB_WASTE, "JW", "JZ"), INFLIXIMAB),
        INFLIXIMAB_WASTE,
    ),
    Case(
        "modifiers.infusion-suite-is-not-the-home",
        (with_modifiers(TWICE_DAILY, "SS"), VANCOMYCIN),
        TWICE_DAILY,
    ),
    Case(
        "modifiers.waste-adds-up",
        ({**INFLIXIMAB_WASTE, "units": 3}, INFLIXIMAB),
        INFLIXIMAB_WASTE,
        remedy="Report 2 units with JW on a line of its own.",
    ),
    Case(
        "modifiers.waste-adds-up",
        (with_modifiers(INFLIXIMAB, "JZ"), INFLIXIMAB_WASTE),
        INFLIXIMAB,
        remedy="Report 2 units with JW",
        name="JZ beside units left over",
    ),
    Case(
        "modifiers.waste-adds-up",
        (
            {**INFLIXIMAB_WASTE, "units": 2},
            {**INFLIXIMAB, "dose": {"value": 400, "unit": "mg"}, "units": 40, "modifiers": ["JZ"]},
        ),
        None,
        remedy="Report JZ, and no JW line.",
        name="nothing is left over",
    ),
    Case("modifiers.waste-has-a-drug-line", (INFLIXIMAB_WASTE,), None),
    Case(
        "modifiers.waste-is-reported",
        (INFLIXIMAB,),
        {**INFLIXIMAB, "dose": {"value": 400, "unit": "mg"}, "units": 40, "modifiers": ["JZ"]},
        remedy="Report 2 units with JW",
    ),
    Case(
        "code-pairs.none-excludes-another",
        (
            per_diem("S9494", units=7, **WEEK),
            VANCOMYCIN,
            with_modifiers(a_line("2", "per_diem", "S9501", units=7, **WEEK), "SH"),
        ),
        None,
    ),
    Case(
        "code-pairs.none-excludes-another",
        (
            per_diem("S9359"),
            INFLIXIMAB,
            INFLIXIMAB_WASTE,
            a_drug_line("2", "J1748", "120 mg", "once", units=12, route="SC"),
        ),
        None,
        name="self-injected infliximab",
    ),
    Case(
        "code-pairs.none-excludes-another",
        (a_line("supplies", "supply", "A4224"), a_line("pump", "pump", "E0781"), VANCOMYCIN),
        a_line("supplies", "supply", "A4222"),
        name="insulin supplies",
    ),
    Case(
        "code-pairs.needed-code-is-there",
        (a_line("hours", "nursing", "99602"), VANCOMYCIN),
        NURSE,
        remedy="99601",
    ),
    Case(
        "code-pairs.expected-code-is-there",
        (a_drug_line("1", "J1325", "1.5 mg", "continuous", units=3, infusion_hours=24),),
        None,
    ),
    Case(
        "code-pairs.one-pump-for-prostacyclins",
        (a_line("pump", "pump", "K0455", units=2), VANCOMYCIN),
        a_line("pump", "pump", "K0455"),
    ),
    Case(
        "code-pairs.disposable-pump-is-no-equipment",
        (a_line("pump", "pump", "A4305"), VANCOMYCIN),
        a_line("pump", "pump", "E0781"),
    ),
    Case(
        "nursing.hourly-nursing-is-not-an-infusion-visit",
        (a_line("hours", "nursing", "S9123"), VANCOMYCIN),
        NURSE,
        remedy="Bill 99601",
    ),
]


def of_rule(decision: Decision, rule: str) -> list[Any]:
    return [found for found in decision.findings if found.rule == rule and found.verdict is Verdict.NOT_MET]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.name}".strip())
def test_broken_rule_decides_the_line_and_names_what_to_bill(case: Case) -> None:
    decision = case.broken()
    found = of_rule(decision, case.rule)
    assert found, [(each.rule, each.verdict) for each in decision.findings]
    assert any(case.lines[0]["line_id"] in each.lines for each in found)
    assert any(case.remedy in (each.remedy or "") for each in found), [each.remedy for each in found]
    effect = found[0].effect
    outcome = next(line.outcome for line in decision.lines if line.line_id == case.lines[0]["line_id"])
    assert outcome is OUTCOMES[effect]


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.corrected], ids=lambda case: f"{case.rule} {case.name}"
)
def test_corrected_order_is_accepted(case: Case) -> None:
    decision = case.kept()
    assert decision.outcome is Outcome.ACCEPTED, [(each.rule, each.verdict, each.message) for each in decision.findings]
    assert not of_rule(decision, case.rule)


def test_every_coding_rule_has_a_case() -> None:
    subjects = ("coding.", "per-diem.", "modifiers.", "code-pairs.", "nursing.")
    rules = {rule.id for rule in default_rules().rules if rule.id.startswith(subjects)}
    assert rules == {case.rule for case in CASES}
