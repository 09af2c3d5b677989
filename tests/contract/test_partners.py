"""Callers can do only what they may: on every route, no partner sees another partner's decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infusion_orders.api.routes import ROUTES, ApiRoute
from infusion_orders.orders.vocabularies import LineOfBusiness
from infusion_orders.store.decisions import _key, hashed_key
from infusion_orders_cli.local.tables import LOCAL_PARTNER
from tests.support.orders import an_order_document
from tests.support.partner import World, decided_world
from tests.support.routes import event_to, good_requests

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = "another-partner"
OF_PARTNERS = [route for route in ROUTES if route.function == "validate_orders"]
OF_STAFF = [route for route in ROUTES if route.function == "manage_rules"]
NOBODY = "01KAT7Q3V9M5R7T0ZJX2B8N4WC"
SECRET = "PPG-SECRET-4711"


@pytest.fixture(scope="module")
def decision(world: World) -> dict[str, Any]:
    """A decision of the local partner, whose order id no other partner may see."""
    found: dict[str, Any] = world.partner.validate(
        an_order_document() | {"order_id": SECRET}, headers={"Idempotency-Key": "secret-key"}
    ).json
    return found


def test_every_route_has_a_good_request() -> None:
    assert set(map(str, ROUTES)) == set(good_requests(NOBODY))


@pytest.mark.parametrize("route", ROUTES, ids=str)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_undeclared_method_is_refused(world: World, route: ApiRoute, method: str) -> None:
    if any((other.method, other.path) == (method, route.path) for other in ROUTES):
        return
    event = event_to(route, good_requests(NOBODY)[str(route)]) | {"httpMethod": method}
    assert world.send(route, event).status in (403, 404, 405)  # 403: `check` may be a version's name to a GET


class Claims:
    """The authorizer passes on something other than the claims of an access token."""

    MISSING: tuple[Any, ...] = (None, {}, {"claims": None}, {"claims": {}}, {"claims": {"sub": LOCAL_PARTNER}})
    WRONG: tuple[dict[str, Any], ...] = (
        {"client_id": ""},
        {"client_id": None},
        {"client_id": [LOCAL_PARTNER]},
        {"client_id": 7},
        {"token_use": "id"},
        {"token_use": "refresh"},
    )


@pytest.mark.parametrize("route", ROUTES, ids=str)
@pytest.mark.parametrize("authorizer", Claims.MISSING, ids=str)
def test_request_without_usable_claims_returns_401(world: World, route: ApiRoute, authorizer: Any) -> None:
    event = event_to(route, good_requests(NOBODY)[str(route)])
    event["requestContext"]["authorizer"] = authorizer
    event["headers"] |= {"Authorization": f"Bearer {LOCAL_PARTNER}", "X-Client-Id": LOCAL_PARTNER}

    answer = world.send(route, event)

    assert (answer.status, answer.problem) == (401, "unauthenticated")


@pytest.mark.parametrize("route", ROUTES, ids=str)
@pytest.mark.parametrize("claims", Claims.WRONG, ids=str)
def test_only_access_tokens_of_clients_are_accepted(world: World, route: ApiRoute, claims: dict[str, Any]) -> None:
    event = event_to(route, good_requests(NOBODY)[str(route)])
    event["requestContext"]["authorizer"]["claims"] |= claims

    assert world.send(route, event).status == 401


@pytest.mark.parametrize("route", OF_PARTNERS, ids=str)
@pytest.mark.parametrize("client_id", ["nobody", "suspended-partner", f"{LOCAL_PARTNER}-", LOCAL_PARTNER.upper()])
def test_unknown_and_suspended_clients_are_refused(
    world: World, decision: dict[str, Any], route: ApiRoute, client_id: str
) -> None:
    before = world.count_decisions()
    request = good_requests(decision["decision_id"])[str(route)]

    answer = world.send(route, event_to(route, request, client_id=client_id))

    assert (answer.status, answer.problem) == (403, "missing-scope")
    assert SECRET not in answer.text
    assert world.count_decisions() == before


@pytest.mark.parametrize("route", OF_PARTNERS, ids=str)
def test_partner_sees_nothing_of_another_partners_decision(
    world: World, decision: dict[str, Any], route: ApiRoute
) -> None:
    """Both partners have the same rights and send the same request with the same idempotency key."""
    request = good_requests(decision["decision_id"])[str(route)]
    event = event_to(route, request, client_id=OTHER, headers={"Idempotency-Key": "secret-key"})

    answer = world.send(route, event)

    assert SECRET not in answer.text
    assert decision["decision_id"] not in answer.text
    if "{decision_id}" in route.path:
        unknown = good_requests(NOBODY)[str(route)]
        same = world.send(route, event_to(route, unknown, client_id=OTHER, headers={"Idempotency-Key": "secret-key"}))
        assert (answer.status, answer.text) == (404, same.text)
    else:
        assert answer.status == 200
        assert "Idempotent-Replayed" not in answer.headers


@pytest.mark.parametrize("route", OF_STAFF, ids=str)
def test_scopes_of_partners_open_no_route_of_rule_authors(world: World, route: ApiRoute) -> None:
    request = good_requests(NOBODY)[str(route)]
    answer = world.send(route, event_to(route, request, scope="orders/validate decisions/read"))
    assert (answer.status, answer.problem) == (403, "missing-scope")


@pytest.mark.parametrize("route", OF_STAFF, ids=str)
def test_no_route_of_rule_authors_returns_an_order_or_decision(
    world: World, decision: dict[str, Any], route: ApiRoute
) -> None:
    """A replay counts decisions and names none of them."""
    request = good_requests(decision["decision_id"])[str(route)]

    answer = world.send(route, event_to(route, request))

    assert answer.status == request.status, answer.text
    assert SECRET not in answer.text
    assert decision["decision_id"] not in answer.text


@pytest.mark.parametrize("line", list(LineOfBusiness))
def test_a_line_of_business_that_a_partner_may_not_send_is_refused(world: World, line: LineOfBusiness) -> None:
    order = an_order_document({"/member/line_of_business": line.value})
    before = world.count_decisions()

    answer = world.partner.validate(order, client_id="commercial-partner")
    batch = world.partner.validate_batch([order], client_id="commercial-partner").json

    if line is LineOfBusiness.COMMERCIAL_HMO:
        assert answer.status == 200
        assert [entry["index"] for entry in batch["decisions"]] == [0]
    else:
        assert (answer.status, answer.problem) == (403, "missing-scope")
        assert [entry["problem"]["status"] for entry in batch["problems"]] == [403]
        assert world.count_decisions() == before


@pytest.mark.parametrize("place", ["body", "header", "query"])
def test_no_body_header_or_query_names_a_partner(world: World, place: str) -> None:
    """Only the claims name the partner; anything else can at most make the request invalid."""
    order = an_order_document() | ({"client_id": OTHER, "partner": OTHER} if place == "body" else {})
    changes: dict[str, Any] = {
        "body": {},
        "header": {"headers": {"X-Partner": OTHER, "X-Client-Id": OTHER, "Authorization": f"Bearer {OTHER}"}},
        "query": {"query": {"client_id": OTHER}},
    }[place]

    before = {item["SK"]["S"] for item in world.items()}

    world.partner.validate(order, **changes)

    new = [item for item in world.items() if item["SK"]["S"] not in before]
    assert {item["PK"]["S"] for item in new} <= {f"PARTNER#{LOCAL_PARTNER}"}
    assert len(new) == (place == "header")


ANY_ID = st.text(min_size=1, max_size=40)


@given(alike=st.text(max_size=20), one=ANY_ID, other=ANY_ID, key=st.text(max_size=40), decision_id=ANY_ID)
def test_keys_of_two_partners_never_address_the_same_item(
    alike: str, one: str, other: str, key: str, decision_id: str
) -> None:
    """Ids with separators or with equal beginnings still have different partitions."""
    assume(one != other)
    one, other = alike + one, alike + other
    for name in (f"DECISION#{decision_id}", hashed_key(key)):
        assert _key(one, name)["PK"] != _key(other, name)["PK"]
    assert not hashed_key(key).startswith("DECISION#")
    assert _key(one, name)["PK"]["S"].startswith("PARTNER#")


@given(key=st.from_regex(r"[A-Za-z0-9._:-]{1,128}", fullmatch=True), index=st.integers(0, 49))
def test_key_of_an_order_in_a_batch_is_invalid_for_a_single_order(key: str, index: int) -> None:
    """The function adds a character that a key of a partner cannot have."""
    from infusion_orders.api.errors import InvalidRequest
    from infusion_orders.api.requests import idempotency_key

    with pytest.raises(InvalidRequest):
        idempotency_key({"headers": {"Idempotency-Key": f"{key}#{index}"}})


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A world in which version 2 is published too, for the routes that need a version."""
    with decided_world() as built:
        draft = good_requests(NOBODY)["POST /v1/rulesets"].body
        assert built.rules.call("POST", "/v1/rulesets", draft, scope="rules/write").status == 201
        yield built
