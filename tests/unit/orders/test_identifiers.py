"""Identifiers: one normal form for each good one, and a hint without the value for each bad one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infusion_orders.orders import identifiers
from infusion_orders.orders.counties import COUNTIES
from infusion_orders.orders.identifiers import InvalidIdentifier

if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[[str], str]


@pytest.mark.parametrize(
    ("check", "text", "normal"),
    [
        (identifiers.npi, "1234567893", "1234567893"),
        (identifiers.npi, " 1932104098 ", "1932104098"),
        (identifiers.npi, "2000000002", "2000000002"),
        (identifiers.mbi, "1EG4-TE5-MK73", "1EG4TE5MK73"),
        (identifiers.mbi, "1eg4 te5 mk73", "1EG4TE5MK73"),
        (identifiers.mbi, "9AA0AA0AA00", "9AA0AA0AA00"),
        (identifiers.mbi, "1A00A00AA00", "1A00A00AA00"),
        (identifiers.cin, "90000000A", "90000000A"),
        (identifiers.cin, "91234567z", "91234567Z"),
        (identifiers.cin, "90000000A12345", "90000000A"),
        (identifiers.icd_10_cm, "K50.90", "K50.90"),
        (identifiers.icd_10_cm, "k5090", "K50.90"),
        (identifiers.icd_10_cm, "U07.1", "U07.1"),
        (identifiers.icd_10_cm, "QA0.0101", "QA0.0101"),
        (identifiers.icd_10_cm, "E11", "E11"),
        (identifiers.icd_10_cm, "C7A.00", "C7A.00"),
        (identifiers.icd_10_cm, "T36.0X1A", "T36.0X1A"),
        (identifiers.ndc, "57894-030-01", "57894003001"),
        (identifiers.ndc, "0409-4755-10", "00409475510"),
        (identifiers.ndc, "12345-6789-1", "12345678901"),
        (identifiers.ndc, "57894-0030-01", "57894003001"),
        (identifiers.ndc, "57894003001", "57894003001"),
        (identifiers.hcpcs, "j1745", "J1745"),
        (identifiers.hcpcs, "99601", "99601"),
        (identifiers.hcpcs, "V5364", "V5364"),
        (identifiers.place_of_service, "12", "12"),
        (identifiers.place_of_service, "01", "01"),
        (identifiers.county, "los  angeles", "Los Angeles"),
        (identifiers.county, "SAN LUIS OBISPO COUNTY", "San Luis Obispo"),
    ],
)
def test_a_good_identifier_has_one_normal_form(check: Check, text: str, normal: str) -> None:
    assert check(text) == normal
    assert check(normal) == normal


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (identifiers.npi, "1234567890"),
        (identifiers.npi, "1234567983"),
        (identifiers.npi, "3234567893"),
        (identifiers.npi, "123456789"),
        (identifiers.npi, "12345678933"),
        (identifiers.npi, "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff13"),
        (identifiers.mbi, "1SG4TE5MK73"),
        (identifiers.mbi, "0EG4TE5MK73"),
        (identifiers.mbi, "1EG4TE5MK7"),
        (identifiers.mbi, "1EG4TE5MK733"),
        (identifiers.mbi, "11G4TE5MK73"),
        (identifiers.mbi, "1EGATE5MK73"),
        (identifiers.mbi, "1EG4TE5M173"),
        *((identifiers.mbi, f"1{letter}G4TE5MK73") for letter in "SLOIBZ"),
        *((identifiers.cin, f"90000000{letter}") for letter in "BIJKLOPQRS"),
        (identifiers.cin, "80000000A"),
        (identifiers.cin, "9000000A"),
        (identifiers.cin, "90000000A1234"),
        (identifiers.cin, "900000001"),
        (identifiers.icd_10_cm, ""),
        (identifiers.icd_10_cm, "K5"),
        (identifiers.icd_10_cm, "K50."),
        (identifiers.icd_10_cm, "K50.12345"),
        (identifiers.icd_10_cm, "K5.090"),
        (identifiers.icd_10_cm, "250.00"),
        (identifiers.icd_10_cm, "\u013150.90"),
        (identifiers.ndc, "5789-0030-1"),
        (identifiers.ndc, "578940030012"),
        (identifiers.ndc, "57894-030-01-1"),
        (identifiers.ndc, "57894 030 01"),
        (identifiers.ndc, "1234-567-890"),
        (identifiers.ndc, "\uff15\uff17\uff18\uff19\uff14\uff10\uff10\uff13\uff10\uff10\uff11"),
        (identifiers.hcpcs, "W1745"),
        (identifiers.hcpcs, "J174"),
        (identifiers.hcpcs, "J17455"),
        (identifiers.hcpcs, "9960"),
        (identifiers.hcpcs, "J1745\nX"),
        (identifiers.place_of_service, "2"),
        (identifiers.place_of_service, "012"),
        (identifiers.place_of_service, "home"),
        (identifiers.county, "Clark"),
        (identifiers.county, "County"),
        (identifiers.county, ""),
    ],
)
def test_a_bad_identifier_is_refused_with_the_right_form(check: Check, text: str) -> None:
    with pytest.raises(InvalidIdentifier, match=r"^must "):
        check(text)


@pytest.mark.parametrize(
    "check",
    [
        identifiers.npi,
        identifiers.mbi,
        identifiers.cin,
        identifiers.icd_10_cm,
        identifiers.ndc,
        identifiers.hcpcs,
        identifiers.place_of_service,
        identifiers.county,
    ],
)
def test_a_refusal_never_repeats_the_value(check: Check) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        check("canary-4711")

    assert "canary" not in str(refusal.value).casefold()
    assert "4711" not in str(refusal.value)


def test_one_mistyped_digit_of_an_npi_is_always_found() -> None:
    good = "1234567893"
    for position in range(1, 10):
        for digit in set("0123456789") - {good[position]}:
            with pytest.raises(InvalidIdentifier, match="check digit"):
                identifiers.npi(good[:position] + digit + good[position + 1 :])


def test_ten_digits_of_an_ndc_without_dashes_are_ambiguous_and_never_padded() -> None:
    with pytest.raises(InvalidIdentifier, match="keep its dashes"):
        identifiers.ndc("5789403001")


def test_a_mistyped_county_is_told_the_nearest_one() -> None:
    with pytest.raises(InvalidIdentifier, match="did you mean Los Angeles"):
        identifiers.county("Los Angelos")


def test_there_are_58_counties() -> None:
    assert len(set(COUNTIES)) == 58
    assert list(COUNTIES) == sorted(COUNTIES)
    assert [identifiers.county(name.upper()) for name in COUNTIES] == list(COUNTIES)
