"""Send the local API requests that docs/openapi.json allows and forbids; the answers must fit the document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.wrappers import Response

from infusion_orders_cli.local.api import LocalApi
from tests.support.partner import decided_world
from tests.support.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis.schemas import BaseSchema

DOCUMENT = (PROJECT / "docs" / "openapi.json").read_text("utf-8")
OPERATIONS = [(path, method) for path, methods in json.loads(DOCUMENT)["paths"].items() for method in methods]
NOTHING_TO_NEGATE = {"/v1/rules", "/v1/rules/{rule_id}", "/v1/rulesets", "/v1/rulesets/changes"}
"""GET routes without parameters, or with parameters that accept any text."""
CASES = [
    (path, method, mode)
    for path, method in OPERATIONS
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or method != "get" or path not in NOTHING_TO_NEGATE
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ONE_BY_ONE = "/v1/orders/validate-batch"
"""Answers 200 whatever its orders are; an invalid order is a problem in the answer."""
EXAMPLES = 20
"""Requests for each operation and mode."""


@pytest.fixture(scope="module")
def schema() -> Iterator[BaseSchema]:
    with decided_world() as world:
        api = LocalApi(
            {"validate_orders": world.function.handler, "manage_rules": world.rules.function.handler},
            {"/openapi.json": lambda: Response(DOCUMENT, content_type="application/json")},
        )
        yield schemathesis.openapi.from_wsgi("/openapi.json", api)


@pytest.mark.parametrize(
    ("path", "method", "mode"), CASES, ids=[f"{mode.value} {way} {path}" for path, way, mode in CASES]
)
def test_the_local_api_answers_as_documented(schema: Any, path: str, method: str, mode: GenerationMode) -> None:
    strategy = schema[path][method].as_strategy(generation_mode=mode)

    refused = mode is GenerationMode.NEGATIVE and path != ONE_BY_ONE
    checks = [*CHECKS, negative_data_rejection] if refused else CHECKS

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def answers_as_documented(data: st.DataObject) -> None:
        data.draw(strategy).call_and_validate(checks=checks)

    answers_as_documented()
