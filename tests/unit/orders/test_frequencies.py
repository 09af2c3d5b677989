"""Frequencies: every way of writing one has one canonical form, and a number of administrations between two days."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from infusion_orders.orders.frequencies import Frequency, Recurrence, UnclearFrequency, administrations, parse_frequency
from infusion_orders.orders.order import Timing
from infusion_orders.orders.vocabularies import DayOfWeek

MON, TUE, WED, THU, FRI = DayOfWeek.MON, DayOfWeek.TUE, DayOfWeek.WED, DayOfWeek.THU, DayOfWeek.FRI


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("every 8 hours", 8),
        ("Every 8 Hours", 8),
        ("every eight hours", 8),
        ("  q8h ", 8),
        ("Q 8 H", 8),
        ("q8hr", 8),
        ("q24h", 24),
        ("q48h", 48),
        ("q72h", 72),
        ("every hour", 1),
        ("daily", 24),
        ("once daily", 24),
        ("once a day", 24),
        ("every day", 24),
        ("at bedtime", 24),
        ("BID", 12),
        ("b.i.d.", 12),
        ("twice daily", 12),
        ("TID", 8),
        ("three times per day", 8),
        ("QID", 6),
        ("4x/day", 6),
        ("every other day", 48),
        ("weekly", 168),
        ("every week", 168),
        ("once per week", 168),
        ("every 8 weeks", 1344),
        ("once every 8 weeks", 1344),
        ("q8wk", 1344),
        ("q8w", 1344),
        ("every other week", 336),
        ("fortnightly", 336),
        ("hourly", 1),
        ("nightly", 24),
        ("3 times a week", 56),
        ("every 90 min", Fraction(3, 2)),
        ("every 1.5 days", 36),
        ("every 366 days", 8784),
    ],
)
def test_an_interval_in_words_is_read_as_hours(text: str, hours: int | Fraction) -> None:
    frequency = parse_frequency(text)

    assert frequency.recurrence is Recurrence.PERIODIC
    assert frequency.interval_hours == hours
    assert frequency.warnings == ()


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("monthly", 1),
        ("every month", 1),
        ("once a month", 1),
        ("every 3 months", 3),
        ("quarterly", 3),
        ("every other month", 2),
        ("yearly", 12),
    ],
)
def test_months_are_calendar_months_and_not_hours(text: str, months: int) -> None:
    frequency = parse_frequency(text)

    assert (frequency.times, frequency.period_months) == (1, months)
    assert frequency.interval_hours is None


@pytest.mark.parametrize("text", ["once", "ONE TIME", "single dose", "stat", "x1"])
def test_once_has_one_administration(text: str) -> None:
    assert parse_frequency(text) == Frequency(Recurrence.ONCE)


def test_continuous_has_one_administration_a_day() -> None:
    assert parse_frequency("continuous") == Frequency(Recurrence.CONTINUOUS)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon, wed and fri", (MON, WED, FRI)),
        ("Fri, Mon, and Wed", (MON, WED, FRI)),
        ("M/W/F", (MON, WED, FRI)),
        ("tue/thu", (TUE, THU)),
        ("every Monday", (MON,)),
        ("on Mondays", (MON,)),
        ("weekly on Thursday", (THU,)),
        ("mon mon", (MON,)),
    ],
)
def test_days_of_the_week_are_listed_from_monday(text: str, days: tuple[DayOfWeek, ...]) -> None:
    assert parse_frequency(text) == Frequency(Recurrence.WEEKDAYS, days_of_week=days)


@pytest.mark.parametrize(
    ("text", "plain", "advice"),
    [
        ("QD", "daily", "write `daily`"),
        ("q.d.", "daily", "write `daily`"),
        ("QOD", "every other day", "write `every other day`"),
        ("qhs", "at bedtime", "write `at bedtime`"),
        ("every 2.0 days", "every 2 days", "zero"),
        ("every .5 hours", "every 30 minutes", "point"),
        ("q.5h", "every 30 minutes", "point"),
    ],
)
def test_easily_misread_text_is_accepted_with_a_warning(text: str, plain: str, advice: str) -> None:
    frequency = parse_frequency(text)

    assert frequency == parse_frequency(plain)
    assert advice in " ".join(frequency.warnings)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "canary 4711",
        "as directed",
        "PRN",
        "q8h prn",
        "biweekly",
        "bimonthly",
        "OD",
        "TIW",
        "q4-6h",
        "q8",
        "q8m",
        "q6h x 10 days",
        "every 0 hours",
        "0 times a day",
        "1001 times a day",
        "every 367 days",
        "every 13 months",
        "every 1.5 months",
        "every -2 days",
        "mon, someday",
        "q\u0668h",
    ],
)
def test_text_without_one_reading_is_unclear_and_not_repeated(text: str) -> None:
    with pytest.raises(UnclearFrequency) as unclear:
        parse_frequency(text)

    assert "canary" not in str(unclear.value)
    assert "4711" not in str(unclear.value)


def test_two_readings_are_both_named() -> None:
    with pytest.raises(UnclearFrequency, match="twice a week or every 2 weeks"):
        parse_frequency("biweekly")


@pytest.mark.parametrize(
    ("timing", "text"),
    [
        ({"frequency": 3, "period": 1, "periodUnit": "d"}, "TID"),
        ({"period": 8, "periodUnit": "h"}, "q8h"),
        ({"frequency": 1, "period": 8, "periodUnit": "wk"}, "every 8 weeks"),
        ({"period": 30, "periodUnit": "min"}, "every 30 minutes"),
        ({"period": 7200, "periodUnit": "s"}, "q2h"),
        ({"period": "1.5", "periodUnit": "d"}, "q36h"),
        ({"period": 1, "periodUnit": "mo"}, "monthly"),
        ({"period": 1, "periodUnit": "a"}, "yearly"),
        ({"dayOfWeek": ["fri", "mon"]}, "mon, fri"),
        ({"frequency": 2, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "fri"]}, "mon, fri"),
        ({"frequency": 1, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "fri"]}, "mon, fri"),
        ({"count": 1}, "once"),
    ],
)
def test_a_fhir_timing_is_the_same_as_its_text(timing: dict[str, Any], text: str) -> None:
    assert parse_frequency(Timing.model_validate(timing)) == parse_frequency(text)


@pytest.mark.parametrize(
    "timing",
    [
        {},
        {"frequency": 3},
        {"period": 8},
        {"periodUnit": "h"},
        {"count": 4},
        {"period": "0.5", "periodUnit": "mo"},
        {"period": 500, "periodUnit": "wk"},
        {"frequency": 3, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "fri"]},
        {"period": 2, "periodUnit": "wk", "dayOfWeek": ["mon"]},
        {"period": 8, "periodUnit": "h", "dayOfWeek": ["mon"]},
        {"period": 2, "periodUnit": "d", "dayOfWeek": ["mon"]},
    ],
)
def test_incomplete_or_contradictory_timing_is_unclear(timing: dict[str, Any]) -> None:
    with pytest.raises(UnclearFrequency):
        parse_frequency(Timing.model_validate(timing))


@pytest.mark.parametrize(
    ("text", "first", "last", "expected"),
    [
        ("daily", "2026-12-01", "2026-12-01", 1),
        ("daily", "2026-12-01", "2026-12-10", 10),
        ("q8h", "2026-12-01", "2026-12-10", 30),
        ("BID", "2026-02-28", "2026-03-01", 4),
        ("q5h", "2026-12-01", "2026-12-01", 5),
        ("q48h", "2026-12-01", "2026-12-02", 1),
        ("q48h", "2026-12-01", "2026-12-03", 2),
        ("q72h", "2026-12-01", "2026-12-28", 10),
        ("q36h", "2026-12-01", "2026-12-02", 1),
        ("q36h", "2026-12-01", "2026-12-04", 3),
        ("weekly", "2026-12-01", "2026-12-07", 1),
        ("weekly", "2026-12-01", "2026-12-08", 2),
        ("3 times a week", "2026-12-01", "2026-12-07", 3),
        ("3 times a week", "2026-12-01", "2026-12-28", 12),
        ("every 8 weeks", "2026-12-01", "2026-12-01", 1),
        ("monthly", "2026-01-15", "2026-02-14", 1),
        ("monthly", "2026-01-15", "2026-02-15", 2),
        ("monthly", "2026-01-31", "2026-02-28", 2),
        ("monthly", "2026-01-31", "2026-03-30", 2),
        ("monthly", "2026-01-01", "2026-12-31", 12),
        ("every 3 months", "2026-01-01", "2026-12-31", 4),
        ("twice a month", "2026-01-01", "2026-01-31", 2),
        ("once", "2026-12-01", "2026-12-31", 1),
        ("continuous", "2026-12-01", "2026-12-07", 7),
        ("mon, thu", "2026-12-01", "2026-12-31", 9),
        ("tue", "2026-12-01", "2026-12-01", 1),
        ("mon", "2026-12-01", "2026-12-07", 1),
    ],
)
def test_administrations_count_both_days(text: str, first: str, last: str, expected: int) -> None:
    days = date.fromisoformat(first), date.fromisoformat(last)

    assert administrations(parse_frequency(text), *days) == expected


def test_count_limits_the_administrations() -> None:
    frequency = parse_frequency(Timing.model_validate({"period": 1, "periodUnit": "d", "count": 3}))

    assert administrations(frequency, date(2026, 12, 1), date(2026, 12, 10)) == 3
    assert administrations(frequency, date(2026, 12, 1), date(2026, 12, 2)) == 2


def test_several_times_on_each_day_of_the_week_are_multiplied() -> None:
    frequency = parse_frequency(Timing.model_validate({"frequency": 2, "dayOfWeek": ["mon"]}))

    assert administrations(frequency, date(2026, 12, 1), date(2026, 12, 14)) == 4


def test_no_administration_without_its_day_of_the_week() -> None:
    assert administrations(parse_frequency("mon"), date(2026, 12, 1), date(2026, 12, 6)) == 0


def test_last_day_before_the_first_raises() -> None:
    with pytest.raises(ValueError, match="before the first"):
        administrations(parse_frequency("daily"), date(2026, 12, 2), date(2026, 12, 1))
