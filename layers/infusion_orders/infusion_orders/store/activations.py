"""The pointer to the active version and its shadow, and the history of every change.

The pointer changes only by a conditional write on what was read, in one transaction with the record of the change.  So
of two people at once only one succeeds, and no change goes unrecorded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from infusion_orders.store.dynamodb import ConditionFailed, write_transaction
from infusion_orders.store.rule_set_table import damaged_if_unreadable, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from infusion_orders.store.rule_set_table import RuleSetTable
    from infusion_orders.store.versions import VersionHeader

POINTER = "ACTIVE"
ACTIVATION_PREFIX = "ACTIVATED#"
AUDIT_PREFIX = "AUDIT#"
MOST_CHANGES = 1000


class NoRuleSet(Exception):
    """No version is active, or none that was confirmed recently enough can be read."""

    retry_after_seconds = 5


class ActivationConflict(Exception):
    """Somebody else changed the pointer first; the text says who, to which version and when."""


class ChecksNotPassed(Exception):
    """The version has errors; the text says how many and what to do."""


class SamePerson(Exception):
    """Four eyes are required, and the person who published the version tried to activate it."""


class NothingToDo(Exception):
    """The pointer already is as requested, or there is no version to roll back to; the text says which."""


class ChangeKind(StrEnum):
    """The kinds of change to a rule set."""

    PUBLISHED = "published"
    ACTIVATED = "activated"
    ROLLED_BACK = "rolled back"
    SHADOWED = "shadowed"
    SHADOW_ENDED = "shadow ended"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `version` was published, activated or shadowed, and `previous` was active until then.

    `forced` means that the version was activated although it has errors.
    """

    action: ChangeKind
    version: int
    by: str
    at: datetime
    why: str
    previous: int | None = None
    forced: bool = False


