"""The rules of the active version: search them, read one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.api.errors import InvalidRequest, NotFound, WrongPart
from infusion_orders.api.requests import query_parameters, refuse_parameters, require_choice
from infusion_orders.authoring.search import EFFECTS, SearchTextLength, find_rules
from infusion_orders.orders.vocabularies import ProviderType
from rule_answers import plain_response, plain_rule

if TYPE_CHECKING:
    from infusion_orders.api.application import Response
    from infusion_orders.api.requests import Request
    from infusion_orders.api.resources import Resources


def search_rules(request: Request, resources: Resources) -> Response:
    """Search by text, clause, therapy, provider type and effect; the best matches come first (M-12)."""
    request.authenticate_staff()
    query = query_parameters(request.event, "q", "clause", "therapy", "provider_type", "effect")
    require_choice(query, "provider_type", [kind.value for kind in ProviderType])
    require_choice(query, "effect", EFFECTS)
    rule_set = resources.rule_sets.active().rule_set
    try:
        found = find_rules(
            (compiled.definition for compiled in rule_set.rules),
            query.get("q"),
            clause=query["clause"].upper() if "clause" in query else None,
            provider_type=ProviderType(query["provider_type"]) if "provider_type" in query else None,
            therapy=query.get("therapy"),
            effect=query.get("effect"),
        )
    except SearchTextLength as length:
        raise InvalidRequest(WrongPart("parameter", "q", str(length))) from None
    return plain_response({"version": rule_set.version, "rules": [plain_rule(rule) for rule in found]})


def get_rule(request: Request, resources: Resources) -> Response:
    """Read one rule as its author wrote it."""
    request.authenticate_staff()
    refuse_parameters(request.event)
    rule_set = resources.rule_sets.active().rule_set
    for compiled in rule_set.rules:
        if compiled.id == request.path_parameters["rule_id"]:
            return plain_response({"version": rule_set.version, "rule": plain_rule(compiled.definition)})
    raise NotFound("The active version has no rule with this id.")
