"""The rules themselves: searched, checked, published, compared, tried, replayed, activated, and gone back from."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import TYPE_CHECKING, Any

from infusion_orders.api.starting import started  # isort: skip - before all that it makes faster
from infusion_orders.api.caller import Scope, staff
from infusion_orders.api.drafts import Activation, Draft, ReplayOrder, RollBack, ShadowChange, document_of, posted
from infusion_orders.api.partner_api import json_answer, partner_api
from infusion_orders.api.problems import told_of_rules
from infusion_orders.api.requests import (
    InvalidRequest,
    NothingThere,
    TooManyFlips,
    WrongPart,
    json_body,
    no_parameters,
    parameters,
    version_number,
)
from infusion_orders.api.rule_answers import analysis_of, header_of, pointer_of, rule_of
from infusion_orders.api.settings import Settings
from infusion_orders.api.stores import stores_of
from infusion_orders.authoring.analysis.analysis import analyse
from infusion_orders.authoring.checks import check_document
from infusion_orders.authoring.coverage import example_reports, shares
from infusion_orders.authoring.differences import differences
from infusion_orders.authoring.search import EFFECTS, SearchTextLength, find_rules
from infusion_orders.decisions import decide
from infusion_orders.decisions.replay_report import ReplayReport, report_of
from infusion_orders.orders.order import ProviderType
from infusion_orders.orders.reading import read_order
from infusion_orders.rules.problems import RuleSetErrors
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders.store.recorded_decisions import Position, TableSource

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from infusion_orders.rules.document import RuleSetDocument

REPLAY_RESERVE_MILLISECONDS = 8_000
"""A replay stops while there is this much time left: a page and the answer take less."""
CREATED = 201

settings = Settings.from_environment(os.environ)
client, rule_set_store, rule_sets, partners = stores_of(settings)
activations = rule_set_store.activations
app = partner_api(settings)
started()


@app.get("/v1/rules")
def search_rules() -> Response[str]:
    """The active version's rules by text, clause, therapy, provider type and effect, best first (M-12)."""
    person_of(Scope.READ_RULES)
    asked = parameters(app.event, "q", "clause", "therapy", "provider_type", "effect")
    refuse_others(asked, "provider_type", [kind.value for kind in ProviderType])
    refuse_others(asked, "effect", EFFECTS)
    rule_set = rule_sets.active().rule_set
    provider_type = ProviderType(asked["provider_type"]) if "provider_type" in asked else None
    clause = asked["clause"].upper() if "clause" in asked else None
    try:
        found = find_rules(
            (compiled.rule for compiled in rule_set.rules),
            asked.get("q"),
            clause=clause,
            provider_type=provider_type,
            therapy=asked.get("therapy"),
            effect=asked.get("effect"),
        )
    except SearchTextLength as length:
        raise InvalidRequest(WrongPart("parameter", "q", str(length))) from None
    return answer({"version": rule_set.version, "rules": [rule_of(rule) for rule in found]})


@app.get("/v1/rules/<rule_id>")
def get_rule(rule_id: str) -> Response[str]:
    """One rule of the active version, as it was written."""
    person_of(Scope.READ_RULES)
    no_parameters(app.event)
    rule_set = rule_sets.active().rule_set
    for compiled in rule_set.rules:
        if compiled.rule.id == rule_id:
            return answer({"version": rule_set.version, "rule": rule_of(compiled.rule)})
    raise NothingThere("The active version has no rule of this id.")


@app.get("/v1/rulesets")
def list_versions() -> Response[str]:
    """The published versions, the latest first, and the pointer."""
    person_of(Scope.READ_RULES)
    no_parameters(app.event)
    pointer = activations.pointer(consistent=True)
    versions = [header_of(header) for header in rule_set_store.headers()]
    return answer({"active": None if pointer is None else pointer_of(pointer), "versions": versions})


@app.get("/v1/rulesets/changes")
def list_changes() -> Response[str]:
    """Who changed what, when and why, the latest first."""
    person_of(Scope.READ_RULES)
    no_parameters(app.event)
    return answer({"changes": [header_of(change) for change in activations.history()]})


