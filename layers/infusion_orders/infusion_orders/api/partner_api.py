"""The resolver of all functions: every failure becomes a problem, every request one log line."""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any

from infusion_orders.api.events import usable_event
from infusion_orders.api.observability import Notes, Observer, stack_of
from infusion_orders.api.problems import Problem, is_expected, problem_of
from infusion_orders.api.requests import MethodNotAllowed, NothingThere
from infusion_orders.api.resolver import APIGatewayRestResolver, NotFoundError, Response
from infusion_orders.store.dynamodb import time_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from infusion_orders.api.settings import Settings

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
}
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class PartnerApi(APIGatewayRestResolver):
    """Powertools' resolver of REST API events, without its validation and OpenAPI parts: the core reads bodies."""

    def __init__(self, observer: Observer) -> None:
        """Debug mode stays off whatever the environment says: it prints whole events."""
        super().__init__(debug=False)
        self._observer = observer
        self._methods: dict[str, set[str]] = {}
        self.exception_handler(Exception)(self._problem)
        self.exception_handler(NotFoundError)(self._nothing_at_this_path)

    @property
    def notes(self) -> Notes:
        """What the code that answers the current request has noted about it."""
        notes: Notes = self.context["notes"]
        return notes

    @property
    def event(self) -> Mapping[str, Any]:
        """The current request, as API Gateway sent it; see `usable_event`."""
        return self.current_event.raw_event

    def route(self, rule: str, method: str | list[str] | tuple[str], *settings: Any, **more: Any) -> Callable[..., Any]:
        """As in Powertools; remembers the methods of the path, for 405 and its Allow header."""
        self._methods.setdefault(rule, set()).update([method] if isinstance(method, str) else method)
        return super().route(rule, method, *settings, **more)

    def resolve(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """The whole request: answer it, then report it.  No event, whatever it is, makes this raise."""
        started = perf_counter()
        event = usable_event(event)
        notes = Notes(
            at=datetime.now(UTC),
            request_id=str(event["requestContext"]["requestId"] or context.aws_request_id),
            function_request_id=str(context.aws_request_id),
        )
        self.context["notes"] = notes
        with time_limit(context.get_remaining_time_in_millis() / 1000):
            response = super().resolve(event, context)
        notes.note(route=self._told_route(event))
        self._observer.report(notes, status=response["statusCode"], duration_ms=(perf_counter() - started) * 1000)
        return response

    def _told_route(self, event: Mapping[str, Any]) -> str:
        """For the log line: only words of the routes and of HTTP, never of the request."""
        method, resource = event["httpMethod"], event["resource"]
        served = {path.replace("<", "{").replace(">", "}") for path in self._methods}
        return f"{method if method in METHODS else '(other)'} {resource if resource in served else '(none)'}"

    def problem_entry(self, error: Exception) -> str:
        """The problem's JSON for an order in a batch; noted and, if it is a fault of ours, with the place of it."""
        return self._noted(error).body(self.notes.request_id)

    def _problem(self, error: Exception) -> Response[str]:
        problem = self._noted(error)
        self.notes.note(problem=problem.name)
        return Response(
            problem.status,
            "application/problem+json",
            problem.body(self.notes.request_id),
            {**HEADERS, **problem.headers},
        )

    def _noted(self, error: Exception) -> Problem:
        problem = problem_of(error)
        self.notes.problems.append(problem.name)
        if not is_expected(error):
            self.notes.note(fault=type(error).__qualname__, stack=stack_of(error.__traceback__))
        return problem

    def _nothing_at_this_path(self, _error: NotFoundError) -> Response[str]:
        asked = self.current_event.path.rstrip("/").split("/")
        method = self.current_event.http_method.upper()
        for path, methods in self._methods.items():
            parts = path.rstrip("/").split("/")
            if (
                method not in methods
                and len(parts) == len(asked)
                and all(part == given or part.startswith("<") for part, given in zip(parts, asked, strict=True))
            ):
                return self._problem(MethodNotAllowed(methods))
        return self._problem(NothingThere("There is nothing at this path."))


def partner_api(settings: Settings) -> PartnerApi:
    """The one place where a function's resolver, problems, log and metrics are put together."""
    return PartnerApi(Observer(settings))


def json_answer(body: str, *, headers: Mapping[str, str] | None = None, status: int = 200) -> Response[str]:
    """A body that is rendered already: it is sent as it is stored, byte for byte."""
    return Response(status, "application/json", body, {**HEADERS, **(headers or {})})
