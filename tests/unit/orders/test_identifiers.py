"""Identifiers: a valid one has one normal form, a malformed one gets a hint that does not repeat it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infusion_orders.orders import identifiers
from infusion_orders.orders.identifiers import COUNTIES, InvalidIdentifier

if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[[str], str]


@pytest.mark.parametrize(
    ("check", "text", "normal"),
    [
        (identifiers.parse_npi, "1234567893", "1234567893"),
        (identifiers.parse_npi, " 1932104098 ", "1932104098"),
        (identifiers.parse_npi, "2000000002", "2000000002"),
        (identifiers.parse_mbi, "1EG4-TE5-MK73", "1EG4TE5MK73"),
        (identifiers.parse_mbi, "1eg4 te5 mk73", "1EG4TE5MK73"),
        (identifiers.parse_mbi, "9AA0AA0AA00", "9AA0AA0AA00"),
        (identifiers.parse_mbi, "1A00A00AA00", "1A00A00AA00"),
        (identifiers.parse_cin, "90000000A", "90000000A"),
        (identifiers.parse_cin, "91234567z", "91234567Z"),
        (identifiers.parse_cin, "90000000A12345", "90000000A"),
        (identifiers.parse_icd_10_cm, "K50.90", "K50.90"),
        (identifiers.parse_icd_10_cm, "k5090", "K50.90"),
        (identifiers.parse_icd_10_cm, "U07.1", "U07.1"),
        (identifiers.parse_icd_10_cm, "QA0.0101", "QA0.0101"),
        (identifiers.parse_icd_10_cm, "E11", "E11"),
        (identifiers.parse_icd_10_cm, "C7A.00", "C7A.00"),
        (identifiers.parse_icd_10_cm, "T36.0X1A", "T36.0X1A"),
        (identifiers.parse_ndc, "57894-030-01", "57894003001"),
        (identifiers.parse_ndc, "0409-4755-10", "00409475510"),
        (identifiers.parse_ndc, "12345-6789-1", "12345678901"),
        (identifiers.parse_ndc, "57894-0030-01", "57894003001"),
        (identifiers.parse_ndc, "57894003001", "57894003001"),
        (identifiers.parse_hcpcs, "j1745", "J1745"),
        (identifiers.parse_hcpcs, "99601", "99601"),
        (identifiers.parse_hcpcs, "V5364", "V5364"),
        (identifiers.parse_place_of_service, "12", "12"),
        (identifiers.parse_place_of_service, "01", "01"),
        (identifiers.parse_county, "los  angeles", "Los Angeles"),
        (identifiers.parse_county, "SAN LUIS OBISPO COUNTY", "San Luis Obispo"),
    ],
)
def test_valid_identifier_has_one_normal_form(check: Check, text: str, normal: str) -> None:
    assert check(text) == normal
    assert check(normal) == normal


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (identifiers.parse_npi, "1234567890"),
        (identifiers.parse_npi, "1234567983"),
        (identifiers.parse_npi, "3234567893"),
        (identifiers.parse_npi, "123456789"),
        (identifiers.parse_npi, "12345678933"),
        (identifiers.parse_npi, "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff13"),
        (identifiers.parse_mbi, "1SG4TE5MK73"),
        (identifiers.parse_mbi, "0EG4TE5MK73"),
        (identifiers.parse_mbi, "1EG4TE5MK7"),
        (identifiers.parse_mbi, "1EG4TE5MK733"),
        (identifiers.parse_mbi, "11G4TE5MK73"),
        (identifiers.parse_mbi, "1EGATE5MK73"),
        (identifiers.parse_mbi, "1EG4TE5M173"),
        *((identifiers.parse_mbi, f"1{letter}G4TE5MK73") for letter in "SLOIBZ"),
        *((identifiers.parse_cin, f"90000000{letter}") for letter in "BIJKLOPQRS"),
        (identifiers.parse_cin, "80000000A"),
        (identifiers.parse_cin, "9000000A"),
        (identifiers.parse_cin, "90000000A1234"),
        (identifiers.parse_cin, "900000001"),
        (identifiers.parse_icd_10_cm, ""),
        (identifiers.parse_icd_10_cm, "K5"),
        (identifiers.parse_icd_10_cm, "K50."),
        (identifiers.parse_icd_10_cm, "K50.12345"),
        (identifiers.parse_icd_10_cm, "K5.090"),
        (identifiers.parse_icd_10_cm, "250.00"),
        (identifiers.parse_icd_10_cm, "\u013150.90"),
        (identifiers.parse_ndc, "5789-0030-1"),
        (identifiers.parse_ndc, "578940030012"),
        (identifiers.parse_ndc, "57894-030-01-1"),
        (identifiers.parse_ndc, "57894 030 01"),
        (identifiers.parse_ndc, "1234-567-890"),
        (identifiers.parse_ndc, "\uff15\uff17\uff18\uff19\uff14\uff10\uff10\uff13\uff10\uff10\uff11"),
        (identifiers.parse_hcpcs, "W1745"),
        (identifiers.parse_hcpcs, "J174"),
        (identifiers.parse_hcpcs, "J17455"),
        (identifiers.parse_hcpcs, "9960"),
        (identifiers.parse_hcpcs, "J1745\nX"),
        (identifiers.parse_place_of_service, "2"),
        (identifiers.parse_place_of_service, "012"),
        (identifiers.parse_place_of_service, "home"),
        (identifiers.parse_county, "Clark"),
        (identifiers.parse_county, "County"),
        (identifiers.parse_county, ""),
    ],
)
def test_malformed_identifier_raises_with_the_valid_form(check: Check, text: str) -> None:
    with pytest.raises(InvalidIdentifier, match=r"^must "):
        check(text)


@pytest.mark.parametrize(
    "check",
    [
        identifiers.parse_npi,
        identifiers.parse_mbi,
        identifiers.parse_cin,
        identifiers.parse_icd_10_cm,
        identifiers.parse_ndc,
        identifiers.parse_hcpcs,
        identifiers.parse_place_of_service,
        identifiers.parse_county,
    ],
)
def test_error_never_repeats_the_value(check: Check) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        check("canary-4711")

    assert "canary" not in str(refusal.value).casefold()
    assert "4711" not in str(refusal.value)


def test_mistyped_digit_of_an_npi_is_always_found() -> None:
    good = "1234567893"
    for position in range(1, 10):
        for digit in set("0123456789") - {good[position]}:
            with pytest.raises(InvalidIdentifier, match="check digit"):
                identifiers.parse_npi(good[:position] + digit + good[position + 1 :])


def test_ten_digits_of_an_ndc_without_dashes_are_ambiguous_and_never_padded() -> None:
    with pytest.raises(InvalidIdentifier, match="keep its dashes"):
        identifiers.parse_ndc("5789403001")


def test_mistyped_county_gets_a_suggestion() -> None:
    with pytest.raises(InvalidIdentifier, match="did you mean Los Angeles"):
        identifiers.parse_county("Los Angelos")


def test_there_are_58_counties() -> None:
    assert len(set(COUNTIES)) == 58
    assert list(COUNTIES) == sorted(COUNTIES)
    assert [identifiers.parse_county(name.upper()) for name in COUNTIES] == list(COUNTIES)
