"""Frequencies: any text is read or unclear, and administrations grow with the days."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from infusion_orders.orders.frequencies import Frequency, UnclearFrequency, administrations, parse_frequency
from infusion_orders.orders.order import Timing
from infusion_orders.orders.vocabularies import PeriodUnit
from tests.property.strategies import TIMINGS

WRITTEN = [
    "q5h",
    "BID",
    "every 36 hours",
    "q72h",
    "3 times a week",
    "every 8 weeks",
    "monthly",
    "every 3 months",
    "twice a month",
    "mon, thu",
    "once",
    "continuous",
]
FREQUENCIES = st.sampled_from(WRITTEN).map(parse_frequency)
FIRST_DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
ALPHABET = "every q0123456789.-hdwk/x, montimesad"


@given(st.text(max_size=64) | st.text(ALPHABET, max_size=24))
def test_any_text_is_a_frequency_or_unclear(text: str) -> None:
    try:
        frequency = parse_frequency(text)
    except UnclearFrequency:
        return
    assert administrations(frequency, date(2026, 1, 5), date(2027, 1, 4)) >= 1


@given(TIMINGS)
def test_any_timing_is_a_frequency_or_unclear(sent: dict[str, object]) -> None:
    try:
        frequency = parse_frequency(Timing.model_validate(sent))
    except (UnclearFrequency, ValidationError):
        return
    assert administrations(frequency, date(2026, 1, 5), date(2027, 1, 4)) >= 1


@given(st.integers(1, 8784))
def test_every_spelling_of_an_interval_is_the_same_frequency(hours: int) -> None:
    written = {parse_frequency(text) for text in (f"q{hours}h", f"Q {hours} HR", f"every {hours} hours")}

    assert written == {
        parse_frequency(Timing.model_validate({"period": hours, "periodUnit": PeriodUnit.HOUR.value})),
    }


@given(FREQUENCIES, FIRST_DAYS, st.integers(0, 800))
def test_longer_period_never_has_fewer_administrations(frequency: Frequency, first: date, days: int) -> None:
    last = first + timedelta(days=days)

    more = administrations(frequency, first, last + timedelta(days=1)) - administrations(frequency, first, last)

    assert 0 <= more <= 24


@given(FREQUENCIES, FIRST_DAYS)
def test_first_day_has_an_administration_unless_its_weekday_is_not_named(frequency: Frequency, first: date) -> None:
    assert administrations(frequency, first, first) >= (0 if frequency.days_of_week else 1)


@given(st.integers(1, 30), FIRST_DAYS, st.integers(0, 400))
def test_interval_of_days_is_counted_like_on_a_calendar(interval: int, first: date, days: int) -> None:
    given_on = [day for day in range(days + 1) if day % interval == 0]

    counted = administrations(parse_frequency(f"every {interval} days"), first, first + timedelta(days=days))

    assert counted == len(given_on)


@given(FIRST_DAYS, st.integers(0, 60))
def test_weekdays_are_counted_like_on_a_calendar(first: date, days: int) -> None:
    given_on = [day for day in range(days + 1) if (first + timedelta(days=day)).weekday() in (0, 3)]

    counted = administrations(parse_frequency("mon, thu"), first, first + timedelta(days=days))

    assert counted == len(given_on)
