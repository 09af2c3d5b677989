"""Build orders for tests: the example of events/orders with the changes that a test names."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infusion_orders.orders.parsing import parse_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from infusion_orders.orders.order import Order

Document = dict[str, Any]
Place = tuple[str | int, ...]

ABSENT: Any = object()
"""As a change: remove the field."""
CANARY = "CANARY"
"""Begins each value of `a_canary_order` that must not appear in logs, metrics, problems, keys or tables."""
WEEK = {"service_from": "2026-12-01", "service_to": "2026-12-07"}
REQUIRED = frozenset({"order_id", "member", "member_id", "lines", "line_id"})

_EXAMPLE = json.loads((Path(__file__).parents[2] / "events" / "orders" / "remicade.json").read_text("utf-8"))


def an_order_document(changes: Mapping[str, Any] | None = None, /, **fields: Any) -> Document:
    """Return the example order as JSON, with changes.

    `changes` maps JSON pointers to new values; `/lines/-` appends, and missing parents are created.
    `fields` replaces top-level fields by name.
    """
    document: Document = copy.deepcopy(_EXAMPLE)
    for pointer, value in {**(changes or {}), **{f"/{name}": value for name, value in fields.items()}}.items():
        change(document, pointer, copy.deepcopy(value) if value is not ABSENT else ABSENT)
    return document


def an_order(changes: Mapping[str, Any] | None = None, /, **fields: Any) -> Order:
    """Return the example as an `Order`, changed like `an_order_document`; values may be `Decimal` and `date`."""
    return parse_order(json.dumps(an_order_document(changes, **fields), default=str))


def change(document: Document, pointer: str, value: Any) -> None:
    """Set the value at the JSON pointer, or remove the field if the value is ABSENT."""
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


def a_line(line_id: str, kind: str, hcpcs: str, /, **fields: Any) -> Document:
    """Return a service line of one day and one unit on the medical benefit, without modifiers, plus the fields."""
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


def a_drug_line(line_id: str, hcpcs: str, dose: str, frequency: str, /, **fields: Any) -> Document:
    """Return a line for a drug that is infused over an hour; the dose is written like `1 g`."""
    value, unit = dose.split()
    given = {"dose": {"value": value, "unit": unit}, "frequency": frequency, "route": "IV", "infusion_hours": 1}
    return a_line(line_id, "drug", hcpcs, **{**given, "requires_admixture": True, **fields})


def an_order_of(*lines: Document, **changes: Any) -> Document:
    """Return an order with these lines for the example's member, whose group has full risk (any vendor may fill it)."""
    full_risk = {"/member/medical_group/risk_arrangement": "full_risk", "/lines": [dict(line) for line in lines]}
    return an_order_document({**full_risk, **changes})


def a_canary_order() -> Document:
    """Return a valid order whose identifying values and free texts are canaries, each with its own number.

    The order's and the lines' ids and the ids of vendor and medical group stay, because a decision repeats them.
    """
    order = an_order_document(diagnoses=[{"code": "CANARY-01", "primary": True}])
    order["submitter"]["npi"] = "CANARY-02"
    order["member"] |= {
        "member_id": "CANARY-03",
        "mbi": "CANARY-04",
        "cin": "CANARY-05",
        "birth_date": "1951-03-02",
        "county": "CANARY-06",
    }
    order["prescriber"]["npi"] = "CANARY-08"
    order["infusion_provider"] |= {"npi": "CANARY-09"}
    order["lines"][0] |= {"drug": "CANARY-10", "ndc": "CANARY-11", "frequency": "CANARY-12", "therapy": "CANARY-13"}
    return order


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Yield the place of every field and list item, parents before children."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, held in inner:
        yield (*place, step)
        yield from places(held, (*place, step))


def optional_places(document: Document) -> list[Place]:
    """Return the places of the fields that may be left out."""
    return [place for place in places(document) if isinstance(place[-1], str) and place[-1] not in REQUIRED]


def without(document: Document, left_out: Iterable[Place]) -> Document:
    """Return a copy of the order without the fields at these places."""
    sparse = copy.deepcopy(document)
    for place in sorted(left_out, key=len, reverse=True):
        *way, name = place
        parent: Any = sparse
        for step in way:
            parent = parent[step]
        del parent[name]
    return sparse
