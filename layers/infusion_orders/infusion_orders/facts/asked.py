"""The facts that a partner sends: where in the payload, what we ask when one is missing, and how it is read.

A fact's type, choices and description are those of the order model's field at its pointer.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from infusion_orders.facts.fact import ON_A_LINE, Fact, Kind, Scope
from infusion_orders.orders.doses import Quantity
from infusion_orders.orders.frequencies import Frequency, parse_frequency
from infusion_orders.orders.identifiers import (
    InvalidIdentifier,
    parse_cin,
    parse_county,
    parse_hcpcs,
    parse_icd_10_cm,
    parse_mbi,
    parse_ndc,
    parse_npi,
    parse_place_of_service,
)
from infusion_orders.orders.order import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pydantic.fields import FieldInfo

    from infusion_orders.orders.order import Diagnosis

THERAPIES = frozenset(
    {
        "tpn",
        "anti_infective",
        "aerosolized",
        "pain",
        "chelation",
        "inotropic",
        "ivig",
        "hydration",
        "steroid",
        "anti_tnf",
        "chemotherapy",
    }
)
"""The therapies that a partner may name; any other text is the therapy `other`, so that free text is never shown."""

_PLAN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def _plan_id(text: str) -> str:
    """Read an id that the plan issued.  Findings show it, so a text that cannot be such an id is never kept."""
    if _PLAN_ID.fullmatch(text) is None:
        raise InvalidIdentifier("must be the plan's own id: letters, digits and . _ : - only, at most 64")
    return text


def _vendor_id(text: str) -> str:
    return _plan_id(text).lower()


def _icd_10_cm_codes(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(parse_icd_10_cm(text) for text in texts)


def _conditions(texts: Iterable[str]) -> frozenset[str] | None:
    """Read the conditions of an open CCS case: it covers something, so an empty list says nothing."""
    return _icd_10_cm_codes(texts) or None


def _diagnosis_codes(diagnoses: tuple[Diagnosis, ...]) -> frozenset[str] | None:
    codes = [diagnosis.code for diagnosis in diagnoses if diagnosis.code is not None]
    well_formed = _icd_10_cm_codes(codes)
    return well_formed if len(codes) == len(diagnoses) else None


def _primary_diagnosis(diagnoses: tuple[Diagnosis, ...]) -> str | None:
    """Read the diagnosis that is marked as primary, or the only one that is not marked at all; else None."""
    marked = [diagnosis for diagnosis in diagnoses if diagnosis.primary]
    chosen = marked or [diagnosis for diagnosis in diagnoses if diagnosis.primary is None]
    if len(chosen) != 1 or chosen[0].code is None:
        return None
    return parse_icd_10_cm(chosen[0].code)


def _quantity(amount: Any) -> Quantity | None:
    return None if amount.value is None or amount.unit is None else Quantity(amount.value, amount.unit.value)


def _therapy(text: str) -> str:
    word = text.strip().lower().replace("-", "_").replace(" ", "_")
    return word if word in THERAPIES else "other"


def _modifiers(modifiers: Iterable[str]) -> frozenset[str]:
    return frozenset(modifier.upper() for modifier in modifiers)


def _as_sent(value: Any) -> Any:
    return value


_STRUCTURES: Mapping[Callable[[Any], Any], type] = {_quantity: Quantity, parse_frequency: Frequency}
"""The readers whose values have parts, with the class of these values."""


def _asks(
    name: str,
    pointer: str,
    question: str,
    read: Callable[[Any], Any] = _as_sent,
    *,
    kind: Kind | None = None,
    description: str | None = None,
    unit: str | None = None,
    private: bool = False,
) -> Fact:
    """Declare the fact sent at the pointer.  State its `kind` and `description` only where the field's do not fit."""
    field, structure = _field_at(pointer), _STRUCTURES.get(read)
    types = tuple(_types_in(field.annotation))
    vocabulary = next((type_ for type_ in types if issubclass(type_, StrEnum)), None)
    return Fact(
        name=name,
        kind=kind or (Kind.STRUCTURE if structure else _kind(types)),
        scope=Scope.LINE if pointer.startswith(ON_A_LINE) else Scope.ORDER,
        description=description or field.description or "",
        question=question,
        pointer=pointer,
        unit=unit,
        domain=None if vocabulary is None else frozenset(member.value for member in vocabulary),
        private=private,
        structure=structure,
        read=read if vocabulary is None else str,
    )


