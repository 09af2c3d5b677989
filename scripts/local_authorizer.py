"""Stands in for Cognito behind `sam local start-api`, which knows no Cognito: the token is the client id.

`make build-local` puts it into the local build only; it is no part of the stack.
"""

SCOPES = "orders/validate decisions/read rules/read rules/write rules/activate"


def handler(event: dict[str, str], _context: object) -> dict[str, object]:
    """Lets everyone through, with the claims of an access token of the client that `Authorization: Bearer` names."""
    client_id = event["authorizationToken"].removeprefix("Bearer ").strip()
    allowed = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    return {
        "principalId": client_id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [allowed]},
        "context": {"claims": {"client_id": client_id, "token_use": "access", "scope": SCOPES}},
    }
