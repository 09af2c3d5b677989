"""A frequency in its canonical form, and the number of administrations from one day to another."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from infusion_orders.orders.vocabularies import DayOfWeek

if TYPE_CHECKING:
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
