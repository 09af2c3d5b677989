"""Where the command takes its rules from: a folder, by way of the embedded table, or a DynamoDB table."""

from __future__ import annotations

import os
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infusion_orders.authoring.rule_files import load_directory, read_directory
from infusion_orders.rules.compiled_rule import compile_all
from infusion_orders.store.activations import NoRuleSet
from infusion_orders.store.dynamodb import dynamodb_client
from infusion_orders.store.rule_set_table import damaged_if_unreadable
from infusion_orders.store.versions import RuleSetStore
from infusion_orders_cli.checkout import DEFAULT_RULES, MARK, project_root
from infusion_orders_cli.local.tables import CREDENTIALS, REGION, embedded_tables

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient

    from infusion_orders.rules.document import RuleSetDocument
    from infusion_orders.rules.rule_set import RuleSet

THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


def folder_of(folder: Path | None) -> Path:
    """The folder, or the default one.  Raises OutsideCheckout."""
    return folder.resolve() if folder is not None else project_root() / DEFAULT_RULES


def document_from_files(folder: Path | None) -> RuleSetDocument:
    """The checked rules of the folder, or of the default one.  Raises RuleSetErrors, OutsideCheckout."""
    return load_directory(folder_of(folder))


def rule_set_from_files(folder: Path | None, *, unchecked: bool = False) -> RuleSet:
    """Published into the embedded table and read back from it, so that what decides is what a table would hold.

    Raises RuleSetErrors, OutsideCheckout; DamagedRuleSet for unchecked rules that cannot be compiled.
    """
    document = read_directory(folder_of(folder))[0] if unchecked else document_from_files(folder)
    with embedded_tables(project_root() / MARK, document) as tables:
        rule_set = tables.rule_sets.load(tables.version)
    if unchecked:
        with damaged_if_unreadable("a rule that was not checked"):
            compile_all(rule_set.rules)
    return rule_set


def rule_set_from_table(table: str, *, endpoint_url: str | None, as_of: date | None) -> RuleSet:
    """The version that is active, or was at the end of the day `as_of` (UTC).

    Raises NoRuleSet and whatever the store or boto raises.
    """
    store = RuleSetStore(client_of(endpoint_url), table, DEFAULT_RULES.name)
    if as_of is not None:
        end_of_day = datetime.combine(as_of, time.min, UTC) + timedelta(days=1, microseconds=-1)
        return store.load(store.activations.version_active_at(min(end_of_day, datetime.now(UTC))))
    pointer = store.activations.pointer()
    if pointer is None:
        raise NoRuleSet
    return store.load(pointer.version)


def client_of(endpoint_url: str | None) -> DynamoDBClient:
    """A client of the shell's account and region; a table on this machine asks for no credentials."""
    if endpoint_url is not None and urlsplit(endpoint_url).hostname in THIS_MACHINE:
        if not {"AWS_ACCESS_KEY_ID", "AWS_PROFILE"} & set(os.environ):
            os.environ.update(CREDENTIALS)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or REGION
    return dynamodb_client(region=region, endpoint_url=endpoint_url)
