"""Checks that the locks match the requirements and name no package index.

Every direct dependency must be locked at versions that its requirement allows.  Nothing is downloaded.
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
"""A URL, or an option of pip other than a hash; such an option could name an index, a folder or a file."""


@dataclass(frozen=True)
class Pin:
    """A locked version of a package: its normalized name and the SHA-256 of each allowed archive."""

    name: str
    version: str
    hashes: tuple[str, ...]


def pins_of(lock: str) -> list[Pin]:
    """Return the pins of a lock, in its order."""
    return [
        Pin(canonicalize_name(name), version, tuple(HASH.findall(rest))) for name, version, rest in PIN.findall(lock)
    ]


def locked(lock: str) -> dict[str, list[str]]:
    """Return the versions by normalized name; there are several if they differ by platform or Python."""
    versions: dict[str, list[str]] = defaultdict(list)
    for pin in pins_of(lock):
        versions[pin.name].append(pin.version)
    return versions


def problems(lock: str, wanted: list[str]) -> list[str]:
    """Return what is missing in the lock, has a wrong version, or must not be there."""
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
    """Return the direct dependencies that each lock must contain."""
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
    """Print the problems; return 1 if there are any."""
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
