"""The facts a partner sends: one pointer, one question and one reader each.

A reader returns None for what was not sent and raises InvalidIdentifier for what fails its check.
"""

from __future__ import annotations

import re
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.fact import Fact, Kind, Scope
from infusion_orders.facts.quantity import Quantity
from infusion_orders.orders import identifiers
from infusion_orders.orders.frequencies import UnclearFrequency, parse_frequency
from infusion_orders.orders.identifiers import InvalidIdentifier
from infusion_orders.orders.order import (
    AccessDevice,
    Administrator,
    BillingPath,
    LineKind,
    LineOfBusiness,
    ProviderType,
    RiskArrangement,
    Route,
    Urgency,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from enum import StrEnum

    from infusion_orders.orders.order import Order

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


def _plain(value: Any) -> Any:
    return value


def _code(value: StrEnum) -> str:
    return value.value


def _codes(check: Callable[[str], str]) -> Callable[[Iterable[str]], frozenset[str]]:
    return lambda texts: frozenset(check(text) for text in texts)


def _domain(vocabulary: type[StrEnum]) -> frozenset[str]:
    return frozenset(member.value for member in vocabulary)


def _asked(
    name: str,
    kind: Kind,
    pointer: str,
    description: str,
    question: str,
    *,
    read: Callable[[Any], Any] = _plain,
    vocabulary: type[StrEnum] | None = None,
    unit: str | None = None,
    private: bool = False,
) -> Fact:
    on_a_line = pointer.startswith("/lines/")
    value_of = attrgetter(pointer.removeprefix("/lines/{line}").strip("/").replace("/", "."))
    convert = _code if vocabulary is not None else read

    def from_order(order: Order, line: int) -> Any:
        try:
            value = value_of(order.lines[line] if on_a_line else order)
        except AttributeError:  # a part of the way was not sent: that every way exists is tested
            return None
        return None if value is None else convert(value)

    return Fact(
        name=name,
        kind=kind,
        scope=Scope.LINE if on_a_line else Scope.ORDER,
        description=description,
        question=question,
        pointer=pointer,
        unit=unit,
        domain=_domain(vocabulary) if vocabulary is not None else None,
        private=private,
        read=from_order,
    )


def _primary(diagnoses: Any) -> str | None:
    """The primary diagnosis: the one that is marked, or the only one; None when that is open."""
    marked = [diagnosis for diagnosis in diagnoses if diagnosis.primary]
    chosen = marked if marked else diagnoses
    if len(chosen) != 1 or chosen[0].code is None:
        return None
    return identifiers.icd_10_cm(chosen[0].code)


def _diagnosis_codes(diagnoses: Any) -> frozenset[str] | None:
    if any(diagnosis.code is None for diagnosis in diagnoses):
        return None
    return frozenset(identifiers.icd_10_cm(diagnosis.code) for diagnosis in diagnoses)


def _quantity(amount: Any) -> Quantity | None:
    return None if amount.value is None or amount.unit is None else Quantity(amount.value, amount.unit.value)


def _frequency(value: Any) -> Any:
    try:
        return parse_frequency(value)
    except UnclearFrequency as unclear:
        raise InvalidIdentifier(str(unclear)) from None


def _plan_id(text: str) -> str:
    """Ids that the plan gave out are shown in findings: a text that cannot be one is never shown."""
    if _PLAN_ID.fullmatch(text) is None:
        raise InvalidIdentifier("must be the plan's own id: letters, digits and . _ : - only, at most 64")
    return text


def _therapy(text: str) -> str:
    word = text.strip().lower().replace("-", "_").replace(" ", "_")
    return word if word in THERAPIES else "other"


BOOLEAN, CODE, CODES, NUMBER, DATE, STRUCTURE = (
    Kind.BOOLEAN,
    Kind.CODE,
    Kind.CODES,
    Kind.NUMBER,
    Kind.DATE,
    Kind.STRUCTURE,
)

ASKED: tuple[Fact, ...] = (
    _asked("order.ordered_on", DATE, "/ordered_on", "The day the order was written.", "When was the order written?"),
    _asked(
        "order.urgency",
        CODE,
        "/urgency",
        "How soon an answer is needed.",
        "Is the order standard or expedited?",
        vocabulary=Urgency,
    ),
    _asked(
        "submitter.provider_type",
        CODE,
        "/submitter/provider_type",
        "Which of the manual's four provider types sent the order.",
        "What type of provider sends the order?",
        vocabulary=ProviderType,
    ),
    _asked(
        "submitter.npi",
        CODE,
        "/submitter/npi",
        "The sender's NPI.",
        "What is the NPI of the provider that sends the order?",
        read=identifiers.npi,
        private=True,
    ),
    _asked(
        "member.mbi",
        CODE,
        "/member/mbi",
        "The member's Medicare beneficiary identifier.",
        "What is the member's Medicare beneficiary identifier?",
        read=identifiers.mbi,
        private=True,
    ),
    _asked(
        "member.cin",
        CODE,
        "/member/cin",
        "The member's Medi-Cal client index number.",
        "What is the member's Medi-Cal client index number?",
        read=identifiers.cin,
        private=True,
    ),
    _asked(
        "member.birth_date",
        DATE,
        "/member/birth_date",
        "The member's date of birth; rules speak of the age.",
        "What is the member's date of birth?",
        private=True,
    ),
    _asked(
        "member.line_of_business",
        CODE,
        "/member/line_of_business",
        "The plan's line of business that the member belongs to.",
        "Which line of business does the member belong to?",
        vocabulary=LineOfBusiness,
    ),
    _asked(
        "member.county",
        CODE,
        "/member/county",
        "The California county where the member lives.",
        "In which California county does the member live?",
        read=identifiers.county,
    ),
    _asked(
        "medical_group.id",
        CODE,
        "/member/medical_group/id",
        "The participating physician group of the member.",
        "Which medical group (PPG) does the member belong to?",
        read=_plan_id,
    ),
    _asked(
        "medical_group.risk_arrangement",
        CODE,
        "/member/medical_group/risk_arrangement",
        "The risk arrangement between the plan and the medical group, as sent.",
        "What is the medical group's risk arrangement with the plan?",
        vocabulary=RiskArrangement,
    ),
    _asked(
        "member.ccs_open_case",
        BOOLEAN,
        "/member/ccs/open_case",
        "The member has an open California Children's Services case.",
        "Does the member have an open California Children's Services (CCS) case?",
    ),
    _asked(
        "member.ccs_conditions",
        CODES,
        "/member/ccs/conditions",
        "ICD-10-CM codes of the open CCS case.",
        "Which diagnoses does the open CCS case cover?",
        read=_codes(identifiers.icd_10_cm),
    ),
    _asked(
        "member.willing_to_learn",
        BOOLEAN,
        "/member/willing_to_learn",
        "The member is willing to learn to give the therapy.",
        "Is the member willing to learn to give the therapy?",
    ),
    _asked(
        "member.homebound",
        BOOLEAN,
        "/member/homebound",
        "The member is confined to the home; recorded, and never counted against an order (M-3).",
        "Is the member homebound?",
    ),
    _asked(
        "caregiver.present",
        BOOLEAN,
        "/caregiver/present",
        "A caregiver is in the home.",
        "Is a caregiver present in the home?",
    ),
    _asked(
        "caregiver.willing",
        BOOLEAN,
        "/caregiver/willing",
        "The caregiver is willing to give the therapy.",
        "Is the caregiver willing to give the therapy?",
    ),
    _asked(
        "caregiver.able",
        BOOLEAN,
        "/caregiver/able",
        "The caregiver is able to give the therapy.",
        "Is the caregiver able to give the therapy?",
    ),
    _asked(
        "prescriber.npi",
        CODE,
        "/prescriber/npi",
        "The prescriber's NPI.",
        "What is the prescriber's NPI?",
        read=identifiers.npi,
        private=True,
    ),
    _asked(
        "prescriber.signed_on",
        DATE,
        "/prescriber/signed_on",
        "The day the prescriber signed the prescription.",
        "When did the prescriber sign the prescription?",
    ),
    _asked(
        "prescriber.ccs_paneled",
        BOOLEAN,
        "/prescriber/ccs_paneled",
        "The prescriber is on the CCS panel.",
        "Is the prescriber a CCS-paneled provider?",
    ),
    _asked(
        "vendor.id",
        CODE,
        "/infusion_provider/vendor",
        "The home-infusion vendor that is to fill the order.",
        "Which home-infusion vendor is to fill the order?",
        read=lambda text: _plan_id(text).lower(),
    ),
    _asked(
        "vendor.npi",
        CODE,
        "/infusion_provider/npi",
        "The vendor's NPI.",
        "What is the home-infusion vendor's NPI?",
        read=identifiers.npi,
        private=True,
    ),
    _asked(
        "care.place_of_service",
        CODE,
        "/care/place_of_service",
        "Where the therapy is given, as a place-of-service code; 12 is the home.",
        "What is the place of service (12 for the home)?",
        read=identifiers.place_of_service,
    ),
    _asked(
        "care.administered_by",
        CODE,
        "/care/administered_by",
        "Who gives the therapy.",
        "Who will give the therapy?",
        vocabulary=Administrator,
    ),
    _asked(
        "care.plan_of_care",
        BOOLEAN,
        "/care/plan_of_care",
        "The care follows a prescriber's plan of care.",
        "Is the member under a prescriber's plan of care?",
    ),
    _asked(
        "care.skilled_need",
        BOOLEAN,
        "/care/skilled_need",
        "The care needs a skilled person.",
        "Does the care need skilled staff?",
    ),
    _asked(
        "care.intermittent",
        BOOLEAN,
        "/care/intermittent",
        "The skilled care is intermittent.",
        "Is the skilled care intermittent?",
    ),
    _asked(
        "care.first_dose_at_home",
        BOOLEAN,
        "/care/first_dose_at_home",
        "The first dose of the drug is given at home.",
        "Will the first dose be given at home?",
    ),
    _asked(
        "care.anaphylaxis_order",
        BOOLEAN,
        "/care/anaphylaxis_order",
        "There is an order for treating anaphylaxis.",
        "Is there an anaphylaxis order?",
    ),
    _asked(
        "care.telephone",
        BOOLEAN,
        "/care/telephone",
        "There is a working telephone in the home.",
        "Is there a telephone in the home?",
    ),
    _asked(
        "clinical.weight",
        NUMBER,
        "/clinical/weight_kg",
        "The member's body weight.",
        "What is the member's weight in kilograms?",
        unit="kg",
    ),
    _asked(
        "clinical.weight_measured_on",
        DATE,
        "/clinical/weight_measured_on",
        "The day the member was weighed.",
        "When was the member weighed?",
    ),
    _asked(
        "clinical.height",
        NUMBER,
        "/clinical/height_cm",
        "The member's height.",
        "What is the member's height in centimetres?",
        unit="cm",
    ),
    _asked(
        "access.device",
        CODE,
        "/access/device",
        "The access through which the drug is given.",
        "What access device does the member have?",
        vocabulary=AccessDevice,
    ),
    _asked(
        "access.lumens",
        NUMBER,
        "/access/lumens",
        "How many lumens the access device has.",
        "How many lumens does the access device have?",
        unit="lumens",
        read=Decimal,
    ),
    _asked(
        "order.diagnoses",
        CODES,
        "/diagnoses",
        "All ICD-10-CM diagnosis codes of the order.",
        "Which diagnoses is the therapy for (ICD-10-CM)?",
        read=_diagnosis_codes,
    ),
    _asked(
        "order.primary_diagnosis",
        CODE,
        "/diagnoses",
        "The diagnosis that the therapy is for: the one marked primary, or the only one.",
        "Which diagnosis is the therapy for (mark it as primary)?",
        read=_primary,
    ),
    _asked(
        "line.stated_kind",
        CODE,
        "/lines/{line}/kind",
        "What the partner says the line is.",
        "Is the line a drug, a per diem, nutrition, nursing, a supply or a pump?",
        vocabulary=LineKind,
    ),
    _asked(
        "line.hcpcs",
        CODE,
        "/lines/{line}/hcpcs",
        "The line's HCPCS or CPT code.",
        "What is the line's HCPCS code?",
        read=identifiers.hcpcs,
    ),
    _asked(
        "line.ndc",
        CODE,
        "/lines/{line}/ndc",
        "The drug's National Drug Code in 11 digits.",
        "What is the drug's NDC?",
        read=identifiers.ndc,
    ),
    _asked(
        "line.stated_therapy",
        CODE,
        "/lines/{line}/therapy",
        "The therapy that the partner names; any text that is no therapy of the manual is `other`.",
        "Which therapy is the line for?",
        read=_therapy,
    ),
    _asked(
        "line.dose",
        STRUCTURE,
        "/lines/{line}/dose",
        "The dose of one administration, with its unit.",
        "What is the dose of one administration, with its unit?",
        read=_quantity,
    ),
    _asked(
        "line.route",
        CODE,
        "/lines/{line}/route",
        "The route of administration.",
        "By which route is the drug given?",
        vocabulary=Route,
    ),
    _asked(
        "line.frequency",
        STRUCTURE,
        "/lines/{line}/frequency",
        "How often the drug is given.",
        "How often is the drug given (for example `every 8 hours`)?",
        read=_frequency,
    ),
    _asked(
        "line.infusion_time",
        NUMBER,
        "/lines/{line}/infusion_hours",
        "How long one administration runs; 24 hours or more is continuous.",
        "How many hours does one administration run?",
        unit="hours",
    ),
    _asked(
        "line.daily_volume",
        NUMBER,
        "/lines/{line}/daily_volume_ml",
        "The volume given in a day.",
        "How many millilitres are given in a day?",
        unit="ml/day",
    ),
    _asked(
        "line.requires_admixture",
        BOOLEAN,
        "/lines/{line}/requires_admixture",
        "The drug must be admixed by a home-health provider or pharmacy.",
        "Must the drug be admixed by a home-health provider or pharmacy?",
    ),
    _asked(
        "line.vial_size",
        STRUCTURE,
        "/lines/{line}/vial_size",
        "The content of one vial, with its unit.",
        "What is the content of one vial, with its unit?",
        read=_quantity,
    ),
    _asked(
        "line.single_dose_container",
        BOOLEAN,
        "/lines/{line}/single_dose_container",
        "The drug comes in a single-dose container.",
        "Does the drug come in a single-dose container?",
    ),
    _asked(
        "line.units",
        NUMBER,
        "/lines/{line}/units",
        "The billing units as they will be billed.",
        "How many units will be billed?",
        unit="billing units",
        read=Decimal,
    ),
    _asked(
        "line.modifiers",
        CODES,
        "/lines/{line}/modifiers",
        "The modifiers as they will be billed.",
        "Which modifiers will be billed?",
        read=lambda modifiers: frozenset(modifier.upper() for modifier in modifiers),
    ),
    _asked(
        "line.billing_path",
        CODE,
        "/lines/{line}/billing_path",
        "Whether the line is billed on the medical or the pharmacy benefit.",
        "Will the line be billed on the medical or on the pharmacy benefit?",
        vocabulary=BillingPath,
    ),
    _asked(
        "line.date_of_service",
        DATE,
        "/lines/{line}/service_from",
        "The line's first date of service: rules and tables are judged on it.",
        "What is the line's first date of service?",
    ),
    _asked(
        "line.last_date_of_service",
        DATE,
        "/lines/{line}/service_to",
        "The line's last date of service.",
        "What is the line's last date of service?",
    ),
)
