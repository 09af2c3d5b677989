"""One table from exception to RFC 9457 problem, for every failure that a caller can see."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infusion_orders.api.errors import (
    AnswerTooLarge,
    InvalidRequest,
    MethodNotAllowed,
    NotAllowed,
    NotFound,
    TooManyFlips,
    Unauthenticated,
    UnsupportedMediaType,
)
from infusion_orders.orders.parsing import InvalidOrder, MalformedJson, TooLarge
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
    "malformed-json": "The body is not valid JSON",
    "invalid-order": "The request is invalid",
    "unauthenticated": "Not authenticated",
    "missing-scope": "Not allowed",
    "not-found": "Not found",
    "idempotency-conflict": "The idempotency key was used for a different request",
    "too-large": "Too large",
    "unsupported-media-type": "The body must be application/json",
    "throttled": "Too many requests",
    "no-ruleset": "No current rules",
    "internal": "Internal error",
    "invalid-ruleset": "The rule set is invalid",
    "activation-conflict": "The active version has changed",
    "checks-not-passed": "The version's checks found errors",
    "four-eyes": "A second person is required",
    "nothing-to-do": "Nothing to change",
    "too-many-flips": "Too many recorded decisions would change",
}
"""Titles by stable name, the last part of a problem's `type`.  API Gateway itself answers `throttled`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem to render.  `errors` name a pointer, query parameter or header and what is wrong, never a value."""

    name: str
    status: int
    detail: str
    errors: tuple[Mapping[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, instance: str) -> str:
        """The problem's JSON; `instance` is the id of the request, which the log line carries too."""
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
    """The problem of the error's class or of its nearest ancestor in the table; `internal` for all others."""
    for ancestor in type(error).__mro__:
        render = _TABLE.get(ancestor)
        if render is not None:
            return render(error)
    return Problem(
        "internal",
        500,
        "The service failed to answer this request. Send it again; if it fails again, give the plan the id of this "
        "request.",
    )


def is_expected(error: Exception) -> bool:
    """Whether the table names the error; if not, the error is a fault of the service."""
    return any(ancestor in _TABLE for ancestor in type(error).__mro__)


def _always(problem: Problem) -> Callable[[Any], Problem]:
    return lambda _error: problem


def _invalid_order(error: InvalidOrder) -> Problem:
    errors = tuple({"pointer": wrong.pointer, "problem": wrong.problem} for wrong in error.errors)
    return Problem("invalid-order", 422, _count(len(errors)), errors)


def _invalid_request(error: InvalidRequest) -> Problem:
    errors = tuple({wrong.part: wrong.name, "problem": wrong.problem} for wrong in error.errors)
    return Problem("invalid-order", 422, _count(len(errors)), errors)


def _count(count: int) -> str:
    fields = "1 field is" if count == 1 else f"{count} fields are"
    return f"{fields} invalid: see errors. Nothing was recorded."


def _sentence(error: MalformedJson | TooLarge) -> str:
    text = str(error) or "the body cannot be read"
    return f"{text[:1].upper()}{text[1:]}. Nothing was recorded."


def _no_rule_set(error: NoRuleSet) -> Problem:
    return Problem(
        "no-ruleset",
        503,
        "No sufficiently recent rule set could be read, so no decision was made. Send the request again later.",
        headers={"Retry-After": str(error.retry_after_seconds)},
    )


def _store_unavailable(error: StoreUnavailable) -> Problem:
    return Problem(
        "internal",
        503,
        "The decision could not be stored or read. Send the request again, with its Idempotency-Key if it had one.",
        headers={"Retry-After": str(error.retry_after_seconds)},
    )


def rule_problems(error: RuleSetErrors) -> tuple[Mapping[str, str], ...]:
    """The errors of a draft: rule, path and problem.  Long names and texts are cut."""
    return tuple(
        {
            "rule": found.rule[:LONGEST_NAME],
            "path": found.path[:LONGEST_NAME],
            "problem": found.problem[:LONGEST_PROBLEM],
        }
        for found in error.problems[:MOST_ERRORS]
    )


def _invalid_rule_set(error: RuleSetErrors) -> Problem:
    errors = rule_problems(error)
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
            "The request has no valid access token. Get one with your client credentials and send it as Bearer token.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    ),
    NotAllowed: lambda error: Problem("missing-scope", 403, str(error)),
    NotFound: lambda error: Problem("not-found", 404, str(error)),
    DecisionNotFound: _always(Problem("not-found", 404, "You have no decision with this id.")),
    NoSuchVersion: _always(Problem("not-found", 404, "This version does not exist.")),
    MethodNotAllowed: lambda error: Problem(
        "not-found", 405, "This path does not support the method.", headers={"Allow": ", ".join(error.allowed)}
    ),
    IdempotencyConflict: _always(
        Problem(
            "idempotency-conflict",
            409,
            "This Idempotency-Key was sent before with a different body. Use a new key for a new or changed order.",
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
            "This version of the rules is damaged, so nothing is decided with it. Tell the plan.",
            headers={"Retry-After": str(RETRY_AFTER_DAMAGE_SECONDS)},
        )
    ),
    StoreUnavailable: _store_unavailable,
}
