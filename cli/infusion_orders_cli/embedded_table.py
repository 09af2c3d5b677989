"""The tables of template.yaml in this process's memory, with a rule set active and the local partner registered."""

from __future__ import annotations

import logging
import os
import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infusion_orders.orders.vocabularies import LineOfBusiness
from infusion_orders.store.dynamodb import dynamodb_client
from infusion_orders.store.partners import Partner, PartnerStore
from infusion_orders.store.versions import RuleSetStore
from infusion_orders_cli.listening import bound_socket, web_address
from infusion_orders_cli.template_tables import table_definitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from mypy_boto3_dynamodb import DynamoDBClient

    from infusion_orders.rules.document import RuleSetDocument

REGION = "us-west-2"
RULES_TABLE = "RulesTable"
DECISIONS_TABLE = "DecisionsTable"
LOCAL_PARTNER = "local-partner"
ACTIVE_SINCE = datetime(2024, 7, 1, tzinfo=UTC)
"""As if the rules had been active since the manual's page was published, so that past days can be asked for."""

CREDENTIALS: Mapping[str, str] = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""Whatever account this shell is signed in to, nothing local ever reaches it."""


@dataclass(frozen=True, slots=True)
class LocalTables:
    """A client of the tables, and the store of the rule set that was published into them."""

    client: DynamoDBClient
    rule_sets: RuleSetStore
    version: int

    def environment(self, endpoint_url: str = "") -> dict[str, str]:
        """What a function needs to use these tables."""
        return {
            **CREDENTIALS,
            "RULES_TABLE": RULES_TABLE,
            "DECISIONS_TABLE": DECISIONS_TABLE,
            "RULE_SET": self.rule_sets.name,
            "AWS_ENDPOINT_URL_DYNAMODB": endpoint_url,
        }


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """The process's environment with these variables and no other of AWS, as before afterwards."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def embedded_tables(template: Path, document: RuleSetDocument) -> Iterator[LocalTables]:
    """Tables that exist inside of the block only; no request leaves the process."""
    from moto import mock_aws

    with environment(CREDENTIALS), mock_aws():
        yield local_tables(template, document, endpoint_url=None)


@contextmanager
def served_tables(
    template: Path, document: RuleSetDocument, *, host: str, port: int, also: Sequence[str] = ()
) -> Iterator[str]:
    """The same behind HTTP, at the address that it gives and on other hosts also, for as long as the block lasts.

    Every caller sees these tables, whatever region and account it signs for.  Raises PortInUse.
    """
    from moto.backends import get_backend
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    tables = _of_one_region(DomainDispatcherApplication(create_backend_app))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would tell of every request
    with environment(CREDENTIALS), ExitStack() as listening:
        for each in (host, *also):
            listening.enter_context(_served(tables, each, port))
        for account in get_backend("dynamodb").values():
            account.reset()  # the process remembers what an earlier server held
        address = web_address(host, port)
        local_tables(template, document, endpoint_url=address)
        yield address


def _of_one_region(tables: WSGIApplication) -> WSGIApplication:
    """Every request as if it were signed for REGION; the embedded table has others elsewhere, and they are empty."""
    scope = re.compile(r"(Credential=[^/,]*/\d+/)[^/,]+/")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        signed = environ.get("HTTP_AUTHORIZATION", "")
        return tables({**environ, "HTTP_AUTHORIZATION": scope.sub(rf"\g<1>{REGION}/", signed)}, start_response)

    return answer


@contextmanager
def _served(application: WSGIApplication, host: str, port: int) -> Iterator[None]:
    from threading import Thread

    from werkzeug.serving import make_server

    with bound_socket(host, port) as bound:
        server = make_server(host, port, application, threaded=True, fd=bound.fileno())
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join(timeout=5)
            server.server_close()


def local_tables(template: Path, document: RuleSetDocument, *, endpoint_url: str | None) -> LocalTables:
    """Makes the tables, publishes and activates the checked document, and registers the local partner."""
    client = dynamodb_client(region=REGION, endpoint_url=endpoint_url)
    for definition in table_definitions(template):
        client.create_table(**definition)
    partners = PartnerStore(client, RULES_TABLE, refresh_seconds=60, clock=lambda: 0.0)
    partners.put(Partner(LOCAL_PARTNER, "Local partner", "active", frozenset(map(str, LineOfBusiness))))
    rule_sets = RuleSetStore(client, RULES_TABLE, document.name)
    version = rule_sets.publish(document, by="infusion-orders", note="read from files", at=ACTIVE_SINCE)
    rule_sets.activations.activate(version, by="infusion-orders", why="the only one here", at=ACTIVE_SINCE)
    return LocalTables(client, rule_sets, version)
