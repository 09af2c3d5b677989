"""What `infusion-orders doctor` looks at: each check one line, and for what is wrong what to do about it.

Nothing is changed, and nothing that a decision holds is read.
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
from infusion_orders_cli.checkout import MARK, OutsideCheckout, project_root
from infusion_orders_cli.local.tables import read_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

GATEWAY_SECONDS = 29
"""API Gateway gives up then: a function of the API must have answered before."""
MOST_SKEW_SECONDS = 60
"""AWS refuses requests that are signed five minutes off, and a minute may be another day already."""
LOOK_AGAIN = "Is its name right, does it run, may you read it?"
MAY_YOU = "May you look at it? Its policy must let you describe it."
DEPLOY = "Deploy the stack again: template.yaml says how it must be."
NOT_LOCAL = "not there locally"


class State(StrEnum):
    """`SKIPPED` is what cannot be asked here: it is neither right nor wrong."""

    RIGHT = "right"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Line:
    """One check: what was looked at, how it is, and what to do if it is wrong."""

    check: str
    state: State
    found: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is looked at.  `functions` are the deployed names by logical id, none where no stack was named."""

    client: DynamoDBClient
    rules_table: str
    decisions_table: str | None
    rule_set: str
    local: bool
    functions: Mapping[str, str] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)


def examined(deployment: Deployment) -> Iterator[Line]:
    """Every check; those that need the rules table are skipped without it, so that one fault is told once."""
    rules = tuple(_table(deployment, deployment.rules_table, "rules table", expires=False))
    yield from rules
    if deployment.decisions_table is None:
        yield _skipped("decisions table", "name it with --decisions-table, or the stack with --stack")
    else:
        yield from _table(deployment, deployment.decisions_table, "decisions table", expires=True)
    if len(rules) > 1:
        yield _attempted("clock", LOOK_AGAIN, lambda: _clock(deployment))
        yield from _rules(deployment)
        yield _attempted("partners", LOOK_AGAIN, lambda: _partners(deployment))
    else:
        for check in ("clock", "active version", "partners"):
            yield _skipped(check, "the rules table comes first")
    yield from _functions(deployment)


def _table(deployment: Deployment, table: str, called: str, *, expires: bool) -> Iterator[Line]:
    """A single line where the table is not there, or does not answer."""
    try:
        with translated_errors():
            found: dict[str, Any] = dict(deployment.client.describe_table(TableName=table)["Table"])
    except StoreUnavailable as error:
        yield _wrong(called, f"{table}: {error}", LOOK_AGAIN)
        return
    status = str(found["TableStatus"])
    yield _judged(called, status == "ACTIVE", f"{table} is {status}", "Wait until it is ACTIVE, then look again.")
    checks: dict[str, Callable[[str], Line]] = {
        "encryption": partial(_encryption, deployment, found),
        "point-in-time recovery": partial(_recovery, deployment, table),
        "deletion protection": partial(_protection, found),
    }
    if expires:
        checks["expiry"] = partial(_expiry, deployment, table)
    for name, look in checks.items():
        check = f"{called}: {name}"
        yield _skipped(check, NOT_LOCAL) if deployment.local else _attempted(check, MAY_YOU, partial(look, check))


def _encryption(deployment: Deployment, table: Mapping[str, Any], check: str) -> Line:
    key = table.get("SSEDescription", {}).get("KMSMasterKeyArn")
    if key is None:
        return _wrong(check, "DynamoDB's own key", DEPLOY)
    with translated_errors():
        found = _client("kms", deployment).describe_key(KeyId=key)["KeyMetadata"]
    manager, state = found["KeyManager"], found["KeyState"]
    if manager != "CUSTOMER":
        return _wrong(check, "a key that AWS manages", DEPLOY)
    do = "Enable the key, or cancel its deletion: without it nothing in the table can be read."
    return _judged(check, state == "Enabled", f"the stack's key is {state}", do)


def _recovery(deployment: Deployment, table: str, check: str) -> Line:
    with translated_errors():
        found = deployment.client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    status = found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus", "DISABLED")
    return _judged(check, status == "ENABLED", status, DEPLOY)


def _protection(table: Mapping[str, Any], check: str) -> Line:
    on = bool(table.get("DeletionProtectionEnabled"))
    return _judged(check, on, "on" if on else "off", DEPLOY)


def _expiry(deployment: Deployment, table: str, check: str) -> Line:
    with translated_errors():
        found = deployment.client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    status, attribute = found["TimeToLiveStatus"], found.get("AttributeName")
    right = status in ("ENABLED", "ENABLING") and attribute == "expires_at"
    return _judged(check, right, f"{status}, by {attribute or 'no attribute'}", DEPLOY)


