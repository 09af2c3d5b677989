"""How often a drug is given: reading it, its canonical form, and the number of administrations between two days.

It is read from the prescriber's words or from FHIR's `Timing.repeat`.  Abbreviations that are known to be misread (QD,
QOD, QHS, a trailing zero, a missing zero before a point) are accepted with a warning where only one reading is
possible.  A text with two readings (biweekly, OD, q4-6h) is asked for again.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from infusion_orders.orders.order import Timing
from infusion_orders.orders.vocabularies import DayOfWeek, PeriodUnit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

WEEK = tuple(DayOfWeek)
"""Monday first, as `date.weekday` counts."""
DAYS_OF_A_MONTH = Fraction(1461, 48)
"""The average; used only for several times a month, where the calendar does not fix the days."""


class Recurrence(StrEnum):
    """How administrations recur."""

    PERIODIC = "periodic"
    WEEKDAYS = "weekdays"
    ONCE = "once"
    CONTINUOUS = "continuous"


@dataclass(frozen=True, slots=True)
class Frequency:
    """`times` in every `period_hours` or `period_months`, in lowest terms: BID and q12h are both once in 12 hours.

    With `days_of_week`, `times` counts for each of these days.  `count` limits the administrations in all.  `warnings`
    say how an easily misread text was read; frequencies that differ only in their warnings are equal.
    """

    recurrence: Recurrence
    times: int = 1
    period_hours: int | None = None
    period_months: int | None = None
    days_of_week: tuple[DayOfWeek, ...] = ()
    count: int | None = None
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def interval_hours(self) -> Fraction | None:
        """The hours from one administration to the next; None where they vary, or depend on the calendar."""
        return None if self.period_hours is None else Fraction(self.period_hours, self.times)


def every_hours(hours: Fraction, times: int = 1) -> Frequency:
    """Return a frequency of `times` within these hours."""
    interval = hours / times
    return Frequency(Recurrence.PERIODIC, times=interval.denominator, period_hours=interval.numerator)


def every_months(months: int, times: int = 1) -> Frequency:
    """Return a frequency of `times` within these calendar months."""
    interval = Fraction(months, times)
    return Frequency(Recurrence.PERIODIC, times=interval.denominator, period_months=interval.numerator)


class UnclearFrequency(ValueError):
    """The frequency has no reading, or several.  The text says what to write, and never repeats what was sent."""


_ASK = (
    "must say how often in one way, such as `every 8 hours`, `q12h`, `daily`, `BID`, `3 times a week`, "
    "`every 4 weeks`, `monthly`, `mon, thu`, `once` or `continuous`; how long goes into the dates of service"
)
_LONGEST_PERIOD_HOURS = 366 * 24
_LONGEST_PERIOD_MONTHS = 12
_MOST_TIMES = 1000

_ONCE = Frequency(Recurrence.ONCE)
_CONTINUOUS = Frequency(Recurrence.CONTINUOUS)
_DAILY = every_hours(Fraction(24))
_WORDS: Mapping[str, Frequency] = {
    **dict.fromkeys(("once", "once only", "one time", "one-time", "one dose", "single dose", "stat", "x1"), _ONCE),
    **dict.fromkeys(("continuous", "continuously", "continuous infusion"), _CONTINUOUS),
    **dict.fromkeys(("daily", "nightly", "at bedtime", "qam", "qpm", "every morning", "every evening"), _DAILY),
    "qd": replace(_DAILY, warnings=("QD was read as daily: it is easily misread, write `daily`",)),
    "qhs": replace(_DAILY, warnings=("QHS was read as daily at bedtime: it is easily misread, write `at bedtime`",)),
    "qod": replace(
        every_hours(Fraction(48)),
        warnings=("QOD was read as every other day: it is easily misread, write `every other day`",),
    ),
    "bid": every_hours(Fraction(12)),
    "tid": every_hours(Fraction(8)),
    "qid": every_hours(Fraction(6)),
    "hourly": every_hours(Fraction(1)),
    "every other day": every_hours(Fraction(48)),
    "weekly": every_hours(Fraction(168)),
    "every other week": every_hours(Fraction(336)),
    "fortnightly": every_hours(Fraction(336)),
    "monthly": every_months(1),
    "every other month": every_months(2),
    "quarterly": every_months(3),
    "yearly": every_months(12),
}
_TWO_READINGS: Mapping[str, str] = {
    "biweekly": "can mean twice a week or every 2 weeks: write which",
    "bimonthly": "can mean twice a month or every 2 months: write which",
    "od": "can mean daily or the right eye: write `daily`",
    "tiw": "can be read as 3 times a day or a week: write `3 times a week`",
    "biw": "can be read as twice a day or a week: write `twice a week`",
    "prn": "says no number: write how often the drug is given at most",
    "as needed": "says no number: write how often the drug is given at most",
}
_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=1
    )
}
_UNITS: Mapping[str, PeriodUnit] = {
    **dict.fromkeys(("min", "mins", "minute", "minutes"), PeriodUnit.MINUTE),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), PeriodUnit.HOUR),
    **dict.fromkeys(("d", "day", "days", "daily"), PeriodUnit.DAY),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks", "weekly"), PeriodUnit.WEEK),
    **dict.fromkeys(("mo", "month", "months", "monthly"), PeriodUnit.MONTH),
    **dict.fromkeys(("year", "years", "yearly"), PeriodUnit.YEAR),
}
_PER_HOUR = {PeriodUnit.SECOND: 3600, PeriodUnit.MINUTE: 60}
_HOURS = {PeriodUnit.HOUR: 1, PeriodUnit.DAY: 24, PeriodUnit.WEEK: 168}
_MONTHS = {PeriodUnit.MONTH: 1, PeriodUnit.YEAR: 12}
_DAY_NAMES: Mapping[str, DayOfWeek] = {
    **dict.fromkeys(("mon", "monday", "mondays"), DayOfWeek.MON),
    **dict.fromkeys(("tue", "tues", "tuesday", "tuesdays"), DayOfWeek.TUE),
    **dict.fromkeys(("wed", "wednesday", "wednesdays"), DayOfWeek.WED),
    **dict.fromkeys(("thu", "thur", "thurs", "thursday", "thursdays"), DayOfWeek.THU),
    **dict.fromkeys(("fri", "friday", "fridays"), DayOfWeek.FRI),
    **dict.fromkeys(("sat", "saturday", "saturdays"), DayOfWeek.SAT),
    **dict.fromkeys(("sun", "sunday", "sundays"), DayOfWeek.SUN),
}

_NUMBER = r"[0-9]{1,4}(?:\.[0-9]{1,3})?|\.[0-9]{1,3}"
_ABBREVIATION_POINT = re.compile(r"(?<=[a-z])\.(?![0-9])")
_INTERVAL = re.compile(rf"(?:once )?(?:q|every|each) ?({_NUMBER})? ?-?([a-z]+)")
_TIMES = re.compile(r"(?:(once|twice)|([0-9]{1,4}) ?(?:x|times?)) ?(?:a|an|per|each|every|/)? ?([a-z]+)")
_DAYS = re.compile(r"(?:(?:weekly |every week )?on |every |each )?([a-z]+(?:(?:, and |, ?| and |/| )[a-z]+)*)")
_BETWEEN_DAYS = re.compile(r", and |, ?| and |/| ")


def parse_frequency(sent: str | Timing) -> Frequency:
    """Return the one reading of a frequency.  Raises UnclearFrequency if there is none, or more than one."""
    return _of_timing(sent) if isinstance(sent, Timing) else _of_text(sent)


@lru_cache(maxsize=1024)
def _of_text(sent: str) -> Frequency:
    text = " ".join(_ABBREVIATION_POINT.sub("", sent.casefold()).split())
    for word, number in _NUMBERS.items():
        text = re.sub(rf"\b{word}\b(?= )", number, text) if word in text else text
    if text in _TWO_READINGS:
        raise UnclearFrequency(_TWO_READINGS[text])
    found = _WORDS.get(text) or _WORDS.get(sent.casefold().strip())
    found = found or _interval(text) or _times_per_period(text) or _weekdays(text)
    if found is None:
        raise UnclearFrequency(_ASK)
    return found


def _interval(text: str) -> Frequency | None:
    match = _INTERVAL.fullmatch(text)
    if match is None or match[2] not in _UNITS:
        return None
    number = match[1] or "1"
    return replace(_within(Fraction(number), _UNITS[match[2]], 1), warnings=_number_warnings(number))


def _number_warnings(number: str) -> tuple[str, ...]:
    if number.startswith("."):
        return ("a number without a digit before its point is easily misread: write 0 before it",)
    if "." in number and number.endswith("0"):
        return ("a number with a zero at its end is easily misread: leave the zero out",)
    return ()


def _times_per_period(text: str) -> Frequency | None:
    match = _TIMES.fullmatch(text)
    if match is None or match[3] not in _UNITS:
        return None
    times = {"once": 1, "twice": 2}.get(match[1] or "") or int(match[2] or 0)
    return _within(Fraction(1), _UNITS[match[3]], times)


def _weekdays(text: str) -> Frequency | None:
    if text in ("mwf", "m/w/f"):
        return Frequency(Recurrence.WEEKDAYS, days_of_week=(DayOfWeek.MON, DayOfWeek.WED, DayOfWeek.FRI))
    match = _DAYS.fullmatch(text)
    names = _BETWEEN_DAYS.split(match[1]) if match else []
    days = {_DAY_NAMES.get(name) for name in names}
    if not days or None in days:
        return None
    return Frequency(Recurrence.WEEKDAYS, days_of_week=tuple(day for day in WEEK if day in days))


def _within(period: Fraction, unit: PeriodUnit, times: int) -> Frequency:
    """Return `times` in a period.  Raises UnclearFrequency for periods over a year, of 0, or of parts of a month."""
    if not 1 <= times <= _MOST_TIMES or period <= 0:
        raise UnclearFrequency(_ASK)
    if unit in _MONTHS:
        months = period * _MONTHS[unit]
        if months.denominator != 1 or months > _LONGEST_PERIOD_MONTHS:
            raise UnclearFrequency("must be in whole months, 12 at most; write a part of a month in weeks or days")
        return every_months(int(months), times)
    hours = period / _PER_HOUR[unit] if unit in _PER_HOUR else period * _HOURS[unit]
    if hours > _LONGEST_PERIOD_HOURS:
        raise UnclearFrequency("must have a period of a year at most")
    return every_hours(hours, times)


def _of_timing(timing: Timing) -> Frequency:
    if timing.dayOfWeek:
        found = _of_days_in(timing)
    elif timing.period is not None and timing.periodUnit is not None:
        found = _within(Fraction(timing.period), timing.periodUnit, timing.frequency or 1)
    elif timing.count == 1 and timing.period is None and timing.periodUnit is None and timing.frequency in (None, 1):
        return _ONCE
    else:
        raise UnclearFrequency("must have both period and periodUnit, or dayOfWeek, or a count of 1 alone")
    return replace(found, count=timing.count)


def _of_days_in(timing: Timing) -> Frequency:
    """Read days of the week: `frequency` is for each of the days, or for a week if it equals their number."""
    days = tuple(day for day in WEEK if day in (timing.dayOfWeek or ()))
    times = timing.frequency or 1
    if timing.periodUnit is PeriodUnit.WEEK and timing.period in (None, 1) and times in (1, len(days)):
        times = 1
    elif timing.periodUnit not in (None, PeriodUnit.DAY) or timing.period not in (None, 1):
        raise UnclearFrequency("must have, beside dayOfWeek, no period or one of 1 day or 1 week")
    return Frequency(Recurrence.WEEKDAYS, times=times, days_of_week=days)


def administrations(frequency: Frequency, service_from: date, service_to: date) -> int:
    """Return the number of administrations, both days included; a continuous infusion counts once a day.

    It is 0 only when none of the days of the week falls between the two.  Raises ValueError if the last day is before
    the first.
    """
    days = (service_to - service_from).days + 1
    if days < 1:
        raise ValueError("the last date of service is before the first")
    number = _uncounted(frequency, service_from, service_to, days)
    return number if frequency.count is None else min(number, frequency.count)


def _uncounted(frequency: Frequency, first: date, last: date, days: int) -> int:
    if frequency.recurrence is Recurrence.ONCE:
        return 1
    if frequency.recurrence is Recurrence.CONTINUOUS:
        return days
    if frequency.recurrence is Recurrence.WEEKDAYS:
        return frequency.times * _days_that_fall_on(frequency.days_of_week, first, days)
    if frequency.period_months is None:
        return _spaced(Fraction(frequency.period_hours or 0, 24 * frequency.times), days)
    if frequency.times == 1:
        return 1 + _whole_months(first, last) // frequency.period_months
    return _spaced(DAYS_OF_A_MONTH * frequency.period_months / frequency.times, days)


def _spaced(interval_days: Fraction, days: int) -> int:
    """Count every day alike up to an interval of a day; else count the first day and each whole interval after it."""
    if interval_days <= 1:
        return ceil(days / interval_days)
    return 1 + (days - 1) // interval_days


def _days_that_fall_on(days_of_week: tuple[DayOfWeek, ...], first: date, days: int) -> int:
    weeks, rest = divmod(days, len(WEEK))
    begun = {WEEK[(first.weekday() + day) % len(WEEK)] for day in range(rest)}
    return weeks * len(days_of_week) + len(begun.intersection(days_of_week))


def _whole_months(first: date, last: date) -> int:
    """Count whole months; a month that begins on the 31st ends on the last day of a shorter month."""
    months = (last.year - first.year) * 12 + last.month - first.month
    due = min(first.day, calendar.monthrange(last.year, last.month)[1])
    return months - (last.day < due)
