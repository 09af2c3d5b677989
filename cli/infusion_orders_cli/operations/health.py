"""The checks of `infusion-orders doctor`: what each one found, and what to do if it is wrong.

The checks change nothing and read no decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from infusion_orders.store.dynamodb import StoreUnavailable, translated_errors
from infusion_orders.store.partners import PartnerStore
from infusion_orders.store.rule_set_table import DamagedRuleSet
from infusion_orders.store.versions import NoSuchVersion, RuleSetStore
from infusion_orders_cli.local.tables import read_template
from infusion_orders_cli.rule_sources import TEMPLATE, OutsideCheckout, project_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from infusion_orders.store.activations import ActivePointer

    Found = tuple[bool | None, str]
    """Whether it is right (None: it cannot be checked), and what was found."""

GATEWAY_SECONDS = 29
"""API Gateway waits so long for an answer, so a function of the API must end sooner."""
MOST_SKEW_SECONDS = 60
"""AWS refuses requests whose clock is five minutes off, and one minute can already change the date."""
CHECK_ACCESS = "Check its name, that it is ACTIVE, and that you may read it."
DEPLOY = "Deploy the stack again: template.yaml sets this. If access was denied, ask for permission to describe it."
FIX_KEY = "Enable the key, or cancel its deletion. Deploy the stack again if the table does not have the stack's key."
SET_CLOCK = "Set this machine's clock: AWS refuses requests with another time, and records would carry it."
NOT_LOCAL = "does not apply to local tables"


class State(StrEnum):
    """The result of a check; a `SKIPPED` check cannot be made here."""

    RIGHT = "right"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check: what was checked, what was found, and what to do if it is wrong."""

    check: str
    state: State
    found: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What to check.  `functions` maps logical ids to deployed names; it is empty without a stack."""

    client: DynamoDBClient
    rules_table: str
    decisions_table: str | None
    rule_set: str
    local: bool
    functions: Mapping[str, str] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)


def checks(deployment: Deployment) -> Iterator[Check]:
    """Make every check.  Without the rules table, the checks that need it are skipped: one fault is reported once."""
    rules = tuple(_table(deployment, deployment.rules_table, "rules table", expires=False))
    yield from rules
    if deployment.decisions_table is None:
        yield Check("decisions table", State.SKIPPED, "name it with --decisions-table, or the stack with --stack")
    else:
        yield from _table(deployment, deployment.decisions_table, "decisions table", expires=True)
    if len(rules) > 1:
        yield _made("clock", SET_CLOCK, partial(_clock, deployment))
        yield from _rules(deployment)
        register = f"infusion-orders partners add <client id> --name ... --table {deployment.rules_table}"
        yield _made("partners", f"No partner may call yet: {register}", partial(_partners, deployment))
    else:
        for check in ("clock", "active version", "partners"):
            yield Check(check, State.SKIPPED, "needs the rules table")
    yield from _functions(deployment)


def _made(check: str, do: str, look: Callable[[], Found]) -> Check:
    """Make one check; one that fails is wrong, and says why."""
    try:
        with translated_errors():
            right, found = look()
    except (StoreUnavailable, NoSuchVersion, DamagedRuleSet) as error:
        right, found = False, str(error)
    if right is None:
        return Check(check, State.SKIPPED, found)
    return Check(check, State.RIGHT, found) if right else Check(check, State.WRONG, found, do)


def _table(deployment: Deployment, table: str, called: str, *, expires: bool) -> Iterator[Check]:
    """Check one table; if it is missing or does not answer, that is the only result."""
    described: dict[str, Any] = {}

    def status() -> Found:
        described.update(deployment.client.describe_table(TableName=table)["Table"])
        return described["TableStatus"] == "ACTIVE", f"{table} is {described['TableStatus']}"

    yield _made(called, CHECK_ACCESS, status)
    if not described:
        return
    looks: dict[str, Callable[[], Found]] = {
        "encryption": partial(_encryption, deployment, described),
        "point-in-time recovery": partial(_recovery, deployment, table),
        "deletion protection": partial(_protection, described),
    }
    if expires:
        looks["expiry"] = partial(_expiry, deployment, table)
    for name, look in looks.items():
        do = FIX_KEY if name == "encryption" else DEPLOY
        yield _made(f"{called}: {name}", do, (lambda: (None, NOT_LOCAL)) if deployment.local else look)


def _encryption(deployment: Deployment, table: Mapping[str, Any]) -> Found:
    key = table.get("SSEDescription", {}).get("KMSMasterKeyArn")
    if key is None:
        return False, "DynamoDB's own key"
    found = _client("kms", deployment).describe_key(KeyId=key)["KeyMetadata"]
    if found["KeyManager"] != "CUSTOMER":
        return False, "a key that AWS manages"
    return found["KeyState"] == "Enabled", f"the stack's key is {found['KeyState']}"


def _recovery(deployment: Deployment, table: str) -> Found:
    found = deployment.client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    status = found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus", "DISABLED")
    return status == "ENABLED", status


def _protection(table: Mapping[str, Any]) -> Found:
    on = bool(table.get("DeletionProtectionEnabled"))
    return on, "on" if on else "off"


def _expiry(deployment: Deployment, table: str) -> Found:
    found = deployment.client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    status, attribute = found["TimeToLiveStatus"], found.get("AttributeName")
    right = status in ("ENABLED", "ENABLING") and attribute == "expires_at"
    return right, f"{status}, by {attribute or 'no attribute'}"


def _clock(deployment: Deployment) -> Found:
    answer = deployment.client.describe_table(TableName=deployment.rules_table)
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        return None, "the server does not send its time"
    seconds = abs((now() - parsedate_to_datetime(date)).total_seconds())
    return seconds <= MOST_SKEW_SECONDS, f"{seconds:.0f} s from the server's"


def now() -> datetime:
    """Return this machine's time."""
    return datetime.now(UTC)


