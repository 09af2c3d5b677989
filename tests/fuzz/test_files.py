"""A hostile rule file ends in a clear problem, in bounded time and memory."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from infusion_orders.authoring import rule_files
from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.authoring.table_checks import table_problems
from infusion_orders.reference.schema import TABLES
from infusion_orders.rules.problems import RuleSetErrors
from tests.support.rules import default_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 20.0


@contextmanager
def bounded() -> Iterator[None]:
    """Limit the processor time of the block."""
    started = time.process_time()
    yield
    assert time.process_time() - started < SECONDS


HOSTILE_YAML = {
    "aliases": (b"a: &a [x]\nb: [*a, *a]\n", "aliases"),
    "merged aliases": (b"- &a {id: x}\n- {<<: *a}\n", "aliases"),
    "deep lists": (b"- " + b"[" * 100_000, "recursion"),
    "deep objects": (b"- " + b"{a: " * 3000, "recursion"),
    "deep blocks": (b"- " * 100_000, "recursion"),
    "many values": (b"- id: [" + b"[]," * (rule_files.MOST_NODES + 1) + b"]", "more than 200000 values"),
    "number in base 60": (b"- id: 1" + b":1" * 100_000, "more than 64 characters"),
    "number in base 16": (b"- id: 0x" + b"f" * 100_000, "more than 64 characters"),
    "number": (b"- id: " + b"9" * 100_000, "more than 64 characters"),
    "key twice": (b"- id: x\n  id: y\n", "written twice"),
    "key twice, quoted": (b'- id: x\n  "id": y\n', "written twice"),
    "list as key": (b"- ? [a]\n  : b\n", "unhashable key"),
    "not UTF-8": (b"- id: \xff\xfe\xfa\n", "the file is not valid YAML"),
    "UTF-16, cut": (b"\xff\xfe-\x00 ", "the file is not valid YAML"),
    "code": (b'- !!python/object/apply:os.system ["true"]\n', "could not determine a constructor"),
    "no number": (b'- id: !!int ""\n', "the file is not valid YAML"),
    "no truth": (b'- id: !!bool "x"\n', "the file is not valid YAML"),
    "no moment": (b'- id: !!timestamp "x"\n', "the file is not valid YAML"),
    "no day": (b"- id: 2024-99-99\n", "the file is not valid YAML"),
    "bytes": (b"- id: !!binary aGVsbG8=\n", "id: "),
    "set": (b"- id: x.y\n  when: !!set {a, b}\n", "when"),
    "half a character": (b'- id: "\\ud800"\n', "id: "),
    "deep condition": (b"- id: x.y\n  when: " + b"{all: [" * 100 + b"1" + b"]}" * 100, "x.y"),
    "two documents": (b"---\n[]\n---\n[]\n", "the file is not valid YAML"),
}


@pytest.mark.parametrize(("content", "says"), HOSTILE_YAML.values(), ids=HOSTILE_YAML)
def test_a_hostile_rule_file_is_refused_with_a_problem(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a.yaml").write_bytes(content)

    with bounded(), pytest.raises(RuleSetErrors) as refused:
        load_directory(tmp_path)

    assert says in str(refused.value)
    assert len(str(refused.value)) < 10_000


@pytest.mark.parametrize(
    ("content", "says"),
    [(b'a,"b\n1,2', "CSV"), (b"a,\xff", "CSV"), (b"a" * 200_000, "CSV"), (b"a\0b\n", "codes"), (b"a,b\n" * 5, "codes")],
)
def test_a_hostile_table_is_refused_with_a_problem(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "codes.csv").write_bytes(content)
    (tmp_path / "a.yaml").write_bytes(b"- id: x.y\n")

    with bounded(), pytest.raises(RuleSetErrors) as refused:
        load_directory(tmp_path)

    assert says in str(refused.value)


def test_a_table_above_the_size_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_files, "LARGEST_TABLE", 10)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "codes.csv").write_bytes(b"a" * 11)

    with pytest.raises(RuleSetErrors, match=r"tables/codes\.csv: the file is larger than 10 bytes"):
        load_directory(tmp_path)


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "=1"])
def test_a_table_text_that_is_a_spreadsheet_formula_is_a_problem(cell: str) -> None:
    rows = [list(row) for row in default_document().tables["codes"]]
    place = next(at for at, column in enumerate(TABLES["codes"].columns) if column.kind == "text")
    rows[1][place] = cell

    problems = table_problems({**default_document().tables, "codes": rows})

    assert any("treat it as a formula" in problem.problem for problem in problems)
