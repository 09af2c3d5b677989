"""Who is calling: the partner or person behind the verified Cognito claims, and what they may do.

API Gateway's authorizer puts the claims into the request context.  No body, path or header names a partner.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from infusion_orders.api.errors import NotAllowed, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infusion_orders.orders.order import Order
    from infusion_orders.store.partners import Partner, PartnerStore

_CLIENT_ID = re.compile(r"[A-Za-z0-9._:+-]{1,128}")
_LONGEST_USERNAME = 128


class TokenScope(StrEnum):
    """What a token allows its holder to do, written as Cognito does: resource server / scope."""

    VALIDATE = "orders/validate"
    READ_DECISIONS = "decisions/read"
    READ_RULES = "rules/read"
    WRITE_RULES = "rules/write"
    ACTIVATE_RULES = "rules/activate"


def authenticate(event: Mapping[str, Any], partners: PartnerStore, scope: TokenScope) -> Partner:
    """The active partner of the verified claims, whose token has the scope.

    Raises Unauthenticated without claims, and NotAllowed for a missing scope or a client that is not an active partner.
    """
    partner = partners.get(_client_id(require_scope(event, scope)))
    if partner is None:
        raise NotAllowed("This client is not registered as a partner. Ask the plan to register it.")
    if partner.status != "active":
        raise NotAllowed("This partner is suspended. Ask the plan why.")
    return partner


def authenticate_staff(event: Mapping[str, Any], scope: TokenScope) -> str:
    """The user of the verified claims, else the client, whose token has the scope.  Staff need not be a partner.

    Raises Unauthenticated without claims or with a username that no user pool has, and NotAllowed for a missing scope.
    """
    claims = require_scope(event, scope)
    username = claims.get("username")
    if not username:
        return _client_id(claims)
    if not isinstance(username, str) or len(username) > _LONGEST_USERNAME or not username.isprintable():
        raise Unauthenticated
    return username


def require_scope(event: Mapping[str, Any], scope: TokenScope) -> Mapping[str, Any]:
    """The verified claims.  Raises Unauthenticated without claims, and NotAllowed if the token lacks the scope."""
    claims: Mapping[str, Any] = ((event.get("requestContext") or {}).get("authorizer") or {}).get("claims") or {}
    _client_id(claims)
    if scope not in str(claims.get("scope") or "").split():
        raise NotAllowed(f"The token lacks the scope {scope}. Request it when you get the token.")
    return claims


def require_line_of_business(partner: Partner, order: Order) -> None:
    """Raise NotAllowed for a line of business that the partner's profile does not list.

    An order without a line of business passes: its only possible answer is a question about it.
    """
    member = order.member
    line_of_business = None if member is None else member.line_of_business
    if line_of_business is not None and line_of_business not in partner.lines_of_business:
        raise NotAllowed(
            "This partner may not send orders of this line of business (/member/line_of_business). "
            "Ask the plan to add it to the partner's profile."
        )


def _client_id(claims: Mapping[str, Any]) -> str:
    client_id = claims.get("client_id")
    if not isinstance(client_id, str) or claims.get("token_use", "access") != "access":
        raise Unauthenticated
    if _CLIENT_ID.fullmatch(client_id) is None:
        raise Unauthenticated
    return client_id
