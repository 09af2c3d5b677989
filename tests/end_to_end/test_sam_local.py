"""The commands of docs/sam.md in a Docker engine: one invocation, and the API behind a port."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from scripts.dynamodb_engine import free_port
from tests.support.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.sam_local

BUILD = PROJECT / ".aws-sam" / "local"
SAM = PROJECT / ".venv-sam" / "bin" / "sam"
TABLES_PORT = 8000
"""The port of `make dynamodb`, as in events/sam-local-env.json."""
ORDER = (PROJECT / "events" / "orders" / "remicade.json").read_bytes()


def variables() -> dict[str, str]:
    """Return the environment without credentials, which SAM would otherwise check with AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": "us-west-2", "SAM_CLI_TELEMETRY": "0"}


@pytest.fixture(scope="module")
def options() -> list[str]:
    """Return the options that name the local build and, without a registry, the image to run."""
    image = os.environ.get("SAM_LOCAL_IMAGE")
    if "SAM_LOCAL" not in os.environ:
        pytest.skip("make test-sam-local builds what this test runs")
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], capture_output=True).returncode:  # noqa: S603 - our own
        pytest.skip("there is no Docker engine")
    own = ["--skip-pull-image", "--invoke-image", image] if image else []
    return ["--template", str(BUILD / "template.yaml"), *own]


@pytest.fixture(scope="module")
def tables(options: list[str]) -> Iterator[None]:
    """Start `make dynamodb`, as docs/sam.md says."""
    command = [sys.executable, "-m", "infusion_orders_cli.main", "dynamodb", "--port", str(TABLES_PORT)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own
        assert server.stdout is not None
        assert str(TABLES_PORT) in server.stdout.readline()
        yield
        server.terminate()


def invoke(options: list[str], function: str, event: str) -> dict[str, Any]:
    """Run `sam local invoke` with the event and return the function's answer."""
    done = subprocess.run(  # noqa: S603 - our own
        [str(SAM), "local", "invoke", function, *options, "--event", f"events/{event}.json"],
        cwd=PROJECT,
        env=variables(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


EVENTS = {
    "validate-order": ("ValidateOrders", 200),
    "validate-order-without-caregiver": ("ValidateOrders", 200),
    "validate-batch": ("ValidateOrders", 200),
    "validate-order-invalid": ("ValidateOrders", 422),
    "validate-order-unauthenticated": ("ValidateOrders", 401),
    "search-rules": ("ManageRules", 200),
    "check-draft": ("ManageRules", 200),
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.usefixtures("tables")
def test_sam_local_invoke_answers_an_event(options: list[str], event: str) -> None:
    function, status = EVENTS[event]

    answer = invoke(options, function, event)

    assert answer["statusCode"] == status, answer["body"]


@contextlib.contextmanager
def the_api(options: list[str]) -> Iterator[str]:
    port = free_port()
    command = [str(SAM), "local", "start-api", *options, "--port", str(port), "--warm-containers", "LAZY"]
    with ExitStack() as ended:
        server = ended.enter_context(
            subprocess.Popen(command, cwd=PROJECT, env=variables(), stderr=subprocess.PIPE, text=True)  # noqa: S603
        )
        ended.callback(server.terminate)
        assert server.stderr is not None
        for line in server.stderr:
            if "Press CTRL+C to quit" in line:
                break
        else:
            pytest.fail("sam local start-api ended early")
        yield f"http://127.0.0.1:{port}"


def post(address: str, path: str, token: str | None) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{address}{path}", ORDER, headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - our own server
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())


@pytest.mark.usefixtures("tables")
def test_sam_local_api_answers_a_request(options: list[str]) -> None:
    with the_api(options) as address:
        status, decision = post(address, "/v1/orders/validate", "local-partner")
        stranger, problem = post(address, "/v1/orders/validate", "nobody")
        nobody, _refusal = post(address, "/v1/orders/validate", None)

    assert (status, decision["order_id"], decision["outcome"]) == (200, json.loads(ORDER)["order_id"], "accepted")
    assert (stranger, problem["type"].rpartition("/")[2]) == (403, "missing-scope")
    assert nobody == 401
