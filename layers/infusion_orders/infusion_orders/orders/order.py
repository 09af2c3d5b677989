"""An order as a partner sends it (`POST /v1/orders/validate`).

Only `order_id`, `member.member_id`, `lines` and each `line_id` are required.  Everything else may be absent or null and
is then unknown.  Identifiers are kept as sent; `identifiers.py` checks them when the facts are read.

The description of a field appears in the OpenAPI document, and in docs/facts.md if the field is a fact.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from infusion_orders.orders.values import (
    Amount,
    CalendarDate,
    Centimetres,
    Coded,
    Concentration,
    DailyAmount,
    Hours,
    Identifier,
    Kilograms,
    Listed,
    Millilitres,
    Modifier,
    Name,
    OrderId,
    Part,
    Period,
    Text,
    optional,
)
from infusion_orders.orders.vocabularies import (
    AccessDevice,
    Administrator,
    AmountUnit,
    BillingPath,
    DayOfWeek,
    DoseUnit,
    LineKind,
    LineOfBusiness,
    PeriodUnit,
    ProviderType,
    RiskArrangement,
    Route,
    Urgency,
)


class Submitter(Part):
    """Who sends the order."""

    provider_type: Coded[ProviderType] | None = optional("Which of the manual's provider types sends the order (M-12).")
    npi: Identifier | None = optional("The sender's National Provider Identifier.")


class MedicalGroup(Part):
    """The participating physician group (PPG) that the member is assigned to."""

    id: Identifier | None = optional("The plan's id of the medical group.")
    risk_arrangement: Coded[RiskArrangement] | None = optional(
        "How the medical group and the plan share the cost of care."
    )


class ChildrensServices(Part):
    """The member's case at California Children's Services (CCS)."""

    open_case: bool | None = optional("Whether the member has an open CCS case.")
    conditions: Listed[Identifier] | None = optional(
        "ICD-10-CM codes of the conditions that the open CCS case covers.", max_length=50
    )


class Member(Part):
    """The person the therapy is for."""

    member_id: Name = Field(description="The plan's id of the member.")
    mbi: Identifier | None = optional("The member's Medicare Beneficiary Identifier (MBI); dashes are allowed.")
    cin: Identifier | None = optional(
        "The member's Medi-Cal Client Index Number (CIN), or the number on the card (BIC)."
    )
    birth_date: CalendarDate | None = optional("The member's date of birth.")
    line_of_business: Coded[LineOfBusiness] | None = optional("The plan's product that covers the member.")
    county: Identifier | None = optional("The California county where the member lives.")
    medical_group: MedicalGroup | None = optional("The member's medical group; PPO and EPO members have none.")
    ccs: ChildrensServices | None = optional("California Children's Services, for members under 21.")
    willing_to_learn: bool | None = optional("Whether the member is willing to learn to give the therapy (M-5).")
    homebound: bool | None = optional(
        "Whether the member is homebound; recorded, and never counted against the order (M-3)."
    )


class Caregiver(Part):
    """Someone at home who could give the therapy (M-5)."""

    present: bool | None = optional("Whether there is a caregiver in the home.")
    willing: bool | None = optional("Whether the caregiver is willing to give the therapy.")
    able: bool | None = optional("Whether the caregiver is able to give the therapy.")


class Prescriber(Part):
    """Who prescribed the therapy (M-1)."""

    npi: Identifier | None = optional("The prescriber's National Provider Identifier.")
    signed_on: CalendarDate | None = optional("The day on which the prescription was signed.")
    ccs_paneled: bool | None = optional("Whether the prescriber is on the CCS panel.")


class InfusionProvider(Part):
    """The vendor that will fill the order (M-8)."""

    vendor: Identifier | None = optional(
        "The plan's id of the home-infusion vendor that will fill the order, such as `coram`."
    )
    npi: Identifier | None = optional("The vendor's National Provider Identifier.")


class Care(Part):
    """Where and how the therapy is given (M-1, M-2, M-4)."""

    place_of_service: Identifier | None = optional(
        "Where the therapy is given, as a two-digit place-of-service code; 12 is the home."
    )
    administered_by: Coded[Administrator] | None = optional("Who gives the therapy.")
    plan_of_care: bool | None = optional("Whether the care follows a prescriber's plan of care.")
    skilled_need: bool | None = optional("Whether the care needs skilled staff.")
    intermittent: bool | None = optional("Whether the skilled care is intermittent.")
    first_dose_at_home: bool | None = optional("Whether the first dose is given at home.")
    anaphylaxis_order: bool | None = optional("Whether there is an order for treating anaphylaxis.")
    telephone: bool | None = optional("Whether there is a working telephone in the home.")


class Clinical(Part):
    """Body measures."""

    weight_kg: Kilograms | None = optional("The member's body weight in kilograms.")
    weight_measured_on: CalendarDate | None = optional("The day on which the member was weighed.")
    height_cm: Centimetres | None = optional("The member's body height in centimetres.")


class Access(Part):
    """The access device through which the drug is given."""

    device: Coded[AccessDevice] | None = optional(
        "The access device through which the drug is given; `none` if there is none."
    )
    lumens: int | None = optional("How many lumens the access device has.", ge=0, le=10)


class Nutrition(Part):
    """The contents of the member's parenteral nutrition; other therapies do not need it."""

    energy_kcal_per_day: DailyAmount | None = optional("The energy of the parenteral nutrition in kilocalories a day.")
    protein_g_per_day: DailyAmount | None = optional("The protein of the parenteral nutrition in grams a day.")
    amino_acids_g_per_l: Concentration | None = optional(
        "The amino acids of the parenteral nutrition in grams per litre."
    )
    dextrose_g_per_l: Concentration | None = optional("The dextrose of the parenteral nutrition in grams per litre.")
    cations_meq_per_l: Concentration | None = optional(
        "The cations of the parenteral nutrition in milliequivalents per litre."
    )
    documented_necessity: bool | None = optional(
        "Whether amounts outside the usual ranges are documented as medically necessary."
    )


