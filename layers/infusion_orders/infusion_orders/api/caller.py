"""Who is calling: the partner behind the verified Cognito claims, and what it may do.

The claims are those that API Gateway's authorizer put into the request context.  No body, path or header names a
partner.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infusion_orders.orders.order import Order
    from infusion_orders.store.partners import Partner, PartnerStore
_CLIENT_ID = re.compile(r"[A-Za-z0-9._:+-]{1,128}")
_LONGEST_USERNAME = 128


class Scope(StrEnum):
    """What a token may allow its holder to do, as Cognito writes it: resource server / scope."""

    VALIDATE = "orders/validate"
    READ_DECISIONS = "decisions/read"
    READ_RULES = "rules/read"
    WRITE_RULES = "rules/write"
    ACTIVATE_RULES = "rules/activate"


class Unauthenticated(Exception):
    """The request context has no claims of a verified access token."""


class NotAllowed(Exception):
    """The caller is known, but may not do this; the text is for the caller and says what is missing."""


def caller(event: Mapping[str, Any], partners: PartnerStore, scope: Scope) -> Partner:
    """The active partner of the verified claims, whose token has the scope.

    Raises Unauthenticated without claims, NotAllowed for a scope that is missing and for a client that is no active
    partner.
    """
    partner = partners.get(_client_id(_claims(event, scope)))
    if partner is None:
        raise NotAllowed("This client is not registered as a partner. Ask the plan to register it.")
    if partner.status != "active":
        raise NotAllowed("This partner is suspended. Ask the plan why.")
    return partner


def staff(event: Mapping[str, Any], scope: Scope) -> str:
    """Who works on the rules: the user of the verified claims, else the client, whose token has the scope.

    What they may do is the scope alone; they need not be a partner.
    Raises Unauthenticated without claims or with a username that no user pool has, and NotAllowed for a scope that is
    missing.
    """
    claims = _claims(event, scope)
    username = claims.get("username")
    if not username:
        return _client_id(claims)
    if not isinstance(username, str) or len(username) > _LONGEST_USERNAME or not username.isprintable():
        raise Unauthenticated
    return username


def _claims(event: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
    claims: Mapping[str, Any] = ((event.get("requestContext") or {}).get("authorizer") or {}).get("claims") or {}
    _client_id(claims)
    if scope not in str(claims.get("scope") or "").split():
        raise NotAllowed(f"The token lacks the scope {scope}. Ask for it when you get the token.")
    return claims


def _client_id(claims: Mapping[str, Any]) -> str:
    client_id = claims.get("client_id")
    if not isinstance(client_id, str) or claims.get("token_use", "access") != "access":
        raise Unauthenticated
    if _CLIENT_ID.fullmatch(client_id) is None:
        raise Unauthenticated
    return client_id


def require_line_of_business(partner: Partner, order: Order) -> None:
    """An order that does not say its line of business passes: it can only be answered with a question about it.

    Raises NotAllowed for a line of business that the partner's profile does not list.
    """
    member = order.member
    line_of_business = None if member is None else member.line_of_business
    if line_of_business is not None and line_of_business not in partner.lines_of_business:
        raise NotAllowed(
            "This partner may not send orders of this line of business (/member/line_of_business). "
            "Ask the plan to add it to the partner's profile."
        )
