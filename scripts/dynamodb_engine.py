"""Runs DynamoDB Local, the engine that AWS publishes, for tests and benchmarks that need more than moto.

The npm package `amplify-dynamodb-simulator` contains it and is downloaded once, to `.cache/dynamodb-local`.  Java runs
it on a free port with all data in memory.  It needs Java 17 and npm, and says so if one is missing.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import shutil
import socket
import subprocess  # fixed commands, no shell
import tarfile
import time
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "amplify-dynamodb-simulator@2.9.30"
INSIDE = "package/emulator/"
FOLDER = Path(__file__).parents[1] / ".cache" / "dynamodb-local"
FETCH_SECONDS = 180
START_SECONDS = 30


class EngineMissing(Exception):
    """DynamoDB Local cannot run here; the text says what is missing."""


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """Start an empty engine for the block and yield its address.  Raises EngineMissing."""
    java = _program("java")
    engine = _engine()
    port = free_port()
    command = [
        java,
        f"-Djava.library.path={engine / 'DynamoDBLocal_lib'}",
        "-jar",
        str(engine / "DynamoDBLocal.jar"),
        "-inMemory",
        "-sharedDb",
        "-disableTelemetry",
        "-port",
        str(port),
    ]
    process = subprocess.Popen(  # noqa: S603 - the command is ours
        command, cwd=engine, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await_answer(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _engine() -> Path:
    """Return the folder of the jar, and download it first if it is missing; only one process downloads."""
    engine = FOLDER / "emulator"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (engine / "DynamoDBLocal.jar").exists():
            _download()
    return engine


def _download() -> None:
    npm = _program("npm")
    try:
        fetched = subprocess.run(  # noqa: S603 - the command is ours
            [npm, "pack", "--silent", PACKAGE], cwd=FOLDER, timeout=FETCH_SECONDS, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired:
        raise EngineMissing(f"npm did not download {PACKAGE} within {FETCH_SECONDS} s") from None
    if fetched.returncode:
        raise EngineMissing(f"npm could not download {PACKAGE}: check the network")
    archive = FOLDER / fetched.stdout.split()[-1]
    _unpack(archive)
    archive.unlink()


def _unpack(archive: Path) -> None:
    """Unpack into another folder first, so that an interrupted run leaves no half engine."""
    unpacked = FOLDER / "unpacking"
    shutil.rmtree(unpacked, ignore_errors=True)
    with tarfile.open(archive) as files:
        wanted = [member for member in files.getmembers() if member.name.startswith(INSIDE)]
        files.extractall(unpacked, members=wanted, filter="data")
    shutil.rmtree(FOLDER / "emulator", ignore_errors=True)
    (unpacked / INSIDE).rename(FOLDER / "emulator")
    shutil.rmtree(unpacked)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise EngineMissing(f"DynamoDB Local needs {name}, which is not installed")
    return found


def free_port() -> int:
    """Return a port of this machine that is free now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _await_answer(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise EngineMissing(
                f"DynamoDB Local stopped at once (status {process.returncode}): it needs Java 17 or newer"
            )
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return _warm_up(port)
        time.sleep(0.1)
    raise EngineMissing(f"DynamoDB Local did not start within {START_SECONDS} s")


def _warm_up(port: int) -> None:
    """Create and delete a table, which takes seconds on a busy machine the first time; stores wait only one second."""
    key = [{"AttributeName": "PK", "KeyType": "HASH"}]
    types = [{"AttributeName": "PK", "AttributeType": "S"}]
    table = {"TableName": "WarmUp"}
    created = {**table, "KeySchema": key, "AttributeDefinitions": types, "BillingMode": "PAY_PER_REQUEST"}
    for operation, body in (("CreateTable", created), ("DeleteTable", table)):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/dynamodb/aws4_request, "
            "SignedHeaders=host, Signature=0",
        }
        connection.request("POST", "/", json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != HTTPStatus.OK:
            raise EngineMissing(f"DynamoDB Local refused {operation}: {text[:200]!r}")
