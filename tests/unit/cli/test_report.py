"""Reports for people: they say the same as the JSON, and steer no terminal."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

from rich.console import Console

from infusion_orders_cli.orders.report import report, summary
from infusion_orders_cli.orders.results import results
from infusion_orders_cli.orders.stream import Body
from infusion_orders_cli.terminal import plain
from tests.support.orders import ABSENT, an_order_document
from tests.support.rules import default_rules


def shown(document: Any, *, explain_all: bool = False) -> str:
    rule_set = default_rules()
    body = Body(1, json.dumps(document).encode())
    (result,) = results([body], rule_set, source="order.json", as_of=date(2026, 11, 23), explain_all=explain_all)
    return rendered(report(result))


def rendered(renderable: Any) -> str:
    screen = io.StringIO()
    Console(file=screen, width=200).print(renderable)
    return screen.getvalue()


def test_report_shows_lines_responsible_party_and_receipt() -> None:
    text = shown(an_order_document())

    assert "PPG0420-2026-000123: accepted" in text
    assert "capitated vendor" in text
    assert "as of 2026-11-23; receipt sha256:" in text
    assert "What the rules found" not in text


def test_report_shows_actions_and_cited_clause() -> None:
    text = shown(an_order_document({"/infusion_provider/vendor": "acme-infusion"}))

    assert "use vendor: coram" in text
    assert "M-8 redirect vendor.shared-risk-uses-contracted-vendor: not met" in text
    assert "basis: manual" in text


def test_report_shows_questions_with_pointers() -> None:
    text = shown(an_order_document(caregiver=ABSENT))

    for field in ("present", "willing", "able"):
        assert f"/caregiver/{field}" in text


def test_explanation_shows_values_and_truths() -> None:
    text = shown(an_order_document(), explain_all=True)

    assert "line 1 setting.qualified-person-gives-it: satisfied" in text
    assert "care.administered_by is not unlicensed_aide, it is registered_nurse: true" in text


def test_problem_report_shows_places_and_no_values() -> None:
    text = shown(an_order_document({"/lines/0/dose/value": "seven"}))

    assert "order.json#line-1: invalid-order" in text
    assert "/lines/0/dose/value" in text
    assert "seven" not in text


def test_text_of_an_order_cannot_steer_the_terminal() -> None:
    text = shown(an_order_document({"/lines/0/line_id": "[red]\u009b31m"}))

    assert "[red]\N{REPLACEMENT CHARACTER}31m" in text
    assert plain("a\x1b[2J\tb\n") == "a\N{REPLACEMENT CHARACTER}[2J\tb\n"


def test_summary_counts_every_outcome() -> None:
    from collections import Counter

    text = rendered(summary(Counter(accepted=1200, needs_information=1, problem=2)))

    assert "1,200" in text
    assert "needs information" in text
