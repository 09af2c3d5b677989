"""Make hostile events for every route by changing their bodies and the fields that API Gateway fills in."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.fuzz.generator import CANARY, Generator
from tests.support.partner import an_event
from tests.support.rules import default_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

Json = dict[str, Any]

MOST_CHARACTERS = 6_000_000
"""Lambda accepts no larger event."""

INJECTION = f'{CANARY}\n{{"level":"ERROR","message":"{CANARY}"}}\r\x1b[31m\u2028\x00\x85'
"""Copied into a log unescaped, it would start new lines and colour a terminal."""

UNKNOWN_ID = "01KAT7Q3V9M5R7T0ZJX2B8N4WC"
SCOPES = "orders/validate decisions/read rules/read rules/write rules/activate"
ROUTES: Sequence[tuple[str, str]] = (
    *[("POST", "/v1/orders/validate")] * 5,
    *[("POST", "/v1/orders/validate-batch")] * 2,
    ("GET", "/v1/decisions/{decision_id}"),
    ("GET", "/v1/rules"),
    ("GET", "/v1/rules/{rule_id}"),
    ("GET", "/v1/rulesets"),
    ("POST", "/v1/rulesets"),
    ("GET", "/v1/rulesets/changes"),
    ("POST", "/v1/rulesets/check"),
    ("PUT", "/v1/rulesets/active"),
    ("POST", "/v1/rulesets/rollback"),
    ("PUT", "/v1/rulesets/shadow"),
    ("GET", "/v1/rulesets/{version}"),
    ("GET", "/v1/rulesets/{version}/differences"),
    ("POST", "/v1/rulesets/{version}/decide"),
    ("POST", "/v1/rulesets/{version}/replay"),
)
"""Every route, the ones that partners use more than once."""

NAMES = (
    "__proto__", "constructor", "prototype", "__class__", "$ne", "$ref", "toString", "", " ", "\x00", "order_id\x00",
    "order_id", "lines", "rules", "id", "version", "a.b", "a/b~1", "\u202eredro", "\ufeffid", CANARY, INJECTION,
)  # fmt: skip
TEXTS = (
    "", " ", "\x00", "null", "NaN", "-0", "1e999", "\ufeff", "\u202e", "\U0001f489" * 50, "e\u0301" * 200,
    "\u0000\u0001", "\ud800", "\udfff\ud800",
    "../../etc/passwd", "%00", "${jndi:ldap://x}", "{{7*7}}", "'; DROP TABLE orders; --",
    "=cmd|' /C calc'!A0", "<script>", "A" * 70_000, "0" * 5000, "2024-02-30", "9999-12-31", "0001-01-01",
    CANARY, INJECTION,
)  # fmt: skip
NUMBERS = (
    0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**63, 10**64, 10**300, 0.1, -0.0, 1e-320, 1.7e308, 999_999,
    1_000_000,
)  # fmt: skip
RAW_NUMBERS = (
    "1e999999999",
    "-1E-999999999",
    "NaN",
    "-Infinity",
    "0" * 40,
    "1" * 5000,
    "1." + "3" * 5000,
    "01",
    "+1",
    "0x1F",
)
CONTENT_TYPES = (
    "text/plain", "application/json; charset=utf-16", "application/json;charset=utf-8;", "application/xml", "",
    INJECTION,
    "application/json" + " " * 8000 + "x", "application/json" + "; charset=utf-8" * 500, "APPLICATION/JSON",
)  # fmt: skip
FIELDS = (
    "resource", "path", "httpMethod", "headers", "multiValueHeaders", "queryStringParameters",
    "multiValueQueryStringParameters", "pathParameters", "stageVariables", "requestContext", "body", "isBase64Encoded",
)  # fmt: skip
QUERY_NAMES = (
    "explain",
    "as_of",
    "ruleset_version",
    "q",
    "clause",
    "therapy",
    "provider_type",
    "effect",
    "table",
    "from",
)
QUERY_VALUES = ("all", "2025-01-01", "1", "999999", "home", "M-5", "tpn", "codes", "home_infusion_provider", "reject")


class Hostile:
    """Makes one event; the same random numbers make the same event."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def event(self) -> Any:
        """Return an event of some route with a changed body, changed fields, both, or (seldom) neither."""
        method, resource = self.random.choice(ROUTES)
        event = self._event(method, resource)
        if method != "GET":
            self._set_body(event, self._document(resource))
        chance = self.random.random()
        if 0.5 < chance < 0.95:
            for _ in range(self.random.randint(1, 3)):
                self.random.choice(_EVENT_MUTATIONS)(self, event)
        return self._odd(event) if chance > 0.99 else event

    def _event(self, method: str, resource: str) -> Json:
        event = an_event("validate-order", scope=SCOPES)
        identifier = self.random.choice((UNKNOWN_ID, "1", "2", "x", *TEXTS[:6], INJECTION))
        version = self.random.choice(("1", "1", "1", "2", "0", "999999", "1000000", "\u0663", "1\n", INJECTION))
        path = resource.replace("{version}", version)
        path = path.replace("{decision_id}", identifier).replace("{rule_id}", identifier)
        event |= {"httpMethod": method, "resource": resource, "path": path, "body": None}
        if self.random.random() < 0.3:
            self._key(event)
        if method == "GET" and self.random.random() < 0.5:
            self._query(event)
        return event

    # What each route accepts.

    def _document(self, resource: str) -> Any:
        made: dict[str, Callable[[], Any]] = {
            "/v1/orders/validate-batch": self._batch,
            "/v1/rulesets": self._draft,
            "/v1/rulesets/check": self._draft,
            "/v1/rulesets/active": lambda: self._why(version=1, expected=1, force=True, max_flips="0.5", days=1),
            "/v1/rulesets/rollback": self._why,
            "/v1/rulesets/shadow": lambda: self._why(version=self.random.choice((None, 1))),
            "/v1/rulesets/{version}/replay": self._replay,
        }
        return made.get(resource, self._order)()

    def _order(self) -> Json:
        return Generator(self.random, _codes()).order()

    def _batch(self) -> Json:
        orders = [self._order() for _ in range(self.random.randint(1, 3))]
        if self.random.random() < 0.1:
            orders = orders[:1] * self.random.choice((50, 51, 500))
        return {"orders": orders}

    def _why(self, **fields: Any) -> Json:
        kept = {name: value for name, value in fields.items() if self.random.random() < 0.7 or name == "version"}
        return kept | {"why": "because it is tried"}

    def _draft(self) -> Json:
        rule = copy.deepcopy(self.random.choice(_rules()))
        tables = {"codes": [["hcpcs", "kind"], ["J1745", "drug"]]} if self.random.random() < 0.3 else {}
        return {"note": "a note", "base": 999, "rules": [rule], "remove": [], "tables": tables}

    def _replay(self) -> Json:
        partners = self.random.choice((["another-partner"], ["nobody"], [], ["x" * 500]))
        return {"from": "2025-01-01", "to": "2025-01-02", "partners": partners, "after": None}

    # Bodies.

    def _set_body(self, event: Json, document: Any) -> None:
        document = copy.deepcopy(document)
        if self.random.random() < 0.75:
            for _ in range(self.random.choice((1, 1, 2, 4))):
                document = self._altered(document)
        body = json.dumps(document, ensure_ascii=self.random.random() < 0.5)
        if self.random.random() < 0.25:
            body = self.random.choice(_TEXT_MUTATIONS)(self, body)
        body = body[:MOST_CHARACTERS]
        event["body"] = body
        if self.random.random() < 0.15:
            self._encode(event, body)

    def _altered(self, document: Any) -> Any:
        """Change one place of the document: its value, its name, or its neighbours."""
        containers = _containers(document)
        if not containers or self.random.random() < 0.03:
            return self._value()
        container = self.random.choice(containers)
        if isinstance(container, list):
            if container and self.random.random() < 0.7:
                container[self.random.randrange(len(container))] = self._value()
            else:
                value = self._value()
                container.extend([value] * (self.random.choice((1, 2, 300)) if _is_small(value) else 2))
            return document
        name = self.random.choice(list(container)) if container else ""
        self.random.choice((self._replace, self._replace, self._rename, self._drop, self._crowd))(container, name)
        return document

    def _replace(self, container: Json, name: str) -> None:
        container[name] = self._value()

    def _rename(self, container: Json, name: str) -> None:
        container[self.random.choice(NAMES)] = container.pop(name, None)

    def _drop(self, container: Json, name: str) -> None:
        container.pop(name, None)

    def _crowd(self, container: Json, _name: str) -> None:
        for number in range(self.random.choice((1, 2, 101, 3000))):
            container[f"{self.random.choice(NAMES)}{number or ''}"] = self._value() if number < 5 else number

    def _value(self) -> Any:
        kind = self.random.randrange(9)
        if kind < 3:
            return self.random.choice(TEXTS)
        if kind < 5:
            return self.random.choice(NUMBERS)
        if kind == 5:
            return self.random.choice((None, True, False))
        if kind == 6:
            return self._nested(self.random.choice((1, 5, 19, 21, 60, 300)))
        if kind == 7:
            return [self.random.choice(NUMBERS)] * self.random.choice((0, 1, 100, 20_000))
        return {name: self.random.choice(TEXTS) for name in self.random.sample(NAMES, self.random.randrange(6))}

    def _nested(self, depth: int) -> Any:
        value: Any = 1
        for _ in range(depth):
            value = [value] if self.random.random() < 0.5 else {self.random.choice(NAMES): value}
        return value

    def _duplicated(self, body: str) -> str:
        name = json.dumps(self.random.choice(NAMES))
        places = [at for at, character in enumerate(body) if character == "{"]
        at = self.random.choice(places) + 1 if places else 0
        return f"{body[:at]}{name}:1,{name}:{json.dumps(CANARY)},{body[at:]}"

    def _cut(self, body: str) -> str:
        return body[: self.random.randrange(len(body) + 1)]

    def _sprinkled(self, body: str) -> str:
        at = self.random.randrange(len(body) + 1)
        return body[:at] + str(self.random.choice((*TEXTS, *'{}[],:\\"0', "\\ud800", "\\u0000", "\\x41"))) + body[at:]

    def _numbered(self, body: str) -> str:
        at = body.find(":", self.random.randrange(len(body) + 1))
        return f"{body[: at + 1]}{self.random.choice(RAW_NUMBERS)}{body[at + 2 :]}"

    def _padded(self, body: str) -> str:
        return body + self.random.choice((" ", "\n", "\x00", "}")) * self.random.choice((1, 300_000))

    def _replaced(self, _body: str) -> str:
        depth = self.random.choice((100, 5_000, 100_000))
        deep = ("[" * depth, '{"a":' * depth, "[" * depth + "]" * depth, "9" * depth)
        return str(self.random.choice(("", "null", "true", "[]", "{}", '"', CANARY, *deep)))

    def _encode(self, event: Json, body: str) -> None:
        plain = body.encode(self.random.choice(("utf-8", "utf-16", "utf-8-sig", "utf-7")), "surrogatepass")
        way = self.random.randrange(5)
        if way == 0:
            event["isBase64Encoded"] = True
            return
        if way == 1:
            plain = gzip.compress(plain, mtime=0)
        if way == 2:
            plain = bytes(self.random.randrange(256) for _ in range(50)) + plain
        event |= {"body": base64.b64encode(plain).decode("ascii"), "isBase64Encoded": way != 3}
        if way == 4:
            event["body"] = self._sprinkled(event["body"])

    # The fields that API Gateway fills in.

    def _missing(self, event: Json) -> None:
        for name in self.random.sample(FIELDS, self.random.choice((1, 1, 2, len(FIELDS)))):
            event.pop(name, None)

    def _mistyped(self, event: Json) -> None:
        event[self.random.choice(FIELDS)] = self._odd_value()

    def _odd_value(self) -> Any:
        odd: tuple[Any, ...] = (
            None,
            0,
            1,
            -1.5,
            True,
            [],
            [None],
            ["x", 1],
            {},
            {"a": None},
            {"a": {"b": 1}},
            "",
            "false",
            "true",
            INJECTION,
        )
        return self.random.choice(odd)

    def _key(self, event: Json) -> None:
        key = self.random.choice(("key-1", "key-2", f"key-{self.random.randrange(1000)}", *TEXTS, "a" * 128, "a" * 129))
        event.setdefault("headers", {})
        if isinstance(event["headers"], dict):
            event["headers"][self.random.choice(("Idempotency-Key", "idempotency-key", "IDEMPOTENCY-KEY"))] = key

    def _header(self, event: Json) -> None:
        if isinstance(event.get("headers"), dict):
            names = ("Content-Type", "content-type", "Accept-Encoding", "X-Forwarded-For", *NAMES)
            values = (*CONTENT_TYPES, *TEXTS, None, 5, ["application/json"], {"a": 1})
            event["headers"][self.random.choice(names)] = self.random.choice(values)

    def _query(self, event: Json) -> None:
        names = self.random.choices(
            (*QUERY_NAMES, *QUERY_NAMES, *QUERY_NAMES, *NAMES), k=self.random.choice((1, 1, 2, 40))
        )
        values: tuple[Any, ...] = (*QUERY_VALUES, *QUERY_VALUES, *TEXTS, None, 7, [], {"a": 1})
        query = {name: self.random.choice(values) for name in names}
        if self.random.random() < 0.05:
            query |= {f"{CANARY}{number}": "1" for number in range(2000)}
        event["queryStringParameters"] = query
        many = {name: [value] * self.random.choice((1, 1, 1, 1, 0, 2)) for name, value in query.items()}
        event["multiValueQueryStringParameters"] = self.random.choice((many, many, many, query, None))

    def _way(self, event: Json) -> None:
        ends = ("/", "//", "/..", "\n", "?x=1", "#", "%2e", "/" + INJECTION, "/x" * 3000, ";a=b", "\x00", "\ud800")
        starts = ("", "/", "/v1", "/v2", "/prod", CANARY, "//")
        changes = (
            str(event.get("path")) + self.random.choice(ends),
            self.random.choice(starts) + str(event.get("path")),
            str(event.get("path")).upper(),
            self.random.choice((*ends, *starts)),
        )
        event["path"] = self.random.choice(changes)

    def _method(self, event: Json) -> None:
        methods = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "post", "", CANARY, INJECTION)
        event["httpMethod"] = self.random.choice(methods)

    def _caller(self, event: Json) -> None:
        context = event.get("requestContext")
        if not isinstance(context, dict):
            return
        claims = (
            (context.get("authorizer") or {}).get("claims") if isinstance(context.get("authorizer"), dict) else None
        )
        if not isinstance(claims, dict) or self.random.random() < 0.2:
            context["authorizer"] = self.random.choice(
                (None, {}, [], "x", {"claims": None}, {"claims": "x"}, {"claims": []})
            )
            return
        ids: tuple[Any, ...] = (
            "another-partner",
            "suspended-partner",
            "nobody",
            "",
            INJECTION,
            "x" * 3000,
            None,
            5,
            [],
            "\ud800",
        )
        name = self.random.choice(("client_id", "username", "token_use", "scope"))
        if name == "scope":
            claims[name] = self.random.choice(
                ("orders/validate", "rules/read", "x", "", None, 5, ["orders/validate"], INJECTION)
            )
        elif name == "token_use":
            claims[name] = self.random.choice(("id", "access", "", None, 5, INJECTION))
        else:
            claims[name] = self.random.choice(ids)

    def _request_id(self, event: Json) -> None:
        if isinstance(event.get("requestContext"), dict):
            ids: tuple[Any, ...] = (None, "", 5, [], {}, INJECTION, "x" * 100_000, "\ud800", "../", "<script>")
            event["requestContext"]["requestId"] = self.random.choice(ids)

    def _polluted(self, event: Json) -> None:
        event[self.random.choice(NAMES[:8])] = self._value()

    def _odd(self, event: Json) -> Any:
        return self.random.choice(
            (None, [], "event", 5, {}, [event], {"Records": [event]}, {"version": "2.0", **event})
        )