def _field_at(pointer: str) -> FieldInfo:
    """Return the order model's field at a pointer.  Raises KeyError or StopIteration where there is none."""
    *path, last = pointer.replace("/{line}", "").strip("/").split("/")
    part: type[BaseModel] = Order
    for step in path:
        part = next(type_ for type_ in _types_in(part.model_fields[step].annotation) if issubclass(type_, BaseModel))
    return part.model_fields[last]


def _types_in(annotation: Any) -> Iterator[type]:
    """Find the classes in a field's annotation, such as `date` in `Annotated[date, ...] | None`."""
    if isinstance(annotation, type) and not get_args(annotation):
        yield annotation
    for inner in get_args(annotation):
        yield from _types_in(inner)
    if getattr(annotation, "__origin__", None) is tuple:
        yield tuple


_KINDS = {
    tuple: Kind.CODES,
    bool: Kind.BOOLEAN,
    date: Kind.DATE,
    Decimal: Kind.NUMBER,
    int: Kind.NUMBER,
    str: Kind.CODE,
}


def _kind(types: tuple[type, ...]) -> Kind:
    return next(kind for known, kind in _KINDS.items() if any(issubclass(type_, known) for type_ in types))


ASKED: tuple[Fact, ...] = (
    _asks("order.ordered_on", "/ordered_on", "When was the order written?"),
    _asks("order.urgency", "/urgency", "Is the order standard or expedited?"),
    _asks("submitter.provider_type", "/submitter/provider_type", "What type of provider sends the order?"),
    _asks(
        "submitter.npi",
        "/submitter/npi",
        "What is the NPI of the provider that sends the order?",
        parse_npi,
        private=True,
    ),
    _asks(
        "member.mbi", "/member/mbi", "What is the member's Medicare beneficiary identifier?", parse_mbi, private=True
    ),
    _asks("member.cin", "/member/cin", "What is the member's Medi-Cal client index number?", parse_cin, private=True),
    _asks("member.birth_date", "/member/birth_date", "What is the member's date of birth?", private=True),
    _asks("member.line_of_business", "/member/line_of_business", "Which line of business does the member belong to?"),
    _asks("member.county", "/member/county", "In which California county does the member live?", parse_county),
    _asks(
        "medical_group.id", "/member/medical_group/id", "Which medical group (PPG) does the member belong to?", _plan_id
    ),
    _asks(
        "medical_group.risk_arrangement",
        "/member/medical_group/risk_arrangement",
        "What is the medical group's risk arrangement with the plan?",
    ),
    _asks(
        "member.ccs_open_case",
        "/member/ccs/open_case",
        "Does the member have an open California Children's Services (CCS) case?",
    ),
    _asks(
        "member.ccs_conditions", "/member/ccs/conditions", "Which diagnoses does the open CCS case cover?", _conditions
    ),
    _asks("member.willing_to_learn", "/member/willing_to_learn", "Is the member willing to learn to give the therapy?"),
    _asks("member.homebound", "/member/homebound", "Is the member homebound?"),
    _asks("caregiver.present", "/caregiver/present", "Is a caregiver present in the home?"),
    _asks("caregiver.willing", "/caregiver/willing", "Is the caregiver willing to give the therapy?"),
    _asks("caregiver.able", "/caregiver/able", "Is the caregiver able to give the therapy?"),
    _asks("prescriber.npi", "/prescriber/npi", "What is the prescriber's NPI?", parse_npi, private=True),
    _asks("prescriber.signed_on", "/prescriber/signed_on", "When did the prescriber sign the prescription?"),
    _asks("prescriber.ccs_paneled", "/prescriber/ccs_paneled", "Is the prescriber a CCS-paneled provider?"),
    _asks("vendor.id", "/infusion_provider/vendor", "Which home-infusion vendor is to fill the order?", _vendor_id),
    _asks("vendor.npi", "/infusion_provider/npi", "What is the home-infusion vendor's NPI?", parse_npi, private=True),
    _asks(
        "care.place_of_service",
        "/care/place_of_service",
        "What is the place of service (12 for the home)?",
        parse_place_of_service,
    ),
    _asks("care.administered_by", "/care/administered_by", "Who will give the therapy?"),
    _asks("care.plan_of_care", "/care/plan_of_care", "Is the member under a prescriber's plan of care?"),
    _asks("care.skilled_need", "/care/skilled_need", "Does the care need skilled staff?"),
    _asks("care.intermittent", "/care/intermittent", "Is the skilled care intermittent?"),
    _asks("care.first_dose_at_home", "/care/first_dose_at_home", "Will the first dose be given at home?"),
    _asks("care.anaphylaxis_order", "/care/anaphylaxis_order", "Is there an anaphylaxis order?"),
    _asks("care.telephone", "/care/telephone", "Is there a telephone in the home?"),
    _asks("clinical.weight", "/clinical/weight_kg", "What is the member's weight in kilograms?", unit="kg"),
    _asks("clinical.weight_measured_on", "/clinical/weight_measured_on", "When was the member weighed?"),
    _asks("clinical.height", "/clinical/height_cm", "What is the member's height in centimetres?", unit="cm"),
    _asks("access.device", "/access/device", "What access device does the member have?"),
    _asks("access.lumens", "/access/lumens", "How many lumens does the access device have?", Decimal, unit="lumens"),
    _asks(
        "nutrition.energy",
        "/nutrition/energy_kcal_per_day",
        "How many kilocalories does the parenteral nutrition give in a day?",
        unit="kcal/day",
    ),
    _asks(
        "nutrition.protein",
        "/nutrition/protein_g_per_day",
        "How many grams of protein does the parenteral nutrition give in a day?",
        unit="g/day",
    ),
    _asks(
        "nutrition.amino_acids",
        "/nutrition/amino_acids_g_per_l",
        "How many grams of amino acids are in a litre of the parenteral nutrition?",
        unit="g/l",
    ),
    _asks(
        "nutrition.dextrose",
        "/nutrition/dextrose_g_per_l",
        "How many grams of dextrose are in a litre of the parenteral nutrition?",
        unit="g/l",
    ),
    _asks(
        "nutrition.cations",
        "/nutrition/cations_meq_per_l",
        "How many milliequivalents of cations are in a litre of the parenteral nutrition?",
        unit="meq/l",
    ),
    _asks(
        "nutrition.documented_necessity",
        "/nutrition/documented_necessity",
        "Is it documented that amounts outside the usual ranges are medically necessary?",
    ),
    _asks("order.diagnoses", "/diagnoses", "Which diagnoses is the therapy for (ICD-10-CM)?", _diagnosis_codes),
    _asks(
        "order.primary_diagnosis",
        "/diagnoses",
        "Which diagnosis is the therapy for (mark it as primary)?",
        _primary_diagnosis,
        kind=Kind.CODE,
        description="The diagnosis that the therapy is for: the one marked primary, or the only one.",
    ),
    _asks(
        "line.stated_kind",
        "/lines/{line}/kind",
        "Is the line a drug, a per diem, nutrition, nursing, a supply or a pump?",
    ),
    _asks("line.hcpcs", "/lines/{line}/hcpcs", "What is the line's HCPCS code?", parse_hcpcs),
    _asks("line.ndc", "/lines/{line}/ndc", "What is the drug's NDC?", parse_ndc),
    _asks("line.stated_therapy", "/lines/{line}/therapy", "Which therapy is the line for?", _therapy),
    _asks("line.dose", "/lines/{line}/dose", "What is the dose of one administration, with its unit?", _quantity),
    _asks("line.route", "/lines/{line}/route", "By which route is the drug given?"),
    _asks(
        "line.frequency",
        "/lines/{line}/frequency",
        "How often is the drug given (for example `every 8 hours`)?",
        parse_frequency,
    ),
    _asks(
        "line.infusion_time",
        "/lines/{line}/infusion_hours",
        "How many hours does one administration run?",
        unit="hours",
    ),
    _asks(
        "line.daily_volume", "/lines/{line}/daily_volume_ml", "How many millilitres are given in a day?", unit="ml/day"
    ),
    _asks(
        "line.requires_admixture",
        "/lines/{line}/requires_admixture",
        "Must the drug be admixed by a home-health provider or pharmacy?",
    ),
    _asks("line.vial_size", "/lines/{line}/vial_size", "What is the content of one vial, with its unit?", _quantity),
    _asks(
        "line.single_dose_container",
        "/lines/{line}/single_dose_container",
        "Does the drug come in a single-dose container?",
    ),
    _asks("line.units", "/lines/{line}/units", "How many units will be billed?", Decimal, unit="billing units"),
    _asks("line.modifiers", "/lines/{line}/modifiers", "Which modifiers will be billed?", _modifiers),
    _asks(
        "line.billing_path",
        "/lines/{line}/billing_path",
        "Will the line be billed on the medical or on the pharmacy benefit?",
    ),
    _asks("line.date_of_service", "/lines/{line}/service_from", "What is the line's first date of service?"),
    _asks("line.last_date_of_service", "/lines/{line}/service_to", "What is the line's last date of service?"),
)
