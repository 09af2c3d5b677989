"""API Gateway on this machine: an HTTP request becomes the REST proxy event that the real handler gets.

The local authorizer believes everyone: `X-Local-Client` and `X-Local-Scopes` set the claims that Cognito would verify.
An empty `X-Local-Client` is a request without a token.
"""

from __future__ import annotations

import base64
import importlib.util
import sys
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from infusion_orders.api.caller import TokenScope
from infusion_orders.api.routes import ROUTES
from infusion_orders_cli.local.tables import LOCAL_PARTNER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from types import ModuleType
    from wsgiref.types import StartResponse, WSGIEnvironment

    Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

MOST_BODY_BYTES = 10 * 1024 * 1024
"""API Gateway's limit; the functions' own limits are lower."""
FUNCTION_SECONDS = 20.0
FALLBACK = "validate_orders"
"""The function that answers for paths that no route has."""
LOCAL_CLIENT, LOCAL_SCOPES = "X-Local-Client", "X-Local-Scopes"
LOCAL_HEADERS = frozenset({LOCAL_CLIENT.lower(), LOCAL_SCOPES.lower()})


@dataclass(frozen=True, slots=True)
class LocalContext:
    """The part of Lambda's context that functions and Powertools read."""

    aws_request_id: str
    ends: float
    function_name: str = "local"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:us-west-2:123456789012:function:local"

    def get_remaining_time_in_millis(self) -> int:
        """The time until Lambda would stop the function; nothing stops it here."""
        return max(0, int((self.ends - time.monotonic()) * 1000))


@dataclass(slots=True)
class LocalApi:
    """A WSGI application: `handlers`, by function, answer the routes; `pages` answer GET requests of their paths.

    `log` gets the method, path, status and milliseconds of each request.
    """

    handlers: Mapping[str, Handler]
    pages: Mapping[str, Callable[[], Response]] = field(default_factory=dict)
    log: Callable[[str, str, int, float], None] = lambda *_: None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        started = time.perf_counter()
        request = Request(environ)
        request.max_content_length = MOST_BODY_BYTES
        response = self._answer(request)
        self.log(request.method, request.path, response.status_code, (time.perf_counter() - started) * 1000)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        page = self.pages.get(request.path) if request.method in {"GET", "HEAD"} else None
        if page is not None:
            return page()
        try:
            event = proxy_event(request)
        except RequestEntityTooLarge:
            return Response('{"message":"Request Too Long"}', 413, content_type="application/json")
        context = LocalContext(event["requestContext"]["requestId"], time.monotonic() + FUNCTION_SECONDS)
        functions = {route.path: route.function for route in ROUTES}
        handler = self.handlers[functions.get(event["resource"], FALLBACK)]
        return _response(handler(event, context))


def proxy_event(request: Request) -> dict[str, Any]:
    """The event that API Gateway sends for the request, with the claims of the local authorizer.

    Raises werkzeug's RequestEntityTooLarge.
    """
    body = request.get_data(cache=False)
    resource, parameters = _resource(request.path)
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        if name.lower() not in LOCAL_HEADERS:
            headers.setdefault(name, []).append(value)
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True):
        query.setdefault(name, []).append(value)
    return {
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": _request_context(request, resource),
        **_body(body),
    }


def _resource(path: str) -> tuple[str, dict[str, str] | None]:
    for route in ROUTES:
        parameters = route.path_parameters(path)
        if parameters is not None:
            return route.path, parameters or None
    return "/{proxy+}", {"proxy": path.lstrip("/")}


def _request_context(request: Request, resource: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    client = request.headers.get(LOCAL_CLIENT, LOCAL_PARTNER)
    claims = {
        "sub": client,
        "client_id": client,
        "token_use": "access",
        "scope": request.headers.get(LOCAL_SCOPES, " ".join(TokenScope)),
        "version": "2",
    }
    return {
        "accountId": "123456789012",
        "apiId": "local",
        "authorizer": {"claims": claims} if client else None,
        "domainName": request.host,
        "domainPrefix": "local",
        "extendedRequestId": "local",
        "httpMethod": request.method,
        "identity": {"sourceIp": request.remote_addr or "127.0.0.1", "userAgent": request.headers.get("User-Agent")},
        "path": request.path,
        "protocol": request.environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
        "requestId": str(uuid.uuid4()),
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now.timestamp() * 1000),
        "resourceId": "local",
        "resourcePath": resource,
        "stage": "local",
    }


def _body(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode("utf-8") or None, "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode("ascii"), "isBase64Encoded": True}


def _response(answer: Mapping[str, Any]) -> Response:
    response = Response(answer["body"], status=int(answer["statusCode"]))
    for name, values in answer["multiValueHeaders"].items():
        response.headers.setlist(name, values)
    return response


def load_function(folder: Path, name: str | None = None) -> ModuleType:
    """Import a function's app.py anew, as a module of this name; the environment that it reads must be set."""
    spec = importlib.util.spec_from_file_location(name or f"function_{folder.name}", folder / "app.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(folder))  # as in Lambda, for the modules next to app.py
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module
