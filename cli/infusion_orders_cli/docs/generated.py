"""The files that are made from code: each with its whole text, to be written or compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.rules.rule import RuleFile
from infusion_orders_cli.checkout import DEFAULT_RULES
from infusion_orders_cli.docs.facts import facts_document
from infusion_orders_cli.docs.traceability import named_tests, traceability_document
from infusion_orders_cli.openapi import openapi_document

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def generated_files(root: Path) -> Mapping[Path, str]:
    """Paths relative to the checkout, and what they must hold.  Raises RuleSetErrors if the rules do not load."""
    rules = load_directory(root / DEFAULT_RULES).rules
    return {
        Path("docs", "facts.md"): facts_document(),
        Path("docs", "openapi.json"): _json(openapi_document(root)),
        Path("docs", "traceability.md"): traceability_document(rules, named_tests(root / "tests")),
        Path("rules", "rule-file.schema.json"): _json({"$schema": JSON_SCHEMA, **RuleFile.model_json_schema()}),
    }


def stale_files(root: Path) -> list[Path]:
    """Those that are missing or hold something else."""
    return [path for path, text in generated_files(root).items() if not _holds(root / path, text)]


def write_files(root: Path) -> list[Path]:
    """Writes those that are stale, and says which."""
    files = generated_files(root)
    changed = [path for path, text in files.items() if not _holds(root / path, text)]
    for path in changed:
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(files[path], encoding="utf-8", newline="\n")
    return changed


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
