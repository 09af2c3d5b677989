"""Asked facts are read from the field at their pointer, and recorded without anything that identifies a person."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infusion_orders.facts.case import Case
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.plain_values import plain_value
from infusion_orders.facts.unknown import Reason, Unknown
from infusion_orders.orders.doses import Quantity
from infusion_orders.orders.frequencies import parse_frequency
from infusion_orders.orders.order import Order
from tests.support.orders import ABSENT, an_order
from tests.support.rules import default_rules

ASKED = tuple(fact for fact in CATALOGUE.facts.values() if fact.read is not None)
FACTS = tuple(CATALOGUE.facts.values())

SENT: dict[str, tuple[Any, Any]] = {
    "order.ordered_on": ("2026-11-21", date(2026, 11, 21)),
    "order.urgency": ("expedited", "expedited"),
    "submitter.provider_type": ("hospital", "hospital"),
    "submitter.npi": (" 1234567893 ", "1234567893"),
    "member.mbi": ("1eg4-te5-mk73", "1EG4TE5MK73"),
    "member.cin": ("90000001A", "90000001A"),
    "member.birth_date": ("1951-03-03", date(1951, 3, 3)),
    "member.line_of_business": ("medi_cal", "medi_cal"),
    "member.county": ("los angeles county", "Los Angeles"),
    "medical_group.id": ("PPG-1", "PPG-1"),
    "medical_group.risk_arrangement": ("dual_risk", "dual_risk"),
    "member.ccs_open_case": (True, True),
    "member.ccs_conditions": (["c9100"], frozenset({"C91.00"})),
    "member.willing_to_learn": (True, True),
    "member.homebound": (True, True),
    "caregiver.present": (False, False),
    "caregiver.willing": (False, False),
    "caregiver.able": (False, False),
    "prescriber.npi": ("1932104098", "1932104098"),
    "prescriber.signed_on": ("2026-11-19", date(2026, 11, 19)),
    "prescriber.ccs_paneled": (True, True),
    "vendor.id": ("CORAM", "coram"),
    "vendor.npi": ("1245319599", "1245319599"),
    "care.place_of_service": ("11", "11"),
    "care.administered_by": ("member", "member"),
    "care.plan_of_care": (False, False),
    "care.skilled_need": (False, False),
    "care.intermittent": (False, False),
    "care.first_dose_at_home": (True, True),
    "care.anaphylaxis_order": (True, True),
    "care.telephone": (False, False),
    "clinical.weight": (70.5, Decimal("70.5")),
    "clinical.weight_measured_on": ("2026-11-17", date(2026, 11, 17)),
    "clinical.height": (160, Decimal(160)),
    "access.device": ("picc", "picc"),
    "access.lumens": (2, Decimal(2)),
    "nutrition.energy": (1875, Decimal(1875)),
    "nutrition.protein": ("93.75", Decimal("93.75")),
    "nutrition.amino_acids": (50, Decimal(50)),
    "nutrition.dextrose": (150, Decimal(150)),
    "nutrition.cations": (80, Decimal(80)),
    "nutrition.documented_necessity": (False, False),
    "order.diagnoses": ([{"code": "k5090"}, {"code": "C91.00"}], frozenset({"K50.90", "C91.00"})),
    "order.primary_diagnosis": ([{"code": "K50.90"}, {"code": "c91.00", "primary": True}], "C91.00"),
    "line.stated_kind": ("pump", "pump"),
    "line.hcpcs": ("j0690", "J0690"),
    "line.ndc": ("00409-1234-01", "00409123401"),
    "line.stated_therapy": ("Anti-TNF", "anti_tnf"),
    "line.dose": ({"value": 2, "unit": "mg/kg"}, Quantity(Decimal(2), "mg/kg")),
    "line.route": ("SC", "SC"),
    "line.frequency": ("daily", parse_frequency("daily")),
    "line.infusion_time": (1.5, Decimal("1.5")),
    "line.daily_volume": (250, Decimal(250)),
    "line.requires_admixture": (False, False),
    "line.vial_size": ({"value": 50, "unit": "ml"}, Quantity(Decimal(50), "ml")),
    "line.single_dose_container": (False, False),
    "line.units": (7, Decimal(7)),
    "line.modifiers": (["jw", "SS"], frozenset({"JW", "SS"})),
    "line.billing_path": ("pharmacy", "pharmacy"),
    "line.date_of_service": ("2026-12-02", date(2026, 12, 2)),
    "line.last_date_of_service": ("2026-12-03", date(2026, 12, 3)),
}
"""What is sent at each asked fact's pointer, another value than the example's, and the fact that it makes."""

WRONG: dict[str, Any] = {
    "submitter.npi": "1234567890",
    "member.mbi": "1SG4TE5MK73",
    "member.cin": "12345678",
    "member.county": "Gotham",
    "medical_group.id": "PPG 1",
    "member.ccs_conditions": ["K50.90", "leukaemia"],
    "prescriber.npi": "12345",
    "vendor.id": "co ram",
    "vendor.npi": "0245319599",
    "care.place_of_service": "1A",
    "order.diagnoses": [{"code": "K50.90", "primary": True}, {"code": "5K0.90"}],
    "order.primary_diagnosis": [{"code": "5K0.90"}],
    "line.hcpcs": "W1745",
    "line.ndc": "123",
    "line.frequency": "now and then",
}


def at(fact: Fact, line: int = 0) -> str:
    return fact.pointer.replace("{line}", str(line))


def case_of(changes: dict[str, Any]) -> Case:
    return Case(CATALOGUE, default_rules().tables, order=an_order(changes))


def schema_at(pointer: str) -> dict[str, Any] | None:
    """The part of the order's JSON schema that the pointer leads to, if there is one."""
    schema = Order.model_json_schema()
    node: dict[str, Any] = schema
    for step in pointer.strip("/").split("/"):
        ways = [node, *node.get("anyOf", ())]
        objects = [schema["$defs"][way["$ref"].rsplit("/", 1)[1]] if "$ref" in way else way for way in ways]
        found = [
            way["items"] if step == "{line}" else way["properties"][step]
            for way in objects
            if (step == "{line}" and "items" in way) or step in way.get("properties", {})
        ]
        if not found:
            return None
        node = found[0]
    return node