def _clock(deployment: Deployment) -> Line:
    with translated_errors():
        answer = deployment.client.describe_table(TableName=deployment.rules_table)
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        return _skipped("clock", "the server does not say its time")
    seconds = abs((now() - parsedate_to_datetime(date)).total_seconds())
    do = "Set this machine's clock: AWS refuses requests of another time, and records would have it."
    return _judged("clock", seconds <= MOST_SKEW_SECONDS, f"{seconds:.0f} s from the server's", do)


def now() -> datetime:
    """This machine's time."""
    return datetime.now(UTC)


def _rules(deployment: Deployment) -> Iterator[Line]:
    store = RuleSetStore(deployment.client, deployment.rules_table, deployment.rule_set)
    table = f"--table {deployment.rules_table}"
    try:
        pointer = store.activations.pointer(consistent=True)
    except StoreUnavailable as error:
        yield _wrong("active version", str(error), LOOK_AGAIN)
        return
    except DamagedRuleSet as damaged:
        yield _wrong(
            "active version",
            str(damaged),
            f"Remove the item ACTIVE of {deployment.rules_table}, then activate a version.",
        )
        return
    if pointer is None:
        yield _wrong("active version", "none", f"infusion-orders rules activate <version> {table} --why ...")
        return
    since = f"version {pointer.version}, since {pointer.since:%Y-%m-%d %H:%M} by {pointer.by}"
    yield Line("active version", State.RIGHT, since)
    back = f"infusion-orders rules rollback {table} --why ..., or publish the rules again and activate that version."

    def digest() -> Line:
        stored = store.document(pointer.version).digest
        told = stored if stored == pointer.digest else f"not the one that was activated: {stored}"
        return _judged("active version: digest", stored == pointer.digest, told, back)

    def loads(version: int, check: str, do: str) -> Line:
        return _judged(check, True, f"{len(store.load(version).rules)} rules", do)

    yield _attempted("active version: digest", back, digest)
    yield _attempted("active version: loads", back, lambda: loads(pointer.version, "active version: loads", back))
    shadow = pointer.shadow
    if shadow is None:
        yield _skipped("shadow version", "none")
    else:
        end = f"infusion-orders rules shadow off {table} --why ..."
        yield _attempted(f"shadow version {shadow}", end, lambda: loads(shadow, f"shadow version {shadow}", end))


def _partners(deployment: Deployment) -> Line:
    store = PartnerStore(deployment.client, deployment.rules_table, refresh_seconds=0, clock=lambda: 0.0)
    count = len(store.client_ids())
    do = f"Nobody may call yet: infusion-orders partners add <client id> --name ... --table {deployment.rules_table}"
    return _judged("partners", count > 0, f"{count} registered", do)


def _functions(deployment: Deployment) -> Iterator[Line]:
    if not deployment.functions:
        yield _skipped("time-outs", NOT_LOCAL if deployment.local else "name the stack with --stack")
        return
    try:
        template = read_template(project_root() / MARK)
    except OutsideCheckout as outside:
        yield _skipped("time-outs", str(outside))
        return
    for function, name in deployment.functions.items():
        check = f"time-out of {function}"
        yield _attempted(check, LOOK_AGAIN, partial(_timeout, deployment, template, function, name, check))


def _timeout(deployment: Deployment, template: Mapping[str, Any], function: str, name: str, check: str) -> Line:
    with translated_errors():
        seconds = int(_client("lambda", deployment).get_function_configuration(FunctionName=name)["Timeout"])
    properties = template["Resources"].get(function, {}).get("Properties", {})
    wanted = properties.get("Timeout", template["Globals"]["Function"]["Timeout"])
    if properties.get("Events") and seconds >= GATEWAY_SECONDS:
        return _wrong(check, f"{seconds} s, and the gateway gives up after {GATEWAY_SECONDS} s", DEPLOY)
    told = f"{seconds} s" if seconds == wanted else f"{seconds} s, and template.yaml says {wanted} s"
    return _judged(check, seconds == wanted, told, DEPLOY)


def _attempted(check: str, do: str, look: Callable[[], Line]) -> Line:
    """The check's line; one that cannot be made is wrong, and says why."""
    try:
        return look()
    except (StoreUnavailable, NoSuchVersion, DamagedRuleSet) as error:
        return _wrong(check, str(error), do)


def _client(service: str, deployment: Deployment) -> Any:
    """One for each service: making one takes longer than a request."""
    if service not in deployment.clients:
        import boto3

        make: Any = boto3.client
        deployment.clients[service] = make(service, region_name=deployment.client.meta.region_name)
    return deployment.clients[service]


def _judged(check: str, right: bool, found: str, do: str) -> Line:
    return Line(check, State.RIGHT, found) if right else _wrong(check, found, do)


def _wrong(check: str, found: str, do: str) -> Line:
    return Line(check, State.WRONG, found, do)


def _skipped(check: str, why: str) -> Line:
    return Line(check, State.SKIPPED, why)
