"""The one module-level cache of a process: the rule set that decides, keyed by its digest, read-only."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from infusion_orders.store.activations import NoRuleSet
from infusion_orders.store.client import LAST_ATTEMPT_SECONDS, StoreUnavailable, answered_within
from infusion_orders.store.partition import DamagedRuleSet
from infusion_orders.store.rule_sets import NoSuchVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from infusion_orders.rules.rule_set import RuleSet
    from infusion_orders.store.rule_sets import RuleSetStore

MOST_PAST_VERSIONS = 4
REFRESH_SECONDS = 3 + LAST_ATTEMPT_SECONDS
"""What looking for a newer version may take of a request that the one at hand can answer, at worst."""


@dataclass(frozen=True, slots=True)
class ActiveRuleSet:
    """`age_seconds`: how long ago it was last confirmed that this version is the active one."""

    rule_set: RuleSet
    age_seconds: int


def in_a_thread(work: Callable[[], None]) -> None:
    """Beside the requests.  What is not done when Lambda freezes the process goes on with the next request."""
    Thread(target=work, name="shadow", daemon=True).start()


class RuleSetCache:
    """Looks at the pointer at most every `refresh_seconds`, and loads a version only if its digest is new.

    While DynamoDB fails, or the new version is damaged, the last good one goes on deciding, until it was confirmed
    longer than `max_stale_seconds` ago.  `clock` counts seconds; `beside` runs what no request may wait for.
    """

    def __init__(
        self,
        store: RuleSetStore,
        *,
        refresh_seconds: float,
        max_stale_seconds: float,
        clock: Callable[[], float],
        beside: Callable[[Callable[[], None]], None] = in_a_thread,
    ) -> None:
        self._store = store
        self._refresh_seconds = refresh_seconds
        self._max_stale_seconds = max_stale_seconds
        self._clock = clock
        self._rule_set: RuleSet | None = None
        self._confirmed_at = float("-inf")
        self._looked_at = float("-inf")
        self._past: OrderedDict[int, RuleSet] = OrderedDict()
        self._beside = beside
        self._shadow: RuleSet | None = None
        self._shadow_wanted: int | None = None
        self._shadow_loading = False
        self._shadow_that_failed: int | None = None

    def active(self) -> ActiveRuleSet:
        """Raises NoRuleSet: then nothing is decided."""
        now = self._clock()
        self._confirmed_at = min(self._confirmed_at, now)  # a clock that was set back
        if self._rule_set is None or not 0 <= now - self._looked_at < self._refresh_seconds:
            self._looked_at = now
            with answered_within(math.inf if self._rule_set is None else REFRESH_SECONDS):
                self._refresh(now)
        age = now - self._confirmed_at
        if self._rule_set is None or age > self._max_stale_seconds:
            raise NoRuleSet
        return ActiveRuleSet(self._rule_set, int(age))

    def _refresh(self, now: float) -> None:
        try:
            pointer = self._store.activations.pointer()
            if pointer is None:
                return
            loaded = self._rule_set
            if loaded is None or (loaded.version, loaded.digest) != (pointer.version, pointer.digest):
                self._rule_set = self._store.load(pointer.version, pointer)
        except (StoreUnavailable, DamagedRuleSet, NoSuchVersion):
            return
        self._confirmed_at = now
        self._want_shadow(pointer.shadow)

    def shadow(self) -> RuleSet | None:
        """The version that orders are also decided under, once it is loaded; None where there is none, or not yet.

        It is loaded beside the requests, never on the path of one.  One that cannot be loaded is tried again when the
        pointer is looked at again.
        """
        loaded = self._shadow
        return loaded if loaded is not None and loaded.version == self._shadow_wanted else None

    def failed_shadow(self) -> int | None:
        """The shadow version that could not be loaded, once for each time."""
        version, self._shadow_that_failed = self._shadow_that_failed, None
        return version

    def _want_shadow(self, version: int | None) -> None:
        self._shadow_wanted = version
        if version is not None and self.shadow() is None and not self._shadow_loading:
            self._shadow_loading = True
            self._beside(lambda: self._load_shadow(version))

    def _load_shadow(self, version: int) -> None:
        try:
            self._shadow = self._store.load(version)
        except (StoreUnavailable, DamagedRuleSet, NoSuchVersion):
            self._shadow_that_failed = version
        finally:
            self._shadow_loading = False

    def version(self, version: int) -> RuleSet:
        """Any published version, to reproduce a decision.  Raises NoSuchVersion, DamagedRuleSet, StoreUnavailable."""
        if self._rule_set is not None and self._rule_set.version == version:
            return self._rule_set
        if version not in self._past:
            self._past[version] = self._store.load(version)
            if len(self._past) > MOST_PAST_VERSIONS:
                self._past.popitem(last=False)
        self._past.move_to_end(version)
        return self._past[version]
