"""Check that a public name means one thing: no two modules may define a class or a function of the same name.

`python -m scripts.check_names` checks both packages; with paths it checks the modules below these folders.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROJECT = Path(__file__).parents[1]
PACKAGES = (PROJECT / "layers" / "infusion_orders" / "infusion_orders", PROJECT / "cli" / "infusion_orders_cli")
DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def public_names(source: str) -> list[str]:
    """Return the names of the public classes and functions that a module defines."""
    definitions = [node for node in ast.parse(source).body if isinstance(node, DEFINITIONS)]
    return [node.name for node in definitions if not node.name.startswith("_")]


def duplicates(folders: Iterable[Path]) -> Mapping[str, list[Path]]:
    """Return the names that several modules define, each with those modules."""
    modules: dict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            for name in dict.fromkeys(public_names(path.read_text(encoding="utf-8"))):
                modules[name].append(path)
    return {name: paths for name, paths in sorted(modules.items()) if len(paths) > 1}


def main(arguments: list[str]) -> int:
    """Print the duplicates; 1 if there are any."""
    found = duplicates([Path(argument) for argument in arguments] or PACKAGES)
    for name, paths in found.items():
        print(f"{name} is defined in {', '.join(_shown(path) for path in paths)}")
    if found:
        print("Rename all but one of each: a public name means one thing.")
    return 1 if found else 0


def _shown(path: Path) -> str:
    return str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else str(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
