"""Orders for tests: the complete example of events/orders, changed where the test says so."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infusion_orders.orders.reading import read_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infusion_orders.orders.order import Order

ABSENT: Any = object()
"""As a change: the field is not sent at all."""

_EXAMPLE = json.loads((Path(__file__).parents[2] / "events" / "orders" / "remicade.json").read_text("utf-8"))


def an_order_document(changes: Mapping[str, Any] | None = None, /, **fields: Any) -> dict[str, Any]:
    """The example as JSON that may be altered further.

    `changes` maps JSON pointers to values, `/lines/-` appends, missing objects on the way are made; `fields` are
    top-level fields by name.
    """
    document: dict[str, Any] = copy.deepcopy(_EXAMPLE)
    for pointer, value in {**(changes or {}), **{f"/{name}": value for name, value in fields.items()}}.items():
        change(document, pointer, copy.deepcopy(value) if value is not ABSENT else ABSENT)
    return document


def an_order(changes: Mapping[str, Any] | None = None, /, **fields: Any) -> Order:
    """The example as an order, changed like `an_order_document`; decimals and dates may be given as such."""
    return read_order(json.dumps(an_order_document(changes, **fields), default=str))


def change(document: dict[str, Any], pointer: str, value: Any) -> None:
    """Puts the value at the pointer, or removes what is there if it is ABSENT."""
    *way, last = pointer.removeprefix("/").split("/")
    parent: Any = document
    for step in way:
        if isinstance(parent, list):
            parent = parent[int(step)]
        else:
            if parent.get(step) is None:
                parent[step] = {}
            parent = parent[step]
    if isinstance(parent, dict):
        if value is ABSENT:
            parent.pop(last, None)
        else:
            parent[last] = value
    elif value is ABSENT:
        del parent[int(last)]
    elif last == "-":
        parent.append(value)
    else:
        parent[int(last)] = value


def a_line(line_id: str, kind: str, hcpcs: str, /, **fields: Any) -> dict[str, Any]:
    """A service line of one day and one unit on the medical benefit, without modifiers, changed by the fields."""
    return {
        "line_id": line_id,
        "kind": kind,
        "hcpcs": hcpcs,
        "units": 1,
        "modifiers": [],
        "billing_path": "medical",
        "service_from": "2026-12-01",
        "service_to": "2026-12-01",
        **fields,
    }


def a_drug_line(line_id: str, hcpcs: str, dose: str, frequency: str, /, **fields: Any) -> dict[str, Any]:
    """A drug given intravenously over an hour: the dose as `1 g`."""
    value, unit = dose.split()
    given = {"dose": {"value": value, "unit": unit}, "frequency": frequency, "route": "IV", "infusion_hours": 1}
    return a_line(line_id, "drug", hcpcs, **{**given, "requires_admixture": True, **fields})


def an_order_of(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The example's member under a delegated group (any vendor will do), with these lines; `WEEK` dates them."""
    delegated = {"/member/medical_group/risk_arrangement": "full_risk", "/lines": [dict(line) for line in lines]}
    return an_order_document({**delegated, **changes})


WEEK = {"service_from": "2026-12-01", "service_to": "2026-12-07"}