@app.get("/v1/rulesets/<version>")
def get_version(version: str) -> Response[str]:
    """One version: what is said of it, its rules as they were written, and the rows of one table if asked for."""
    person_of(Scope.READ_RULES)
    asked = parameters(app.event, "table")
    number = version_number(version)
    header, document = rule_set_store.header(number), rule_set_store.document(number)
    if "table" in asked:
        refuse_others(asked, "table", sorted(document.tables))
        return answer({"header": header_of(header), "rows": document.tables[asked["table"]]})
    tables = {name: len(rows) - 1 for name, rows in document.tables.items()}
    return answer({"header": header_of(header), "rules": list(document.rules), "tables": tables})


@app.get("/v1/rulesets/<version>/differences")
def compare_versions(version: str) -> Response[str]:
    """What the version says that another one (`from`, else the active one) does not, in the words of the rules."""
    person_of(Scope.READ_RULES)
    asked = parameters(app.event, "from")
    before = version_number(asked["from"]) if "from" in asked else rule_sets.active().rule_set.version
    after = version_number(version)
    found = differences(rule_set_store.document(before), rule_set_store.document(after))
    return answer({"from": before, "to": after, **found.plain()})


@app.post("/v1/rulesets/check")
def check_draft() -> Response[str]:
    """Whether a draft loads, what its rules can and cannot do, and what its examples hold; nothing is kept."""
    person_of(Scope.WRITE_RULES)
    no_parameters(app.event)
    document = drafted(posted(json_body(app.event), Draft))
    try:
        check_document(document)
    except RuleSetErrors as errors:
        return answer({"loads": False, "problems": told_of_rules(errors)})
    rules = example_reports(document, coverage=True, mutate=True)
    held = {**shares(rules), "rules": [one.plain() for one in rules]}
    return answer({"loads": True, "digest": document.digest, **analysed(document), "held_by_examples": held})


@app.post("/v1/rulesets")
def publish_draft() -> Response[str]:
    """Checks a draft and publishes it as the next version, which decides nothing until it is activated."""
    person = person_of(Scope.WRITE_RULES)
    no_parameters(app.event)
    draft = posted(json_body(app.event), Draft)
    if draft.note is None:
        raise InvalidRequest(WrongPart("parameter", "note", "is needed in the body: what is new in this version"))
    document = drafted(draft)
    check_document(document)
    found = analysed(document)
    version = rule_set_store.publish(document, by=person, note=draft.note, at=app.notes.at, errors=int(found["errors"]))
    app.notes.note(change="published", ruleset_version=version, ruleset_digest=document.digest)
    return answer({"version": version, "digest": document.digest, **found}, status=CREATED)


@app.put("/v1/rulesets/active")
def activate_version() -> Response[str]:
    """Makes a published version decide; of two people at once one wins, and the other is told who."""
    person = person_of(Scope.ACTIVATE_RULES)
    no_parameters(app.event)
    wanted = posted(json_body(app.event), Activation)
    if wanted.max_flips is not None:
        refuse_flips(wanted)
    pointer = activations.activate(
        wanted.version,
        by=person,
        why=wanted.why,
        at=app.notes.at,
        forced=wanted.force,
        four_eyes=settings.four_eyes,
        expected=wanted.expected,
    )
    app.notes.note(change="activated", ruleset_version=pointer.version)
    return answer(pointer_of(pointer))


@app.post("/v1/rulesets/rollback")
def roll_back() -> Response[str]:
    """Makes the version decide that did before."""
    person = person_of(Scope.ACTIVATE_RULES)
    no_parameters(app.event)
    wanted = posted(json_body(app.event), RollBack)
    pointer = activations.roll_back(by=person, why=wanted.why, at=app.notes.at)
    app.notes.note(change="rolled back", ruleset_version=pointer.version)
    return answer(pointer_of(pointer))


@app.put("/v1/rulesets/shadow")
def set_shadow() -> Response[str]:
    """Live orders are also decided under this version from now on, or under none."""
    person = person_of(Scope.ACTIVATE_RULES)
    no_parameters(app.event)
    wanted = posted(json_body(app.event), ShadowChange)
    pointer = activations.set_shadow(wanted.version, by=person, why=wanted.why, at=app.notes.at)
    app.notes.note(change="shadow", ruleset_version=pointer.version)
    return answer(pointer_of(pointer))