def test_sent_covers_every_asked_fact() -> None:
    assert list(SENT) == [fact.name for fact in ASKED]


@pytest.mark.parametrize("fact", ASKED, ids=lambda fact: fact.name)
def test_the_pointer_exists_in_the_orders_schema(fact: Fact) -> None:
    assert schema_at(fact.pointer) is not None
    assert fact.pointer.startswith("/lines/{line}/") is (fact.scope is Scope.LINE)


def test_schema_has_no_field_at_a_wrong_pointer() -> None:
    assert schema_at("/member/medical_group/ident") is None
    assert schema_at("/lines/{line}/hcpc") is None


@pytest.mark.parametrize("fact", ASKED, ids=lambda fact: fact.name)
def test_fact_has_the_value_sent_at_its_pointer(fact: Fact) -> None:
    sent, value = SENT[fact.name]
    found = case_of({at(fact): sent}).lines[0][fact.name]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("fact", [f for f in ASKED if f.name != "order.urgency"], ids=lambda fact: fact.name)
@pytest.mark.parametrize("nothing", [ABSENT, None], ids=["absent", "null"])
def test_fact_that_was_not_sent_is_missing_on_its_line(fact: Fact, nothing: Any) -> None:
    found = case_of({at(fact, 1): nothing}).lines[1][fact.name]
    assert isinstance(found, Unknown)
    (need,) = found.needs
    assert (need.fact, need.line) == (fact.name, 1 if fact.scope is Scope.LINE else None)
    assert (need.reason, need.hint) == (Reason.MISSING, None)


