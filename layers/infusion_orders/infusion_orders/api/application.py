"""One function behind the API: each request goes to its handler, each failure becomes a problem, each is logged."""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from infusion_orders.api.errors import MethodNotAllowed, NotFound
from infusion_orders.api.events import usable_event
from infusion_orders.api.observability import Notes, Observer, stack_of
from infusion_orders.api.problems import Problem, is_expected, problem_of
from infusion_orders.api.requests import Request
from infusion_orders.api.routes import ROUTES, allowed_methods, find_route
from infusion_orders.store.dynamodb import time_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from infusion_orders.api.resources import Resources

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
}
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class Response(NamedTuple):
    """An answer before API Gateway's form of it."""

    status: int
    headers: Mapping[str, str]
    body: str


def json_response(body: str, *, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """A response whose body is rendered already: it is sent as it is stored, byte for byte."""
    return Response(status, {"Content-Type": "application/json", **HEADERS, **(headers or {})}, body)


class Application:
    """The routes of one function with their handlers.

    A handler has the name of its route.  It takes the request and the function's resources, and returns the response or
    raises an exception that `problem_of` knows.
    """

    def __init__(
        self, function: str, resources: Resources, *handlers: Callable[[Request, Resources], Response]
    ) -> None:
        self._routes = tuple(route for route in ROUTES if route.function == function)
        self._handlers = {handler.__name__: handler for handler in handlers}
        names = {route.name for route in self._routes}
        if names != set(self._handlers):
            raise LookupError(f"routes and handlers differ: {', '.join(sorted(names ^ set(self._handlers)))}")
        self._resources = resources
        self._observer = Observer(resources.settings)
        self._paths = frozenset(route.path for route in self._routes)

    def answer(self, event: object, context: LambdaContext) -> dict[str, Any]:
        """Answer a REST proxy event of API Gateway and report it.  No event, whatever it holds, makes this raise."""
        started = perf_counter()
        usable = usable_event(event)
        notes = Notes(
            at=datetime.now(UTC),
            request_id=str(usable["requestContext"]["requestId"] or context.aws_request_id),
            function_request_id=str(context.aws_request_id),
        )
        with time_limit(context.get_remaining_time_in_millis() / 1000):
            response = self._response(usable, notes, context.get_remaining_time_in_millis)
        notes.note(route=self._logged_route(usable))
        self._observer.report(notes, status=response.status, duration_ms=(perf_counter() - started) * 1000)
        return {
            "statusCode": response.status,
            "body": response.body,
            "isBase64Encoded": False,
            "multiValueHeaders": {name: [value] for name, value in response.headers.items()},
        }

    def _response(self, event: Mapping[str, Any], notes: Notes, milliseconds_left: Callable[[], int]) -> Response:
        try:
            method, path = event["httpMethod"].upper(), event["path"]
            found = find_route(self._routes, method, path)
            if found is None:
                methods = allowed_methods(self._routes, path)
                raise MethodNotAllowed(methods) if methods else NotFound("There is nothing at this path.")
            route, path_parameters = found
            request = Request(event, route, path_parameters, notes, milliseconds_left)
            return self._handlers[route.name](request, self._resources)
        except Exception as error:
            problem = noted_problem(error, notes)
            notes.note(problem=problem.name)
            headers = {"Content-Type": "application/problem+json", **HEADERS, **problem.headers}
            return Response(problem.status, headers, problem.body(notes.request_id))

    def _logged_route(self, event: Mapping[str, Any]) -> str:
        """Only words of the routes and of HTTP reach the log, never words of the request."""
        method, resource = event["httpMethod"], event["resource"]
        return f"{method if method in METHODS else '(other)'} {resource if resource in self._paths else '(none)'}"


def noted_problem(error: Exception, notes: Notes) -> Problem:
    """The problem of an exception, noted for the metrics; the place of a fault of ours is noted for the log."""
    problem = problem_of(error)
    notes.problems.append(problem.name)
    if not is_expected(error):
        notes.note(fault=type(error).__qualname__, stack=stack_of(error.__traceback__))
    return problem
