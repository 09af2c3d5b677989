"""The commands `serve` and `dynamodb` as processes, and how the command line reports a full disk or a closed pipe."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from infusion_orders_cli.local import commands, server
from infusion_orders_cli.main import app
from tests.support.orders import an_order_document
from tests.support.processes import started

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "events" / "orders" / "remicade.json"
COMMAND = [sys.executable, "-m", "infusion_orders_cli.main"]
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
"""The environment of most shells, in which Python buffers its output."""


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": BUFFERED, **options}
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, timeout=60, check=False, **options)  # noqa: S603 - ours


@contextmanager
def a_taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def free_port() -> int:
    with a_taken_port() as port:
        return port


@pytest.mark.parametrize("stopped_by", [signal.SIGINT, signal.SIGTERM])
def test_dynamodb_serves_its_rule_set_and_stops_cleanly(stopped_by: signal.Signals) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [*COMMAND, "dynamodb", "--port", str(port)]
    with started(command, text=True, cwd=ROOT, env=BUFFERED) as server:
        assert server.stdout is not None
        announced = server.stdout.readline()
        answer = run("validate", "--json", "--table", "RulesTable", "--endpoint-url", address, str(EXAMPLE))
        server.send_signal(stopped_by)
        rest, complaints = server.communicate(timeout=20)

    assert address in announced
    assert json.loads(answer.stdout)["outcome"] == "accepted"
    assert rest.endswith("stopped\n")
    assert complaints == ""
    assert server.returncode == 0


@pytest.mark.parametrize("command", ["serve", "dynamodb"])
def test_taken_port_is_reported_on_one_line(command: str) -> None:
    with a_taken_port() as port:
        refused = run(command, "--port", str(port))

    assert refused.returncode == 2
    assert refused.stdout == ""
    assert f"127.0.0.1:{port}" in refused.stderr
    assert "--port" in refused.stderr
    assert "Traceback" not in refused.stderr


class TestServeOnce:
    def test_once_shows_the_example_and_ends(self) -> None:
        done = run("serve", "--port", "0", "--once")

        assert done.returncode == 0
        assert "PPG0420-2026-000123: accepted" in done.stdout
        assert done.stdout.endswith("stopped\n")

    def test_refused_example_exits_with_1(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        refused = tmp_path / "refused.json"
        refused.write_text("{}")
        monkeypatch.setattr(commands, "EXAMPLE", refused)

        result = CliRunner().invoke(app, ["serve", "--port", "0", "--once"])

        assert result.exit_code == 1
        assert "invalid-order" in result.stdout

    def test_once_without_example_is_refused(self) -> None:
        refused = run("serve", "--once", "--no-example")

        assert refused.returncode == 2
        assert "exclude each other" in refused.stderr


def test_the_port_of_serve_is_free_again_after_it_stopped() -> None:
    port = free_port()

    for _ in range(2):
        assert run("serve", "--port", str(port), "--once").returncode == 0
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "report"])
@pytest.mark.parametrize("orders", [1, 50])
def test_full_disk_is_reported_as_such(tmp_path: Path, form: list[str], orders: int) -> None:
    file = tmp_path / "orders.ndjson"
    file.write_text((json.dumps(an_order_document()) + "\n") * orders)

    with Path("/dev/full").open("w") as full:
        ended = run("validate", *form, str(file), stdout=full)

    assert ended.returncode == 2
    assert "No space left" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_closed_pipe_ends_the_command_silently(tmp_path: Path) -> None:
    file = tmp_path / "orders.ndjson"
    file.write_text((json.dumps(an_order_document()) + "\n") * 200)
    command = [*COMMAND, "validate", "--json", str(file)]

    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=BUFFERED
    ) as ended:
        assert ended.stdout is not None
        assert ended.stderr is not None
        first = ended.stdout.readline()
        ended.stdout.close()
        complaints = ended.stderr.read()

    assert json.loads(first)["outcome"] == "accepted"
    assert complaints == b""


def test_signal_just_before_the_wait_ends_it_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal does not end a sleep that is about to begin; the next instruction raises it."""
    waits: list[float] = []

    def sleep_on(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep_on)
    with pytest.raises(KeyboardInterrupt):
        server.wait_for_signal()
    assert max(waits) <= 1
