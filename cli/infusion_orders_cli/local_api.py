"""API Gateway on this machine: HTTP requests become REST proxy events of the real handler, one at a time.

The local authorizer believes everyone: `X-Local-Client` and `X-Local-Scopes` set the claims that Cognito would have
verified; an empty `X-Local-Client` is a request without a token.
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
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from infusion_orders.api.caller import TokenScope
from infusion_orders.api.routes import ROUTES
from infusion_orders_cli.embedded_table import LOCAL_PARTNER
from infusion_orders_cli.listening import bound_socket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

    from werkzeug.serving import BaseWSGIServer

MOST_BODY_BYTES = 10 * 1024 * 1024
"""What API Gateway takes; what the function takes is less and the function's own matter."""
FUNCTION_SECONDS = 20.0
LOCAL_CLIENT, LOCAL_SCOPES = "X-Local-Client", "X-Local-Scopes"
ALL_SCOPES = " ".join(TokenScope)
LOCAL_HEADERS = frozenset({LOCAL_CLIENT.lower(), LOCAL_SCOPES.lower()})


@dataclass(frozen=True, slots=True)
class LocalContext:
    """As much of Lambda's context as functions and Powertools read."""

    aws_request_id: str
    ends: float
    function_name: str = "validate_orders"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:us-west-2:123456789012:function:validate_orders"

    def get_remaining_time_in_millis(self) -> int:
        """Until the function would be stopped; locally it never is."""
        return max(0, int((self.ends - time.monotonic()) * 1000))


@dataclass(slots=True)
class LocalApi:
    """A WSGI application: `pages` answer GET requests of their paths, the handlers everything else.

    `manage_rules` is the handler of what begins with /v1/rule.
    """

    handler: Callable[[dict[str, Any], Any], dict[str, Any]]
    pages: Mapping[str, Callable[[], Response]] = field(default_factory=dict)
    manage_rules: Callable[[dict[str, Any], Any], dict[str, Any]] | None = None
    log: Callable[[str, str, int, float], None] = lambda *_: None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One request; told to `log` as method, path, status and milliseconds."""
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
        of_rules = self.manage_rules is not None and event["path"].startswith("/v1/rule")
        handler = self.manage_rules if of_rules and self.manage_rules is not None else self.handler
        return _response(handler(event, context))


def proxy_event(request: Request) -> dict[str, Any]:
    """What API Gateway hands to the function for the request, with the claims of the local authorizer.

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
        "scope": request.headers.get(LOCAL_SCOPES, ALL_SCOPES),
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
    body = answer.get("body") or ""
    response = Response(
        base64.b64decode(body) if answer.get("isBase64Encoded") else body, status=int(answer["statusCode"])
    )
    headers = answer.get("multiValueHeaders") or {name: [value] for name, value in answer.get("headers", {}).items()}
    for name, values in headers.items():
        response.headers.setlist(name, values)
    return response


class _Quiet(WSGIRequestHandler):
    """Says nothing by itself: `LocalApi.log` is told of every request."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Not even of broken requests: they end in an answer of their own."""


def listen(api: LocalApi, host: str, port: int) -> BaseWSGIServer:
    """A server that has bound its port (any free one for 0) and waits for `serve_forever`.

    Raises PortInUse.
    """
    with bound_socket(host, port) as bound:
        number = bound.getsockname()[1]
        return make_server(host, number, api, request_handler=_Quiet, fd=bound.fileno())


def load_handler(app: Path) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """`handler` of a function's app.py, imported afresh; the environment that it reads must be set."""
    name = f"function_{app.parent.name}"
    spec = importlib.util.spec_from_file_location(name, app)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(app)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(app.parent))  # as Lambda does, for the modules next to it
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(app.parent))
    handler: Callable[[dict[str, Any], Any], dict[str, Any]] = module.handler
    return handler
