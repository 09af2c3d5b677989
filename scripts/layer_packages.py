"""Writes the licences of the layer's packages (docs/licences.md) and their bill of materials (CycloneDX 1.6).

It reads the layer's lock and the metadata of the same versions in .venv.  It downloads nothing, and the same lock gives
the same bytes.

Usage: python -m scripts.layer_packages licences [--check]
       python -m scripts.layer_packages sbom .aws-sam/sbom.json
"""

import argparse
import json
import re
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.check_locks import Pin, pins_of

ROOT = Path(__file__).parents[1]
LOCK = Path("layers", "infusion_orders", "requirements.lock")
DOCUMENT = Path("docs", "licences.md")
ALLOWED = (
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "MIT",
    "MIT-0",
    "PSF-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Zlib",
)
"""SPDX identifiers of licences that require nothing but a notice."""
LAMBDA = {"extra": "", "python_version": "3.13", "python_full_version": "3.13.0", "sys_platform": "linux"}
"""The environment of the deployed functions, which decides the conditional requirements of a package."""


class NotInstalled(Exception):
    """The virtual environment has other versions than the lock."""


@dataclass(frozen=True)
class Package:
    """A locked package and its metadata."""

    pin: Pin
    licence: str
    """An SPDX expression or other text; empty if the package names no licence."""
    needs: tuple[str, ...]
    """Normalized names of required packages; not all of them are in the lock."""
    materials: tuple[str, ...]
    """Files in the layer that list what is compiled into the package."""
    compiled: tuple[tuple[str, str], ...]
    """The names and licences that those files list."""

    @property
    def purl(self) -> str:
        """Return the package URL."""
        return f"pkg:pypi/{self.pin.name}@{self.pin.version}"


def package_of(pin: Pin) -> Package:
    """Return the metadata of a locked package.  Raises NotInstalled."""
    installed = _installed(pin)
    needs = [Requirement(text) for text in installed.requires or []]
    materials = sorted(path for path in installed.files or [] if path.match("*.dist-info/sboms/*.json"))
    lists = [json.loads(path.read_text(encoding="utf-8"))["components"] for path in materials]
    said = installed.metadata
    return Package(
        pin=pin,
        licence=next((said[field] for field in ("License-Expression", "License") if field in said), ""),
        needs=tuple(sorted(canonicalize_name(need.name) for need in needs if _is_needed(need))),
        materials=tuple(path.as_posix() for path in materials),
        compiled=tuple((part["name"], licence_in(part)) for parts in lists for part in parts),
    )


def _installed(pin: Pin) -> Distribution:
    try:
        found = distribution(pin.name)
    except PackageNotFoundError as missing:
        raise NotInstalled(f"{pin.name} {pin.version} is locked but not installed") from missing
    if found.version != pin.version:
        raise NotInstalled(f"{pin.name} {pin.version} is locked, but {found.version} is installed")
    return found


def _is_needed(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(LAMBDA)


def licence_in(part: dict[str, Any]) -> str:
    """Return the licence of a CycloneDX component."""
    choices = part.get("licenses", [])
    said = [choice.get("expression") or choice.get("license", {}).get("id", "") for choice in choices]
    return said[0] if len(said) == 1 else " AND ".join(f"({one})" for one in said)


def allowed(licence: str) -> bool:
    """Return whether an SPDX expression allows the use of a package under allowed licences only."""
    inner = re.search(r"\(([^()]*)\)", licence)
    if inner:
        return allowed(licence.replace(inner[0], ALLOWED[0] if allowed(inner[1]) else "none"))
    return any(all(name in ALLOWED for name in choice.split(" AND ")) for choice in licence.split(" OR "))


def problems(packages: list[Package]) -> list[str]:
    """Return the licences that are not allowed, of the packages and of the code compiled into them."""
    found = []
    for package in packages:
        parts = [(package.pin.name, package.licence)]
        parts += [(f"{name} in {package.pin.name}", licence) for name, licence in package.compiled]
        found += [f"{name}: {licence or 'no licence'}" for name, licence in parts if not allowed(licence)]
    return found


def document(packages: list[Package]) -> str:
    """Return the text of docs/licences.md."""
    rows = [f"| {package.pin.name} | {package.pin.version} | {package.licence} |" for package in packages]
    compiled = [f"* `{path}`" for package in packages for path in package.materials]
    more = [
        "",
        "These files in the layer list what is compiled into a package, with the licences:",
        "",
        *compiled,
    ]
    about = (
        "`make generate` writes this page from the layer's lock and the metadata of the locked versions. boto3 is not "
        "listed because it comes with the Lambda runtime. `make check` fails if a package, or anything compiled into "
        f"it, is not available under {', '.join(ALLOWED[:-1])} or {ALLOWED[-1]}."
    )
    lines = [
        "# Licences of what is deployed",
        "",
        textwrap.fill(about, width=120),
        "",
        "| package | version | licence |",
        "|---|---|---|",
        *rows,
        *(more if compiled else []),
    ]
    return "\n".join(lines) + "\n"


def bill_of_materials(packages: list[Package], project: dict[str, Any]) -> dict[str, Any]:
    """Return a CycloneDX document without serial number and time, which would make each document different.

    The hashes are those of all archives of a version that the lock allows.
    """
    references = {package.pin.name: package.purl for package in packages}
    asked = sorted(canonicalize_name(Requirement(text).name) for text in project["dependencies"])
    needs = {project["name"]: asked, **{package.purl: package.needs for package in packages}}
    layer = {"type": "application", "name": project["name"], "version": project["version"]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"bom-ref": project["name"], **layer}},
        "components": [
            {
                "type": "library",
                "bom-ref": package.purl,
                "name": package.pin.name,
                "version": package.pin.version,
                "purl": package.purl,
                "licenses": [{"expression": package.licence, "acknowledgement": "declared"}],
                "hashes": [{"alg": "SHA-256", "content": content} for content in package.pin.hashes],
            }
            for package in packages
        ],
        "dependencies": [
            {"ref": reference, "dependsOn": [references[name] for name in names if name in references]}
            for reference, names in needs.items()
        ],
    }


def write_licences(root: Path, packages: list[Package], check: bool) -> list[str]:
    """Write the document, or compare it if `check` is set, and return the problems."""
    path, text = root / DOCUMENT, document(packages)
    found = [f"{problem} is not an allowed licence" for problem in problems(packages)]
    if not check:
        path.write_text(text, encoding="utf-8", newline="\n")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        found.append(f"{DOCUMENT} does not match the lock: run make generate")
    return found


def write_bill(root: Path, packages: list[Package], path: Path) -> list[str]:
    """Write the bill of materials; it has no problems to return."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(bill_of_materials(packages, project), indent=2) + "\n", encoding="utf-8", newline="\n")
    return []


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Print the problems; return 1 if there are any."""
    parser = argparse.ArgumentParser(prog="layer_packages")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("licences").add_argument("--check", action="store_true")
    commands.add_parser("sbom").add_argument("path", type=Path)
    asked = parser.parse_args(arguments)
    try:
        packages = [package_of(pin) for pin in pins_of((root / LOCK).read_text(encoding="utf-8"))]
    except NotInstalled as problem:
        print(f"{problem}: run make setup")
        return 1
    if asked.command == "sbom":
        found = write_bill(root, packages, asked.path)
    else:
        found = write_licences(root, packages, asked.check)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
