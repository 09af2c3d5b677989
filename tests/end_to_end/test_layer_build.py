"""The built layer contains what its lock names, and two builds of it are the same bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess  # fixed commands, no shell
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts.check_locks import Pin, pins_of

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "infusion_orders"
PINS = pins_of((LAYER / "requirements.lock").read_text(encoding="utf-8"))
ADDED = {"__pycache__", "infusion_orders"}
NOT_DEPLOYED = {"boto3", "botocore", "infusion_orders_cli", "moto", "rich", "scripts", "tests", "typer"}
NOT_DEPLOYED |= {"werkzeug", "yaml"}
OF_AN_OUTER_MAKE = {"MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS"}
"""`make test-on VERSION=3.12` would set the layer's own VERSION."""

pytestmark = pytest.mark.end_to_end


def build(source: Path, target: Path, python: Path, variables: dict[str, str], umask: int) -> Path:
    """Run what `sam build` runs; return the folder that becomes /opt/python."""
    target.mkdir()
    command = ["make", "--directory", str(source), "build-InfusionOrdersLayer", f"ARTIFACTS_DIR={target}"]
    command += ["LAYER_RUNTIME=python3.13", "LAYER_ARCHITECTURE=x86_64", f"LAYER_PIP={python} -m pip"]
    inherited = {name: value for name, value in os.environ.items() if name not in OF_AN_OUTER_MAKE}
    subprocess.run(command, env={**inherited, **variables}, umask=umask, check=True)  # noqa: S603
    return target / "python"


def contents(layer: Path) -> dict[str, tuple[str, str]]:
    """Return mode and SHA-256 of each file and folder, by relative path."""
    return {
        path.relative_to(layer).as_posix(): (
            oct(path.lstat().st_mode),
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in layer.rglob("*")
    }


def top_level(name: str) -> set[str]:
    """Return the modules and packages of an installed distribution."""
    files = distribution(name).files or []
    return {
        file.parts[0] for file in files if file.parts[0] not in {"..", "__pycache__"} and ".dist-info" not in str(file)
    }


def metadata_of(pin: Pin) -> str:
    return f"{pin.name.replace('-', '_')}-{pin.version}.dist-info"


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("here")
    return build(LAYER, here / "layer", Path(sys.executable), {"PYTHONHASHSEED": "1"}, umask=0o022)


@pytest.fixture(scope="module")
def layer_made_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build with another umask, checkout, path of Python and environment, and with stale bytecode."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    source = elsewhere / "another-checkout"
    shutil.copytree(LAYER, source, copy_function=shutil.copyfile)
    (source / "infusion_orders" / "__pycache__").mkdir(exist_ok=True)
    (source / "infusion_orders" / "__pycache__" / "of_old.cpython-311.pyc").write_bytes(b"stale")
    for path in [source, *source.rglob("*")]:
        path.chmod(0o700 if path.is_dir() else 0o600)
    (elsewhere / "environment").symlink_to(sys.prefix, target_is_directory=True)
    python = elsewhere / "environment" / "bin" / "python"
    variables = {"PYTHONHASHSEED": "2", "PYTHONOPTIMIZE": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    return build(source, elsewhere / "another-layer", python, variables, umask=0o077)


def test_two_builds_give_the_same_bytes_and_modes(layer: Path, layer_made_elsewhere: Path) -> None:
    first, second = contents(layer), contents(layer_made_elsewhere)

    assert len(first) > 500
    assert {path: (first.get(path), second.get(path)) for path in first.keys() | second.keys()} == {
        path: (held, held) for path, held in first.items()
    }


def test_only_the_owner_may_write_the_layer_and_everyone_may_read_it(layer_made_elsewhere: Path) -> None:
    modes = {mode for mode, _ in contents(layer_made_elsewhere).values()}

    assert modes == {oct(0o040755), oct(0o100644), oct(0o100755)}


def test_layer_is_built_for_the_requested_runtime_and_processor(layer: Path) -> None:
    assert {path.name for path in layer.rglob("*.so")} == {"_pydantic_core.cpython-313-x86_64-linux-gnu.so"}
    assert {path.suffixes[-2] for path in layer.rglob("*.pyc")} <= {".cpython-313"}


def test_layer_contains_exactly_the_locked_packages(layer: Path) -> None:
    locked = set().union(*(top_level(pin.name) | {metadata_of(pin)} for pin in PINS))

    assert {path.name for path in layer.iterdir()} | ADDED == locked | ADDED
    assert (layer / "infusion_orders" / "api").is_dir()


def test_layer_contains_nothing_of_the_command_line(layer: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    brought = set().union(*(top_level(Requirement(text).name) for text in extras["cli"]))

    assert not {path.name for path in layer.iterdir()} & (brought | NOT_DEPLOYED)
    assert brought & NOT_DEPLOYED >= {"boto3", "moto", "rich", "typer", "yaml"}
    assert not (layer / "bin").exists()


def test_each_package_keeps_its_metadata_and_licence(layer: Path) -> None:
    for pin in PINS:
        held = {path.relative_to(layer / metadata_of(pin)).as_posix() for path in (layer / metadata_of(pin)).rglob("*")}
        assert {"METADATA", "WHEEL"} <= held
        assert any(Path(name).name.startswith("LICENSE") for name in held)
        assert not held & {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
