"""The benchmark of cold starts reads the emulator's own times, and says when it cannot run."""

from __future__ import annotations

import pytest

from benchmarks.startup import INIT, OURS, REQUEST, STOCK_HANDLER, Start, report, told

LOG = """
27 Nov 2026 18:34:45,399 [INFO] (rapid) INIT REPORT(durationMs: 530.451000)
27 Nov 2026 18:34:45,422 [INFO] (rapid) INVOKE RTDONE(status: success, produced bytes: 0, duration: 22.435000ms)
REPORT RequestId: 0243 Init Duration: 0.04 ms Duration: 553.20 ms Billed Duration: 554 ms
"""


def test_without_a_build_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("E2E_BUILD", raising=False)
    found = report()
    assert found.about.startswith("NOT RUN: ")
    assert not found.ratios
    assert not found.budgets


def test_the_times_are_those_of_the_runtime_and_not_of_the_report_line() -> None:
    init, request = INIT.search(LOG), REQUEST.search(LOG)
    assert init is not None
    assert request is not None
    assert (float(init[1]), float(request[1])) == (530.451, 22.435)


@pytest.mark.parametrize(("ours", "kept"), [(0.5, True), (0.7, False)])
def test_the_budget_is_of_init_and_first_request_together(ours: float, kept: bool) -> None:
    found = told({OURS: [Start(ours - 0.1, 0.1)] * 3, STOCK_HANDLER: [Start(0.9, 0.1)] * 3}, "3.13")
    assert [budget.kept for budget in found.budgets] == [kept]
    assert found.ratios == pytest.approx({"validate over stock": ours})
