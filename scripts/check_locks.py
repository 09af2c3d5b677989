"""Whether the locks still fit what they were made from, and name no package index.

Fitting means: every direct dependency is locked, at versions that its requirement allows.  Nothing is downloaded.
"""

import re
import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)(.*(?:\n[ \t].*)*)", flags=re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")
ADDRESS = re.compile(r"://|^\s*-(?!-hash=)", flags=re.MULTILINE)
"""A URL, or an option of pip other than a hash: those that name an index, a folder or a file to read."""


@dataclass(frozen=True)
class Pin:
    """A version of a package, by its normalised name, and the SHA-256 of each archive that it may come from."""

    name: str
    version: str
    hashes: tuple[str, ...]


def pins_of(lock: str) -> list[Pin]:
    """In the order of the lock."""
    return [
        Pin(canonicalize_name(name), version, tuple(HASH.findall(rest))) for name, version, rest in PIN.findall(lock)
    ]


def locked(lock: str) -> dict[str, list[str]]:
    """Versions by normalised name: more than one where the lock tells platforms or Pythons apart."""
    versions: dict[str, list[str]] = defaultdict(list)
    for pin in pins_of(lock):
        versions[pin.name].append(pin.version)
    return versions


def problems(lock: str, wanted: list[str]) -> list[str]:
    """What the lock lacks, holds at a version that is not wanted, or must not say."""
    found = ["names an address or an option of pip"] if ADDRESS.search(lock) else []
    pins = locked(lock)
    for requirement in map(Requirement, wanted):
        versions = pins.get(canonicalize_name(requirement.name), [])
        if not versions:
            found.append(f"lacks {requirement}")
        found += [
            f"has {requirement.name} {version}, not {requirement}"
            for version in versions
            if not requirement.specifier.contains(version)
        ]
    return found


def requirements(root: Path) -> dict[Path, list[str]]:
    """The direct dependencies that each lock must hold."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    deployed = project["dependencies"]
    extras = project["optional-dependencies"]
    return {
        root / "layers/infusion_orders/requirements.lock": deployed,
        root / "requirements/dev.lock": deployed + extras["cli"] + extras["dev"],
        root / "requirements/bench.lock": deployed + extras["cli"] + extras["bench"],
        root / "requirements/diagnoses.lock": ["simple-icd-10-cm"],
        **{
            root / f"requirements/{of}.lock": (root / f"requirements/{of}.in").read_text(encoding="utf-8").split()
            for of in ("sam", "runtime")
        },
    }


def main() -> int:
    """Prints the problems; 1 if there are any."""
    found = [
        f"{path.name}: {problem}"
        for path, wanted in requirements(Path(__file__).parents[1]).items()
        for problem in problems(path.read_text(encoding="utf-8"), wanted)
    ]
    for problem in found:
        print(f"{problem}: run make lock")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
