"""Every failure that a partner can meet, as an RFC 9457 problem: one table from exception to problem."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infusion_orders.api.caller import NotAllowed, Unauthenticated
from infusion_orders.api.requests import (
    AnswerTooLarge,
    InvalidRequest,
    MethodNotAllowed,
    NothingThere,
    TooManyFlips,
    UnsupportedMediaType,
)
from infusion_orders.orders.reading import InvalidOrder, MalformedJson, TooLarge
from infusion_orders.rules.problems import RuleSetErrors
from infusion_orders.store.activations import (
    ActivationConflict,
    ChecksNotPassed,
    NoRuleSet,
    NothingToDo,
    SamePerson,
)
from infusion_orders.store.decisions import DecisionNotFound, IdempotencyConflict
from infusion_orders.store.dynamodb import StoreUnavailable
from infusion_orders.store.rule_set_table import DamagedRuleSet
from infusion_orders.store.versions import NoSuchVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROBLEM_TYPES = "https://infusion-orders.dev/problems/"
RETRY_AFTER_DAMAGE_SECONDS = 3600
MOST_ERRORS = 200
LONGEST_NAME = 200
LONGEST_PROBLEM = 500

TITLES: Mapping[str, str] = {
    "malformed-json": "The body is not JSON",
    "invalid-order": "The request does not follow the contract",
    "unauthenticated": "No verified caller",
    "missing-scope": "The caller may not do this",
    "not-found": "Nothing is there",
    "idempotency-conflict": "The idempotency key was used for another order",
    "too-large": "Too large",
    "unsupported-media-type": "The body must be application/json",
    "throttled": "Too many requests",
    "no-ruleset": "No rules to decide with",
    "internal": "A fault on our side",
    "invalid-ruleset": "The rule set does not load",
    "activation-conflict": "Somebody else was first",
    "checks-not-passed": "The version's checks found errors",
    "four-eyes": "Another person must do this",
    "nothing-to-do": "It is so already",
    "too-many-flips": "Too many recorded decisions would change",
}
"""The stable names, the last part of a problem's `type`.  `throttled` is API Gateway's own answer."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`errors` name a pointer, query parameter or header and what is wrong there, never a value."""

    name: str
    status: int
    detail: str
    errors: tuple[Mapping[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, instance: str) -> str:
        """`instance` is the id of the request, the one that the log line carries."""
        document: dict[str, Any] = {
            "type": PROBLEM_TYPES + self.name,
            "title": TITLES[self.name],
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.errors:
            document["errors"] = self.errors
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def problem_of(error: Exception) -> Problem:
    """The problem of the error's class or of its nearest ancestor in the table; `internal` for everything else."""
    for ancestor in type(error).__mro__:
        render = _TABLE.get(ancestor)
        if render is not None:
            return render(error)
    return Problem(
        "internal",
        500,
        "A fault on our side kept this request from being answered. Send it again; if that fails too, tell the plan "
        "the id of this request.",
    )


def is_expected(error: Exception) -> bool:
    """False for what only a fault in the service raises."""
    return any(ancestor in _TABLE for ancestor in type(error).__mro__)


def _always(problem: Problem) -> Callable[[Any], Problem]:
    return lambda _error: problem


def _invalid_order(error: InvalidOrder) -> Problem:
    errors = tuple({"pointer": wrong.pointer, "problem": wrong.problem} for wrong in error.errors)
    return Problem("invalid-order", 422, _places(len(errors)), errors)


def _invalid_request(error: InvalidRequest) -> Problem:
    errors = tuple({wrong.part: wrong.name, "problem": wrong.problem} for wrong in error.errors)
    return Problem("invalid-order", 422, _places(len(errors)), errors)


def _places(count: int) -> str:
    where = "One place of the request does" if count == 1 else f"{count} places of the request do"
    return f"{where} not follow the contract: see errors. Nothing was recorded."


def _sentence(error: MalformedJson | TooLarge) -> str:
    text = str(error) or "the body cannot be read"
    return f"{text[:1].upper()}{text[1:]}. Nothing was recorded."


def _no_rule_set(error: NoRuleSet) -> Problem:
    return Problem(
        "no-ruleset",
        503,
        "No rule set that is recent enough could be read, and nothing is decided without one. Send it again later.",
        headers={"Retry-After": str(error.retry_after_seconds)},
    )


def _store_unavailable(error: StoreUnavailable) -> Problem:
    return Problem(
        "internal",
        503,
        "The decision could not be stored or read, so it is not given out. Send the request again, with the same "
        "Idempotency-Key if it had one.",
        headers={"Retry-After": str(error.retry_after_seconds)},
    )


def told_of_rules(error: RuleSetErrors) -> tuple[Mapping[str, str], ...]:
    """Where and what, as far as a person reads it: names that the author wrote are repeated, but not at any length."""
    return tuple(
        {
            "rule": found.rule[:LONGEST_NAME],
            "path": found.path[:LONGEST_NAME],
            "problem": found.problem[:LONGEST_PROBLEM],
        }
        for found in error.problems[:MOST_ERRORS]
    )


def _invalid_rule_set(error: RuleSetErrors) -> Problem:
    errors = told_of_rules(error)
    count = f"{len(error.problems)} problem{'s' if len(error.problems) > 1 else ''}"
    return Problem("invalid-ruleset", 422, f"{count}: see errors. Nothing was published.", errors)


_TABLE: Mapping[type, Callable[[Any], Problem]] = {
    MalformedJson: lambda error: Problem("malformed-json", 400, _sentence(error)),
    InvalidOrder: _invalid_order,
    InvalidRequest: _invalid_request,
    TooLarge: lambda error: Problem("too-large", 413, _sentence(error)),
    AnswerTooLarge: lambda error: Problem("too-large", 413, str(error)),
    UnsupportedMediaType: _always(
        Problem("unsupported-media-type", 415, "Send the body as application/json, in UTF-8.")
    ),
    Unauthenticated: _always(
        Problem(
            "unauthenticated",
            401,
            "The request carries no verified access token. Get one with your client credentials and send it as Bearer.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    ),
    NotAllowed: lambda error: Problem("missing-scope", 403, str(error)),
    NothingThere: lambda error: Problem("not-found", 404, str(error)),
    DecisionNotFound: _always(Problem("not-found", 404, "You have no decision under this id.")),
    NoSuchVersion: _always(Problem("not-found", 404, "The rule set has no such version.")),
    MethodNotAllowed: lambda error: Problem(
        "not-found", 405, "This path does not answer that method.", headers={"Allow": ", ".join(error.allowed)}
    ),
    IdempotencyConflict: _always(
        Problem(
            "idempotency-conflict",
            409,
            "This Idempotency-Key was sent before with another body. Use a new key for a new or changed order.",
        )
    ),
    RuleSetErrors: _invalid_rule_set,
    ActivationConflict: lambda error: Problem("activation-conflict", 409, f"Nothing was changed: {error}."),
    ChecksNotPassed: lambda error: Problem("checks-not-passed", 409, f"Nothing was changed: {error}."),
    NothingToDo: lambda error: Problem("nothing-to-do", 409, f"Nothing was changed: {error}."),
    SamePerson: lambda error: Problem("four-eyes", 403, f"Nothing was changed: {error}."),
    TooManyFlips: lambda error: Problem("too-many-flips", 409, f"Nothing was changed: {error}."),
    NoRuleSet: _no_rule_set,
    DamagedRuleSet: _always(
        Problem(
            "no-ruleset",
            503,
            "This version of the rules is not as it was published, and nothing is decided with it. Tell the plan.",
            headers={"Retry-After": str(RETRY_AFTER_DAMAGE_SECONDS)},
        )
    ),
    StoreUnavailable: _store_unavailable,
}
