"""The billable ICD-10-CM codes of a release, as the table `diagnoses` holds them: one row for each category."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.codes.values import LIST_SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

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
