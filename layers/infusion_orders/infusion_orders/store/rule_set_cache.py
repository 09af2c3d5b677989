"""The rule sets that a process holds: the active version, its shadow, and a few past versions."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from infusion_orders.store.activations import NoRuleSet
from infusion_orders.store.dynamodb import LAST_ATTEMPT_SECONDS, StoreUnavailable, time_limit
from infusion_orders.store.rule_set_table import DamagedRuleSet
from infusion_orders.store.versions import NoSuchVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from infusion_orders.rules.rule_set import RuleSet
    from infusion_orders.store.versions import RuleSetStore

MOST_PAST_VERSIONS = 4
REFRESH_SECONDS = 3 + LAST_ATTEMPT_SECONDS
"""The longest time that a request waits for a newer version when it could use the one at hand."""


@dataclass(frozen=True, slots=True)
class ActiveRuleSet:
    """The active version, and how many seconds ago it was last confirmed to be the active one."""

    rule_set: RuleSet
    age_seconds: int


def start_thread(work: Callable[[], None]) -> None:
    """Start the work in a thread.  If Lambda freezes the process meanwhile, it continues with the next request."""
    Thread(target=work, name="shadow", daemon=True).start()


class RuleSetCache:
    """Reads the pointer at most every `refresh_seconds`, and loads a version only if it is a new one.

    While DynamoDB fails, or the new version is damaged, the last good version stays in use.  It expires
    `max_stale_seconds` after it was last confirmed.  `clock` returns seconds; `run_in_background` runs work that no
    request may wait for.
    """

    def __init__(
        self,
        store: RuleSetStore,
        *,
        refresh_seconds: float,
        max_stale_seconds: float,
        clock: Callable[[], float],
        run_in_background: Callable[[Callable[[], None]], None] = start_thread,
    ) -> None:
        self._store = store
        self._refresh_seconds = refresh_seconds
        self._max_stale_seconds = max_stale_seconds
        self._clock = clock
        self._rule_set: RuleSet | None = None
        self._confirmed_at = -math.inf
        self._refreshed_at = -math.inf
        self._past: OrderedDict[int, RuleSet] = OrderedDict()
        self._run_in_background = run_in_background
        self._shadow: RuleSet | None = None
        self._shadow_wanted: int | None = None
        self.shadow_is_loading = False
        self._failed_shadow: int | None = None

    def active(self) -> ActiveRuleSet:
        """Return the active version.  Raises NoRuleSet: then nothing may be decided."""
        now = self._clock()
        self._confirmed_at = min(self._confirmed_at, now)  # a clock that was set back must not make the age negative
        if self._rule_set is None or not 0 <= now - self._refreshed_at < self._refresh_seconds:
            self._refreshed_at = now
            with time_limit(math.inf if self._rule_set is None else REFRESH_SECONDS):
                self._refresh(now)
        age = now - self._confirmed_at
        if self._rule_set is None or age > self._max_stale_seconds:
            raise NoRuleSet
        return ActiveRuleSet(self._rule_set, int(age))

    def expire(self) -> None:
        """Read the pointer again at the next request."""
        self._refreshed_at = -math.inf

    def shadow(self) -> RuleSet | None:
        """Return the shadow version once it is loaded; None if there is none, or not yet.

        It is loaded in the background.  If that fails, the next reading of the pointer tries again.
        """
        loaded = self._shadow
        return loaded if loaded is not None and loaded.version == self._shadow_wanted else None

    def take_failed_shadow(self) -> int | None:
        """Return the shadow version that could not be loaded, once for each failure."""
        version, self._failed_shadow = self._failed_shadow, None
        return version

    def version(self, version: int) -> RuleSet:
        """Return any published version.  Raises NoSuchVersion, DamagedRuleSet and StoreUnavailable."""
        if self._rule_set is not None and self._rule_set.version == version:
            return self._rule_set
        if version not in self._past:
            self._past[version] = self._store.load(version)
            if len(self._past) > MOST_PAST_VERSIONS:
                self._past.popitem(last=False)
        self._past.move_to_end(version)
        return self._past[version]

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
        self._request_shadow(pointer.shadow)

    def _request_shadow(self, version: int | None) -> None:
        self._shadow_wanted = version
        if version is not None and self.shadow() is None and not self.shadow_is_loading:
            self.shadow_is_loading = True
            self._run_in_background(lambda: self._load_shadow(version))

    def _load_shadow(self, version: int) -> None:
        try:
            self._shadow = self._store.load(version)
        except (StoreUnavailable, DamagedRuleSet, NoSuchVersion):
            self._failed_shadow = version
        finally:
            self.shadow_is_loading = False
