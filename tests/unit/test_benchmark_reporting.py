"""What is told of a benchmark: budgets, ratios that got worse, growth, tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from benchmarks.__main__ import compared, is_as_kept, keep, ratios_of
from benchmarks.measuring import Times, growth, side_by_side
from benchmarks.reporting import Budget, Report, Table, as_markdown

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("found", "kept"), [(0.59, True), (0.60, True), (0.61, False)])
def test_a_budget_is_kept_up_to_its_limit(found: float, kept: bool) -> None:
    budget = Budget("cold start", found, 0.60)
    assert budget.kept is kept
    assert budget.told()[-1] == ("kept" if kept else "NOT KEPT")


@pytest.mark.parametrize(
    ("found", "verdict"), [(1.24, "as it was"), (1.26, "WORSE"), (0.81, "as it was"), (0.79, "better")]
)
def test_a_ratio_is_worse_beyond_a_quarter(found: float, verdict: str) -> None:
    assert compared({"a": 2 * found, "new": 1.0}, {"a": 2.0, "old": 1.0}) == [("a", "2", f"{2 * found:.3g}", verdict)]


@pytest.fixture
def kept_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where ratios are kept; it is not there yet."""
    path = tmp_path / "ratios.json"
    monkeypatch.setattr("benchmarks.__main__.RATIOS", path)
    return path


@pytest.mark.parametrize(("found", "holds"), [({"a": 1.0}, True), ({"a": 1.3, "b": 1.0}, False), ({"new": 1.0}, False)])
def test_the_check_fails_where_one_is_worse_and_where_none_is_kept(
    kept_file: Path, found: dict[str, float], *, holds: bool
) -> None:
    kept_file.write_text(json.dumps({"a": 1.0, "b": 1.0}), encoding="utf-8")
    assert is_as_kept(found, Console(quiet=True)) is holds


@pytest.mark.usefixtures("kept_file")
def test_the_check_fails_before_any_ratio_is_kept() -> None:
    assert not is_as_kept({"a": 1.0}, Console(quiet=True))


def test_what_did_not_run_stays_kept(kept_file: Path) -> None:
    keep({"a": 1.0, "b": 2.0})
    keep({"b": 3.00004})
    assert json.loads(kept_file.read_text("utf-8")) == {"a": 1.0, "b": 3.0}


def test_ratios_are_named_for_their_benchmark() -> None:
    reports = [Report("one", "One", "", ratios={"a": 1.0}), Report("two", "Two", "", ratios={"a": 2.0})]
    assert ratios_of(reports) == {"one: a": 1.0, "two: a": 2.0}


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    """A round in which the machine was busy slows both."""
    ours, theirs = Times("ours", (1.0, 30.0, 3.0)), Times("theirs", (2.0, 20.0, 6.0))
    assert ours.ratio_to(theirs) == 0.5
    assert ours.longer_than(theirs) == -1.0
    assert ours.median == 3.0
    assert ours.spread == (1.0, 30.0)
    assert ours.each(2).rounds == (0.5, 15.0, 1.5)


def test_growth_is_the_exponent() -> None:
    assert growth([1, 10, 100], [5, 50, 500]) == pytest.approx(1)
    assert growth([1, 10, 100], [5, 5, 5]) == pytest.approx(0)
    assert growth([1, 2, 4], [1, 4, 16]) == pytest.approx(2)


def test_every_contender_runs_in_every_round_and_its_first_call_does_not_count() -> None:
    calls: dict[str, int] = {"a": 0, "b": 0}

    def counting(name: str) -> None:
        calls[name] += 1

    times = side_by_side({name: lambda name=name: counting(name) for name in calls}, rounds=3, least_seconds=0)  # type: ignore[misc]
    assert {name: len(found.rounds) for name, found in times.items()} == {"a": 3, "b": 3}
    assert calls == {"a": 5, "b": 5}


def test_a_section_holds_the_tables_and_the_budgets() -> None:
    table = Table("Times", ("what", "us"), [("a|b", "1")], "A note.")
    report = Report("one", "One", "About it.", tables=[table], budgets=[Budget("fast", 2.0, 1.0, "ms")])
    assert as_markdown(report, "plots") == (
        "## One\n\nAbout it.\n\n**Times**\n\n| what | us |\n|---|--:|\n| a\\|b | 1 |\n\nA note.\n\n"
        "| budget | found | at most |  |\n|---|--:|--:|--:|\n| fast | 2 ms | 1 ms | NOT KEPT |\n"
    )
