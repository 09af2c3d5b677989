"""Documents that show commands with their output: the commands are run, and their output is what the document says.

A block `text file=NAME` or `yaml file=NAME` is a file that the reader would write.  In a block `console` each line
after `$ ` is a command, and what follows is its output; commands without one are not run.  `...` on a line of its own
stands for any lines.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import socket
import subprocess  # fixed commands, no shell
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from infusion_orders.store.dynamodb import StoreUnavailable, dynamodb_client
from infusion_orders.store.versions import RuleSetStore
from infusion_orders_cli.local.tables import CREDENTIALS, LOCAL_PARTNER, REGION, RULES_TABLE, LocalTables, environment
from infusion_orders_cli.main import app
from tests.support.tables import NOON, record_example

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"^```(?P<kind>console|(?:text|yaml) file=(?P<file>\S+))\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
ANY_LINES = "..."
PLACEHOLDERS = {"<moment>": r"\d{4}-\d\d-\d\d \d\d:\d\d", "<id>": "[0-9A-Z]{26}"}
LOCAL_TABLE = "http://127.0.0.1:8000"
"""Where documents have the table that the tests serve elsewhere."""
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
    """Return a pattern for the output.  `<moment>`, `<id>` and the numbers of rules and examples may be any."""
    lines = [r"(?:.*\n)*?" if line == ANY_LINES else re.escape(line) + r"\n" for line in output]
    pattern = "".join(lines) + r"\Z"
    for word, stands_for in PLACEHOLDERS.items():
        pattern = pattern.replace(re.escape(word), stands_for)
    pattern = re.sub(r"\d+(?=\\ (?:rules|examples))", r"\\d+", pattern)
    return pattern


def output_of(command: str) -> str:
    _program, *arguments = shlex.split(command)
    result = CliRunner(env={"NO_COLOR": "1", "COLUMNS": WIDTH}).invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return "".join(line.rstrip() + "\n" for line in result.output.splitlines())


@pytest.fixture(scope="module")
def table() -> Iterator[str]:
    """The guide's local table in a process of its own: version 1 decides, and has decided six orders in November."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "infusion_orders_cli.main", "dynamodb", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as server:  # noqa: S603 - the command is ours
        try:
            with environment(CREDENTIALS):
                client = dynamodb_client(region=REGION, endpoint_url=address)
                rule_sets = RuleSetStore(client, RULES_TABLE, "home-infusion")
                await_pointer(rule_sets)
                for number in range(6):
                    record_example(LocalTables(client, rule_sets, 1), LOCAL_PARTNER, NOON, able=number % 3 > 0)
            yield address
        finally:
            server.terminate()


def await_pointer(rule_sets: RuleSetStore) -> None:
    for _ in range(300):
        with contextlib.suppress(StoreUnavailable):
            if rule_sets.activations.pointer() is not None:
                return
        time.sleep(0.1)
    pytest.fail("the table server did not start in 30 s")


@pytest.mark.parametrize("document", ["README.md", "docs/codes.md", "docs/examples.md", "docs/rule-authors.md"])
def test_commands_of_a_document_print_the_shown_output(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    shutil.copytree(ROOT / "events", tmp_path / "events")
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    monkeypatch.chdir(tmp_path)
    ran = 0
    for block in BLOCK.finditer((ROOT / document).read_text(encoding="utf-8")):
        if block["file"]:
            Path(block["file"]).parent.mkdir(exist_ok=True)
            Path(block["file"]).write_text(block["text"], encoding="utf-8")
            continue
        for command in commands_of(block["text"]):
            if command.output:
                output = output_of(command.line.replace(LOCAL_TABLE, table)).replace(table, LOCAL_TABLE)
                assert re.match(pattern_of(command.output), output), f"{command.line}\n{output}"
                ran += 1
    assert ran
