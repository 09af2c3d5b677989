"""The billable ICD-10-CM codes of a release, as the table `diagnoses` holds them: one row for each category."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from infusion_orders.reference.values import LIST_SEPARATOR, split_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    Row = Sequence[str]

CATEGORY_LENGTH = 3
NOTHING_FOLLOWS = "-"
"""The suffix of a category that is itself billable."""


def diagnosis_rows(
    billable: Iterable[str], *, valid_from: date, valid_to: date | None, basis: str = "coding"
) -> list[tuple[str, ...]]:
    """The table's rows in the order of their categories, without its header.

    `billable`: codes in any order, with or without the dot; one given twice counts once.
    """
    suffixes: dict[str, set[str]] = {}
    for code in billable:
        plain = code.replace(".", "").upper()
        suffixes.setdefault(plain[:CATEGORY_LENGTH], set()).add(plain[CATEGORY_LENGTH:] or NOTHING_FOLLOWS)
    last = "" if valid_to is None else valid_to.isoformat()
    return [
        (category, LIST_SEPARATOR.join(sorted(suffixes[category])), valid_from.isoformat(), last, basis)
        for category in sorted(suffixes)
    ]


MOST_SUGGESTIONS = 5

BILLABLE = "billable"
NEEDS_MORE_DIGITS = "needs_more_digits"
NOT_IN_LIST = "not_in_list"
CANNOT_BE_CONFIRMED = "cannot_be_confirmed"
NO_LIST = "no_list"


@dataclass(frozen=True, slots=True)
class DiagnosisStanding:
    """What the list says of a code on a day, and up to five billable codes in its place, where it has some.

    `status` is `billable`, `needs_more_digits`, `not_in_list`, `cannot_be_confirmed` where only the release of that
    day could tell, or `no_list` where none is loaded.
    """

    status: str
    instead: tuple[str, ...] = ()


class DiagnosisList:
    """Codes as `D83.9`, on any day.  Nothing is read before it is asked for, and of a release only one category.

    On days that no release covers, a code of the nearest one counts as billable: codes are seldom withdrawn.  That one
    is missing, or was not billable yet, is only said of the days of the release.
    """

    __slots__ = ("_releases", "_rows", "_suffixes")

    def __init__(self, rows: Iterable[Row]) -> None:
        """`rows` of the table, without its header."""
        self._rows: dict[str, list[Row]] = {}
        releases: set[tuple[str, str]] = set()
        for row in rows:
            self._rows.setdefault(row[0], []).append(row)
            releases.add((row[2], row[3]))
        self._releases = frozenset(releases)
        self._suffixes: dict[tuple[str, str], tuple[str, ...]] = {}

    def standing(self, code: str, on: date) -> DiagnosisStanding:
        """What the release of that day says of the code; else the last one before it; else the first after it."""
        if not self._rows:
            return DiagnosisStanding(NO_LIST)
        day = on.isoformat()
        category, suffix = code[:CATEGORY_LENGTH], code[CATEGORY_LENGTH + 1 :]
        covered = self._covers(day)
        row = self._row(category, day, covered=covered)
        if row is None:
            return DiagnosisStanding(NOT_IN_LIST if covered else CANNOT_BE_CONFIRMED)
        suffixes = self._split(row)
        if _has(suffixes, suffix or NOTHING_FOLLOWS):
            return DiagnosisStanding(BILLABLE)
        if below := _beginning_with(suffix, suffixes):
            known = row[2] <= day
            return DiagnosisStanding(NEEDS_MORE_DIGITS if known else CANNOT_BE_CONFIRMED, _codes(category, below))
        nearest = next(filter(None, (_beginning_with(suffix[:length], suffixes) for length in (3, 2, 1, 0))), ())
        status = NOT_IN_LIST if covered else CANNOT_BE_CONFIRMED
        return DiagnosisStanding(status, _codes(category, nearest))

    def _row(self, category: str, day: str, *, covered: bool) -> Row | None:
        """ISO dates compare as text."""
        rows = sorted(self._rows.get(category, ()), key=lambda row: row[2])
        if covered:
            return next((row for row in rows if _holds(row[2], row[3], day)), None)
        begun = [row for row in rows if row[2] <= day]
        return begun[-1] if begun else next(iter(rows), None)

    def _covers(self, day: str) -> bool:
        return any(_holds(first, last, day) for first, last in self._releases)

    def _split(self, row: Row) -> tuple[str, ...]:
        key = (row[0], row[2])
        found = self._suffixes.get(key)
        if found is None:
            found = self._suffixes[key] = split_list(row[1])
        return found


def _holds(first: str, last: str, day: str) -> bool:
    return first <= day and (not last or day <= last)


def _has(suffixes: tuple[str, ...], suffix: str) -> bool:
    """They are in order: the check of the table says so."""
    place = bisect_left(suffixes, suffix)
    return place < len(suffixes) and suffixes[place] == suffix


def _beginning_with(prefix: str, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    start = bisect_left(suffixes, prefix)
    return tuple(islice(takewhile(lambda suffix: suffix.startswith(prefix), suffixes[start:]), MOST_SUGGESTIONS))


def _codes(category: str, suffixes: Iterable[str]) -> tuple[str, ...]:
    return tuple(category if suffix == NOTHING_FOLLOWS else f"{category}.{suffix}" for suffix in suffixes)
