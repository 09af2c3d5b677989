"""The billing unit that a description states."""

from __future__ import annotations

import pytest

from infusion_orders_cli.codes.units import stated_unit


@pytest.mark.parametrize(
    ("description", "cells"),
    [
        ("Example drug, 10 mg", ("10", "mg", "exact")),
        ("Example drug, per 500 ML", ("500", "ml", "exact")),
        ("Example drug, up to 80 mg", ("80", "mg", "up_to")),
        ("Example drug, up to 600,000 units", ("600000", "unit", "up_to")),
        ("Example drug, 1,000 cc", ("1000", "ml", "exact")),
        ("Example fluid, 5%, (500 ml = 1 unit)", ("500", "ml", "exact")),
        ("Example drug, .5 mg", ("0.5", "mg", "exact")),
        ("Example drug b12, 1 milligram", ("1", "mg", "exact")),
        ("Example drug, 2 gm", ("2", "g", "exact")),
        ("Example drug, per 1 i.u.", ("1", "unit", "exact")),
        ("Example drug, 1000 usp units", ("1000", "unit", "exact")),
        ("Example drug, per 2 meq", ("2", "meq", "exact")),
        ("Example drug, 0.1 microgram", ("0.1", "mcg", "exact")),
    ],
)
def test_single_quantity_is_the_unit(description: str, cells: tuple[str, str, str]) -> None:
    found = stated_unit(description)
    assert found is not None
    assert tuple(found.cells().values()) == cells


@pytest.mark.parametrize(
    "description",
    [
        "Example drug",
        "Example service, per diem",
        "Example service, each 15 minutes",
        "Example drug 50 mg and other drug 25 mg",
        "Example fluid, 10 to 51 grams of protein",
        "Example fluid, 52-73 grams of protein",
        "Example drug, 5 mg/ml",
        "Example drug, 0 mg",
        "Example drug, per international unit",
    ],
)
def test_ambiguous_quantity_is_not_guessed(description: str) -> None:
    assert stated_unit(description) is None


@pytest.mark.parametrize(
    ("cells", "same"),
    [
        (("1", "g", "exact"), True),
        (("1000", "mg", "exact"), True),
        (("1000000", "mcg", "exact"), True),
        (("1000", "mg", "up_to"), False),
        (("100", "mg", "exact"), False),
        (("1000", "ml", "exact"), False),
        (("1000", "minute", "exact"), False),
    ],
)
def test_unit_is_compared_across_units_of_mass(cells: tuple[str, str, str], same: bool) -> None:
    found = stated_unit("Example drug, 1 gram")
    assert found is not None
    assert found.same_as(*cells) is same
