"""Identifiers: any text has a normal form or is refused, and a normal form is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infusion_orders.orders import identifiers
from infusion_orders.orders.identifiers import InvalidIdentifier

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKS = (
    identifiers.parse_npi,
    identifiers.parse_mbi,
    identifiers.parse_cin,
    identifiers.parse_icd_10_cm,
    identifiers.parse_ndc,
    identifiers.parse_hcpcs,
    identifiers.parse_place_of_service,
    identifiers.parse_county,
)
SHAPED = st.from_regex(r"\s?[A-Za-z0-9]{1,5}[-. ]?[A-Za-z0-9]{0,4}[-. ]?[A-Za-z0-9]{0,5}\s?", fullmatch=True)
DIGITS = st.from_regex(r"[12][0-9]{8}", fullmatch=True)


@given(st.sampled_from(CHECKS), st.text(max_size=64) | SHAPED)
def test_any_text_is_refused_or_has_a_stable_ascii_normal_form(check: Callable[[str], str], text: str) -> None:
    try:
        normal = check(text)
    except InvalidIdentifier:
        return
    assert normal.isascii()
    assert check(normal) == normal


@given(DIGITS)
def test_exactly_one_check_digit_makes_an_npi_valid(digits: str) -> None:
    good = []
    for check_digit in "0123456789":
        try:
            good.append(identifiers.parse_npi(digits + check_digit))
        except InvalidIdentifier:
            continue

    assert len(good) == 1


@given(DIGITS, st.integers(0, 7))
def test_swapped_neighbouring_digits_of_an_npi_are_found(digits: str, position: int) -> None:
    (good,) = [number for number in (digits + check for check in "0123456789") if _is_npi(number)]
    left, right = good[position], good[position + 1]
    assume(position > 0 and left != right and {left, right} != {"0", "9"})

    with pytest.raises(InvalidIdentifier):
        identifiers.parse_npi(good[:position] + right + left + good[position + 2 :])


def _is_npi(text: str) -> bool:
    try:
        identifiers.parse_npi(text)
    except InvalidIdentifier:
        return False
    return True


@given(st.from_regex(r"[0-9]{5}-[0-9]{4}-[0-9]{2}", fullmatch=True))
def test_ndc_of_eleven_digits_is_the_same_with_and_without_dashes(text: str) -> None:
    assert identifiers.parse_ndc(text) == identifiers.parse_ndc(text.replace("-", "")) == text.replace("-", "")
