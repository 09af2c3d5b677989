"""The arithmetic of the load test: DynamoDB's units, percentiles, and what a million orders cost."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from benchmarks.load_cost import (
    Used,
    cost_of_million,
    growth_percent,
    item_bytes,
    number_bytes,
    percentile,
    read_units,
    write_units,
)


def item_of(size: int) -> dict[str, dict[str, Any]]:
    return {"PK": {"S": "x" * (size - 2)}}


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"PK": {"S": "PARTNER#a"}, "SK": {"S": "é"}}, 2 + 9 + 2 + 2),
        ({"b": {"B": b"12345"}}, 6),
        ({"yes": {"BOOL": True}, "no": {"NULL": True}}, 4 + 3),
        ({"l": {"L": [{"S": "ab"}, {"N": "1"}]}}, 1 + 3 + 3 + 3),
        ({"m": {"M": {"n": {"S": "ab"}}}}, 1 + 3 + 1 + 3),
        ({"s": {"SS": ["ab", "c"]}}, 4),
        ({}, 0),
    ],
)
def test_an_item_is_as_large_as_its_names_and_values(item: dict[str, dict[str, Any]], size: int) -> None:
    assert item_bytes(item) == size


@pytest.mark.parametrize(("number", "size"), [("0", 1), ("7", 2), ("12", 2), ("1764106200", 5), ("-12.5", 4)])
def test_a_number_takes_a_byte_for_two_digits(number: str, size: int) -> None:
    assert number_bytes(number) == size


@pytest.mark.parametrize(("size", "units"), [(3, 1), (1024, 1), (1025, 2), (5000, 5)])
def test_a_write_counts_each_kilobyte_begun(size: int, units: int) -> None:
    assert write_units(item_of(size)) == units
    assert write_units(item_of(size), in_transaction=True) == 2 * units


def test_a_read_counts_every_four_kilobytes_and_half_of_them_if_it_may_be_late() -> None:
    assert read_units([item_of(4096)], consistent=True) == 1
    assert read_units([item_of(3000), item_of(3000)], consistent=True) == 2
    assert read_units([item_of(3000), item_of(3000)], consistent=False) == 1
    assert read_units([], consistent=True) == 1


def test_percentiles_are_values_that_occurred() -> None:
    counts = Counter({10: 98, 20: 1, 900: 1})

    assert [percentile(counts, share) for share in (0.5, 0.98, 0.99, 1)] == [10, 10, 20, 900]
    assert percentile(Counter(), 0.5) == 0


def test_growth_is_told_in_percent_of_what_was_there() -> None:
    assert growth_percent(100, 105) == pytest.approx(5)
    assert growth_percent(100, 90) == pytest.approx(-10)
    assert growth_percent(0, 5) == 0


def test_what_was_used_adds_up() -> None:
    used = Used(requests=1, orders=10, duration_ms=1.5, billed_ms=2)

    used.add(Used(requests=2, orders=2, duration_ms=1.0, billed_ms=3, write_units=4, read_units=0.5))

    assert used == Used(requests=3, orders=12, duration_ms=2.5, billed_ms=5, write_units=4, read_units=0.5)


def cost(used: Used) -> dict[str, float]:
    return cost_of_million(used, memory_megabytes=1024, orders_a_second=100)


def test_a_million_orders_cost_what_one_used_a_million_times() -> None:
    used = Used(requests=1, orders=1, billed_ms=10, write_units=8, read_units=2, stored_bytes=1000, log_bytes=350)

    assert cost(used) == pytest.approx(
        {
            "API Gateway, requests": 3.50,
            "Lambda, requests": 0.20,
            "Lambda, duration": 10_000 * 0.0000133334,
            "DynamoDB, writes": 5.0,
            "DynamoDB, reads": 0.25,
            "DynamoDB, a month stored": 0.25,
            "DynamoDB, its backup": 0.20,
            "KMS, requests": 34 * 2 / 10_000 * 0.03,
            "CloudWatch, logs": 0.5,
        }
    )


def test_more_of_the_same_costs_the_same_for_a_million() -> None:
    one = Used(requests=1, orders=1, billed_ms=7, write_units=6, read_units=1, stored_bytes=5000, log_bytes=900)
    three = Used()
    for _ in range(3):
        three.add(one)

    assert cost(three) == pytest.approx(cost(one))


def test_ten_orders_in_one_request_share_it() -> None:
    costs = cost(Used(requests=1, orders=10, billed_ms=10, write_units=10))

    assert costs["API Gateway, requests"] == pytest.approx(0.35)
    assert costs["Lambda, requests"] == pytest.approx(0.02)
    assert costs["DynamoDB, writes"] == pytest.approx(0.625)


def test_half_the_memory_costs_half_the_duration() -> None:
    used = Used(requests=1, orders=1, billed_ms=10)

    halved = cost_of_million(used, memory_megabytes=512, orders_a_second=100)

    assert halved["Lambda, duration"] == pytest.approx(cost(used)["Lambda, duration"] / 2)
