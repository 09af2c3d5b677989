"""Data of a member in an order reaches no log, metric, problem, key or table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.orders import CANARY, a_canary_order
from tests.support.partner import an_event

if TYPE_CHECKING:
    from tests.support.partner import World


def given_out_and_kept(world: World, capsys: pytest.CaptureFixture[str], text: str) -> str:
    """The log lines, metrics, error output, and everything in the table."""
    written = capsys.readouterr()
    return "\n".join([written.out, written.err, repr(world.items()), text])


@pytest.mark.parametrize("key", [None, "CANARY-14"])
@pytest.mark.parametrize("query", [None, {"explain": "all"}])
def test_a_decided_order_leaves_no_canary_anywhere(
    world: World, capsys: pytest.CaptureFixture[str], key: str | None, query: dict[str, str] | None
) -> None:
    answer = world.partner.validate(
        a_canary_order(), headers={"Idempotency-Key": key and f"{key}.{bool(query)}"}, query=query
    )

    assert answer.status == 200
    everything = given_out_and_kept(world, capsys, answer.text)
    for expected in ("answered", "Decisions", "member.line_of_business", '"finding'):
        assert expected in everything
    assert CANARY not in everything
    assert "1951" not in everything


@pytest.mark.parametrize(
    "spoil",
    [
        lambda order: order | {"order_id": "CANARY 99"},
        lambda order: order | {"urgency": "CANARY-20"},
        lambda order: order | {"member": order["member"] | {"birth_date": "CANARY-21"}},
        lambda order: order | {"member": order["member"] | {"line_of_business": "CANARY-22"}},
        lambda order: order | {"lines": [{**order["lines"][0], "dose": {"value": "CANARY-23", "unit": "CANARY-24"}}]},
        lambda order: order | {"lines": "CANARY-25"},
        lambda order: order | {"member": order["member"] | {"name": "CANARY-26"}},
    ],
)
def test_a_refused_order_leaves_no_canary_anywhere(
    world: World, capsys: pytest.CaptureFixture[str], spoil: Any
) -> None:
    recorded = world.count_decisions()

    answer = world.partner.validate(spoil(a_canary_order()))

    assert (answer.status, answer.problem) == (422, "invalid-order")
    assert CANARY not in given_out_and_kept(world, capsys, answer.text)
    assert world.count_decisions() == recorded


@pytest.mark.parametrize(
    "event",
    [
        an_event("validate-order", body='{"order_id": CANARY-30'),
        an_event("validate-order", query={"as_of": "CANARY-31", "CANARY 32": "CANARY-33"}),
        an_event("validate-order", headers={"Idempotency-Key": "CANARY 34", "Content-Type": "text/CANARY-35"}),
        an_event("validate-order", scope="CANARY-36"),
        an_event("validate-order", client_id="x") | {"path": "/v1/CANARY-37", "resource": "/{proxy+}"},
        an_event("get-decision") | {"path": "/v1/decisions/CANARY-38"},
        an_event("validate-batch", body=json.dumps({"orders": ["CANARY-39", {"order_id": "CANARY-40"}]})),
    ],
)
def test_no_part_of_a_request_is_repeated_in_a_problem_or_a_log(
    world: World, capsys: pytest.CaptureFixture[str], event: dict[str, Any]
) -> None:
    answer = world.partner.send(event)

    assert CANARY not in given_out_and_kept(world, capsys, answer.text)
