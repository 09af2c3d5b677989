"""Replaces Cognito for `sam local start-api`, which does not support it: the token is the client id.

`make build-local` adds it to the local build only; it is not part of the stack.
"""

SCOPES = "orders/validate decisions/read rules/read rules/write rules/activate"


def handler(event: dict[str, str], _context: object) -> dict[str, object]:
    """Allow every request, with the claims of an access token for the client that the bearer token names."""
    client_id = event["authorizationToken"].removeprefix("Bearer ").strip()
    allowed = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    return {
        "principalId": client_id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [allowed]},
        "context": {"claims": {"client_id": client_id, "token_use": "access", "scope": SCOPES}},
    }
