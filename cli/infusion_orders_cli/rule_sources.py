"""Where the commands take rules from: a folder of files, by default that of the checkout, or a DynamoDB table."""

from __future__ import annotations

import os
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infusion_orders.authoring.rule_files import load_directory, read_directory
from infusion_orders.rules.rule_set import RuleSet
from infusion_orders.store.activations import NoRuleSet
from infusion_orders.store.dynamodb import dynamodb_client
from infusion_orders.store.rule_set_table import damaged_if_unreadable
from infusion_orders.store.versions import RuleSetStore
from infusion_orders_cli.local.tables import CREDENTIALS, REGION
from infusion_orders_cli.terminal import fail

if TYPE_CHECKING:
    from datetime import date

    from mypy_boto3_dynamodb import DynamoDBClient

    from infusion_orders.rules.document import RuleSetDocument

TEMPLATE = "template.yaml"
DEFAULT_RULES = Path("rules", "home-infusion")
THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
FIRST_VERSION = 1
"""What decisions call a folder: the version that it would be in an empty table."""


class OutsideCheckout(Exception):
    """Neither the package nor the working directory is in a checkout; the text says what to do."""


def project_root(*starts: Path) -> Path:
    """Return the nearest folder above one of `starts` (the package, then the working directory) with template.yaml.

    Raises OutsideCheckout.
    """
    for start in starts or (Path(__file__).resolve(), Path.cwd()):
        for folder in (start, *start.parents):
            if (folder / TEMPLATE).is_file() and (folder / "functions").is_dir():
                return folder
    raise OutsideCheckout(
        f"This is not a checkout of infusion-orders: no folder above contains {TEMPLATE}. "
        "Go into the checkout and run the command there."
    )


def rule_folder(folder: Path | None) -> Path:
    """Return the folder, or the default one.  Raises OutsideCheckout."""
    return folder.resolve() if folder is not None else project_root() / DEFAULT_RULES


def document_from_files(folder: Path | None) -> RuleSetDocument:
    """Load and check the rules of the folder, or of the default one.  Raises RuleSetErrors, OutsideCheckout."""
    return load_directory(rule_folder(folder))


def rule_set_from_files(folder: Path | None, *, unchecked: bool = False) -> RuleSet:
    """Load a folder, ready to decide.

    Raises RuleSetErrors, OutsideCheckout; DamagedRuleSet for unchecked rules that cannot be compiled.
    """
    if not unchecked:
        document = document_from_files(folder)
        return RuleSet.from_document(document, version=FIRST_VERSION, digest=document.digest)
    document = read_directory(rule_folder(folder))[0]
    with damaged_if_unreadable("a rule that was not checked"):
        return RuleSet.from_document(document, version=FIRST_VERSION, digest=document.digest, compiled=True)


def active_rule_set(table: str, *, endpoint_url: str | None, as_of: date | None) -> RuleSet:
    """Load the version that is active, or that was active at the end of the day `as_of` (UTC).

    Raises NoRuleSet and whatever the store or boto raises.
    """
    store = store_of(table, endpoint_url, DEFAULT_RULES.name)
    if as_of is not None:
        end_of_day = datetime.combine(as_of, time.min, UTC) + timedelta(days=1, microseconds=-1)
        return store.load(store.activations.version_active_at(min(end_of_day, datetime.now(UTC))))
    pointer = store.activations.pointer()
    if pointer is None:
        raise NoRuleSet
    return store.load(pointer.version)


def document_of(wanted: str, table: str | None, endpoint_url: str | None, name: str) -> RuleSetDocument:
    """Return a published version by its number, or the checked rules of a folder."""
    if _is_version(wanted, table):
        return store_of(str(table), endpoint_url, name).document(int(wanted))
    return document_from_files(Path(wanted))


def rule_set_of(wanted: str, table: str | None, endpoint_url: str | None, name: str) -> RuleSet:
    """Return the same, ready to decide."""
    if _is_version(wanted, table):
        return store_of(str(table), endpoint_url, name).load(int(wanted))
    document = document_from_files(Path(wanted))
    return RuleSet.from_document(document, version=0, digest=document.digest)


def _is_version(wanted: str, table: str | None) -> bool:
    if wanted.isdecimal():
        if table is None:
            fail(f"Which table holds version {wanted}? Name it with --table.")
        return True
    if not Path(wanted).is_dir():
        fail(f"{wanted} is neither a version number nor a folder.")
    return False


def store_of(table: str, endpoint_url: str | None, name: str) -> RuleSetStore:
    """Return the store of the rule set's versions in that table."""
    return RuleSetStore(client_of(endpoint_url), table, name)


def client_of(endpoint_url: str | None) -> DynamoDBClient:
    """Return a client for the shell's account and region; a table on this machine needs no credentials."""
    if endpoint_url is not None and urlsplit(endpoint_url).hostname in THIS_MACHINE:
        if not {"AWS_ACCESS_KEY_ID", "AWS_PROFILE"} & set(os.environ):
            os.environ.update(CREDENTIALS)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or REGION
    return dynamodb_client(region=region, endpoint_url=endpoint_url)
