"""/docs and /openapi.json of the local API: Swagger UI, from the files that come with Powertools."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

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


def documentation_pages(root: Path) -> Mapping[str, Callable[[], Response]]:
    """Return the pages by path; the OpenAPI document of the checkout is generated when it is asked for."""
    return {
        "/": lambda: Response(status=302, headers={"Location": "/docs"}),
        "/docs": lambda: _page(PAGE, "text/html"),
        "/docs/start.js": lambda: _page(START, "text/javascript"),
        "/docs/swagger-ui.css": lambda: _page(_asset("swagger-ui.min.css"), "text/css"),
        "/docs/swagger-ui-bundle.js": lambda: _page(_asset("swagger-ui-bundle.min.js"), "text/javascript"),
        "/openapi.json": lambda: _page(_openapi(root), "application/json"),
    }


def _page(content: str | bytes, kind: str) -> Response:
    return Response(content, content_type=f"{kind}; charset=utf-8", headers={"Content-Security-Policy": POLICY})


def _openapi(root: Path) -> str:
    from infusion_orders_cli.docs.openapi import openapi_document

    return json.dumps(openapi_document(root), ensure_ascii=False)


def _asset(name: str) -> bytes:
    return files(ASSETS).joinpath(name).read_bytes()
