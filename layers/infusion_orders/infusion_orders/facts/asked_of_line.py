"""The facts that a partner sends of each service line."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.asking import BOOLEAN, CODE, CODES, DATE, NUMBER, STRUCTURE, asked
from infusion_orders.facts.quantity import Quantity
from infusion_orders.orders import identifiers
from infusion_orders.orders.frequencies import Frequency, UnclearFrequency, parse_frequency
from infusion_orders.orders.identifiers import InvalidIdentifier
from infusion_orders.orders.vocabularies import BillingPath, LineKind, Route

if TYPE_CHECKING:
    from infusion_orders.facts.fact import Fact

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


def _quantity(amount: Any) -> Quantity | None:
    return None if amount.value is None or amount.unit is None else Quantity(amount.value, amount.unit.value)


def _frequency(value: Any) -> Any:
    try:
        return parse_frequency(value)
    except UnclearFrequency as unclear:
        raise InvalidIdentifier(str(unclear)) from None


def _therapy(text: str) -> str:
    word = text.strip().lower().replace("-", "_").replace(" ", "_")
    return word if word in THERAPIES else "other"


ASKED_OF_LINE: tuple[Fact, ...] = (
    asked(
        "line.stated_kind",
        CODE,
        "/lines/{line}/kind",
        "What the partner says the line is.",
        "Is the line a drug, a per diem, nutrition, nursing, a supply or a pump?",
        vocabulary=LineKind,
    ),
    asked(
        "line.hcpcs",
        CODE,
        "/lines/{line}/hcpcs",
        "The line's HCPCS or CPT code.",
        "What is the line's HCPCS code?",
        read=identifiers.hcpcs,
    ),
    asked(
        "line.ndc",
        CODE,
        "/lines/{line}/ndc",
        "The drug's National Drug Code in 11 digits.",
        "What is the drug's NDC?",
        read=identifiers.ndc,
    ),
    asked(
        "line.stated_therapy",
        CODE,
        "/lines/{line}/therapy",
        "The therapy that the partner names; any text that is no therapy of the manual is `other`.",
        "Which therapy is the line for?",
        read=_therapy,
    ),
    asked(
        "line.dose",
        STRUCTURE,
        "/lines/{line}/dose",
        "The dose of one administration, with its unit.",
        "What is the dose of one administration, with its unit?",
        read=_quantity,
        structure=Quantity,
    ),
    asked(
        "line.route",
        CODE,
        "/lines/{line}/route",
        "The route of administration.",
        "By which route is the drug given?",
        vocabulary=Route,
    ),
    asked(
        "line.frequency",
        STRUCTURE,
        "/lines/{line}/frequency",
        "How often the drug is given.",
        "How often is the drug given (for example `every 8 hours`)?",
        read=_frequency,
        structure=Frequency,
    ),
    asked(
        "line.infusion_time",
        NUMBER,
        "/lines/{line}/infusion_hours",
        "How long one administration runs; 24 hours or more is continuous.",
        "How many hours does one administration run?",
        unit="hours",
    ),
    asked(
        "line.daily_volume",
        NUMBER,
        "/lines/{line}/daily_volume_ml",
        "The volume given in a day.",
        "How many millilitres are given in a day?",
        unit="ml/day",
    ),
    asked(
        "line.requires_admixture",
        BOOLEAN,
        "/lines/{line}/requires_admixture",
        "The drug must be admixed by a home-health provider or pharmacy.",
        "Must the drug be admixed by a home-health provider or pharmacy?",
    ),
    asked(
        "line.vial_size",
        STRUCTURE,
        "/lines/{line}/vial_size",
        "The content of one vial, with its unit.",
        "What is the content of one vial, with its unit?",
        read=_quantity,
        structure=Quantity,
    ),
    asked(
        "line.single_dose_container",
        BOOLEAN,
        "/lines/{line}/single_dose_container",
        "The drug comes in a single-dose container.",
        "Does the drug come in a single-dose container?",
    ),
    asked(
        "line.units",
        NUMBER,
        "/lines/{line}/units",
        "The billing units as they will be billed.",
        "How many units will be billed?",
        unit="billing units",
        read=Decimal,
    ),
    asked(
        "line.modifiers",
        CODES,
        "/lines/{line}/modifiers",
        "The modifiers as they will be billed.",
        "Which modifiers will be billed?",
        read=lambda modifiers: frozenset(modifier.upper() for modifier in modifiers),
    ),
    asked(
        "line.billing_path",
        CODE,
        "/lines/{line}/billing_path",
        "Whether the line is billed on the medical or the pharmacy benefit.",
        "Will the line be billed on the medical or on the pharmacy benefit?",
        vocabulary=BillingPath,
    ),
    asked(
        "line.date_of_service",
        DATE,
        "/lines/{line}/service_from",
        "The line's first date of service: rules and tables are judged on it.",
        "What is the line's first date of service?",
    ),
    asked(
        "line.last_date_of_service",
        DATE,
        "/lines/{line}/service_to",
        "The line's last date of service.",
        "What is the line's last date of service?",
    ),
)