def _rules(deployment: Deployment) -> Iterator[Check]:
    """Check the active version and its shadow; without an active version, that is the only result."""
    store = RuleSetStore(deployment.client, deployment.rules_table, deployment.rule_set)
    table = f"--table {deployment.rules_table}"
    pointers: list[ActivePointer] = []

    def active() -> Found:
        pointer = store.activations.pointer(consistent=True)
        if pointer is None:
            return False, "none"
        pointers.append(pointer)
        return True, f"version {pointer.version}, since {pointer.since:%Y-%m-%d %H:%M} by {pointer.by}"

    def digest() -> Found:
        stored = store.document(pointer.version).digest
        return stored == pointer.digest, stored

    def loads(version: int) -> Found:
        return True, f"{len(store.load(version).rules)} rules"

    activate = f"infusion-orders rules activate <version> {table} --why ..."
    damaged = f"If the pointer is damaged, first remove the item ACTIVE of {deployment.rules_table}."
    yield _made("active version", f"{activate} {damaged}", active)
    for pointer in pointers:
        back = f"infusion-orders rules rollback {table} --why ..., or publish the rules again and activate them."
        yield _made("active version: digest", back, digest)
        yield _made("active version: loads", back, partial(loads, pointer.version))
        if pointer.shadow is None:
            yield Check("shadow version", State.SKIPPED, "none")
        else:
            end = f"infusion-orders rules shadow off {table} --why ..."
            yield _made(f"shadow version {pointer.shadow}", end, partial(loads, pointer.shadow))


def _partners(deployment: Deployment) -> Found:
    store = PartnerStore(deployment.client, deployment.rules_table, refresh_seconds=0, clock=lambda: 0.0)
    count = len(store.client_ids())
    return count > 0, f"{count} registered"


def _functions(deployment: Deployment) -> Iterator[Check]:
    if not deployment.functions:
        yield Check("time-outs", State.SKIPPED, NOT_LOCAL if deployment.local else "name the stack with --stack")
        return
    try:
        template = read_template(project_root() / TEMPLATE)
    except OutsideCheckout as outside:
        yield Check("time-outs", State.SKIPPED, str(outside))
        return
    for function, name in deployment.functions.items():
        yield _made(f"time-out of {function}", DEPLOY, partial(_timeout, deployment, template, function, name))


def _timeout(deployment: Deployment, template: Mapping[str, Any], function: str, name: str) -> Found:
    seconds = int(_client("lambda", deployment).get_function_configuration(FunctionName=name)["Timeout"])
    properties = template["Resources"].get(function, {}).get("Properties", {})
    wanted = properties.get("Timeout", template["Globals"]["Function"]["Timeout"])
    if properties.get("Events") and seconds >= GATEWAY_SECONDS:
        return False, f"{seconds} s, but the gateway waits only {GATEWAY_SECONDS} s"
    return seconds == wanted, f"{seconds} s" if seconds == wanted else f"{seconds} s, but template.yaml says {wanted} s"


def _client(service: str, deployment: Deployment) -> Any:
    """Keep one client for each service: making one takes longer than a request."""
    if service not in deployment.clients:
        import boto3

        make: Any = boto3.client
        deployment.clients[service] = make(service, region_name=deployment.client.meta.region_name)
    return deployment.clients[service]
