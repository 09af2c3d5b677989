"""The local API over a socket: the handler gets the events of API Gateway, and its answers arrive unchanged."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import EnvironBuilder

from infusion_orders_cli.docs.openapi import openapi_document
from infusion_orders_cli.local.api import MOST_BODY_BYTES, LocalApi, load_function, proxy_event
from infusion_orders_cli.local.commands import local_environment
from infusion_orders_cli.local.pages import documentation_pages
from infusion_orders_cli.local.server import PortInUse, serving
from infusion_orders_cli.local.tables import LOCAL_PARTNER, embedded_tables, environment
from tests.support.orders import an_order_document
from tests.support.rules import default_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from werkzeug.wrappers import Request

ROOT = Path(__file__).parents[2]
JSON = {"Content-Type": "application/json"}


class Client:
    """Sends each request on its own connection and reads the whole answer."""

    def __init__(self, port: int) -> None:
        self._port = port

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        read = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return read

    def validate(self, document: Any, query: str = "", **headers: str) -> tuple[int, Mapping[str, str], Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"/v1/orders/validate{query}"
        status, given, body = self.send("POST", path, json.dumps(document).encode(), {**JSON, **named})
        return status, given, json.loads(body)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    document = default_document()
    with (
        embedded_tables(ROOT / "template.yaml", document) as tables,
        environment(local_environment(tables.environment())),
    ):
        handler = load_function(ROOT / "functions" / "validate_orders").handler
        api = LocalApi({"validate_orders": handler}, documentation_pages(ROOT))
        with serving(api, "127.0.0.1", 0) as port:
            yield Client(port)


class TestThePartnerApi:
    def test_an_order_is_decided_recorded_and_read_again(self, client: Client) -> None:
        status, headers, decision = client.validate(an_order_document())

        assert status == 200
        assert headers["Content-Type"] == "application/json"
        assert headers["Cache-Control"] == "no-store"
        assert decision["outcome"] == "accepted"
        read_status, _, body = client.send("GET", f"/v1/decisions/{decision['decision_id']}")
        assert read_status == 200
        assert json.loads(body) == decision

    def test_query_parameters_reach_the_handler(self, client: Client) -> None:
        _, _, explained = client.validate(an_order_document(), "?explain=all")
        _, _, reproduced = client.validate(an_order_document(), "?as_of=2026-01-05&ruleset_version=1")

        assert explained["explanation"]
        assert reproduced["as_of"] == "2026-01-05"
        assert "decision_id" not in reproduced

    def test_the_idempotency_key_reaches_the_handler(self, client: Client) -> None:
        first = client.validate(an_order_document(), Idempotency_Key="a-key")
        second = client.validate(an_order_document(), Idempotency_Key="a-key")

        assert "Idempotent-Replayed" not in first[1]
        assert second[1]["Idempotent-Replayed"] == "true"
        assert second[2] == first[2]

    def test_a_batch_is_answered(self, client: Client) -> None:
        body = json.dumps({"orders": [an_order_document(), {}]}).encode()

        status, _, answer = client.send("POST", "/v1/orders/validate-batch", body, JSON)

        assert status == 200
        assert [entry["index"] for entry in json.loads(answer)["decisions"]] == [0]
        assert [entry["index"] for entry in json.loads(answer)["problems"]] == [1]

    @pytest.mark.parametrize(
        ("headers", "status", "problem"),
        [
            ({"X_Local_Client": ""}, 401, "unauthenticated"),
            ({"X_Local_Client": "a-stranger"}, 403, "missing-scope"),
            ({"X_Local_Scopes": "decisions/read"}, 403, "missing-scope"),
        ],
    )
    def test_local_headers_switch_the_caller(
        self, client: Client, headers: dict[str, str], status: int, problem: str
    ) -> None:
        answered, _, body = client.validate(an_order_document(), **headers)

        assert answered == status
        assert body["type"].endswith(f"/{problem}")

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [("GET", "/nowhere", 404), ("GET", "/v1/orders/validate", 405), ("GET", "/v1/decisions/unknown", 404)],
    )
    def test_unknown_paths_and_methods_reach_the_handler(
        self, client: Client, method: str, path: str, status: int
    ) -> None:
        answered, headers, _ = client.send(method, path)

        assert answered == status
        assert headers["Content-Type"] == "application/problem+json"

    def test_body_that_is_not_text_reaches_the_handler(self, client: Client) -> None:
        status, _, _ = client.send("POST", "/v1/orders/validate", b"\xff\xfe", JSON)

        assert status == 400

    def test_body_over_the_gateway_limit_returns_413(self, client: Client) -> None:
        status, _, body = client.send("POST", "/v1/orders/validate", b" " * (MOST_BODY_BYTES + 1), JSON)

        assert status == 413
        assert json.loads(body) == {"message": "Request Too Long"}


class TestTheDocumentation:
    def test_the_page_loads_nothing_from_elsewhere(self, client: Client) -> None:
        status, headers, page = client.send("GET", "/docs")

        assert status == 200
        assert headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert b"http://" not in page
        assert b"https://" not in page

    @pytest.mark.parametrize("path", ["/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js"])
    def test_parts_of_the_page_are_served(self, client: Client, path: str) -> None:
        status, _, content = client.send("GET", path)

        assert status == 200
        assert path in client.send("GET", "/docs")[2].decode()
        assert content

    def test_generated_document_is_served_and_the_root_redirects(self, client: Client) -> None:
        assert json.loads(client.send("GET", "/openapi.json")[2]) == json.loads(json.dumps(openapi_document(ROOT)))
        assert client.send("GET", "/")[1]["Location"] == "/docs"


class TestTheEvent:
    def test_event_has_every_field_of_an_api_gateway_event(self) -> None:
        example = json.loads((ROOT / "events" / "validate-order.json").read_text("utf-8"))

        event = proxy_event(a_request("POST", "/v1/orders/validate", body=b"{}"))

        assert set(event) == set(example)
        assert set(event["requestContext"]) == set(example["requestContext"])
        assert event["body"] == "{}"
        assert event["requestContext"]["authorizer"]["claims"]["client_id"] == LOCAL_PARTNER

    def test_repeated_parameters_are_kept_in_the_multi_value_form(self) -> None:
        event = proxy_event(a_request("GET", "/v1/orders/validate?as_of=1&as_of=2&explain="))

        assert event["queryStringParameters"] == {"as_of": "2", "explain": ""}
        assert event["multiValueQueryStringParameters"] == {"as_of": ["1", "2"], "explain": [""]}

    def test_local_headers_are_not_passed_on(self) -> None:
        event = proxy_event(a_request("GET", "/v1/decisions/X", headers={"X-Local-Client": "someone"}))

        assert not {name.lower() for name in event["headers"]} & {"x-local-client"}
        assert event["pathParameters"] == {"decision_id": "X"}
        assert event["resource"] == "/v1/decisions/{decision_id}"
        assert event["queryStringParameters"] is None
        assert event["body"] is None
        assert event["requestContext"]["authorizer"]["claims"]["client_id"] == "someone"

    def test_an_empty_client_is_a_request_without_a_token(self) -> None:
        event = proxy_event(a_request("GET", "/v1/decisions/X", headers={"X-Local-Client": ""}))

        assert event["requestContext"]["authorizer"] is None


def test_port_in_use_is_reported_with_the_option() -> None:
    api = LocalApi({})
    with serving(api, "127.0.0.1", 0) as port:
        with pytest.raises(PortInUse, match=rf"127\.0\.0\.1:{port}.*--port"), serving(api, "127.0.0.1", port):
            pass


def a_request(method: str, target: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Request:
    path, _, query = target.partition("?")
    builder = EnvironBuilder(
        method=method, path=path, query_string=query, data=body or None, headers=list((headers or {}).items())
    )
    return builder.get_request()
