"""docs/guards.md names tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"`(tests/[\w/]+\.py)((?:::\w+)*)`", (ROOT / "docs" / "guards.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_guards_test_is_there(file: str, name: str) -> None:
    found = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    scope: list[ast.stmt] = found.body
    for part in name.split("::")[1:]:
        (inner,) = [each for each in scope if isinstance(each, ast.FunctionDef | ast.ClassDef) and each.name == part]
        scope = inner.body


def test_every_point_of_trust_has_guards() -> None:
    assert len(NAMED) > 50
