import base64
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infusion_orders.api.errors import InvalidRequest, NotFound, UnsupportedMediaType
from infusion_orders.api.requests import (
    DecisionQuery,
    decision_query,
    idempotency_key,
    json_body,
    refuse_parameters,
    require_ulid,
)
from infusion_orders.api.rule_bodies import MOST_LEVELS
from infusion_orders.authoring.limits import LIMITS
from infusion_orders.orders.parsing import MalformedJson

TODAY = date(2026, 11, 23)


def an_event(*, query: dict[str, list[str]] | None = None, body: str | None = "{}", **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "headers": {"Content-Type": "application/json"} | named,
        "multiValueQueryStringParameters": query,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "body": body,
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'APPLICATION/JSON;charset="UTF-8"'],
)
def test_json_in_utf_8_is_taken(content_type: str) -> None:
    event = {"headers": {"content-type": content_type}, "body": '{"name": "é"}', "isBase64Encoded": False}

    assert json_body(event) == '{"name": "é"}'.encode()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/jsonl"},
    ],
)
def test_other_content_types_are_unsupported(headers: dict[str, str]) -> None:
    with pytest.raises(UnsupportedMediaType):
        json_body({"headers": headers, "body": "{}"})


@given(st.binary(max_size=200))
def test_a_base64_encoded_body_gives_the_bytes_that_were_sent(sent: bytes) -> None:
    event = an_event(body=base64.b64encode(sent).decode()) | {"isBase64Encoded": True}

    assert json_body(event) == sent


def test_a_broken_encoding_is_malformed() -> None:
    with pytest.raises(MalformedJson):
        json_body(an_event(body="%%%") | {"isBase64Encoded": True})


def test_request_without_parameters_has_the_default_query() -> None:
    assert decision_query(an_event(), today=TODAY) == DecisionQuery()


def test_all_parameters_are_read() -> None:
    event = an_event(query={"explain": ["all"], "as_of": ["2026-11-20"], "ruleset_version": ["12"]})

    assert decision_query(event, today=TODAY) == DecisionQuery(
        explain_all=True, as_of=date(2026, 11, 20), ruleset_version=12
    )


@pytest.mark.parametrize(
    ("query", "name", "problem"),
    [
        ({"explain": ["some"]}, "explain", "must be `all`"),
        ({"as_of": ["20 November"]}, "as_of", "YYYY-MM-DD"),
        ({"as_of": ["2026-02-30"]}, "as_of", "YYYY-MM-DD"),
        ({"as_of": ["20261120"]}, "as_of", "YYYY-MM-DD"),
        ({"as_of": ["2026-11-24"]}, "as_of", "after today"),
        ({"as_of": ["2026-11-20", "2026-11-21"]}, "as_of", "once"),
        ({"ruleset_version": ["0"]}, "ruleset_version", "number of a version"),
        ({"ruleset_version": ["1.5"]}, "ruleset_version", "number of a version"),
        ({"ruleset_version": ["٣"]}, "ruleset_version", "number of a version"),
        ({"as_off": ["2026-11-20"]}, "(unknown)", "did you mean as_of?"),
        ({"zzz": ["1"]}, "(unknown)", "takes explain, as_of, ruleset_version"),
    ],
)
def test_invalid_parameter_is_named_with_the_expected_form(
    query: dict[str, list[str]], name: str, problem: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decision_query(an_event(query=query), today=TODAY)

    (wrong,) = caught.value.errors
    assert (wrong.part, wrong.name) == ("parameter", name)
    assert problem in wrong.problem


def test_unexpected_parameters_are_refused_without_their_names() -> None:
    with pytest.raises(InvalidRequest) as caught:
        refuse_parameters(an_event(query={"member_9AB1": ["1"]}))

    assert [wrong.name for wrong in caught.value.errors] == ["(unknown)"]


@given(st.text(alphabet="ABCxyz019._:-", min_size=1, max_size=128))
def test_idempotency_key_is_read_whatever_the_case_of_its_header(key: str) -> None:
    assert idempotency_key(an_event(IDEMPOTENCY_KEY=key)) == key
    assert idempotency_key(an_event(idempotency_key=key)) == key


@pytest.mark.parametrize("key", ["", " ", "a b", "a#0", "x" * 129, "key\n", "ключ"])
def test_invalid_idempotency_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        idempotency_key(an_event(idempotency_key=key))

    assert [(wrong.part, wrong.name) for wrong in caught.value.errors] == [("header", "Idempotency-Key")]


@pytest.mark.parametrize("text", ["", "1", "01KAT7Q3V9M5R7T0ZJX2B8N4W", "01KAT7Q3V9M5R7T0ZJX2B8N4WI", "../DECISION#1"])
def test_text_that_is_not_a_ulid_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        require_ulid(text)


def test_ulid_is_accepted_as_a_decision_id() -> None:
    assert require_ulid("01KAT7Q3V9M5R7T0ZJX2B8N4WC") == "01KAT7Q3V9M5R7T0ZJX2B8N4WC"


def test_body_may_be_as_deep_as_the_deepest_condition() -> None:
    assert MOST_LEVELS == 2 * LIMITS.depth + 10
