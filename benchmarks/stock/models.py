"""The order and the decision of the contract as plain pydantic models.

They stand here once more on purpose: the stock handler's layer has none of our package in it.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Amount = Annotated[Decimal, Field(gt=0, le=1_000_000_000_000)]
DailyAmount = Annotated[Decimal, Field(ge=0, le=100_000)]
Concentration = Annotated[Decimal, Field(ge=0, le=10_000)]


class Urgency(StrEnum):
    """How soon an answer is needed."""

    STANDARD = "standard"
    EXPEDITED = "expedited"


class ProviderType(StrEnum):
    """Who sends the order."""

    PHYSICIAN = "physician"
    MEDICAL_GROUP = "medical_group"
    HOSPITAL = "hospital"
    ANCILLARY = "ancillary"


class LineOfBusiness(StrEnum):
    """The product that covers the member."""

    MEDICARE_ADVANTAGE = "medicare_advantage"
    MEDI_CAL = "medi_cal"
    COMMERCIAL_HMO = "commercial_hmo"
    COMMERCIAL_PPO = "commercial_ppo"
    COMMERCIAL_EPO = "commercial_epo"


class RiskArrangement(StrEnum):
    """How group and plan share the cost."""

    SHARED_RISK = "shared_risk"
    DUAL_RISK = "dual_risk"
    FULL_RISK = "full_risk"
    FEE_FOR_SERVICE = "fee_for_service"


class Administrator(StrEnum):
    """Who gives the therapy."""

    REGISTERED_NURSE = "registered_nurse"
    LICENSED_VOCATIONAL_NURSE = "licensed_vocational_nurse"
    MEMBER = "member"
    CAREGIVER = "caregiver"
    UNLICENSED_AIDE = "unlicensed_aide"
    OTHER = "other"


class AccessDevice(StrEnum):
    """The way into the body."""

    PERIPHERAL = "peripheral"
    MIDLINE = "midline"
    PICC = "picc"
    TUNNELED = "tunneled"
    PORT = "port"
    EPIDURAL = "epidural"
    INTRATHECAL = "intrathecal"
    SUBCUTANEOUS = "subcutaneous"
    NONE = "none"


class LineKind(StrEnum):
    """What a line bills."""

    DRUG = "drug"
    PER_DIEM = "per_diem"
    NUTRITION = "nutrition"
    NURSING = "nursing"
    SUPPLY = "supply"
    PUMP = "pump"


class Route(StrEnum):
    """Route of administration."""

    IV = "IV"
    SC = "SC"
    IM = "IM"
    INH = "INH"
    EPIDURAL = "EPIDURAL"
    INTRATHECAL = "INTRATHECAL"
    PO = "PO"
    OTHER = "OTHER"


class BillingPath(StrEnum):
    """The benefit that a line is billed on."""

    MEDICAL = "medical"
    PHARMACY = "pharmacy"


class AmountUnit(StrEnum):
    """Units of an amount."""

    MG = "mg"
    G = "g"
    MCG = "mcg"
    UNIT = "unit"
    ML = "ml"
    MEQ = "meq"


class DoseUnit(StrEnum):
    """Units of a dose."""

    MG = "mg"
    G = "g"
    MCG = "mcg"
    UNIT = "unit"
    ML = "ml"
    MEQ = "meq"
    MG_PER_KG = "mg/kg"
    G_PER_KG = "g/kg"
    MCG_PER_KG = "mcg/kg"
    UNIT_PER_KG = "unit/kg"
    ML_PER_KG = "ml/kg"
    MEQ_PER_KG = "meq/kg"


class PeriodUnit(StrEnum):
    """Units of time."""

    SECOND = "s"
    MINUTE = "min"
    HOUR = "h"
    DAY = "d"
    WEEK = "wk"
    MONTH = "mo"
    YEAR = "a"


class DayOfWeek(StrEnum):
    """Days of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class Part(BaseModel):
    """Closed to fields that the contract does not have."""

    model_config = ConfigDict(extra="forbid")


class Submitter(Part):
    """Who sends the order."""

    provider_type: ProviderType | None = None
    npi: Identifier | None = None


class MedicalGroup(Part):
    """The member's medical group."""

    id: Identifier | None = None
    risk_arrangement: RiskArrangement | None = None


class ChildrensServices(Part):
    """What is known at California Children's Services."""

    open_case: bool | None = None
    conditions: list[Identifier] | None = Field(None, max_length=50)


class Member(Part):
    """The person the therapy is for."""

    member_id: Name
    mbi: Identifier | None = None
    cin: Identifier | None = None
    birth_date: date | None = None
    line_of_business: LineOfBusiness | None = None
    county: Identifier | None = None
    medical_group: MedicalGroup | None = None
    ccs: ChildrensServices | None = None
    willing_to_learn: bool | None = None
    homebound: bool | None = None


class Caregiver(Part):
    """Someone at home."""

    present: bool | None = None
    willing: bool | None = None
    able: bool | None = None


class Prescriber(Part):
    """Who prescribed."""

    npi: Identifier | None = None
    signed_on: date | None = None
    ccs_paneled: bool | None = None


class InfusionProvider(Part):
    """Who fills the order."""

    vendor: Identifier | None = None
    npi: Identifier | None = None


class Care(Part):
    """Where and how."""

    place_of_service: Identifier | None = None
    administered_by: Administrator | None = None
    plan_of_care: bool | None = None
    skilled_need: bool | None = None
    intermittent: bool | None = None
    first_dose_at_home: bool | None = None
    anaphylaxis_order: bool | None = None
    telephone: bool | None = None


