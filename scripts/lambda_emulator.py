"""Runs built functions under the Lambda Runtime Interface Emulator, as Lambda does but without a container.

SAM CLI's package contains the emulator.  The function's folder and the layer are mounted read-only at Lambda's paths,
in a mount namespace of the process.  The emulator answers one invocation at a time.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infusion_orders_cli.local.tables import REGION
from scripts.dynamodb_engine import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

START_SECONDS = 30
PATH_OF_INVOCATION = "/2015-03-31/functions/function/invocations"


class CannotEmulate(Exception):
    """Built functions cannot run here; the text says what is missing."""


@dataclass(frozen=True)
class Build:
    """The result of `make built`: the folder, SAM CLI's emulator, and a Python with Lambda's own packages."""

    folder: Path
    emulator: Path
    python: Path

    @classmethod
    def from_environment(cls) -> Build:
        """Read the paths from the environment.  Raises CannotEmulate if nothing is built or nobody can mount."""
        places = {name: os.environ.get(name) for name in ("E2E_BUILD", "E2E_EMULATOR", "E2E_PYTHON")}
        if not all(places.values()):
            raise CannotEmulate("nothing is built here: run make test-e2e or make bench")
        folder, emulator, python = (Path(str(place)).absolute() for place in places.values())
        if not emulator.exists():
            raise CannotEmulate("SAM CLI's package has no emulator for this processor")
        if not (folder / "template.yaml").exists() or not python.exists():
            raise CannotEmulate("nothing is built: building needs the Python version of the functions")
        unshare = shutil.which("unshare")
        allowed = unshare and subprocess.run([*_namespace(unshare), "true"], capture_output=True).returncode == 0  # noqa: S603
        if not allowed:
            raise CannotEmulate("this machine does not allow mounting the folders of the functions")
        return cls(folder, emulator, python)

    def template(self) -> dict[str, Any]:
        """Return the built template, which `make build-local` writes as JSON."""
        document: dict[str, Any] = json.loads((self.folder / "template.yaml").read_text(encoding="utf-8"))
        return document


@dataclass(frozen=True)
class Invoked:
    """The answer of one invocation, and how long it took."""

    answer: Any
    seconds: float


class Emulated:
    """A running function; call its `handler` like the handler of an imported module."""

    def __init__(self, port: int, log: Path, process: subprocess.Popen[bytes]) -> None:
        self._port = port
        self._log = log
        self._process = process

    def handler(self, event: Mapping[str, Any], _context: object = None) -> Any:
        """Return the function's answer to one event."""
        return self.invoke(event).answer

    def invoke(self, event: Any) -> Invoked:
        """Invoke the function once and wait for its answer."""
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        connection.request("POST", PATH_OF_INVOCATION, body=json.dumps(event).encode())
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return Invoked(answer, time.monotonic() - started)

    def log(self) -> str:
        """Return everything that the function and the emulator have written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def lines(self) -> list[dict[str, Any]]:
        """Return the JSON lines that the function wrote: logs and metrics."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]


@contextlib.contextmanager
def emulated(build: Build, name: str, variables: Mapping[str, str]) -> Iterator[Emulated]:
    """Start a function of the built template; `variables` override those of the template."""
    template = build.template()
    function = {**template["Globals"]["Function"], **template["Resources"][name]["Properties"]}
    port, api_port = free_port(), free_port()
    command = [
        *(str(build.emulator), "--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{api_port}"),
        *(str(build.python), "-m", "awslambdaric", function["Handler"]),
    ]
    mounts = _mounts(build, template, function)
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            [*_namespace("unshare"), "sh", "-c", f"{mounts} && cd /var/task && exec {shlex.join(command)}"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(template, name, function) | dict(variables),
            start_new_session=True,
        )
        try:
            _await(process, port, Path(log.name))
            yield Emulated(port, Path(log.name), process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _namespace(unshare: str) -> list[str]:
    return [unshare, *([] if os.geteuid() == 0 else ["-r"]), "-m", "--propagation", "private"]


def _mounts(build: Build, template: Mapping[str, Any], function: Mapping[str, Any]) -> str:
    """Mount read-only, as Lambda does, so that no cold start leaves anything for the next one."""
    (layer,) = function["Layers"]
    places = {
        "/var/task": build.folder / function["CodeUri"],
        "/opt": build.folder / template["Resources"][layer["Ref"]]["Properties"]["ContentUri"],
    }
    return " && ".join(
        f"mkdir -p {at} && mount --bind {shlex.quote(str(folder))} {at} && mount -o remount,ro,bind {at}"
        for at, folder in places.items()
    )


def _environment(template: Mapping[str, Any], name: str, function: Mapping[str, Any]) -> dict[str, str]:
    declared = template["Globals"]["Function"]["Environment"]["Variables"]
    declared = declared | template["Resources"][name]["Properties"].get("Environment", {}).get("Variables", {})
    return {
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": "/var/task:/opt/python",
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function["Timeout"]),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        **{variable: _resolved(value, template) for variable, value in declared.items()},
    }


def _resolved(value: Any, template: Mapping[str, Any]) -> str:
    """Return the default of a parameter, or the logical name of a resource; local tables have these names."""
    if not isinstance(value, dict):
        return str(value)
    text = f"${{{value['Ref']}}}" if "Ref" in value else str(value["Fn::Sub"])
    return re.sub(
        r"\$\{(\w+)\}", lambda name: str(template["Parameters"].get(name[1], {}).get("Default", name[1])), text
    )


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise CannotEmulate(f"the emulator stopped at once: {log.read_text(errors='replace')[-500:]}")
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.connect()
            connection.close()
            return
        time.sleep(0.05)
    raise CannotEmulate(f"the emulator did not start within {START_SECONDS} s")