@dataclass(frozen=True, slots=True)
class ActivePointer:
    """The active version, since when, who activated it and why.

    Orders are also decided under the version `shadow`, without any effect on the answer.  `digest` and `language`
    repeat the version's header, so that loading the version need not read it.  A rollback returns to `previous`;
    `revision` counts the changes.
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
    """Reads and changes the pointer of one rule set; `header` reads the header of a published version."""

    def __init__(self, table: RuleSetTable, header: Callable[[int], VersionHeader]) -> None:
        self._table = table
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
        """Make the version active and record the change.  If it was the shadow, the shadow ends.

        `forced` activates it in spite of its errors.  `four_eyes` requires another person than the one who published
        it.  `expected` is the version that the caller believes to be active (0: none).
        Raises NoSuchVersion, ChecksNotPassed, SamePerson, ActivationConflict and StoreUnavailable.
        """
        header = self._header(version)
        if header.errors and not forced:
            count = f"{header.errors} error{'s' if header.errors > 1 else ''}"
            raise ChecksNotPassed(f"version {version} has {count}: fix them, or force the activation and say why")
        if four_eyes and header.by == by:
            raise SamePerson(f"{by} published version {version}: another person must activate it")
        before = self.pointer(consistent=True)
        if expected is not None and expected != (0 if before is None else before.version):
            raise ActivationConflict(_describe(before))
        change = Change(ChangeKind.ACTIVATED, version, by, at, why, forced=bool(forced and header.errors))
        return self._move(before, change, header)

    def roll_back(self, *, by: str, why: str, at: datetime) -> ActivePointer:
        """Activate the previous version again; a second rollback undoes the first.

        Errors and four eyes do not delay a rollback, because that version was approved when it was first activated.
        Raises NothingToDo without a previous version, ActivationConflict and StoreUnavailable.
        """
        before = self.pointer(consistent=True)
        if before is None or before.previous is None:
            raise NothingToDo("no version was active before: there is nothing to roll back to")
        header = self._header(before.previous)
        return self._move(before, Change(ChangeKind.ROLLED_BACK, before.previous, by, at, why), header)

    def set_shadow(self, version: int | None, *, by: str, why: str, at: datetime) -> ActivePointer:
        """Decide orders also under this version from now on, without changing any answer; None ends the shadow.

        Raises NoRuleSet while nothing is active, NothingToDo, NoSuchVersion, ActivationConflict, StoreUnavailable.
        """
        before = self.pointer(consistent=True)
        if before is None:
            raise NoRuleSet
        if version is not None:
            self._header(version)
        if version == before.version:
            raise NothingToDo(f"version {version} is active already: it cannot be its own shadow")
        if version == before.shadow:
            raise NothingToDo(f"version {version} is the shadow already" if version else "there is no shadow version")
        kind = ChangeKind.SHADOW_ENDED if version is None else ChangeKind.SHADOWED
        changed = version or before.shadow or before.version
        after = replace(before, shadow=version, revision=before.revision + 1)
        return self._write(before, after, Change(kind, changed, by, max(at, before.since), why, before.version))

    def pointer(self, *, consistent: bool = False) -> ActivePointer | None:
        """Read the pointer; None before the first activation.  Raises DamagedRuleSet and StoreUnavailable."""
        item = self._table.get(POINTER, consistent=consistent)
        with damaged_if_unreadable("the pointer to the active version"):
            return None if item is None else _pointer_from(item)

    def version_active_at(self, at: datetime) -> int:
        """Return the version that was active at that time.

        Raises NoRuleSet when none was active yet, DamagedRuleSet and StoreUnavailable.
        """
        found = self._table.latest(ACTIVATION_PREFIX, limit=1, until=timestamp(at))
        if not found:
            raise NoRuleSet
        with damaged_if_unreadable("the record of an activation"):
            return int(found[0]["version"]["N"])

    def history(self, *, limit: int = MOST_CHANGES) -> tuple[Change, ...]:
        """Return the changes, publications included, the latest first.  Raises StoreUnavailable."""
        return tuple(_change_from(item) for item in self._table.latest(AUDIT_PREFIX, limit=limit))

    def _move(self, before: ActivePointer | None, change: Change, header: VersionHeader) -> ActivePointer:
        at, previous, shadow, revision = change.at, None, None, 1
        if before is not None:  # activations stay in order even if clocks differ
            at = max(at, before.since + timedelta(microseconds=1))
            previous, revision = before.version, before.revision + 1
            shadow = None if before.shadow == change.version else before.shadow
        after = ActivePointer(
            change.version, header.digest, at, change.by, change.why, previous, shadow, revision, header.language
        )
        record = self._table.put_if_new(f"{ACTIVATION_PREFIX}{timestamp(at)}", _item_of(after))
        return self._write(before, after, replace(change, at=at, previous=previous), record)

    def _write(
        self, before: ActivePointer | None, after: ActivePointer, change: Change, *more: TransactWriteItemTypeDef
    ) -> ActivePointer:
        move = self._table.put_if_new(POINTER, _item_of(after))
        if before is not None:
            unchanged = "#revision = :revision" if before.revision else "attribute_not_exists(#revision)"
            move["Put"] |= {"ConditionExpression": unchanged, "ExpressionAttributeNames": {"#revision": "revision"}}
            if before.revision:
                move["Put"]["ExpressionAttributeValues"] = {":revision": {"N": str(before.revision)}}
        try:
            write_transaction(self._table.client, [move, *more, audit_write(self._table, change)])
        except ConditionFailed:
            raise ActivationConflict(_describe(self.pointer(consistent=True))) from None
        return after


def _describe(pointer: ActivePointer | None) -> str:
    if pointer is None:
        return "another activation came first"
    shadow = "" if pointer.shadow is None else f", with version {pointer.shadow} as its shadow"
    return f"{pointer.by} activated version {pointer.version} at {timestamp(pointer.since)}{shadow}"


def _item_of(pointer: ActivePointer) -> dict[str, Any]:
    language = {} if pointer.language is None else {"language": {"S": pointer.language}}
    return language | {
        "version": {"N": str(pointer.version)},
        "digest": {"S": pointer.digest},
        "since": {"S": timestamp(pointer.since)},
        "by": {"S": pointer.by},
        "why": {"S": pointer.why},
        "previous": _number(pointer.previous),
        "shadow": _number(pointer.shadow),
        "revision": {"N": str(pointer.revision)},
    }


def _number(value: int | None) -> dict[str, Any]:
    return {"NULL": True} if value is None else {"N": str(value)}


def _pointer_from(item: dict[str, Any]) -> ActivePointer:
    """Release 0.1 wrote no shadow, no language and no revision: its pointer counts as revision 0."""

    def number(name: str) -> int | None:
        value = item.get(name, {})
        return int(value["N"]) if "N" in value else None

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


def audit_write(table: RuleSetTable, change: Change) -> TransactWriteItemTypeDef:
    """Return the write that records the change, for the transaction that makes it.

    At one timestamp a publication sorts before any other change, because only published versions can be activated.
    """
    place = 0 if change.action is ChangeKind.PUBLISHED else 1
    item: dict[str, Any] = {
        "action": {"S": change.action.value},
        "version": {"N": str(change.version)},
        "by": {"S": change.by},
        "at": {"S": timestamp(change.at)},
        "why": {"S": change.why},
        "forced": {"BOOL": change.forced},
        "previous": _number(change.previous),
    }
    return table.put_if_new(f"{AUDIT_PREFIX}{timestamp(change.at)}#{place}#{change.version:06d}", item)


def _change_from(item: dict[str, Any]) -> Change:
    return Change(
        action=ChangeKind(item["action"]["S"]),
        version=int(item["version"]["N"]),
        by=item["by"]["S"],
        at=datetime.fromisoformat(item["at"]["S"]),
        why=item["why"]["S"],
        previous=int(item["previous"]["N"]) if "N" in item["previous"] else None,
        forced=item["forced"]["BOOL"],
    )
