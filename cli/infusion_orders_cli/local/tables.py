"""The DynamoDB tables of template.yaml in this process's memory, with a rule set active and a partner registered."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import yaml

from infusion_orders.orders.vocabularies import LineOfBusiness
from infusion_orders.store.dynamodb import dynamodb_client
from infusion_orders.store.partners import Partner, PartnerStore
from infusion_orders.store.versions import RuleSetStore

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
"""The rules are active since the manual's page was published, so that past days can be reproduced."""
CREATED = ("KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")

CREDENTIALS: Mapping[str, str] = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""Nothing local reaches the AWS account that this shell is signed in to."""


class _CloudFormation(yaml.SafeLoader):
    """YAML with CloudFormation's short intrinsic functions, read as `{"Fn::<name>": value}`."""


def _intrinsic(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any = None
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    return {name if name == "Ref" else f"Fn::{name}": value}


_CloudFormation.add_multi_constructor("!", _intrinsic)


def read_template(template: Path) -> dict[str, Any]:
    """The template as plain mappings."""
    read: dict[str, Any] = yaml.load(template.read_text(encoding="utf-8"), Loader=_CloudFormation)  # noqa: S506 - safe
    return read


def table_definitions(template: Path) -> list[dict[str, Any]]:
    """The arguments of `create_table` for each table of the template; a table is named by its logical id."""
    return [
        {"TableName": name, **{part: value for part, value in resource["Properties"].items() if part in CREATED}}
        for name, resource in read_template(template)["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::Table"
    ]


@dataclass(frozen=True, slots=True)
class LocalTables:
    """A client of the tables, and the store of the rule set that was published into them."""

    client: DynamoDBClient
    rule_sets: RuleSetStore
    version: int

    def environment(self, endpoint_url: str = "") -> dict[str, str]:
        """The environment variables of a function that uses these tables."""
        return {
            **CREDENTIALS,
            "RULES_TABLE": RULES_TABLE,
            "DECISIONS_TABLE": DECISIONS_TABLE,
            "RULE_SET": self.rule_sets.name,
            "AWS_ENDPOINT_URL_DYNAMODB": endpoint_url,
        }


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set these variables and unset all others of AWS while the block lasts."""
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
    """Tables that exist only while the block lasts; no request leaves the process."""
    from moto import mock_aws

    with environment(CREDENTIALS), mock_aws():
        yield local_tables(template, document, endpoint_url=None)


@contextmanager
def served_tables(
    template: Path, document: RuleSetDocument, *, host: str, port: int, also: Sequence[str] = ()
) -> Iterator[str]:
    """Tables behind HTTP while the block lasts, on `host` and on the other hosts too; the value is the address.

    Every caller sees the same tables, whatever region and account it signs for.  Raises PortInUse.
    """
    from moto.backends import get_backend
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from infusion_orders_cli.local.server import serving, web_address

    application = _of_one_region(DomainDispatcherApplication(create_backend_app))
    with environment(CREDENTIALS), ExitStack() as servers:
        for each in (host, *also):
            servers.enter_context(serving(application, each, port, threaded=True))
        for account in get_backend("dynamodb").values():
            account.reset()  # an earlier server of this process may have left tables
        address = web_address(host, port)
        local_tables(template, document, endpoint_url=address)
        yield address


def _of_one_region(tables: WSGIApplication) -> WSGIApplication:
    """Treat every request as signed for REGION: the server has other, empty tables for each other region."""
    scope = re.compile(r"(Credential=[^/,]*/\d+/)[^/,]+/")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        signed = environ.get("HTTP_AUTHORIZATION", "")
        return tables({**environ, "HTTP_AUTHORIZATION": scope.sub(rf"\g<1>{REGION}/", signed)}, start_response)

    return answer


def local_tables(template: Path, document: RuleSetDocument, *, endpoint_url: str | None) -> LocalTables:
    """Create the tables, publish and activate the checked document, and register the local partner."""
    client = dynamodb_client(region=REGION, endpoint_url=endpoint_url)
    for definition in table_definitions(template):
        client.create_table(**definition)
    partners = PartnerStore(client, RULES_TABLE, refresh_seconds=60, clock=lambda: 0.0)
    partners.put(Partner(LOCAL_PARTNER, "Local partner", "active", frozenset(map(str, LineOfBusiness))))
    rule_sets = RuleSetStore(client, RULES_TABLE, document.name)
    version = rule_sets.publish(document, by="infusion-orders", note="read from files", at=ACTIVE_SINCE)
    rule_sets.activations.activate(version, by="infusion-orders", why="the only one here", at=ACTIVE_SINCE)
    return LocalTables(client, rule_sets, version)
