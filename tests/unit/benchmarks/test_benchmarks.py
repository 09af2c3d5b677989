"""Guards against wrong figures in docs/performance.md.  Nothing is timed here, and no other engine is needed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from benchmarks import __main__ as program
from benchmarks.budgets import BUDGETS, COLD_START, ORDERS_PER_CORE
from benchmarks.cold_start import INIT, REQUEST
from benchmarks.grown import with_lines, with_rules
from benchmarks.load_cost import Used, cost_of_million, item_bytes, read_units, storage_of_million, write_units
from benchmarks.measuring import Times
from benchmarks.peer_engines import Peer, names_of
from benchmarks.peer_languages import CEL, JSON_LOGIC, ZEN, json_logic, plain
from benchmarks.peers import RULES, WrongTranslation, answers_where_unknown, setting
from benchmarks.project import default_rules, order_body
from benchmarks.reporting import Report, Table, page
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.expression import TESTS, Comparison, Every, Negation, Some
from tests.support.project import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

DRUG = Comparison("line.kind", "is", "drug")
FEW = Comparison("line.units", "below", Decimal("2.5"))


def test_every_operator_has_a_translation_into_every_language() -> None:
    assert set(JSON_LOGIC) == set(ZEN.operators) == set(CEL.operators) == set(TESTS)


def test_composition_is_translated_into_every_language() -> None:
    either = Some((DRUG, Every((FEW, Negation(DRUG)))))
    drug, few = {"===": [{"var": "line_kind"}, "drug"]}, {"<": [{"var": "line_units"}, 2.5]}
    assert json_logic(either) == {"or": [drug, {"and": [few, {"!": drug}]}]}
    assert ZEN.text(either) == '(line_kind == "drug" or (line_units < 2.5 and not (line_kind == "drug")))'
    assert CEL.text(either) == '(line_kind == "drug" || (line_units < 2.5 && !(line_kind == "drug")))'


def test_dates_and_prefixes_are_translated() -> None:
    since = Comparison("line.date_of_service", "at_least", date(2024, 7, 1))
    prefix = Comparison("line.hcpcs", "starts_with_any", ("J1", "S"))
    assert ZEN.text(since) == 'date(line_date_of_service) >= date("2024-07-01")'
    assert CEL.text(since) == 'line_date_of_service >= "2024-07-01"'
    assert CEL.text(prefix) == '[line_hcpcs].exists(code, code.startsWith("J1") || code.startsWith("S"))'


def test_engines_get_plain_values() -> None:
    values = (Decimal("2.50"), 3, True, "a", date(2026, 12, 1), frozenset({"b", "a"}), None)
    assert [plain(value) for value in values] == [2.5, 3.0, True, "a", "2026-12-01", ["a", "b"], None]


def test_engine_that_disagrees_is_refused_before_timing() -> None:
    shared = replace(whole := setting(), orders=whole.orders[:3])
    names = names_of([rule.broken for rule in shared.rules])

    def always_broken(_facts: Any) -> bool:
        return True

    with pytest.raises(WrongTranslation):
        answers_where_unknown(shared, Peer("wrong", [always_broken] * len(RULES), names))


def test_ratio_is_the_median_of_the_rounds() -> None:
    """A round in which the machine was busy slows both."""
    assert Times((1.0, 30.0, 3.0)).ratio_to(Times((2.0, 20.0, 6.0))) == 0.5


def test_budgets_are_the_published_ones() -> None:
    limits = [budget.limit for budget in BUDGETS]
    assert limits == [0.75, 1.0, 0.75, 1.35, 1.5, 150, 1200, 0.6, 1200, 1.1, 0, 1]
    assert COLD_START.holds(0.6)
    assert not COLD_START.holds(0.61)
    assert ORDERS_PER_CORE.holds(1200)
    assert not ORDERS_PER_CORE.holds(1199)


def test_page_shows_every_budget_and_says_what_is_missed_or_did_not_run() -> None:
    table = Table("Times", ("", "us"), [("a|b", "1")], "A note.")
    report = Report("One", "About it.", [table], [("an order", "1 ms")], {COLD_START: 0.7, ORDERS_PER_CORE: 1500.0})
    text = page("# Performance", [report])
    assert "| an order | 1 ms |" in text
    assert "## One\n\nAbout it.\n\n| Times | us |\n|---|--:|\n| a\\|b | 1 |\n\nA note." in text
    assert "| 0.7 x | at most 0.6 x | MISSED |" in text
    assert "| 1,500 orders/s | at least 1,200 orders/s | kept |" in text
    assert text.count("| not run |") == len(BUDGETS) - 2


def test_committed_page_shows_the_current_budgets_on_three_screens() -> None:
    text = (PROJECT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert all(f"| {budget.what} |" in text for budget in BUDGETS)
    assert len(text.splitlines()) <= 140


@pytest.mark.parametrize(("found", "holds"), [({"a": 1.2}, True), ({"a": 1.3, "b": 1.0}, False), ({"new": 1.0}, False)])
def test_check_fails_when_a_ratio_is_worse_or_nothing_is_comparable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: dict[str, float], *, holds: bool
) -> None:
    monkeypatch.setattr(program, "RATIOS", tmp_path / "ratios.json")
    program.keep({"a": 1.0, "b": 1.0})
    assert program.compare(found, Console(quiet=True)) is holds


@pytest.mark.parametrize("count", [50, 200])
def test_grown_rule_set_has_the_stated_size_and_is_the_same_every_time(count: int) -> None:
    grown = with_rules(default_rules(), count)
    assert len({rule["id"] for rule in grown.rules}) == len(grown.rules) == count
    assert grown.digest == with_rules(default_rules(), count).digest


def test_longer_order_has_the_stated_lines() -> None:
    order = parse_order(json.dumps(with_lines(json.loads(order_body()), 100)))
    assert len({line.line_id for line in order.lines}) == 100


def test_emulator_times_are_read_from_the_runtime_and_not_from_the_report_line() -> None:
    log = (
        "[INFO] (rapid) INIT REPORT(durationMs: 530.451000)\n"
        "[INFO] (rapid) INVOKE RTDONE(status: success, produced bytes: 0, duration: 22.435000ms)\n"
        "REPORT RequestId: 0243 Init Duration: 0.04 ms Duration: 553.20 ms\n"
    )
    assert [float(pattern.findall(log)[0]) for pattern in (INIT, REQUEST)] == [530.451, 22.435]


def test_dynamodb_units_follow_the_size_of_items() -> None:
    assert item_bytes({"PK": {"S": "é"}, "n": {"N": "1764106200"}, "b": {"B": b"123"}}) == 2 + 2 + 1 + 5 + 1 + 3
    assert [write_units(size) for size in (3, 1024, 1025)] == [1, 1, 2]
    assert write_units(1025, in_transaction=True) == 4
    assert [read_units(size, consistent=True) for size in (0, 4096, 4097)] == [1, 1, 2]
    assert read_units(4097, consistent=False) == 1


def test_million_orders_cost_a_million_times_what_one_used() -> None:
    used = Used(requests=1, orders=1, billed_ms=10, write_units=8, read_units=2, stored_bytes=1000, log_bytes=350)
    costs = cost_of_million(used, memory_megabytes=1024)
    assert costs == pytest.approx(
        {"API Gateway": 3.5, "Lambda": 0.333334, "DynamoDB writes": 5.0, "DynamoDB reads": 0.25, "CloudWatch logs": 0.5}
    )
    assert storage_of_million(used, months=10) == pytest.approx(4.5)
    ten = Used(requests=1, orders=10, billed_ms=10, write_units=80)
    assert cost_of_million(ten, memory_megabytes=1024)["API Gateway"] == pytest.approx(0.35)
