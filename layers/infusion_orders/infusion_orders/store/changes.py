"""The record of every change of a rule set: who did what, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from infusion_orders.store.partition import NEW, moment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from infusion_orders.store.partition import Partition

AUDIT = "AUDIT#"


class Action(StrEnum):
    """What was done."""

    PUBLISHED = "published"
    ACTIVATED = "activated"
    ROLLED_BACK = "rolled back"
    SHADOWED = "shadowed"
    SHADOW_ENDED = "shadow ended"


@dataclass(frozen=True, slots=True)
class Change:
    """`version` is the one that was published, activated or shadowed; `previous` the one that decided until then.

    `forced`: activated though its checks had not passed.
    """

    action: Action
    version: int
    by: str
    at: datetime
    why: str
    previous: int | None = None
    forced: bool = False


def record_of(partition: Partition, change: Change) -> TransactWriteItemTypeDef:
    """The write that keeps the change, for the transaction that makes it.

    Of one moment a publication comes before a move: nothing is moved to that is not published.
    """
    place = 0 if change.action is Action.PUBLISHED else 1
    item: dict[str, Any] = {
        **partition.key(f"{AUDIT}{moment(change.at)}#{place}#{change.version:06d}"),
        "action": {"S": change.action.value},
        "version": {"N": str(change.version)},
        "by": {"S": change.by},
        "at": {"S": moment(change.at)},
        "why": {"S": change.why},
        "forced": {"BOOL": change.forced},
        "previous": {"NULL": True} if change.previous is None else {"N": str(change.previous)},
    }
    return {"Put": {"TableName": partition.table, "Item": item, "ConditionExpression": NEW}}


def changes_of(partition: Partition, *, most: int) -> tuple[Change, ...]:
    """The latest first.  Raises StoreUnavailable."""
    return tuple(
        Change(
            action=Action(item["action"]["S"]),
            version=int(item["version"]["N"]),
            by=item["by"]["S"],
            at=datetime.fromisoformat(item["at"]["S"]),
            why=item["why"]["S"],
            previous=int(item["previous"]["N"]) if "N" in item["previous"] else None,
            forced=item["forced"]["BOOL"],
        )
        for item in partition.newest(AUDIT, most=most)
    )
