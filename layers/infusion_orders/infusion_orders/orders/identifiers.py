"""Identifiers and short codes: each function returns the normal form, or raises InvalidIdentifier.

Only the form is checked.  A well-formed NPI may belong to nobody, and a code may not exist on the date of service.
"""

from __future__ import annotations

import re

from infusion_orders.orders.suggestions import nearest


class InvalidIdentifier(ValueError):
    """The identifier is malformed.  The text says which form is valid, and never repeats what was sent."""


_NPI = re.compile(r"[12][0-9]{9}")
_MBI = re.compile(
    r"[1-9]{L}[0-9{l}][0-9]{L}[0-9{l}][0-9]{L}{L}[0-9]{2}".replace("{L}", "[{l}]").replace("{l}", "AC-HJKMNP-RT-Y")
)
_CIN = re.compile(r"(9[0-9]{7}[AC-HMNT-Z])(?:[0-9]{5})?")
_ICD_10_CM = re.compile(r"([A-Z](?:[0-9][0-9A-Z]|[A-Z][0-9]))(?:\.?([0-9A-Z]{1,4}))?")
"""C4A and QA0 are categories, SMI is not: the digit in second or third place excludes words."""
_NDC_SEGMENTS = frozenset({(4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2)})
_NDC = re.compile(r"([0-9]+)-([0-9]+)-([0-9]+)")
_HCPCS = re.compile(r"[A-V][0-9]{4}|[0-9]{5}")
_PLACE_OF_SERVICE = re.compile(r"[0-9]{2}")
_NAMES_OF_COUNTIES = """
Alameda, Alpine, Amador, Butte, Calaveras, Colusa, Contra Costa, Del Norte, El Dorado, Fresno, Glenn, Humboldt,
Imperial, Inyo, Kern, Kings, Lake, Lassen, Los Angeles, Madera, Marin, Mariposa, Mendocino, Merced, Modoc, Mono,
Monterey, Napa, Nevada, Orange, Placer, Plumas, Riverside, Sacramento, San Benito, San Bernardino, San Diego,
San Francisco, San Joaquin, San Luis Obispo, San Mateo, Santa Barbara, Santa Clara, Santa Cruz, Shasta, Sierra,
Siskiyou, Solano, Sonoma, Stanislaus, Sutter, Tehama, Trinity, Tulare, Tuolumne, Ventura, Yolo, Yuba
"""
COUNTIES = tuple(" ".join(_NAMES_OF_COUNTIES.split()).split(", "))
"""The 58 counties of California, by the names that the plan's tables use."""
_COUNTIES = {name.casefold(): name for name in COUNTIES}


def parse_npi(text: str) -> str:
    """Return the ten digits of an NPI: the last is a Luhn check digit over the prefix 80840 (45 CFR 162.406)."""
    number = _match(_NPI, text.strip(), "an NPI: 10 digits, the first a 1 or a 2")[0]
    if _luhn_sum("80840" + number) % 10:
        raise InvalidIdentifier("must be an NPI with its right check digit: look for a mistyped digit")
    return number


def parse_mbi(text: str) -> str:
    """Return the 11 characters of an MBI without dashes and spaces.  Its letters are never S, L, O, I, B or Z."""
    number = _upper(text).replace("-", "").replace(" ", "")
    form = "a Medicare beneficiary identifier: 11 characters as on the card, such as 1EG4-TE5-MK73"
    return _match(_MBI, number, form)[0]


def parse_cin(text: str) -> str:
    """Return the 9 characters of a CIN, with which the 14 characters of a Medi-Cal card (BIC) begin."""
    form = "a Medi-Cal client index number: a 9, 7 digits and a letter, or the card's 14 characters"
    return _match(_CIN, _upper(text), form)[1]


def parse_icd_10_cm(text: str) -> str:
    """Return an ICD-10-CM code in upper case, with a dot after the third character if more follow."""
    form = "an ICD-10-CM code: a letter, 2 letters or digits, and after a dot up to 4 more, such as K50.90"
    match = _match(_ICD_10_CM, _upper(text), form)
    return f"{match[1]}.{match[2]}" if match[2] else match[1]


def parse_ndc(text: str) -> str:
    """Return the 11 digits (5-4-2) of an NDC: the short segment of a ten-digit code is filled with a zero."""
    number = text.strip()
    if number.isascii() and number.isdigit():
        if len(number) == 11:
            return number
        if len(number) == 10:
            raise InvalidIdentifier(
                "must keep its dashes: an NDC of 10 digits without them could be any of several; send 11 digits, 5-4-2"
            )
    segments = _NDC.fullmatch(number)
    if segments is None or tuple(map(len, segments.groups())) not in _NDC_SEGMENTS:
        raise InvalidIdentifier("must be an NDC: 11 digits, or 10 with dashes (4-4-2, 5-3-2 or 5-4-1)")
    return segments[1].zfill(5) + segments[2].zfill(4) + segments[3].zfill(2)


def parse_hcpcs(text: str) -> str:
    """Return a code in upper case: a letter from A to V and 4 digits (HCPCS Level II), or 5 digits (CPT)."""
    return _match(_HCPCS, _upper(text), "a HCPCS code: a letter from A to V and 4 digits, or 5 digits (CPT)")[0]


def parse_place_of_service(text: str) -> str:
    """Return the two digits of a place-of-service code."""
    return _match(_PLACE_OF_SERVICE, text.strip(), "a place-of-service code: 2 digits, such as 12 for the home")[0]


def parse_county(text: str) -> str:
    """Return one of the 58 names in `COUNTIES`; its case, and a final `County`, do not matter."""
    name = " ".join(text.casefold().split()).removesuffix(" county")
    found = _COUNTIES.get(name)
    if found is None:
        near = nearest(name, COUNTIES, cutoff=0.8)
        hint = f"; did you mean {near}?" if near else ", such as Los Angeles"
        raise InvalidIdentifier(f"must be the name of a California county{hint}")
    return found


def _match(pattern: re.Pattern[str], text: str, form: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise InvalidIdentifier(f"must be {form}")
    return match


def _upper(text: str) -> str:
    """Return the text in upper case; text that is not ASCII stays, because some of its letters would become ASCII."""
    return text.strip().upper() if text.isascii() else text


def _luhn_sum(digits: str) -> int:
    """Return the sum of ISO/IEC 7812-1, annex B, which is divisible by 10 if the check digit is right."""
    return sum(map(int, digits[::-2])) + sum(map(_DOUBLED.__getitem__, digits[-2::-2]))


_DOUBLED = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))
"""The sum of the digits of each digit's double."""