def test_order_without_urgency_is_standard() -> None:
    assert case_of({"/urgency": ABSENT}).lines[0]["order.urgency"] == "standard"


@pytest.mark.parametrize("name", WRONG)
def test_malformed_value_is_unknown_with_a_hint_that_does_not_repeat_it(name: str) -> None:
    fact = CATALOGUE.facts[name]
    found = case_of({at(fact): WRONG[name]}).lines[0][name]
    assert isinstance(found, Unknown)
    (need,) = found.needs
    assert (need.fact, need.reason, need.line) == (name, Reason.INVALID, 0 if fact.scope is Scope.LINE else None)
    assert need.hint
    if isinstance(WRONG[name], str):
        assert WRONG[name] not in need.hint


@pytest.mark.parametrize(
    ("diagnoses", "primary"),
    [
        ([{"code": "K50.90"}], "K50.90"),
        ([{"code": "K50.90"}, {"code": "C91.00"}], None),
        ([{"code": "K50.90", "primary": True}, {"code": "C91.00", "primary": True}], None),
        ([{"code": "K50.90", "primary": False}, {"code": "C91.00", "primary": True}], "C91.00"),
        ([{"primary": True}, {"code": "C91.00"}], None),
        ([{"code": "K50.90", "primary": False}], None),
        ([{"code": "K50.90", "primary": False}, {"code": "C91.00"}], "C91.00"),
        ([], None),
    ],
)
def test_primary_diagnosis_is_the_marked_or_the_only_one(diagnoses: list[Any], primary: str | None) -> None:
    found = case_of({"/diagnoses": diagnoses}).lines[0]["order.primary_diagnosis"]
    assert (None if isinstance(found, Unknown) else found) == primary


def test_diagnoses_without_a_code_leave_the_set_unknown() -> None:
    found = case_of({"/diagnoses": [{"code": "K50.90", "primary": True}, {"primary": False}]}).lines[0]
    assert isinstance(found["order.diagnoses"], Unknown)
    assert found["order.primary_diagnosis"] == "K50.90"


def test_empty_list_of_ccs_conditions_is_unknown() -> None:
    assert isinstance(
        case_of({"/member/ccs": {"open_case": True, "conditions": []}}).lines[0]["member.ccs_conditions"], Unknown
    )


def test_free_text_therapies_are_other_and_never_shown() -> None:
    assert case_of({"/lines/0/therapy": "for Jane Roe"}).lines[0]["line.stated_therapy"] == "other"


def test_quantity_without_value_or_unit_is_missing() -> None:
    facts = case_of({"/lines/0/dose": {"value": 5}, "/lines/0/vial_size": {"unit": "mg"}}).lines[0]
    assert isinstance(facts["line.dose"], Unknown)
    assert isinstance(facts["line.vial_size"], Unknown)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_every_fact_is_described_and_asked_derived_or_assigned(fact: Fact) -> None:
    assert fact.description.endswith(".")
    assert [fact.read, fact.derive, fact.default].count(None) == 2
    assert bool(fact.pointer) is bool(fact.question) is (fact.read is not None)
    assert fact.read is None or "?" in fact.question
    assert bool(fact.uses) is (fact.derive is not None)
    assert all(used in CATALOGUE.declared for used in fact.uses)


@pytest.mark.parametrize("fact", [fact for fact in FACTS if fact.kind is Kind.NUMBER], ids=lambda fact: fact.name)
def test_every_number_has_a_unit(fact: Fact) -> None:
    assert fact.unit


def test_derived_fact_has_the_pointers_of_all_its_inputs() -> None:
    assert CATALOGUE.pointers("member.age") == ("/member/birth_date", "/lines/{line}/service_from")
    assert CATALOGUE.pointers("line.vendor_is_contracted") == (
        "/lines/{line}/hcpcs",
        "/lines/{line}/therapy",
        "/member/line_of_business",
        "/lines/{line}/service_from",
        "/infusion_provider/vendor",
    )
    assert CATALOGUE.pointers("line.carve_out") == ()


