"""Whether the locks still fit pyproject.toml: every direct dependency is locked at a version that it allows."""

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LAYER_LOCK = Path("layers/infusion_orders/requirements.lock")
DEVELOPMENT_LOCK = Path("requirements-dev.lock")


def locked(path: Path) -> dict[str, str]:
    """Version by name."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", path.read_text(), flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def problems(path: Path, wanted: list[str]) -> list[str]:
    """What the lock lacks or holds at another version, and package indexes that it names."""
    pins = locked(path)
    found = [f"{path} names a package index" for line in ("index-url", "find-links") if line in path.read_text()]
    for text in wanted:
        requirement = Requirement(text)
        version = pins.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version):
            found.append(f"{path} has {requirement.name} {version or 'not at all'}, pyproject.toml wants {text}")
    return found


def main() -> int:
    """Prints the problems; 1 if there are any."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    deployed = project["dependencies"]
    extras = [text for extra in project["optional-dependencies"].values() for text in extra]
    found = problems(LAYER_LOCK, deployed) + problems(DEVELOPMENT_LOCK, deployed + extras)
    for problem in found:
        print(f"{problem}: make lock")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
