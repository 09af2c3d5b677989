"""Whether the locks still fit what they were made from, and name no package index.

Fitting means: every direct dependency is locked, at versions that its requirement allows.  Nothing is downloaded.
"""

import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", flags=re.MULTILINE)
ADDRESS = re.compile(r"://|^\s*-(?!-hash=)", flags=re.MULTILINE)
"""A URL, or an option of pip other than a hash: those that name an index, a folder or a file to read."""


def locked(lock: str) -> dict[str, list[str]]:
    """Versions by normalised name: more than one where the lock tells platforms or Pythons apart."""
    pins: dict[str, list[str]] = defaultdict(list)
    for name, version in PIN.findall(lock):
        pins[canonicalize_name(name)].append(version)
    return pins


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
    extras = [text for extra in project["optional-dependencies"].values() for text in extra]
    return {
        root / "layers/infusion_orders/requirements.lock": deployed,
        root / "requirements-dev.lock": deployed + extras,
        root / "scripts/build_diagnoses.lock": ["simple-icd-10-cm"],
        **{
            root / f"requirements-{of}.lock": (root / f"requirements-{of}.in").read_text(encoding="utf-8").split()
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