class Clinical(Part):
    """Body measures."""

    weight_kg: Annotated[Decimal, Field(gt=0, le=1000)] | None = None
    weight_measured_on: date | None = None
    height_cm: Annotated[Decimal, Field(gt=0, le=300)] | None = None


class Access(Part):
    """The access that the drug goes through."""

    device: AccessDevice | None = None
    lumens: int | None = Field(None, ge=0, le=10)


class Nutrition(Part):
    """What parenteral nutrition holds."""

    energy_kcal_per_day: DailyAmount | None = None
    protein_g_per_day: DailyAmount | None = None
    amino_acids_g_per_l: Concentration | None = None
    dextrose_g_per_l: Concentration | None = None
    cations_meq_per_l: Concentration | None = None
    documented_necessity: bool | None = None


class Diagnosis(Part):
    """A diagnosis."""

    code: Identifier | None = None
    primary: bool | None = None


class Dose(Part):
    """One administration."""

    value: Amount | None = None
    unit: DoseUnit | None = None


class VialSize(Part):
    """One container."""

    value: Amount | None = None
    unit: AmountUnit | None = None


class Timing(Part):
    """How often."""

    frequency: int | None = Field(None, ge=1, le=1000)
    period: Annotated[Decimal, Field(gt=0, le=1_000_000)] | None = None
    period_unit: PeriodUnit | None = Field(None, alias="periodUnit")
    day_of_week: list[DayOfWeek] | None = Field(None, alias="dayOfWeek", min_length=1, max_length=7)
    count: int | None = Field(None, ge=1, le=10_000)


class ServiceLine(Part):
    """One billed item."""

    line_id: Name
    kind: LineKind | None = None
    hcpcs: Identifier | None = None
    ndc: Identifier | None = None
    drug: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    therapy: Name | None = None
    dose: Dose | None = None
    route: Route | None = None
    frequency: Identifier | Timing | None = None
    infusion_hours: Annotated[Decimal, Field(gt=0, le=9000)] | None = None
    daily_volume_ml: Annotated[Decimal, Field(gt=0, le=100_000)] | None = None
    requires_admixture: bool | None = None
    vial_size: VialSize | None = None
    single_dose_container: bool | None = None
    units: int | None = Field(None, ge=1, le=1_000_000)
    modifiers: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9]{2}$")]] | None = Field(None, max_length=4)
    billing_path: BillingPath | None = None
    service_from: date | None = None
    service_to: date | None = None


class Order(Part):
    """A home-infusion order with its service lines."""

    order_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
    ordered_on: date | None = None
    urgency: Urgency = Urgency.STANDARD
    submitter: Submitter | None = None
    member: Member
    caregiver: Caregiver | None = None
    prescriber: Prescriber | None = None
    infusion_provider: InfusionProvider | None = None
    care: Care | None = None
    clinical: Clinical | None = None
    access: Access | None = None
    nutrition: Nutrition | None = None
    diagnoses: list[Diagnosis] | None = Field(None, max_length=50)
    lines: list[ServiceLine] = Field(min_length=1, max_length=100)


class Outcome(StrEnum):
    """Of a line or an order."""

    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    REDIRECTED = "redirected"
    NEEDS_REVIEW = "needs_review"
    NEEDS_INFORMATION = "needs_information"
    INDETERMINATE = "indeterminate"


class RuleSetReference(Part):
    """The version that the decision rests on."""

    name: str
    version: int
    digest: str
    age_seconds: int = 0


class ResponsibleParty(Part):
    """Who is responsible for a line."""

    party: str
    because: str | None = None


class Billing(Part):
    """Billing units."""

    units_per_administration: int | None = None
    administrations: int | None = None
    units: int | None = None
    waste_units: int | None = None


class LineDecision(Part):
    """One line's outcome."""

    line_id: str
    outcome: Outcome
    therapy: str | None = None
    dofr_category: str | None = None
    responsible_party: ResponsibleParty | None = None
    billing: Billing | None = None
    findings: list[str] = []


class Action(Part):
    """What the partner can do."""

    action: str
    vendor: str | None = None
    lines: list[str]
    because: str


class Question(Part):
    """What would settle the order."""

    pointers: list[str]
    ask: str
    reason: str
    hint: str | None = None
    because: list[str]
    or_: list[str] = Field([], alias="or")


class Citation(Part):
    """Where a rule is written."""

    document: str
    topic: str | None = None
    section: str | None = None
    updated: date | None = None
    basis: str


class Finding(Part):
    """A rule that was not satisfied."""

    rule: str
    clause: str | None = None
    effect: str
    verdict: str
    lines: list[str]
    message: str
    remedy: str | None = None
    observed: dict[str, Any]
    pointers: list[str]
    citation: Citation


class Clock(Part):
    """When an answer is due."""

    answer_due: str
    starts: str
    basis: str
    citation: str


class Receipt(Part):
    """Digests of facts and decision."""

    facts: str
    decision: str


class Decision(Part):
    """The answer to an order."""

    decision_id: str
    order_id: str
    as_of: date
    outcome: Outcome
    ruleset: RuleSetReference
    lines: list[LineDecision]
    actions: list[Action] = []
    questions: list[Question] = []
    findings: list[Finding] = []
    clock: Clock | None = None
    receipt: Receipt
