"""The clinical rules, each with an order that breaks it and one that does not: nutrition, access, first doses."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infusion_orders.decisions.decision import Outcome
from infusion_orders.facts.case import Case
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.unknown import Unknown
from infusion_orders.rules.rule import Effect, Verdict
from tests.support.orders import a_drug_line, a_line, an_order, an_order_of
from tests.support.rules import decision_of, default_rules, derived_facts

if TYPE_CHECKING:
    from infusion_orders.decisions.decision import Decision

Changes = dict[str, Any]

OUTCOMES = {Effect.REJECT: Outcome.REJECTED, Effect.REVIEW: Outcome.NEEDS_REVIEW}
FAMILIES = ("nutrition.", "access.", "first-dose.", "diagnosis-lists.")

USUAL = {
    "energy_kcal_per_day": 1875,
    "protein_g_per_day": 90,
    "amino_acids_g_per_l": 40,
    "dextrose_g_per_l": 100,
    "cations_meq_per_l": 0,
    "documented_necessity": False,
}
SENIOR = {"/member/line_of_business": "medicare_advantage", "/clinical/weight_kg": 75, "/access/device": "picc"}
NUTRITION = (a_line("bag", "per_diem", "S9366", daily_volume_ml=1800),)
DRUG = a_drug_line("drug", "J0696", "1 g", "once", units=4)
INOTROPE = a_drug_line("drug", "J1250", "250 mg", "once", units=1, infusion_hours=2)
VESICANT = a_drug_line("drug", "J9360", "5 mg", "once", units=5)
BLEOMYCIN = a_drug_line("drug", "J9040", "15 unit", "once", units=1)
IVIG = a_drug_line("drug", "J1569", "30 g", "once", units=60)
AT_HOME = {"/care/first_dose_at_home": True, "/care/anaphylaxis_order": True, "/care/telephone": True}
ENTERAL = (a_line("pump", "per_diem", "S9342"),)


def nutrition(**amounts: Any) -> Changes:
    return {**SENIOR, "/nutrition": {**USUAL, **amounts}}


@dataclass(frozen=True)
class Broken:
    """With `broken` the order breaks the rule, and its lines come to the rule's outcome; with `kept` it does not."""

    rule: str
    lines: tuple[dict[str, Any], ...]
    broken: Changes
    kept: Changes
    says: str
    name: str = ""
    lines_kept: tuple[dict[str, Any], ...] = field(default=())

    def decision(self, changes: Changes, lines: tuple[dict[str, Any], ...]) -> Decision:
        return decision_of(an_order_of(*lines, **{"/prescriber/signed_on": "2026-01-01", **changes}))


