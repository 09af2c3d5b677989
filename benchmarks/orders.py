"""The orders that benchmarks decide: the example orders, varied, the same ones every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[1]


def orders() -> Iterator[dict[str, Any]]:
    """The example orders, each for several members, groups and vendors, and cut to 1 to 4 lines."""
    examples = [json.loads(path.read_text("utf-8")) for path in sorted((PROJECT / "events" / "orders").glob("*.json"))]
    number = 0
    while True:
        order = json.loads(json.dumps(examples[number % len(examples)]))
        order["member"]["birth_date"] = f"{1930 + number % 80}-03-02"
        order["member"]["medical_group"]["risk_arrangement"] = ("shared_risk", "full_risk", "dual_risk")[number % 3]
        order["infusion_provider"]["vendor"] = ("coram", "acme-infusion")[number // 3 % 2]
        order["lines"] = order["lines"][: 1 + number % 4]
        number += 1
        yield order