@app.post("/v1/rulesets/<version>/decide")
def try_order(version: str) -> Response[str]:
    """What a version would say of an order: not recorded, and with every rule's verdict."""
    person_of(Scope.READ_RULES)
    no_parameters(app.event)
    order = read_order(json_body(app.event))
    rule_set = rule_sets.version(version_number(version))
    decided = decide(order, rule_set, as_of=app.notes.at.date(), explain_all=True)
    app.notes.note(ruleset_version=rule_set.version, outcome=str(decided.decision.outcome))
    return json_answer(decided.decision.model_dump_json(by_alias=True, exclude_none=True))


@app.post("/v1/rulesets/<version>/replay")
def replay_version(version: str) -> Response[str]:
    """Recorded decisions under a version, as many as there is time for; `after` leads to the rest."""
    person_of(Scope.READ_RULES)
    no_parameters(app.event)
    wanted = posted(json_body(app.event), ReplayOrder)
    rule_set = rule_sets.version(version_number(version))
    source = source_of(wanted)
    after = None if wanted.after is None else Position(0, wanted.after.at, 0.0)
    report, mark = replayed(source, rule_set, after)
    rest = None if mark is None else {"partner": source.partners[mark.part], "at": mark.at}
    app.notes.note(ruleset_version=rule_set.version, orders=report.replayed)
    return answer({"version": rule_set.version, "complete": mark is None, "after": rest, "report": report.plain()})


def source_of(wanted: ReplayOrder) -> TableSource:
    """The decisions of whole days in UTC, of the partners that are not done yet."""
    first = datetime.combine(wanted.since, time_of_day.min, UTC)
    last = datetime.combine(wanted.until, time_of_day.min, UTC) + timedelta(days=1, milliseconds=-1)
    if last < first:
        raise InvalidRequest(WrongPart("parameter", "to", "must not lie before `from`"))
    names = sorted(wanted.partners) if wanted.partners is not None else partners.client_ids()
    left = tuple(name for name in names if wanted.after is None or name >= wanted.after.partner)
    return TableSource(client, settings.decisions_table, left, first, last)


def replayed(source: TableSource, rule_set: RuleSet, after: Position | None) -> tuple[ReplayReport, Position | None]:
    """The report of what there was time for, and the mark to go on behind; None when that was all."""
    report = ReplayReport()
    for decisions, mark in source.pages(after):
        report.merge(report_of(decisions, rule_set))
        if mark.part == len(source.partners):
            break
        if app.lambda_context.get_remaining_time_in_millis() < REPLAY_RESERVE_MILLISECONDS:
            return report, mark
    return report, None


def refuse_flips(wanted: Activation) -> None:
    """Raises TooManyFlips where more recorded decisions would change than allowed, or where that cannot be told."""
    today = app.notes.at.date()
    days = ReplayOrder(since=today - timedelta(days=wanted.days - 1), until=today)
    report, rest = replayed(source_of(days), rule_sets.version(wanted.version), None)
    of_days = f"of the last {wanted.days} days"
    if rest is not None:
        raise TooManyFlips(
            f"the decisions {of_days} are more than one request can replay. Replay them with "
            "`infusion-orders rules replay` or as a job, then activate without max_flips"
        )
    if not report.replayed:
        raise TooManyFlips(f"no decision {of_days} can be replayed, so nothing tells how many would change")
    if wanted.max_flips is not None and report.share_changed > wanted.max_flips:
        raise TooManyFlips(f"{report.changed} of {report.replayed} decisions {of_days} would change")


def drafted(draft: Draft) -> RuleSetDocument:
    """The whole rule set that the draft makes."""
    return document_of(draft, settings.rule_set, rule_set_store.document)


def analysed(document: RuleSetDocument) -> dict[str, Any]:
    """What the analysis of a checked document says."""
    return analysis_of(analyse(RuleSet.from_document(document, version=0, digest=document.digest)))


def person_of(scope: Scope) -> str:
    """Who makes the current request; noted, so that its line says whose it was."""
    person = staff(app.event, scope)
    app.notes.note(person=person)
    return person


def refuse_others(asked: dict[str, str], name: str, words: list[str] | tuple[str, ...]) -> None:
    """Raises InvalidRequest for a parameter that is none of its words."""
    if name in asked and asked[name] not in words:
        raise InvalidRequest(WrongPart("parameter", name, f"must be one of {', '.join(words)}"))


def answer(plain: dict[str, Any], *, status: int = 200) -> Response[str]:
    """JSON."""
    return json_answer(json.dumps(plain, ensure_ascii=False, separators=(",", ":")), status=status)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An API Gateway REST proxy event in, its answer out."""
    return app.resolve(event, context)
