"""The files that are generated from the code, the rules and the tests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.rules.digests import canonical_json
from infusion_orders.rules.rule import RuleFile
from infusion_orders_cli.docs.facts import facts_document
from infusion_orders_cli.docs.openapi import openapi_document
from infusion_orders_cli.docs.traceability import named_tests, traceability_document
from infusion_orders_cli.rule_sources import DEFAULT_RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infusion_orders.facts.fact import Catalogue

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"

FINGERPRINT_MODULE = Path("layers", "infusion_orders", "infusion_orders", "rules", "language_fingerprint.py")
FINGERPRINT_TEXT = '''"""The fingerprint of the rule language of this release; `make generate` writes this file.

A version that was checked under the same fingerprint is trusted to compile, so its rules are compiled one by one when
they are first needed.  A version with another fingerprint is compiled as a whole before it decides.
"""

LANGUAGE_FINGERPRINT = "{fingerprint}"
'''


def language_fingerprint(catalogue: Catalogue) -> str:
    """Return the first 16 digits of a SHA-256 over the facts that rules may use and the grammar of rule files."""
    words = [
        [
            [fact.name, fact.kind, fact.scope, fact.unit, sorted(fact.domain or ()), fact.default, fact.private],
            [*catalogue.pointers(fact.name), *catalogue.shown_sources(fact.name)],
        ]
        for fact in catalogue.facts.values()
    ]
    language = canonical_json({"words": words, "grammar": _without_texts(RuleFile.model_json_schema())})
    return hashlib.sha256(language).hexdigest()[:16]


def _without_texts(schema: Any) -> Any:
    """Return the JSON Schema without titles and descriptions: another wording is not another language."""
    if isinstance(schema, list):
        return [_without_texts(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    texts = {"title", "description"}
    return {key: _without_texts(part) for key, part in schema.items() if key not in texts or not isinstance(part, str)}


def generated_files(root: Path) -> Mapping[Path, str]:
    """Return each path, relative to the checkout, with its text.  Raises RuleSetErrors if the rules do not load."""
    rules = load_directory(root / DEFAULT_RULES).rules
    return {
        Path("docs", "facts.md"): facts_document(),
        Path("docs", "openapi.json"): _json(openapi_document(root)),
        Path("docs", "traceability.md"): traceability_document(rules, named_tests(root / "tests")),
        FINGERPRINT_MODULE: FINGERPRINT_TEXT.format(fingerprint=language_fingerprint(CATALOGUE)),
        Path("rules", "rule-file.schema.json"): _json({"$schema": JSON_SCHEMA, **RuleFile.model_json_schema()}),
    }


def update_files(root: Path, *, write: bool) -> list[Path]:
    """Find the files that are missing or out of date, and write them if asked to."""
    stale = []
    for path, text in generated_files(root).items():
        file = root / path
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if write:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
    return stale


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
