"""Drafts of a rule set: check one, publish one as the next version.

A draft is a whole rule set, or names the published version that it changes and holds only what differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.api.errors import AnswerTooLarge, InvalidRequest, WrongPart
from infusion_orders.api.problems import rule_problems
from infusion_orders.api.requests import json_body, refuse_parameters
from infusion_orders.api.rule_bodies import MOST_RULES, Draft, read_body
from infusion_orders.authoring.analysis.analysis import analyse
from infusion_orders.authoring.checks import check_document
from infusion_orders.authoring.coverage import example_reports, shares
from infusion_orders.orders.parsing import FieldProblem, InvalidOrder
from infusion_orders.rules.document import RuleSetDocument
from infusion_orders.rules.problems import RuleSetErrors
from infusion_orders.rules.rule_set import RuleSet
from rule_answers import plain_response

if TYPE_CHECKING:
    from infusion_orders.api.application import Response
    from infusion_orders.api.requests import Request
    from infusion_orders.api.resources import Resources

CREATED = 201


def check_draft(request: Request, resources: Resources) -> Response:
    """Report whether a draft loads, what the analysis of its rules finds, and what its examples cover."""
    request.authenticate_staff()
    refuse_parameters(request.event)
    document = _document(read_body(json_body(request.event), Draft), resources)
    try:
        check_document(document)
    except RuleSetErrors as errors:
        return plain_response({"loads": False, "problems": rule_problems(errors)})
    rules = example_reports(document, coverage=True, mutate=True)
    held = {**shares(rules), "rules": [one.plain() for one in rules]}
    return plain_response({"loads": True, "digest": document.digest, **_analysis(document), "held_by_examples": held})


def publish_draft(request: Request, resources: Resources) -> Response:
    """Check a draft and publish it as the next version, which decides nothing until it is activated."""
    person = request.authenticate_staff()
    refuse_parameters(request.event)
    draft = read_body(json_body(request.event), Draft)
    if draft.note is None:
        raise InvalidRequest(WrongPart("parameter", "note", "is required in the body: say what is new in this version"))
    document = _document(draft, resources)
    check_document(document)
    found = _analysis(document)
    version = resources.rule_set_store.publish(
        document, by=person, note=draft.note, at=request.notes.at, errors=int(found["errors"])
    )
    request.notes.note(change="published", ruleset_version=version, ruleset_digest=document.digest)
    return plain_response({"version": version, "digest": document.digest, **found}, status=CREATED)


def _analysis(document: RuleSetDocument) -> dict[str, Any]:
    """What the analysis of a checked document finds, and how many of the findings are errors."""
    analysis = analyse(RuleSet.from_document(document, version=0, digest=document.digest))
    return {"errors": analysis.errors, **analysis.plain()}


def _document(draft: Draft, resources: Resources) -> RuleSetDocument:
    """The whole rule set that a draft makes, not yet checked.

    Raises InvalidOrder for a rule without an id, a repeated id or an unknown rule to remove, AnswerTooLarge for too
    many rules, and what the store raises for the base.
    """
    base = None if draft.base is None else resources.rule_set_store.document(draft.base)
    rules = {} if base is None else {str(rule["id"]): rule for rule in base.rules}
    errors = [
        FieldProblem(f"/remove/{number}", "is not a rule of the base")
        for number, rule in enumerate(draft.remove)
        if rules.pop(rule, None) is None
    ]
    for number, rule in enumerate(draft.rules):
        if isinstance(rule.get("id"), str):
            rules[rule["id"]] = rule
        else:
            errors.append(FieldProblem(f"/rules/{number}/id", "is missing"))
    if len(draft.rules) > len({str(rule.get("id")) for rule in draft.rules}):
        errors.append(FieldProblem("/rules", "has two rules with the same id"))
    if errors:
        raise InvalidOrder(tuple(errors))
    if len(rules) > MOST_RULES:
        raise AnswerTooLarge(
            f"A request can check at most {MOST_RULES} rules; this draft has {len(rules)}. "
            "Publish it with `infusion-orders rules publish`."
        )
    tables = {**({} if base is None else base.tables), **draft.tables}
    return RuleSetDocument(resources.settings.rule_set, tuple(rules[rule] for rule in sorted(rules)), tables)
