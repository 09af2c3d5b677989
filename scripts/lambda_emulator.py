"""Built functions under the Lambda Runtime Interface Emulator, which runs them as Lambda does, without a container.

SAM CLI's package carries the emulator.  The function's folder and the layer are mounted read-only where Lambda has
them, in a mount namespace of the process's own.  The emulator answers one invocation at a time.
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
    """What `make built` built: the folder, SAM CLI's emulator, and a Python with what Lambda's runtime brings."""

    folder: Path
    emulator: Path
    python: Path

    @classmethod
    def from_environment(cls) -> Build:
        """Raises CannotEmulate where nothing is built, or this machine cannot mount."""
        places = {name: os.environ.get(name) for name in ("E2E_BUILD", "E2E_EMULATOR", "E2E_PYTHON")}
        if not all(places.values()):
            raise CannotEmulate("make test-e2e and make bench build the functions that run here, and say where")
        folder, emulator, python = (Path(str(place)).absolute() for place in places.values())
        if not emulator.exists():
            raise CannotEmulate("SAM CLI's package has no emulator for this processor")
        if not (folder / "template.yaml").exists() or not python.exists():
            raise CannotEmulate("nothing is built, which takes the Python that it is built for")
        unshare = shutil.which("unshare")
        allowed = unshare and subprocess.run([*_namespace(unshare), "true"], capture_output=True).returncode == 0  # noqa: S603
        if not allowed:
            raise CannotEmulate("the functions' folders are mounted, and this machine lets nobody mount")
        return cls(folder, emulator, python)

    def template(self) -> dict[str, Any]:
        """The built template; `make build-local` writes it as JSON."""
        document: dict[str, Any] = json.loads((self.folder / "template.yaml").read_text(encoding="utf-8"))
        return document


@dataclass(frozen=True)
class Invoked:
    """What the runtime gave back."""

    answer: Any
    seconds: float


class Emulated:
    """One running function, whose `handler` can be called like the handler of a loaded module."""

    def __init__(self, port: int, log: Path, process: subprocess.Popen[bytes]) -> None:
        self._port = port
        self._log = log
        self._process = process

    def handler(self, event: Mapping[str, Any], _context: object = None) -> Any:
        """The function's answer to one event."""
        return self.invoke(event).answer

    def invoke(self, event: Any) -> Invoked:
        """One invocation; waits as long as the function may take."""
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        connection.request("POST", PATH_OF_INVOCATION, body=json.dumps(event).encode())
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return Invoked(answer, time.monotonic() - started)

    def log(self) -> str:
        """All that the function and the emulator wrote up to now."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def lines(self) -> list[dict[str, Any]]:
        """What the function itself wrote: its log lines and metrics."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]


@contextlib.contextmanager
def emulated(build: Build, name: str, variables: Mapping[str, str]) -> Iterator[Emulated]:
    """The function of the built template, freshly started, with these variables over the template's own."""
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
    """Read-only, as in Lambda: nothing that one cold start leaves there helps the next."""
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
    """A parameter's default, or a resource's logical name, which is what local tables are called."""
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
            raise CannotEmulate(f"the emulator ended at once: {log.read_text(errors='replace')[-500:]}")
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.connect()
            connection.close()
            return
        time.sleep(0.05)
    raise CannotEmulate(f"the emulator did not start in {START_SECONDS} s")
