"""Documents that show commands with their output: the commands are run, and their output is what the document says.

A block `text file=NAME` is a file; in a block `console` each line after `$ ` is a command, and what follows is its
output; commands without one are not run.  `...` on a line of its own stands for any lines.
"""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from infusion_orders.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(?P<kind>console|text file=(?P<file>\S+))\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
ANY_LINES = "..."
WIDTH = "100"


@dataclass(frozen=True)
class Command:
    line: str
    output: tuple[str, ...]


def commands_of(block: str) -> Iterator[Command]:
    joined = block.replace("\\\n", " ")
    for part in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
        line, *output = part.rstrip("\n").split("\n")
        yield Command(line, tuple(text.rstrip() for text in output))


def pattern_of(output: tuple[str, ...]) -> str:
    return "".join(r"(?:.*\n)*?" if line == ANY_LINES else re.escape(line) + r"\n" for line in output) + r"\Z"


def output_of(command: str) -> str:
    _program, *arguments = shlex.split(command)
    result = CliRunner(env={"NO_COLOR": "1", "COLUMNS": WIDTH}).invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return "".join(line.rstrip() + "\n" for line in result.output.splitlines())


@pytest.mark.parametrize("document", ["README.md", "docs/codes.md"])
def test_the_commands_of_a_document_give_the_output_that_it_shows(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "events", tmp_path / "events")
    monkeypatch.chdir(tmp_path)
    ran = 0
    for block in BLOCK.finditer((ROOT / document).read_text(encoding="utf-8")):
        if block["file"]:
            Path(block["file"]).write_text(block["text"], encoding="utf-8")
            continue
        for command in commands_of(block["text"]):
            if command.output:
                output = output_of(command.line)
                assert re.match(pattern_of(command.output), output), f"{command.line}\n{output}"
                ran += 1
    assert ran
