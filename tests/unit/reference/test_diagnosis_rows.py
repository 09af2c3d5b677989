"""The rows of the table `diagnoses`, made from billable codes."""

from __future__ import annotations

from datetime import date

from infusion_orders.authoring.table_checks import table_problems
from infusion_orders.reference.schema import TABLES
from infusion_orders_cli.codes.icd_10_cm import diagnosis_rows


def test_diagnosis_rows_have_one_row_for_each_category() -> None:
    rows = diagnosis_rows(
        ["E11.9", "I10", "e1165", "E1165", "A00.0"], valid_from=date(2026, 4, 1), valid_to=date(2026, 9, 30)
    )
    assert rows == [
        ("A00", "0", "2026-04-01", "2026-09-30", "coding"),
        ("E11", "65|9", "2026-04-01", "2026-09-30", "coding"),
        ("I10", "-", "2026-04-01", "2026-09-30", "coding"),
    ]


def test_diagnosis_rows_pass_the_check_of_the_table() -> None:
    rows = diagnosis_rows(["I10", "I109", "I10A"], valid_from=date(2026, 4, 1), valid_to=None)
    assert rows == [("I10", "-|9|A", "2026-04-01", "", "coding")]
    assert not table_problems({"diagnoses": [TABLES["diagnoses"].header(), *rows]})
