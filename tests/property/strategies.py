"""Random orders over the whole contract, as JSON documents: sparse and full, with good and malformed identifiers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from infusion_orders.orders import vocabularies as words
from infusion_orders.orders.identifiers import COUNTIES
from tests.support.orders import optional_places, without

if TYPE_CHECKING:
    from enum import StrEnum

    from tests.support.orders import Document

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
MALFORMED = st.one_of(st.just(""), st.just("not a code"), st.text(max_size=64))
BOOLEANS = st.booleans()
DAYS = (st.dates(date(2025, 6, 27), date(2025, 7, 4)) | st.dates(date(2024, 1, 1), date(2027, 12, 31))).map(
    date.isoformat
)
"""Half of the days lie in the week in which vancomycin changed its code, so that lines overlap and cross it."""
BIRTH_DATES = st.dates(date(1925, 1, 1), date(2026, 12, 31)).map(date.isoformat)

NPIS = st.sampled_from(["1234567893", "1932104098", "1245319599"]) | MALFORMED
DIAGNOSIS_CODES = st.sampled_from(["K50.90", "k5090", "D83.9", "E84.0", "M05.79", "A41.9", "E11", "Z99.89"]) | MALFORMED
HCPCS_CODES = (
    st.sampled_from(
        """
        J1745 Q5103 J3370 J3373 J0696 J2270 J9190 J7030 J1569 J1580 S9359 S9338 S9494 S9500 S9501 S9502 S9326
        S9330 S9364 S9365 S9366 S9374 S9376 S9542 B4185 B4189 99601 99602 S9123 E0781 E0779 A4221 A4222 A4224 K0552
        J9999 V0001
        """.split()
    )
    | MALFORMED
)
FREQUENCY_TEXTS = (
    st.sampled_from(
        ["every 8 weeks", "q8h", "q24h", "QD", "BID", "weekly", "monthly", "mon, thu", "once", "continuous"]
    )
    | MALFORMED
)


def words_of(vocabulary: type[StrEnum]) -> st.SearchStrategy[str]:
    """The values of a closed vocabulary."""
    return st.sampled_from([word.value for word in vocabulary])


def amounts(least: str, most: str) -> st.SearchStrategy[int | str]:
    """Decimals as JSON whole numbers or as text; never floats, which would lose digits."""
    fractions = st.decimals(least, most, places=3, allow_nan=False, allow_infinity=False).map(
        lambda value: f"{value:f}"
    )
    return fractions | st.integers(1, 200)


def parts(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    """An object; each of its fields is sent, null or absent."""
    return st.fixed_dictionaries({}, optional={name: st.none() | value for name, value in optional.items()})


TIMINGS = parts(
    frequency=st.integers(1, 6),
    period=amounts("0.5", "12"),
    periodUnit=words_of(words.PeriodUnit),
    dayOfWeek=st.lists(words_of(words.DayOfWeek), min_size=1, max_size=7),
    count=st.integers(1, 30),
)

LINES = parts(
    kind=words_of(words.LineKind),
    hcpcs=HCPCS_CODES,
    ndc=st.sampled_from(["57894-030-01", "57894003001", "5789403001"]) | MALFORMED,
    drug=WORDS,
    therapy=st.sampled_from(["tpn", "anti_infective", "ivig", "anti_tnf", "chemotherapy", "gene therapy"]) | WORDS,
    dose=parts(value=amounts("0.001", "5000"), unit=words_of(words.DoseUnit)),
    route=words_of(words.Route),
    frequency=FREQUENCY_TEXTS | TIMINGS,
    infusion_hours=amounts("0.25", "48"),
    daily_volume_ml=amounts("1", "5000"),
    requires_admixture=BOOLEANS,
    vial_size=parts(value=amounts("0.001", "1000"), unit=words_of(words.AmountUnit)),
    single_dose_container=BOOLEANS,
    units=st.integers(1, 9999),
    modifiers=st.lists(st.sampled_from(["JA", "JB", "JW", "JZ", "SH", "SJ", "SS", "kx"]), max_size=4),
    billing_path=words_of(words.BillingPath),
    service_from=DAYS,
    service_to=DAYS,
)

MEMBERS = parts(
    mbi=st.sampled_from(["1EG4-TE5-MK73", "1eg4te5mk73"]) | MALFORMED,
    cin=st.sampled_from(["90000000A", "90000000A12345"]) | MALFORMED,
    birth_date=BIRTH_DATES,
    line_of_business=words_of(words.LineOfBusiness),
    county=st.sampled_from(COUNTIES) | MALFORMED,
    medical_group=parts(
        id=st.sampled_from(["PPG-0420", "PPG-0421"]) | MALFORMED,
        risk_arrangement=words_of(words.RiskArrangement),
    ),
    ccs=parts(open_case=BOOLEANS, conditions=st.lists(DIAGNOSIS_CODES, max_size=3)),
    willing_to_learn=BOOLEANS,
    homebound=BOOLEANS,
)

ORDERS = parts(
    ordered_on=DAYS,
    urgency=words_of(words.Urgency),
    submitter=parts(provider_type=words_of(words.ProviderType), npi=NPIS),
    caregiver=parts(present=BOOLEANS, willing=BOOLEANS, able=BOOLEANS),
    prescriber=parts(npi=NPIS, signed_on=DAYS, ccs_paneled=BOOLEANS),
    infusion_provider=parts(vendor=st.sampled_from(["coram", "acme-infusion"]) | MALFORMED, npi=NPIS),
    care=parts(
        place_of_service=st.sampled_from(["12", "11", "22"]) | MALFORMED,
        administered_by=words_of(words.Administrator),
        plan_of_care=BOOLEANS,
        skilled_need=BOOLEANS,
        intermittent=BOOLEANS,
        first_dose_at_home=BOOLEANS,
        anaphylaxis_order=BOOLEANS,
        telephone=BOOLEANS,
    ),
    clinical=parts(weight_kg=amounts("0.4", "300"), weight_measured_on=DAYS, height_cm=amounts("20", "230")),
    nutrition=parts(
        energy_kcal_per_day=amounts("0", "6000"),
        protein_g_per_day=amounts("0", "300"),
        amino_acids_g_per_l=amounts("0", "100"),
        dextrose_g_per_l=amounts("0", "350"),
        cations_meq_per_l=amounts("0", "200"),
        documented_necessity=BOOLEANS,
    ),
    access=parts(device=words_of(words.AccessDevice), lumens=st.integers(0, 3)),
    diagnoses=st.lists(parts(code=DIAGNOSIS_CODES, primary=BOOLEANS), max_size=3),
)


@st.composite
def orders(draw: st.DrawFn, *, most_lines: int = 4) -> Document:
    """Any valid order, from one with nothing but its three ids to one with every field."""
    lines = draw(st.lists(LINES, min_size=1, max_size=most_lines))
    return {
        "order_id": draw(st.from_regex(r"[A-Za-z0-9._:-]{1,64}", fullmatch=True)),
        **draw(ORDERS),
        "member": {"member_id": draw(WORDS), **draw(MEMBERS)},
        "lines": [{"line_id": str(number), **line} for number, line in enumerate(lines, start=1)],
    }


@st.composite
def partial(draw: st.DrawFn, document: Document) -> Document:
    """The order without some of its optional fields."""
    candidates = optional_places(document)
    return without(document, draw(st.sets(st.sampled_from(candidates))) if candidates else ())
