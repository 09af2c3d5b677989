"""The default rule set, loaded and checked once for all tests, and decisions under it."""

from __future__ import annotations

import copy
import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.decisions import decide
from infusion_orders.orders.reading import read_order
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.rules.rule_set import RuleSet
from tests.support.builders import change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infusion_orders.decisions.decision import Decision

FOLDER = Path(__file__).parents[2] / "rules" / "home-infusion"
TODAY = date(2026, 11, 25)


@cache
def default_document() -> RuleSetDocument:
    return load_directory(FOLDER)


@cache
def default_rules() -> RuleSet:
    document = default_document()
    return RuleSet.from_document(document, version=1, digest=document.digest)


def decision_of(document: Mapping[str, Any], **more: Any) -> Decision:
    """What the default rules say of an order in JSON."""
    order = read_order(json.dumps(document, default=str))
    return decide(order, default_rules(), as_of=TODAY, **more).decision


SETTING = "setting.someone-can-give-it"


def changed_document(changes: Mapping[str, Any], rule: str = SETTING) -> RuleSetDocument:
    """The default rules, one of them altered at JSON pointers; the one on who can give the therapy unless named."""
    document = default_document()
    rules = [copy.deepcopy(one) if one["id"] == rule else one for one in document.rules]
    (altered,) = [one for one in rules if one["id"] == rule]
    for pointer, value in changes.items():
        change(altered, pointer, value)
    return RuleSetDocument(document.name, tuple(rules), document.tables)