_TEXT_MUTATIONS = (
    Hostile._duplicated,
    Hostile._cut,
    Hostile._sprinkled,
    Hostile._numbered,
    Hostile._padded,
    Hostile._replaced,
)
_EVENT_MUTATIONS = (
    Hostile._missing,
    Hostile._mistyped,
    Hostile._key,
    Hostile._header,
    Hostile._query,
    Hostile._way,
    Hostile._method,
    Hostile._caller,
    Hostile._request_id,
    Hostile._polluted,
)


def _is_small(value: Any) -> bool:
    return not isinstance(value, list | dict) and (not isinstance(value, str) or len(value) < 100)


def _containers(document: Any) -> list[Any]:
    """Return the first 500 objects and lists of the document."""
    found: list[Any] = []
    waiting = [document]
    while waiting and len(found) < 500:
        part = waiting.pop()
        if isinstance(part, dict | list):
            found.append(part)
            waiting.extend(part.values() if isinstance(part, dict) else part[:100])
    return found


@cache
def _codes() -> list[str]:
    return sorted({row[0] for row in default_rules().tables.rows()["codes"][1:]})


@cache
def _rules() -> list[Any]:
    return [
        compiled.definition.model_dump(mode="json", by_alias=True, exclude_unset=True)
        for compiled in default_rules().rules
    ]
