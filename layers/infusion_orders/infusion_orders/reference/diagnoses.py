"""The billable ICD-10-CM codes, release by release, as the table `diagnoses` holds them: one row for each category."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from infusion_orders.reference.schema import split_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

CATEGORY_LENGTH = 3
NOTHING_FOLLOWS = "-"
"""The suffix of a category that is itself billable."""
MOST_SUGGESTIONS = 5

BILLABLE = "billable"
NEEDS_MORE_DIGITS = "needs_more_digits"
NOT_IN_LIST = "not_in_list"
CANNOT_BE_CONFIRMED = "cannot_be_confirmed"
NO_LIST = "no_list"


@dataclass(frozen=True, slots=True)
class DiagnosisStanding:
    """What the list says of a code on a day, and up to five billable codes to use instead.

    `status` is `billable`, `needs_more_digits`, `not_in_list`, `cannot_be_confirmed` (only the release of that day
    could tell, and it is not loaded) or `no_list` (no release is loaded).
    """

    status: str
    instead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Category:
    """What follows a category in its billable codes, sorted, in one release.  ISO dates compare as text."""

    first: str
    last: str
    suffixes: tuple[str, ...]

    def holds(self, day: str) -> bool:
        return self.first <= day and (not self.last or day <= self.last)


class DiagnosisList:
    """The billable codes of the loaded releases.  A category is parsed when one of its codes is first asked for.

    On a day that no release covers, a code of the nearest release counts as billable, because codes are seldom
    withdrawn.  That a code is missing, or not yet billable, is stated only for the days of a release.
    """

    def __init__(self, rows: Iterable[Sequence[str]]) -> None:
        """Take the rows of the table without its header."""
        self._rows: dict[str, list[Sequence[str]]] = {}
        for row in rows:
            self._rows.setdefault(row[0], []).append(row)
        periods = {(row[2], row[3]) for of_category in self._rows.values() for row in of_category}
        self._releases = [_Category(first, last, ()) for first, last in periods]
        self._categories: dict[str, tuple[_Category, ...]] = {}

    def standing(self, code: str, on: date) -> DiagnosisStanding:
        """Look a code such as `D83.9` up in the release of the day, else in the last one before it, else the next."""
        if not self._rows:
            return DiagnosisStanding(NO_LIST)
        day = on.isoformat()
        category, suffix = code[:CATEGORY_LENGTH], code[CATEGORY_LENGTH + 1 :]
        covered = any(release.holds(day) for release in self._releases)
        listed = self._listed(category, day, covered=covered)
        if listed is None:
            return DiagnosisStanding(NOT_IN_LIST if covered else CANNOT_BE_CONFIRMED)
        if _contains(listed.suffixes, suffix or NOTHING_FOLLOWS):
            return DiagnosisStanding(BILLABLE)
        if longer := _beginning_with(suffix, listed.suffixes):
            status = NEEDS_MORE_DIGITS if listed.first <= day else CANNOT_BE_CONFIRMED
            return DiagnosisStanding(status, _codes(category, longer))
        nearest = next(filter(None, (_beginning_with(suffix[:length], listed.suffixes) for length in (3, 2, 1, 0))), ())
        return DiagnosisStanding(NOT_IN_LIST if covered else CANNOT_BE_CONFIRMED, _codes(category, nearest))

    def _listed(self, category: str, day: str, *, covered: bool) -> _Category | None:
        releases = self._category(category)
        if covered:
            return next((release for release in releases if release.holds(day)), None)
        begun = [release for release in releases if release.first <= day]
        return begun[-1] if begun else next(iter(releases), None)

    def _category(self, category: str) -> tuple[_Category, ...]:
        """Return what the releases list of a category, the earliest first."""
        found = self._categories.get(category)
        if found is None:
            rows = sorted(self._rows.get(category, ()), key=lambda row: row[2])
            found = tuple(_Category(first, last, split_list(suffixes)) for _, suffixes, first, last, *_ in rows)
            if found:
                self._categories[category] = found
        return found


def _contains(suffixes: tuple[str, ...], suffix: str) -> bool:
    """Search the suffixes, which the check of the table requires to be sorted."""
    place = bisect_left(suffixes, suffix)
    return place < len(suffixes) and suffixes[place] == suffix


def _beginning_with(prefix: str, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    start = bisect_left(suffixes, prefix)
    return tuple(islice(takewhile(lambda suffix: suffix.startswith(prefix), suffixes[start:]), MOST_SUGGESTIONS))


def _codes(category: str, suffixes: Iterable[str]) -> tuple[str, ...]:
    return tuple(category if suffix == NOTHING_FOLLOWS else f"{category}.{suffix}" for suffix in suffixes)
