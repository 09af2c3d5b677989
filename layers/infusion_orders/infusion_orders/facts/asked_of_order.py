"""The facts that a partner sends of the order, its member, and the care."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from infusion_orders.facts.asking import BOOLEAN, CODE, CODES, DATE, NUMBER, asked
from infusion_orders.orders import identifiers
from infusion_orders.orders.identifiers import InvalidIdentifier
from infusion_orders.orders.vocabularies import (
    AccessDevice,
    Administrator,
    LineOfBusiness,
    ProviderType,
    RiskArrangement,
    Urgency,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infusion_orders.facts.fact import Fact
    from infusion_orders.orders.order import Diagnosis

_PLAN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def _icd_10_cm_codes(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(identifiers.icd_10_cm(text) for text in texts)


def _conditions(texts: Iterable[str]) -> frozenset[str] | None:
    """An open case covers something: an empty list says no more than none."""
    return _icd_10_cm_codes(texts) or None


def _primary(diagnoses: tuple[Diagnosis, ...]) -> str | None:
    """The primary diagnosis: the one that is marked, or the only one that is not marked as another; else None."""
    marked = [diagnosis for diagnosis in diagnoses if diagnosis.primary]
    chosen = marked or [diagnosis for diagnosis in diagnoses if diagnosis.primary is None]
    if len(chosen) != 1 or chosen[0].code is None:
        return None
    return identifiers.icd_10_cm(chosen[0].code)


def _diagnosis_codes(diagnoses: tuple[Diagnosis, ...]) -> frozenset[str] | None:
    codes = [diagnosis.code for diagnosis in diagnoses if diagnosis.code is not None]
    well_formed = _icd_10_cm_codes(codes)
    return well_formed if len(codes) == len(diagnoses) else None


def _plan_id(text: str) -> str:
    """Ids that the plan gave out are shown in findings: a text that cannot be one is never shown."""
    if _PLAN_ID.fullmatch(text) is None:
        raise InvalidIdentifier("must be the plan's own id: letters, digits and . _ : - only, at most 64")
    return text


ASKED_OF_ORDER: tuple[Fact, ...] = (
    asked("order.ordered_on", DATE, "/ordered_on", "The day the order was written.", "When was the order written?"),
    asked(
        "order.urgency",
        CODE,
        "/urgency",
        "How soon an answer is needed.",
        "Is the order standard or expedited?",
        vocabulary=Urgency,
    ),
    asked(
        "submitter.provider_type",
        CODE,
        "/submitter/provider_type",
        "Which of the manual's four provider types sent the order.",
        "What type of provider sends the order?",
        vocabulary=ProviderType,
    ),
    asked(
        "submitter.npi",
        CODE,
        "/submitter/npi",
        "The sender's NPI.",
        "What is the NPI of the provider that sends the order?",
        read=identifiers.npi,
        private=True,
    ),
    asked(
        "member.mbi",
        CODE,
        "/member/mbi",
        "The member's Medicare beneficiary identifier.",
        "What is the member's Medicare beneficiary identifier?",
        read=identifiers.mbi,
        private=True,
    ),
    asked(
        "member.cin",
        CODE,
        "/member/cin",
        "The member's Medi-Cal client index number.",
        "What is the member's Medi-Cal client index number?",
        read=identifiers.cin,
        private=True,
    ),
    asked(
        "member.birth_date",
        DATE,
        "/member/birth_date",
        "The member's date of birth; rules speak of the age.",
        "What is the member's date of birth?",
        private=True,
    ),
    asked(
        "member.line_of_business",
        CODE,
        "/member/line_of_business",
        "The plan's line of business that the member belongs to.",
        "Which line of business does the member belong to?",
        vocabulary=LineOfBusiness,
    ),
    asked(
        "member.county",
        CODE,
        "/member/county",
        "The California county where the member lives.",
        "In which California county does the member live?",
        read=identifiers.county,
    ),
    asked(
        "medical_group.id",
        CODE,
        "/member/medical_group/id",
        "The participating physician group of the member.",
        "Which medical group (PPG) does the member belong to?",
        read=_plan_id,
    ),
    asked(
        "medical_group.risk_arrangement",
        CODE,
        "/member/medical_group/risk_arrangement",
        "The risk arrangement between the plan and the medical group, as sent.",
        "What is the medical group's risk arrangement with the plan?",
        vocabulary=RiskArrangement,
    ),
    asked(
        "member.ccs_open_case",
        BOOLEAN,
        "/member/ccs/open_case",
        "The member has an open California Children's Services case.",
        "Does the member have an open California Children's Services (CCS) case?",
    ),
    asked(
        "member.ccs_conditions",
        CODES,
        "/member/ccs/conditions",
        "ICD-10-CM codes of the open CCS case.",
        "Which diagnoses does the open CCS case cover?",
        read=_conditions,
    ),
    asked(
        "member.willing_to_learn",
        BOOLEAN,
        "/member/willing_to_learn",
        "The member is willing to learn to give the therapy.",
        "Is the member willing to learn to give the therapy?",
    ),
    asked(
        "member.homebound",
        BOOLEAN,
        "/member/homebound",
        "The member is confined to the home; recorded, and never counted against an order (M-3).",
        "Is the member homebound?",
    ),
    asked(
        "caregiver.present",
        BOOLEAN,
        "/caregiver/present",
        "A caregiver is in the home.",
        "Is a caregiver present in the home?",
    ),
    asked(
        "caregiver.willing",
        BOOLEAN,
        "/caregiver/willing",
        "The caregiver is willing to give the therapy.",
        "Is the caregiver willing to give the therapy?",
    ),
    asked(
        "caregiver.able",
        BOOLEAN,
        "/caregiver/able",
        "The caregiver is able to give the therapy.",
        "Is the caregiver able to give the therapy?",
    ),
    asked(
        "prescriber.npi",
        CODE,
        "/prescriber/npi",
        "The prescriber's NPI.",
        "What is the prescriber's NPI?",
        read=identifiers.npi,
        private=True,
    ),
    asked(
        "prescriber.signed_on",
        DATE,
        "/prescriber/signed_on",
        "The day the prescriber signed the prescription.",
        "When did the prescriber sign the prescription?",
    ),
    asked(
        "prescriber.ccs_paneled",
        BOOLEAN,
        "/prescriber/ccs_paneled",
        "The prescriber is on the CCS panel.",
        "Is the prescriber a CCS-paneled provider?",
    ),
    asked(
        "vendor.id",
        CODE,
        "/infusion_provider/vendor",
        "The home-infusion vendor that is to fill the order.",
        "Which home-infusion vendor is to fill the order?",
        read=lambda text: _plan_id(text).lower(),
    ),
    asked(
        "vendor.npi",
        CODE,
        "/infusion_provider/npi",
        "The vendor's NPI.",
        "What is the home-infusion vendor's NPI?",
        read=identifiers.npi,
        private=True,
    ),
    asked(
        "care.place_of_service",
        CODE,
        "/care/place_of_service",
        "Where the therapy is given, as a place-of-service code; 12 is the home.",
        "What is the place of service (12 for the home)?",
        read=identifiers.place_of_service,
    ),
    asked(
        "care.administered_by",
        CODE,
        "/care/administered_by",
        "Who gives the therapy.",
        "Who will give the therapy?",
        vocabulary=Administrator,
    ),
    asked(
        "care.plan_of_care",
        BOOLEAN,
        "/care/plan_of_care",
        "The care follows a prescriber's plan of care.",
        "Is the member under a prescriber's plan of care?",
    ),
    asked(
        "care.skilled_need",
        BOOLEAN,
        "/care/skilled_need",
        "The care needs a skilled person.",
        "Does the care need skilled staff?",
    ),
    asked(
        "care.intermittent",
        BOOLEAN,
        "/care/intermittent",
        "The skilled care is intermittent.",
        "Is the skilled care intermittent?",
    ),
    asked(
        "care.first_dose_at_home",
        BOOLEAN,
        "/care/first_dose_at_home",
        "The first dose of the drug is given at home.",
        "Will the first dose be given at home?",
    ),
    asked(
        "care.anaphylaxis_order",
        BOOLEAN,
        "/care/anaphylaxis_order",
        "There is an order for treating anaphylaxis.",
        "Is there an anaphylaxis order?",
    ),
    asked(
        "care.telephone",
        BOOLEAN,
        "/care/telephone",
        "There is a working telephone in the home.",
        "Is there a telephone in the home?",
    ),
    asked(
        "clinical.weight",
        NUMBER,
        "/clinical/weight_kg",
        "The member's body weight.",
        "What is the member's weight in kilograms?",
        unit="kg",
    ),
    asked(
        "clinical.weight_measured_on",
        DATE,
        "/clinical/weight_measured_on",
        "The day the member was weighed.",
        "When was the member weighed?",
    ),
    asked(
        "clinical.height",
        NUMBER,
        "/clinical/height_cm",
        "The member's height.",
        "What is the member's height in centimetres?",
        unit="cm",
    ),
    asked(
        "access.device",
        CODE,
        "/access/device",
        "The access through which the drug is given.",
        "What access device does the member have?",
        vocabulary=AccessDevice,
    ),
    asked(
        "access.lumens",
        NUMBER,
        "/access/lumens",
        "How many lumens the access device has.",
        "How many lumens does the access device have?",
        unit="lumens",
        read=Decimal,
    ),
    asked(
        "nutrition.energy",
        NUMBER,
        "/nutrition/energy_kcal_per_day",
        "The energy that the parenteral nutrition gives in a day.",
        "How many kilocalories does the parenteral nutrition give in a day?",
        unit="kcal/day",
    ),
    asked(
        "nutrition.protein",
        NUMBER,
        "/nutrition/protein_g_per_day",
        "The protein that the parenteral nutrition gives in a day.",
        "How many grams of protein does the parenteral nutrition give in a day?",
        unit="g/day",
    ),
    asked(
        "nutrition.amino_acids",
        NUMBER,
        "/nutrition/amino_acids_g_per_l",
        "The amino acids in the parenteral nutrition.",
        "How many grams of amino acids are in a litre of the parenteral nutrition?",
        unit="g/l",
    ),
    asked(
        "nutrition.dextrose",
        NUMBER,
        "/nutrition/dextrose_g_per_l",
        "The dextrose in the parenteral nutrition.",
        "How many grams of dextrose are in a litre of the parenteral nutrition?",
        unit="g/l",
    ),
    asked(
        "nutrition.cations",
        NUMBER,
        "/nutrition/cations_meq_per_l",
        "The cations in the parenteral nutrition.",
        "How many milliequivalents of cations are in a litre of the parenteral nutrition?",
        unit="meq/l",
    ),
    asked(
        "nutrition.documented_necessity",
        BOOLEAN,
        "/nutrition/documented_necessity",
        "Amounts outside the usual ranges are documented as medically necessary.",
        "Is it documented that amounts outside the usual ranges are medically necessary?",
    ),
    asked(
        "order.diagnoses",
        CODES,
        "/diagnoses",
        "All ICD-10-CM diagnosis codes of the order.",
        "Which diagnoses is the therapy for (ICD-10-CM)?",
        read=_diagnosis_codes,
    ),
    asked(
        "order.primary_diagnosis",
        CODE,
        "/diagnoses",
        "The diagnosis that the therapy is for: the one marked primary, or the only one.",
        "Which diagnosis is the therapy for (mark it as primary)?",
        read=_primary,
    ),
)
