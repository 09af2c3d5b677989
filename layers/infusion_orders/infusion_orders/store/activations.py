"""The pointer: which version decides, which one runs in its shadow, and who moved it when.

The pointer moves only by a conditional write on what was read, together with the record of the move: of two people at
once one wins, and nothing moves without a record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from infusion_orders.store.changes import Action, Change, changes_of, record_of
from infusion_orders.store.client import ConditionFailed, write_together
from infusion_orders.store.partition import NEW, as_written, moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from infusion_orders.store.headers import VersionHeader
    from infusion_orders.store.partition import Partition

ACTIVE = "ACTIVE"
ACTIVATED = "ACTIVATED#"
MOST_CHANGES = 1000


class NoRuleSet(Exception):
    """No version is active, or none that is recent enough can be read."""

    retry_after_seconds = 5


class ActivationConflict(Exception):
    """Somebody else moved the pointer in the meantime; the text says who, to which version and when."""


class ChecksNotPassed(Exception):
    """The version's own checks found errors; the text says how many and what to do."""


class SamePerson(Exception):
    """Four eyes are asked for, and whoever published the version would activate it."""


class NothingToDo(Exception):
    """The pointer stands already as it was to be moved, or has nowhere to go back to; the text says which."""


@dataclass(frozen=True, slots=True)
class ActivePointer:
    """Which version decides, since when and by whose hand; `shadow` is also decided under, and never answered with.

    Digest and language are those of the version's header, so that it need not be read to load the version.
    `previous` is what a roll back goes to; `revision` counts the moves.
    """

    version: int
    digest: str
    since: datetime
    by: str
    why: str
    previous: int | None
    shadow: int | None
    revision: int
    language: str | None