class Diagnosis(Part):
    """A diagnosis that the therapy is for."""

    code: Identifier | None = optional("The ICD-10-CM code, with or without its dot.")
    primary: bool | None = optional("Whether this is the primary diagnosis; mark one.")


class Dose(Part):
    """The dose of one administration."""

    value: Amount | None = optional("How much, in `unit`.")
    unit: Coded[DoseUnit] | None = optional("The unit of the dose; `/kg` is per kilogram of body weight.")


class VialSize(Part):
    """The content of one vial or other container."""

    value: Amount | None = optional("How much, in `unit`.")
    unit: Coded[AmountUnit] | None = optional("The unit of the content.")


class Timing(Part):
    """How often a drug is given, as in FHIR's `Timing.repeat`: `frequency` times in `period` `periodUnit`s."""

    frequency: int | None = optional("How many times within the period; 1 if left out.", ge=1, le=1000)
    period: Period | None = optional("How long the period is, in `periodUnit`.")
    periodUnit: Coded[PeriodUnit] | None = optional("The unit of the period.")  # noqa: N815 - FHIR's name
    dayOfWeek: Listed[Coded[DayOfWeek]] | None = Field(  # noqa: N815 - FHIR's name
        None, min_length=1, max_length=7, description="The days of the week on which the drug is given."
    )
    count: int | None = optional("How many times in all; a count of 1 and nothing else means once.", ge=1, le=10_000)


def _kind_of_frequency(value: Any) -> str | None:
    if isinstance(value, str):
        return "text"
    return "timing" if isinstance(value, dict | Timing) else None


Frequency = Annotated[
    Annotated[Identifier, Tag("text")] | Annotated[Timing, Tag("timing")],
    Discriminator(
        _kind_of_frequency,
        custom_error_type="frequency_form",
        custom_error_message="must be a text or a timing object",
    ),
]


class ServiceLine(Part):
    """One billed item: a drug, a per diem, nursing, a supply, a pump."""

    line_id: Name = Field(description="The partner's id of the line, unique within the order.")
    kind: Coded[LineKind] | None = optional("What the line bills.")
    hcpcs: Identifier | None = optional("The line's HCPCS or CPT code.")
    ndc: Identifier | None = optional("The drug's National Drug Code; 11 digits, or 10 with their dashes.")
    drug: Text | None = optional("The drug's name.")
    therapy: Name | None = optional(
        "The therapy, such as `ivig`, where the code does not determine it; other texts count as `other`."
    )
    dose: Dose | None = optional("The dose of one administration.")
    route: Coded[Route] | None = optional("The route of administration.")
    frequency: Frequency | None = optional(
        "How often the drug is given: a text such as `every 8 hours`, or FHIR's `Timing.repeat` object."
    )
    infusion_hours: Hours | None = optional("How many hours one administration runs; 24 or more is continuous.")
    daily_volume_ml: Millilitres | None = optional("How many millilitres are given in a day.")
    requires_admixture: bool | None = optional("Whether a home-health provider or pharmacy must admix the drug (M-6).")
    vial_size: VialSize | None = optional("The content of one vial, with its unit.")
    single_dose_container: bool | None = optional("Whether the drug comes in single-dose containers.")
    units: int | None = optional("The billing units that will be billed.", ge=1, le=1_000_000)
    modifiers: Listed[Modifier] | None = optional("The modifiers that will be billed.", max_length=4)
    billing_path: Coded[BillingPath] | None = optional("The benefit on which the line is billed.")
    service_from: CalendarDate | None = optional("The first date of service: rules and tables are those of this day.")
    service_to: CalendarDate | None = optional("The last date of service, inclusive.")


def _distinct_line_ids(lines: tuple[ServiceLine, ...]) -> tuple[ServiceLine, ...]:
    seen: dict[str, int] = {}
    for index, line in enumerate(lines):
        first = seen.setdefault(line.line_id, index)
        if first != index:
            raise PydanticCustomError("repeated_line_id", "is repeated", {"index": index, "first": first})
    return lines


class Order(Part):
    """A home-infusion order with its service lines."""

    order_id: OrderId = Field(description="The partner's own id of the order.")
    ordered_on: CalendarDate | None = optional("The day on which the order was written.")
    urgency: Annotated[
        Coded[Urgency],
        BeforeValidator(
            lambda value: Urgency.STANDARD if value is None else value, json_schema_input_type=Coded[Urgency] | None
        ),
    ] = Field(Urgency.STANDARD, description="How soon the partner needs an answer.")
    submitter: Submitter | None = optional("Who sends the order.")
    member: Member = Field(description="Who the order is for.")
    caregiver: Caregiver | None = optional("Someone at home who could give the therapy.")
    prescriber: Prescriber | None = optional("Who prescribed the therapy.")
    infusion_provider: InfusionProvider | None = optional("The vendor that will fill the order.")
    care: Care | None = optional("Where and how the therapy is given.")
    clinical: Clinical | None = optional("Body measures.")
    access: Access | None = optional("The access device through which the drug is given.")
    nutrition: Nutrition | None = optional("The contents of the parenteral nutrition.")
    diagnoses: Listed[Diagnosis] | None = optional("The ICD-10-CM diagnoses that the therapy is for.", max_length=50)
    lines: Annotated[Listed[ServiceLine], Field(min_length=1, max_length=100), AfterValidator(_distinct_line_ids)] = (
        Field(description="The billed items, 1 to 100.")
    )
