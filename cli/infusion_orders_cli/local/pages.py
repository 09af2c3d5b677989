"""/docs and /openapi.json of the local API: Swagger UI, from the files that come with Powertools."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ASSETS = "aws_lambda_powertools.event_handler.openapi.swagger_ui"
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>infusion-orders: the partner API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", deepLinking: true, tryItOutEnabled: true});
"""


def documentation_pages(describe: Callable[[], Mapping[str, Any]]) -> Mapping[str, Callable[[], Response]]:
    """Path to page; `describe` gives the OpenAPI document when it is asked for."""
    return {
        "/": lambda: Response(status=302, headers={"Location": "/docs"}),
        "/docs": lambda: _page(PAGE, "text/html"),
        "/docs/start.js": lambda: _page(START, "text/javascript"),
        "/docs/swagger-ui.css": lambda: _page(_asset("swagger-ui.min.css"), "text/css"),
        "/docs/swagger-ui-bundle.js": lambda: _page(_asset("swagger-ui-bundle.min.js"), "text/javascript"),
        "/openapi.json": lambda: _page(json.dumps(describe(), ensure_ascii=False), "application/json"),
    }


def _page(content: str | bytes, kind: str) -> Response:
    return Response(content, content_type=f"{kind}; charset=utf-8", headers={"Content-Security-Policy": POLICY})


def _asset(name: str) -> bytes:
    return files(ASSETS).joinpath(name).read_bytes()
