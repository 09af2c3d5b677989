"""The licences and the bill of materials of the deployed layer are those of its lock."""

from __future__ import annotations

import json
import os
import shutil
import subprocess  # fixed commands, no shell
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.check_locks import Pin
from scripts.layer_packages import (
    DOCUMENT,
    LOCK,
    NotInstalled,
    Package,
    allowed,
    bill_of_materials,
    document,
    licence_in,
    main,
    package_of,
    problems,
)

ROOT = Path(__file__).parents[2]


def a_package(
    licence: str = "MIT", compiled: tuple[tuple[str, str], ...] = (), needs: tuple[str, ...] = (), name: str = "ulid"
) -> Package:
    return Package(Pin(name, "1.0", ("a" * 64,)), licence, needs, materials=(), compiled=compiled)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy the files that the script reads."""
    for path in (Path("pyproject.toml"), LOCK, DOCUMENT):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / path)
    return tmp_path


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("bill") / "made" / "sbom.json"
    assert main(["sbom", str(path)]) == 0
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def in_the_lock() -> dict[str, tuple[str, list[str]]]:
    """Return versions and hashes by name, read in a different way than the script does."""
    found: dict[str, tuple[str, list[str]]] = {}
    for line in (ROOT / LOCK).read_text(encoding="utf-8").splitlines():
        name, is_pin, version = line.removesuffix(" \\").partition("==")
        if is_pin:
            hashes: list[str] = []
            found[name] = (version, hashes)
        elif line.startswith("    --hash="):
            hashes.append(line.removesuffix(" \\").removeprefix("    --hash=sha256:"))
    return found


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "PSF-2.0",
        "MIT AND Zlib",
        "LGPL-2.1-or-later OR MIT",
        "(MIT OR GPL-3.0-only) AND Unicode-3.0",
        "((GPL-3.0-only OR MIT) AND Zlib) OR GPL-3.0-only",
        "Apache-2.0 WITH LLVM-exception",
    ],
)
def test_licence_with_an_allowed_choice_is_allowed(licence: str) -> None:
    assert allowed(licence)


@pytest.mark.parametrize(
    "licence",
    [
        "",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT OR Zlib) AND GPL-3.0-only",
        "GPL-3.0-only AND (MIT OR Zlib)",
        "(GPL-3.0-only AND MIT) OR LGPL-2.1-only",
        "MIT WITH nobody-knows-what",
        "Permission is hereby granted, free of charge",
    ],
)
def test_licence_without_an_allowed_choice_is_refused(licence: str) -> None:
    assert not allowed(licence)


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ([{"expression": "MIT OR Zlib"}], "MIT OR Zlib"),
        ([{"license": {"id": "MIT"}}], "MIT"),
        ([{"license": {"id": "MIT"}}, {"license": {"id": "GPL-3.0-only"}}], "(MIT) AND (GPL-3.0-only)"),
        ([{"license": {"name": "my own"}}], ""),
        ([], ""),
    ],
)
def test_all_licences_of_a_component_apply(said: list[dict[str, Any]], licence: str) -> None:
    assert licence_in({"licenses": said}) == licence


def test_refused_licence_is_reported_for_packages_and_compiled_parts() -> None:
    compiled = (("memchr", "Unlicense OR MIT"), ("gmp", "LGPL-3.0-only"), ("ahash", ""))

    assert problems([a_package("GPL-3.0-only", name="readline"), a_package(compiled=compiled)]) == [
        "readline: GPL-3.0-only",
        "gmp in ulid: LGPL-3.0-only",
        "ahash in ulid: no licence",
    ]


def test_other_version_than_the_locked_one_is_an_error() -> None:
    with pytest.raises(NotInstalled, match=r"^pydantic 1\.0 is locked, but \d+\.\d+\.\d+ is installed$"):
        package_of(Pin("pydantic", "1.0", ()))
    with pytest.raises(NotInstalled, match=r"^no-such-package 1\.0 is locked but not installed$"):
        package_of(Pin("no-such-package", "1.0", ()))


def test_compiled_parts_are_read_from_the_package() -> None:
    version, _ = in_the_lock()["pydantic-core"]

    package = package_of(Pin("pydantic-core", version, ()))

    assert dict(package.compiled)["speedate"] == "MIT"
    assert package.materials == (f"pydantic_core-{version}.dist-info/sboms/pydantic-core.cyclonedx.json",)
    assert package.materials[0] in document([package])


def test_stale_document_fails_the_check_until_it_is_generated(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["licences", "--check"]) == 0
    assert capsys.readouterr().out == ""
    (checkout / DOCUMENT).write_text("| pydantic | 1.0 | MIT |\n")

    assert main(["licences", "--check"], checkout) == 1
    assert capsys.readouterr().out == "docs/licences.md does not match the lock: run make generate\n"
    assert (checkout / DOCUMENT).read_text() == "| pydantic | 1.0 | MIT |\n"

    assert main(["licences"], checkout) == 0
    assert (checkout / DOCUMENT).read_bytes() == (ROOT / DOCUMENT).read_bytes()


def test_missing_document_fails_the_check(checkout: Path) -> None:
    (checkout / DOCUMENT).unlink()

    assert main(["licences", "--check"], checkout) == 1


def test_refused_licence_fails_the_check(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("scripts.layer_packages.ALLOWED", ("MIT", "Apache-2.0"))

    assert main(["licences"], checkout) == 1
    assert "typing-extensions: PSF-2.0 is not an allowed licence\n" in capsys.readouterr().out


def test_locked_version_that_is_not_installed_fails_the_check(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / LOCK).write_text("pydantic==1.0\n")

    assert main(["licences", "--check"], checkout) == 1
    assert capsys.readouterr().out.endswith("is installed: run make setup\n")


def test_document_has_a_row_for_every_locked_package() -> None:
    rows = [line for line in (ROOT / DOCUMENT).read_text().splitlines() if line.startswith("| ")][1:]

    assert [row.split(" | ")[:2] for row in rows] == [[f"| {name}", pin[0]] for name, pin in in_the_lock().items()]


def test_bill_lists_every_locked_package_with_version_and_hashes(bill: dict[str, Any]) -> None:
    assert {
        component["name"]: (component["version"], [held["content"] for held in component["hashes"]])
        for component in bill["components"]
    } == in_the_lock()
    assert all(pin[1] for pin in in_the_lock().values())
    assert {held["alg"] for component in bill["components"] for held in component["hashes"]} == {"SHA-256"}


def test_component_has_the_purl_and_the_licence_of_the_document(bill: dict[str, Any]) -> None:
    written = (ROOT / DOCUMENT).read_text()

    for component in bill["components"]:
        assert component["purl"] == component["bom-ref"] == f"pkg:pypi/{component['name']}@{component['version']}"
        [licence] = component["licenses"]
        assert f"| {component['name']} | {component['version']} | {licence['expression']} |" in written


def test_bill_has_no_time_and_no_address(bill: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert set(bill) == {"bomFormat", "specVersion", "version", "metadata", "components", "dependencies"}
    [(kind, layer)] = bill["metadata"].items()
    assert (kind, layer["name"], layer["version"]) == ("component", project["name"], project["version"])
    assert "://" not in json.dumps(bill)


def test_bill_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "scripts.layer_packages", "sbom", str(tmp_path / seed)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, check=True)  # noqa: S603

    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_every_package_of_the_layer_is_required_by_another(bill: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs = {entry["ref"]: set(entry["dependsOn"]) for entry in bill["dependencies"]}
    purls = {component["name"]: component["purl"] for component in bill["components"]}
    reached, to_see = set[str](), {bill["metadata"]["component"]["bom-ref"]}
    while to_see:
        reached |= to_see
        to_see = set().union(*(needs[reference] for reference in to_see)) - reached

    direct = {purls[canonicalize_name(Requirement(text).name)] for text in project["dependencies"]}
    assert needs[project["name"]] == direct
    assert reached - {project["name"]} == set(purls.values())


def test_audit_is_strict() -> None:
    recipe = subprocess.run(["make", "--dry-run", "audit"], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607

    [audit] = [line.split() for line in recipe.stdout.splitlines() if line.startswith(".cache/audit/bin/pip-audit ")]
    assert {"--strict", "--require-hashes", "--disable-pip", str(LOCK)} <= set(audit)


def test_requirement_of_an_extra_is_not_a_dependency() -> None:
    version, _ = in_the_lock()["aws-lambda-powertools"]
    asks_in_an_extra = package_of(Pin("aws-lambda-powertools", version, ()))

    made = bill_of_materials(
        [asks_in_an_extra, a_package(name="pydantic")], {"name": "x", "version": "1", "dependencies": []}
    )

    assert made["dependencies"][1] == {"ref": asks_in_an_extra.purl, "dependsOn": []}
