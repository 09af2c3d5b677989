"""The check of public names finds a name that two modules define."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.check_names import duplicates, main, public_names

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_public_names_are_the_classes_and_functions_of_a_module() -> None:
    source = "class Rule:\n    def judge(self): ...\n\ndef decide(): ...\n\ndef _helper(): ...\n\nLIMIT = 3\n"
    assert public_names(source) == ["Rule", "decide"]


def test_name_in_two_modules_is_reported_with_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.py").write_text("class Finding: ...\nclass Order: ...\n")
    (tmp_path / "other.py").write_text("def Finding(): ...\n")
    assert list(duplicates([tmp_path])) == ["Finding"]
    assert main([str(tmp_path)]) == 1
    assert "one.py" in capsys.readouterr().out


def test_overloads_in_one_module_are_not_reported(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("def read(): ...\ndef read(): ...\n")
    assert main([str(tmp_path)]) == 0
