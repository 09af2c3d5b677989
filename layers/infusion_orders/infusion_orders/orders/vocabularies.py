"""The closed vocabularies of an order; their values are the words of the partner API."""

from enum import StrEnum


class Urgency(StrEnum):
    """How soon the partner needs an answer."""

    STANDARD = "standard"
    EXPEDITED = "expedited"


class ProviderType(StrEnum):
    """The four provider types that the manual's page is addressed to (M-12)."""

    PHYSICIAN = "physician"
    MEDICAL_GROUP = "medical_group"
    HOSPITAL = "hospital"
    ANCILLARY = "ancillary"


class LineOfBusiness(StrEnum):
    """The plan's product that covers the member."""

    MEDICARE_ADVANTAGE = "medicare_advantage"
    MEDI_CAL = "medi_cal"
    COMMERCIAL_HMO = "commercial_hmo"
    COMMERCIAL_PPO = "commercial_ppo"
    COMMERCIAL_EPO = "commercial_epo"


class RiskArrangement(StrEnum):
    """How the plan and the medical group share the cost of care."""

    SHARED_RISK = "shared_risk"
    DUAL_RISK = "dual_risk"
    FULL_RISK = "full_risk"
    FEE_FOR_SERVICE = "fee_for_service"


class Administrator(StrEnum):
    """Who gives the therapy (M-2)."""

    REGISTERED_NURSE = "registered_nurse"
    LICENSED_VOCATIONAL_NURSE = "licensed_vocational_nurse"
    MEMBER = "member"
    CAREGIVER = "caregiver"
    UNLICENSED_AIDE = "unlicensed_aide"
    OTHER = "other"


class AccessDevice(StrEnum):
    """The device through which a drug enters the body."""

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
    """What a service line bills."""

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
    """Units of an absolute amount; `unit` is the drug's own unit of activity and does not convert."""

    MG = "mg"
    G = "g"
    MCG = "mcg"
    UNIT = "unit"
    ML = "ml"
    MEQ = "meq"


class DoseUnit(StrEnum):
    """Units of a dose: an absolute amount, or one per kilogram of body weight."""

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
    """Units of time as FHIR writes them: seconds to years."""

    SECOND = "s"
    MINUTE = "min"
    HOUR = "h"
    DAY = "d"
    WEEK = "wk"
    MONTH = "mo"
    YEAR = "a"


class DayOfWeek(StrEnum):
    """Days of the week as FHIR writes them."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"