def test_recorded_facts_have_the_age_and_nothing_that_identifies_a_person() -> None:
    everything = {at(CATALOGUE.facts[name]): sent for name, (sent, _) in SENT.items()}
    case = case_of(everything)
    recorded = case.recorded()
    private = {fact.name for fact in FACTS if fact.private}
    assert private == {
        "submitter.npi", "member.mbi", "member.cin", "member.birth_date", "prescriber.npi", "vendor.npi",
    }  # fmt: skip
    names = set(recorded["order"]) | {name for line in recorded["lines"] for name in line}
    assert not names & private
    assert recorded["lines"][0]["member.age"] == "75"
    assert names == {fact.name for fact in ASKED if not fact.private} | {
        "member.age",
        "prescriber.is_identified",
        "order.identifiers_are_well_formed",
        "line.identifiers_are_well_formed",
    }
    text = json.dumps(recorded)
    for name in private:
        assert json.dumps(plain_value(SENT[name][1])) not in text
    assert "R0042001701" not in text


def test_record_shows_whether_the_prescriber_was_identified() -> None:
    identified, missing, wrong = (
        case_of({"/prescriber/npi": npi}).recorded()["order"] for npi in ("1932104098", ABSENT, "1")
    )
    assert identified["prescriber.is_identified"] is True
    needs = {"fact": "prescriber.npi", "reason": "missing"}
    assert missing["prescriber.is_identified"] == {"unknown": [needs]}
    (need,) = wrong["prescriber.is_identified"]["unknown"]
    assert (need["fact"], need["reason"]) == ("prescriber.npi", "invalid")


def test_record_omits_missing_facts_and_marks_malformed_ones() -> None:
    case = case_of({"/member/county": "Gotham", "/caregiver": ABSENT, "/member/birth_date": ABSENT})
    recorded = case.recorded()
    (need,) = recorded["order"]["member.county"]["unknown"]
    assert (need["fact"], need["reason"], need["hint"][:4]) == ("member.county", "invalid", "must")
    assert not [name for name in recorded["order"] if name.startswith("caregiver.")]
    assert recorded["lines"][0]["member.age"] == {"unknown": [{"fact": "member.birth_date", "reason": "missing"}]}
    assert len(recorded["lines"]) == 3


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Decimal("2.50"), "2.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.00"), "0"),
        (date(2026, 2, 28), "2026-02-28"),
        (frozenset({"b", "a"}), ["a", "b"]),
        (True, True),
        (Quantity(Decimal("5.0"), "mg"), {"value": "5", "unit": "mg"}),
        ((Decimal(1), "x"), ["1", "x"]),
    ],
)
def test_plain_value_is_json(value: Any, plain: Any) -> None:
    assert plain_value(value) == plain


def test_equal_values_are_recorded_alike() -> None:
    one, other = (case_of({"/clinical/weight_kg": weight}).recorded() for weight in (Decimal("75.0"), Decimal("75")))
    assert one == other


def test_failing_derivation_is_a_fault_of_that_fact_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from infusion_orders.facts.unknown import Fault

    case = case_of({})
    monkeypatch.setattr(type(case.tables), "whole_child_model", lambda *_args: 1 / 0)
    assert isinstance(case.lines[0]["member.whole_child_model"], Fault)
    assert case.lines[0]["member.age"] == Decimal(75)


def test_order_fact_is_derived_once_for_all_lines() -> None:
    case = case_of({"/lines/1/service_from": "2027-03-02"})
    first, second, third = case.lines
    assert first["member.county"] == "Los Angeles"
    assert dict.get(second, "member.county") == dict.get(third, "member.county") == "Los Angeles"
    assert [line["member.age"] for line in case.lines] == [Decimal(75), Decimal(76), Decimal(75)]
    with pytest.raises(KeyError):
        first["member.hat_size"]