class Activations:
    """Moves and reads the pointer of one rule set; `header` finds a published version."""

    def __init__(self, partition: Partition, header: Callable[[int], VersionHeader]) -> None:
        self._partition = partition
        self._header = header

    def activate(
        self,
        version: int,
        *,
        by: str,
        why: str,
        at: datetime,
        forced: bool = False,
        four_eyes: bool = False,
        expected: int | None = None,
    ) -> ActivePointer:
        """Makes the version decide, and records that it does.  A version that was in the shadow leaves it.

        `forced` activates in spite of errors that its checks found; `four_eyes` wants another person than the one who
        published; `expected` is the version that the caller takes to be active (0: none).
        Raises NoSuchVersion, ChecksNotPassed, SamePerson, ActivationConflict when another move came first, and
        StoreUnavailable.
        """
        header = self._header(version)
        if header.errors and not forced:
            count = f"{header.errors} error{'s' if header.errors > 1 else ''}"
            raise ChecksNotPassed(f"the checks of version {version} found {count}: mend it, or force it and say why")
        if four_eyes and header.by == by:
            raise SamePerson(f"{by} published version {version}: another person must activate it")
        before = self.pointer(consistent=True)
        if expected is not None and expected != (0 if before is None else before.version):
            raise ActivationConflict(_told(before))
        change = Change(Action.ACTIVATED, version, by, at, why, forced=bool(forced and header.errors))
        return self._move(before, change, header)

    def roll_back(self, *, by: str, why: str, at: datetime) -> ActivePointer:
        """Activates what decided before; rolled back twice, the pointer stands where it stood.

        A version that decided once was let pass then: neither its checks nor four eyes delay the way back.
        Raises NothingToDo without a version to go back to, ActivationConflict and StoreUnavailable.
        """
        before = self.pointer(consistent=True)
        if before is None or before.previous is None:
            raise NothingToDo("no version was active before: there is nothing to roll back to")
        header = self._header(before.previous)
        return self._move(before, Change(Action.ROLLED_BACK, before.previous, by, at, why), header)

    def set_shadow(self, version: int | None, *, by: str, why: str, at: datetime) -> ActivePointer:
        """Orders are also decided under the shadow version from now on; None ends that.

        Raises NoRuleSet while nothing is active, NothingToDo, NoSuchVersion, ActivationConflict, StoreUnavailable.
        """
        before = self.pointer(consistent=True)
        if before is None:
            raise NoRuleSet
        if version is not None:
            self._header(version)
        if version == before.version:
            raise NothingToDo(f"version {version} decides already: it has no shadow of its own")
        if version == before.shadow:
            raise NothingToDo(f"version {version} is the shadow already" if version else "no version is in the shadow")
        action = Action.SHADOW_ENDED if version is None else Action.SHADOWED
        of = version or before.shadow or before.version
        after = replace(before, shadow=version, revision=before.revision + 1)
        return self._write(before, after, Change(action, of, by, max(at, before.since), why, before.version))

    def pointer(self, *, consistent: bool = False) -> ActivePointer | None:
        """Which version decides; None before the first activation.  Raises DamagedRuleSet and StoreUnavailable."""
        item = self._partition.get(ACTIVE, consistent=consistent)
        with as_written("the pointer to the active version"):
            return None if item is None else _pointer_of(item)

    def version_active_at(self, at: datetime) -> int:
        """The second clock.  Raises NoRuleSet when nothing was active yet, DamagedRuleSet and StoreUnavailable."""
        found = self._partition.newest(ACTIVATED, most=1, up_to=moment(at))
        if not found:
            raise NoRuleSet
        with as_written("the record of an activation"):
            return int(found[0]["version"]["N"])

    def history(self, *, most: int = MOST_CHANGES) -> tuple[Change, ...]:
        """Every change, publications too, the latest first.  Raises StoreUnavailable."""
        return changes_of(self._partition, most=most)

    def _move(self, before: ActivePointer | None, change: Change, header: VersionHeader) -> ActivePointer:
        at, previous, shadow, revision = change.at, None, None, 1
        if before is not None:  # moments of activations never run backwards, whatever the clocks do
            at = max(at, before.since + timedelta(microseconds=1))
            previous, revision = before.version, before.revision + 1
            shadow = None if before.shadow == change.version else before.shadow
        after = ActivePointer(
            change.version, header.digest, at, change.by, change.why, previous, shadow, revision, header.language
        )
        dated = replace(change, at=at, previous=previous)
        activated: dict[str, Any] = _item_of(after) | self._partition.key(f"{ACTIVATED}{moment(at)}")
        record: TransactWriteItemTypeDef = {
            "Put": {"TableName": self._partition.table, "Item": activated, "ConditionExpression": NEW}
        }
        return self._write(before, after, dated, record)

    def _write(
        self, before: ActivePointer | None, after: ActivePointer, change: Change, *more: TransactWriteItemTypeDef
    ) -> ActivePointer:
        item = _item_of(after) | self._partition.key(ACTIVE)
        move: TransactWriteItemTypeDef = {
            "Put": {"TableName": self._partition.table, "Item": item, "ConditionExpression": NEW}
        }
        if before is not None:
            as_read = "#revision = :revision" if before.revision else "attribute_not_exists(#revision)"
            move["Put"] |= {"ConditionExpression": as_read, "ExpressionAttributeNames": {"#revision": "revision"}}
            if before.revision:
                move["Put"]["ExpressionAttributeValues"] = {":revision": {"N": str(before.revision)}}
        try:
            write_together(self._partition.client, [move, *more, record_of(self._partition, change)])
        except ConditionFailed:
            raise ActivationConflict(_told(self.pointer(consistent=True))) from None
        return after


def _told(pointer: ActivePointer | None) -> str:
    if pointer is None:
        return "another activation came first"
    shadow = "" if pointer.shadow is None else f", with version {pointer.shadow} in its shadow"
    return f"{pointer.by} activated version {pointer.version} at {moment(pointer.since)}{shadow}"


def _item_of(pointer: ActivePointer) -> dict[str, Any]:
    language = {} if pointer.language is None else {"language": {"S": pointer.language}}
    return language | {
        "version": {"N": str(pointer.version)},
        "digest": {"S": pointer.digest},
        "since": {"S": moment(pointer.since)},
        "by": {"S": pointer.by},
        "why": {"S": pointer.why},
        "previous": _number(pointer.previous),
        "shadow": _number(pointer.shadow),
        "revision": {"N": str(pointer.revision)},
    }


def _number(value: int | None) -> dict[str, Any]:
    return {"NULL": True} if value is None else {"N": str(value)}


def _pointer_of(item: dict[str, Any]) -> ActivePointer:
    """A pointer that an earlier release moved has no shadow and no revision: it counts as revision 0."""

    def number(name: str) -> int | None:
        kept = item.get(name, {})
        return int(kept["N"]) if "N" in kept else None

    return ActivePointer(
        version=int(item["version"]["N"]),
        digest=item["digest"]["S"],
        since=datetime.fromisoformat(item["since"]["S"]),
        by=item["by"]["S"],
        why=item["why"]["S"],
        previous=number("previous"),
        shadow=number("shadow"),
        revision=number("revision") or 0,
        language=item["language"]["S"] if "language" in item else None,
    )
