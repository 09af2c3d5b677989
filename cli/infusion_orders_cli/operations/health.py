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
from infusion_orders_cli.checkout import MARK, OutsideCheckout, project_root
from infusion_orders_cli.local.tables import read_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

GATEWAY_SECONDS = 29
"""API Gateway waits so long for an answer, so a function of the API must end sooner."""
MOST_SKEW_SECONDS = 60
"""AWS refuses requests whose clock is five minutes off, and one minute can already change the date."""
CHECK_ACCESS = "Check its name, that it is running, and that you may read it."
CHECK_POLICY = "Your permissions must let you describe it."
DEPLOY = "Deploy the stack again: template.yaml sets this."
NOT_LOCAL = "does not apply to local tables"


class State(StrEnum):
    """The result of a check; `SKIPPED` checks cannot be made here."""

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
        yield _skipped("decisions table", "name it with --decisions-table, or the stack with --stack")
    else:
        yield from _table(deployment, deployment.decisions_table, "decisions table", expires=True)
    if len(rules) > 1:
        yield _attempted("clock", CHECK_ACCESS, lambda: _clock(deployment))
        yield from _rules(deployment)
        yield _attempted("partners", CHECK_ACCESS, lambda: _partners(deployment))
    else:
        for check in ("clock", "active version", "partners"):
            yield _skipped(check, "needs the rules table")
    yield from _functions(deployment)


def _table(deployment: Deployment, table: str, called: str, *, expires: bool) -> Iterator[Check]:
    """Check one table; if it is missing or does not answer, that is the only result."""
    try:
        with translated_errors():
            found: dict[str, Any] = dict(deployment.client.describe_table(TableName=table)["Table"])
    except StoreUnavailable as error:
        yield _wrong(called, f"{table}: {error}", CHECK_ACCESS)
        return
    status = str(found["TableStatus"])
    yield _judged(called, status == "ACTIVE", f"{table} is {status}", "Wait until it is ACTIVE, then check again.")
    checks: dict[str, Callable[[str], Check]] = {
        "encryption": partial(_encryption, deployment, found),
        "point-in-time recovery": partial(_recovery, deployment, table),
        "deletion protection": partial(_protection, found),
    }
    if expires:
        checks["expiry"] = partial(_expiry, deployment, table)
    for name, look in checks.items():
        check = f"{called}: {name}"
        yield _skipped(check, NOT_LOCAL) if deployment.local else _attempted(check, CHECK_POLICY, partial(look, check))


def _encryption(deployment: Deployment, table: Mapping[str, Any], check: str) -> Check:
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


def _recovery(deployment: Deployment, table: str, check: str) -> Check:
    with translated_errors():
        found = deployment.client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    status = found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus", "DISABLED")
    return _judged(check, status == "ENABLED", status, DEPLOY)


def _protection(table: Mapping[str, Any], check: str) -> Check:
    on = bool(table.get("DeletionProtectionEnabled"))
    return _judged(check, on, "on" if on else "off", DEPLOY)


def _expiry(deployment: Deployment, table: str, check: str) -> Check:
    with translated_errors():
        found = deployment.client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    status, attribute = found["TimeToLiveStatus"], found.get("AttributeName")
    right = status in ("ENABLED", "ENABLING") and attribute == "expires_at"
    return _judged(check, right, f"{status}, by {attribute or 'no attribute'}", DEPLOY)


def _clock(deployment: Deployment) -> Check:
    with translated_errors():
        answer = deployment.client.describe_table(TableName=deployment.rules_table)
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        return _skipped("clock", "the server does not send its time")
    seconds = abs((now() - parsedate_to_datetime(date)).total_seconds())
    do = "Set this machine's clock: AWS refuses requests with another time, and records would carry it."
    return _judged("clock", seconds <= MOST_SKEW_SECONDS, f"{seconds:.0f} s from the server's", do)


def now() -> datetime:
    """Return this machine's time."""
    return datetime.now(UTC)


def _rules(deployment: Deployment) -> Iterator[Check]:
    store = RuleSetStore(deployment.client, deployment.rules_table, deployment.rule_set)
    table = f"--table {deployment.rules_table}"
    try:
        pointer = store.activations.pointer(consistent=True)
    except StoreUnavailable as error:
        yield _wrong("active version", str(error), CHECK_ACCESS)
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
    yield Check("active version", State.RIGHT, since)
    back = f"infusion-orders rules rollback {table} --why ..., or publish the rules again and activate that version."

    def digest() -> Check:
        stored = store.document(pointer.version).digest
        found = stored if stored == pointer.digest else f"differs from the activated one: {stored}"
        return _judged("active version: digest", stored == pointer.digest, found, back)

    def loads(version: int, check: str, do: str) -> Check:
        return _judged(check, True, f"{len(store.load(version).rules)} rules", do)

    yield _attempted("active version: digest", back, digest)
    yield _attempted("active version: loads", back, lambda: loads(pointer.version, "active version: loads", back))
    shadow = pointer.shadow
    if shadow is None:
        yield _skipped("shadow version", "none")
    else:
        end = f"infusion-orders rules shadow off {table} --why ..."
        yield _attempted(f"shadow version {shadow}", end, lambda: loads(shadow, f"shadow version {shadow}", end))


def _partners(deployment: Deployment) -> Check:
    store = PartnerStore(deployment.client, deployment.rules_table, refresh_seconds=0, clock=lambda: 0.0)
    count = len(store.client_ids())
    do = (
        f"No partner may call yet: infusion-orders partners add <client id> --name ... --table {deployment.rules_table}"
    )
    return _judged("partners", count > 0, f"{count} registered", do)


def _functions(deployment: Deployment) -> Iterator[Check]:
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
        yield _attempted(check, CHECK_ACCESS, partial(_timeout, deployment, template, function, name, check))


def _timeout(deployment: Deployment, template: Mapping[str, Any], function: str, name: str, check: str) -> Check:
    with translated_errors():
        seconds = int(_client("lambda", deployment).get_function_configuration(FunctionName=name)["Timeout"])
    properties = template["Resources"].get(function, {}).get("Properties", {})
    wanted = properties.get("Timeout", template["Globals"]["Function"]["Timeout"])
    if properties.get("Events") and seconds >= GATEWAY_SECONDS:
        return _wrong(check, f"{seconds} s, but the gateway waits only {GATEWAY_SECONDS} s", DEPLOY)
    found = f"{seconds} s" if seconds == wanted else f"{seconds} s, but template.yaml says {wanted} s"
    return _judged(check, seconds == wanted, found, DEPLOY)


def _attempted(check: str, do: str, look: Callable[[], Check]) -> Check:
    """Make the check; one that cannot be made is wrong, and says why."""
    try:
        return look()
    except (StoreUnavailable, NoSuchVersion, DamagedRuleSet) as error:
        return _wrong(check, str(error), do)


def _client(service: str, deployment: Deployment) -> Any:
    """Keep one client for each service: making one takes longer than a request."""
    if service not in deployment.clients:
        import boto3

        make: Any = boto3.client
        deployment.clients[service] = make(service, region_name=deployment.client.meta.region_name)
    return deployment.clients[service]


def _judged(check: str, right: bool, found: str, do: str) -> Check:
    return Check(check, State.RIGHT, found) if right else _wrong(check, found, do)


def _wrong(check: str, found: str, do: str) -> Check:
    return Check(check, State.WRONG, found, do)


def _skipped(check: str, why: str) -> Check:
    return Check(check, State.SKIPPED, why)
