"""How many examples a property test draws: `--hypothesis-profile=quick` (`make quick`) draws a fifth."""

from __future__ import annotations

from hypothesis import settings

FULL, QUICK = 100, 20

settings.register_profile("full", max_examples=FULL, deadline=None)
settings.register_profile("quick", max_examples=QUICK, deadline=None)


def examples(count: int) -> settings:
    """Return the settings of a test that draws `count` examples in a full run, and its share in a quick one."""
    return settings(max_examples=max(1, count * settings().max_examples // FULL))