CASES = [
    Broken(
        "nutrition.energy-is-in-the-usual-range",
        NUTRITION,
        nutrition(energy_kcal_per_day=1499),
        nutrition(energy_kcal_per_day=1500),
        "19.9867 kcal/kg",
        "too little",
    ),
    Broken(
        "nutrition.energy-is-in-the-usual-range",
        NUTRITION,
        nutrition(energy_kcal_per_day=2700),
        nutrition(energy_kcal_per_day=2700, documented_necessity=True),
        "36 kcal/kg",
        "documented",
    ),
    Broken(
        "nutrition.protein-is-in-the-usual-range",
        NUTRITION,
        nutrition(protein_g_per_day=151),
        nutrition(protein_g_per_day=150),
        "2.0133 g/kg",
    ),
    Broken(
        "nutrition.dextrose-is-strong-enough",
        NUTRITION,
        nutrition(dextrose_g_per_l=99),
        nutrition(dextrose_g_per_l=100),
        "9.9 %",
    ),
    Broken(
        "nutrition.a-peripheral-vein-stands-the-osmolarity",
        NUTRITION,
        {**nutrition(cations_meq_per_l="0.5"), "/access/device": "midline"},
        {**nutrition(cations_meq_per_l=0), "/access/device": "midline"},
        "901 mOsm",
    ),
    Broken(
        "nutrition.enteral-is-not-infusion",
        ENTERAL,
        {},
        nutrition(),
        "enteral",
        lines_kept=NUTRITION,
    ),
    Broken(
        "access.inotropes-have-central-access",
        (INOTROPE,),
        {"/access/device": "peripheral"},
        {"/access/device": "tunneled"},
        "peripheral",
    ),
    Broken(
        "access.vesicants-have-central-access",
        (VESICANT,),
        {"/access/device": "midline"},
        {"/access/device": "port"},
        "J9360",
    ),
    Broken(
        "access.parenteral-nutrition-goes-into-a-vein",
        NUTRITION,
        {**nutrition(), "/access/device": "subcutaneous"},
        nutrition(),
        "subcutaneous",
    ),
    Broken(
        "first-dose.anaphylaxis-order",
        (DRUG,),
        {**AT_HOME, "/care/anaphylaxis_order": False},
        AT_HOME,
        "anaphylaxis",
    ),
    Broken("first-dose.telephone", (DRUG,), {**AT_HOME, "/care/telephone": False}, AT_HOME, "telephone"),
    Broken(
        "first-dose.never-at-home",
        (BLEOMYCIN,),
        AT_HOME,
        {**AT_HOME, "/care/first_dose_at_home": False},
        "J9040",
    ),
    Broken(
        "diagnosis-lists.home-ivig",
        (IVIG,),
        {**SENIOR, "/diagnoses": [{"code": "D80.1", "primary": True}]},
        {**SENIOR, "/diagnoses": [{"code": "D80.1", "primary": True}, {"code": "D83.9"}]},
        "immunoglobulin",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.name}".strip())
def test_rule_stops_the_broken_order_and_not_the_corrected_one(case: Broken) -> None:
    broken = case.decision(case.broken, case.lines)
    (finding,) = [one for one in broken.findings if one.rule == case.rule]
    assert finding.verdict is Verdict.NOT_MET
    assert broken.lines[0].outcome is OUTCOMES[finding.effect]
    assert case.says in finding.message
    assert finding.remedy

    kept = case.decision(case.kept, case.lines_kept or case.lines)
    assert kept.outcome is Outcome.ACCEPTED
    assert case.rule not in {finding.rule for finding in kept.findings}


def test_every_clinical_rule_has_a_case() -> None:
    rules = {compiled.id for compiled in default_rules().rules if compiled.id.startswith(FAMILIES)}
    assert rules == {case.rule for case in CASES}


def pointers(decision: Decision) -> set[str]:
    return {pointer for question in decision.questions for pointer in question.pointers}


def test_contents_of_nutrition_are_needed_for_medicare_only() -> None:
    senior = decision_of(an_order_of(*NUTRITION, **{**SENIOR, "/prescriber/signed_on": "2026-01-01"}))
    assert senior.outcome is Outcome.NEEDS_INFORMATION
    assert {pointer for pointer in pointers(senior) if pointer.startswith("/nutrition")} >= {
        "/nutrition/energy_kcal_per_day",
        "/nutrition/protein_g_per_day",
        "/nutrition/dextrose_g_per_l",
    }
    for lines, changes in ((NUTRITION, {"/member/line_of_business": "commercial_hmo"}), ((IVIG,), {})):
        other = decision_of(an_order_of(*lines, **{**SENIOR, "/prescriber/signed_on": "2026-01-01", **changes}))
        assert not [pointer for pointer in pointers(other) if pointer.startswith("/nutrition")]


def test_first_dose_is_needed_unless_everything_is_ready_for_one() -> None:
    changes = {**AT_HOME, "/care/first_dose_at_home": None, "/prescriber/signed_on": "2026-01-01"}
    assert decision_of(an_order_of(DRUG, **changes)).outcome is Outcome.ACCEPTED
    not_ready = decision_of(an_order_of(DRUG, **{**changes, "/care/telephone": False}))
    assert pointers(not_ready) == {"/care/first_dose_at_home"}


def test_supplies_have_no_first_dose() -> None:
    supplies = a_line("kit", "supply", "A4221", therapy="anti_infective")
    decision = decision_of(an_order_of(supplies, **{**AT_HOME, "/care/telephone": False}))
    assert not [finding for finding in decision.findings if finding.rule.startswith("first-dose.")]


def nutrition_facts(**amounts: Any) -> dict[str, Any]:
    order = an_order({"/clinical/weight_kg": "62.5", "/nutrition": {**USUAL, **amounts}})
    (facts, *_) = derived_facts(Case(CATALOGUE, default_rules().tables, order=order))
    return {name: facts[name] for name in CATALOGUE.facts if name.startswith("nutrition.")}


def test_facts_of_nutrition_match_a_calculation_by_hand() -> None:
    facts = nutrition_facts(amino_acids_g_per_l=50, dextrose_g_per_l=150, cations_meq_per_l=80)

    assert facts["nutrition.energy_per_kg"] == Decimal(30)
    assert facts["nutrition.protein_per_kg"] == Decimal("1.44")
    assert facts["nutrition.dextrose_percent"] == Decimal(15)
    assert facts["nutrition.osmolarity"] == Decimal(50 * 10 + 150 * 5 + 80 * 2)


@pytest.mark.parametrize("left_out", ["amino_acids_g_per_l", "dextrose_g_per_l", "cations_meq_per_l"])
def test_osmolarity_needs_each_of_its_parts(left_out: str) -> None:
    facts = nutrition_facts(**{left_out: None})

    assert isinstance(facts["nutrition.osmolarity"], Unknown)
    assert len(facts["nutrition.osmolarity"].needs) == 1


GRAMS = st.decimals("0", "10000", places=3)


@given(GRAMS, GRAMS, st.sampled_from(["amino_acids_g_per_l", "dextrose_g_per_l", "cations_meq_per_l"]))
def test_more_of_anything_never_lowers_the_osmolarity(one: Decimal, other: Decimal, part: str) -> None:
    less, more = (nutrition_facts(**{part: amount})["nutrition.osmolarity"] for amount in sorted((one, other)))
    assert less <= more
    assert (less == more) is (one == other)


NEVER_BEGUN_AT_HOME = ("J0280", "J9019", "J9020", "J9021", "J9040", "J9118", "J9266", "S0080")
VESICANTS = (
    "J9000", "J9120", "J9150", "J9178", "J9211", "J9230", "J9280", "J9352", "J9360", "J9370", "J9371", "J9390",
)  # fmt: skip
IVIG_DIAGNOSES = (
    "D80.0", "D80.2", "D80.3", "D80.4", "D80.5", "D80.6", "D80.7", "D81.0", "D81.1", "D81.2", "D81.5", "D81.6", "D81.7",
    "D81.82", "D81.89", "D81.9", "D82.0", "D82.1", "D82.4", "D83.0", "D83.1", "D83.2", "D83.8", "D83.9", "G11.3",
)  # fmt: skip


def broken_rules(line: dict[str, Any], changes: Changes) -> set[str]:
    decision = decision_of(an_order_of(line, **{"/prescriber/signed_on": "2026-01-01", **changes}))
    return {finding.rule for finding in decision.findings if finding.verdict is Verdict.NOT_MET}


@pytest.mark.parametrize("code", NEVER_BEGUN_AT_HOME)
def test_listed_drugs_may_not_be_begun_at_home(code: str) -> None:
    assert "first-dose.never-at-home" in broken_rules(a_drug_line("drug", code, "10 mg", "once"), AT_HOME)


@pytest.mark.parametrize("code", VESICANTS)
def test_listed_vesicants_need_central_access(code: str) -> None:
    peripheral = {"/access/device": "peripheral"}
    assert "access.vesicants-have-central-access" in broken_rules(
        a_drug_line("drug", code, "10 mg", "once"), peripheral
    )


@pytest.mark.parametrize("code", IVIG_DIAGNOSES)
def test_listed_immune_deficiencies_qualify_for_ivig_at_home(code: str) -> None:
    changes = {**SENIOR, "/diagnoses": [{"code": code, "primary": True}]}
    assert "diagnosis-lists.home-ivig" not in broken_rules(IVIG, changes)


@pytest.mark.parametrize("code", ["D80.1", "D81.31", "D81.4", "D82.2", "G61.81"])
def test_other_diagnoses_do_not_qualify_for_ivig_at_home(code: str) -> None:
    changes = {**SENIOR, "/diagnoses": [{"code": code, "primary": True}]}
    assert "diagnosis-lists.home-ivig" in broken_rules(IVIG, changes)


@pytest.mark.parametrize("code", ["S9340", "S9341", "S9342", "S9343"])
def test_enteral_per_diems_are_not_infusions(code: str) -> None:
    assert "nutrition.enteral-is-not-infusion" in broken_rules(a_line("1", "per_diem", code), {})
