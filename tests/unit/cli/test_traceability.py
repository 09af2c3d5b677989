"""From clause to rules, examples and tests: the tests are found without being run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders_cli.docs.traceability import NamedTest, named_tests, traceability_document

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
import pytest

@pytest.mark.clause("M-5")
def test_of_a_function(): ...

@pytest.mark.clause("M-1")
class TestOfAClass:
    def test_inherits(self): ...

    @pytest.mark.clause("M-2")
    def test_adds(self): ...

    def builder(self): ...

@pytest.mark.parametrize("case", [pytest.param(1, marks=pytest.mark.clause("M-9"))])
def test_of_a_case(case): ...

def test_without(): ...

@pytest.mark.clause("M-5")
def builder(): ...
"""


def test_marked_functions_classes_and_cases_are_found(tmp_path: Path) -> None:
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    (tmp_path / "tests" / "unit" / "test_one.py").write_text(SOURCE)

    found = named_tests(tmp_path / "tests")

    assert [(test.clause, test.name) for test in found] == [
        ("M-1", "test_adds"),
        ("M-1", "test_inherits"),
        ("M-2", "test_adds"),
        ("M-5", "test_of_a_function"),
        ("M-9", "test_of_a_case"),
    ]
    assert {test.file for test in found} == {"tests/unit/test_one.py"}


def test_mark_of_a_module_counts_for_each_of_its_tests(tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text("pytestmark = [pytest.mark.clause('M-3')]\ndef test_it(): ...\n")

    assert [test.clause for test in named_tests(tmp_path)] == ["M-3"]


def test_document_lists_rules_examples_and_tests_by_clause() -> None:
    rule = {"id": "setting.a-rule", "clause": "M-5", "title": "What | it says", "examples": [{}, {}]}
    other = {"id": "billing.a-rule", "title": "Beside", "examples": [{}]}

    text = traceability_document([rule, other], [NamedTest("M-5", "tests/test_x.py", "test_it_holds")])

    assert "| [M-5](#m-5) | 1 | 2 | 1 |" in text
    assert "| `setting.a-rule` | What \\| it says | 2 |" in text
    assert "* `tests/test_x.py`: it holds" in text
    assert "| [M-1](#m-1) | none | 0 | **none** |" in text
    assert "## Rules that hold no clause of the manual" in text
